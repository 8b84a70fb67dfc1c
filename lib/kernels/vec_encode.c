/* Numbers onto a tape, on vectors. */
#include <string.h>

#include "kernels/vec_kernels.h"

void ARNN_VEC(encode_f32)(void *row, const float *values, size_t count)
{
    memcpy(row, values, count * sizeof *values);
}

void ARNN_VEC(encode_f16)(void *row, const float *values, size_t count)
{
    uint16_t *to = row, room[VF_LANES];
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_to_f16(to + i, vf_load(values + i));
    if (i < count) {
        vf_to_f16(room, vf_load_n(values + i, count - i));
        memcpy(to + i, room, (count - i) * sizeof *room);
    }
}

void ARNN_VEC(encode_bf16)(void *row, const float *values, size_t count)
{
    uint16_t *to = row, room[VF_LANES];
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_to_bf16(to + i, vf_load(values + i));
    if (i < count) {
        vf_to_bf16(room, vf_load_n(values + i, count - i));
        memcpy(to + i, room, (count - i) * sizeof *room);
    }
}

ARNN_INLINE vf scaled(vf v)
{
    const vf most = vf_set(127.0f);
    return vf_max(vf_set(-127.0f), vf_min(most, vf_mul(most, v)));
}

void ARNN_VEC(encode_i8)(void *row, const float *values, size_t count)
{
    int8_t *to = row, room[VF_LANES];
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_to_i8(to + i, scaled(vf_load(values + i)));
    if (i < count) {
        vf_to_i8(room, scaled(vf_load_n(values + i, count - i)));
        memcpy(to + i, room, (count - i) * sizeof *room);
    }
}

/* Numbers onto a tape, on vectors. */
#include <string.h>

#include "kernels/vec_kernels.h"

/* Rounds and stores VF_LANES numbers. */
typedef void put_kernel(void *to, vf v);

static void put_f16(void *to, vf v)
{
    vf_to_f16(to, v);
}
static void put_bf16(void *to, vf v)
{
    vf_to_bf16(to, v);
}

static void put_i8(void *to, vf v)
{
    const vf most = vf_set(127.0f);
    vf_to_i8(to, vf_max(vf_set(-127.0f), vf_min(most, vf_mul(most, v))));
}

/* Elements of `bytes` bytes. */
ARNN_INLINE void encode(void *row, const float *values, size_t count, const size_t bytes, put_kernel *put)
{
    unsigned char *to = row;
    uint16_t room[VF_LANES];
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        put(to + i * bytes, vf_load(values + i));
    if (i < count) {
        put(room, vf_load_n(values + i, count - i));
        memcpy(to + i * bytes, room, (count - i) * bytes);
    }
}

void ARNN_VEC(encode_f32)(void *row, const float *values, size_t count)
{
    memcpy(row, values, count * sizeof *values);
}

void ARNN_VEC(encode_f16)(void *row, const float *values, size_t count)
{
    encode(row, values, count, sizeof(uint16_t), put_f16);
}

void ARNN_VEC(encode_bf16)(void *row, const float *values, size_t count)
{
    encode(row, values, count, sizeof(uint16_t), put_bf16);
}

void ARNN_VEC(encode_i8)(void *row, const float *values, size_t count)
{
    encode(row, values, count, sizeof(int8_t), put_i8);
}

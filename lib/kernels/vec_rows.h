/* Rows of any element type as pairs of float vectors. `type` is known when a function is compiled: each use becomes the
   loads of its type and no more. A row and the floats that go with it (query, sums) are taken in the same order, which
   is the type's own. */
#ifndef ARNN_KERNELS_VEC_ROWS_H
#define ARNN_KERNELS_VEC_ROWS_H

#include <string.h>

#include "kernels/element.h"
#include "kernels/vec.h"

#define PAIR (2 * VF_LANES)

/* arnn_element_of(type)->bytes, in a form that compilers see through. */
ARNN_INLINE size_t element_bytes(const int32_t type)
{
    return type == ARNN_TYPE_F32 ? 4 : type == ARNN_TYPE_I8 ? 1 : 2;
}

/* PAIR elements. */
ARNN_INLINE vf2 pair_of_row(const unsigned char *p, const int32_t type)
{
    if (type == ARNN_TYPE_BF16)
        return vf2_from_bf16((const uint16_t *)p);
    if (type == ARNN_TYPE_F16)
        return (vf2){vf_from_f16((const uint16_t *)p), vf_from_f16((const uint16_t *)p + VF_LANES)};
    if (type == ARNN_TYPE_I8)
        return (vf2){vf_from_i8((const int8_t *)p), vf_from_i8((const int8_t *)p + VF_LANES)};
    return (vf2){vf_load((const float *)p), vf_load((const float *)p + VF_LANES)};
}

/* PAIR floats, in the order of the type. */
ARNN_INLINE vf2 pair_of_floats(const float *p, const int32_t type)
{
    return type == ARNN_TYPE_BF16 ? vf2_load(p) : (vf2){vf_load(p), vf_load(p + VF_LANES)};
}

ARNN_INLINE void store_pair(float *p, vf2 v, const int32_t type)
{
    if (type == ARNN_TYPE_BF16) {
        vf2_store(p, v);
        return;
    }
    vf_store(p, v.a);
    vf_store(p + VF_LANES, v.b);
}

/* VF_LANES elements, in their own order whatever the type; and a part of them, all that a narrow row has. */
ARNN_INLINE vf vector_of_row(const unsigned char *p, const int32_t type)
{
    if (type == ARNN_TYPE_BF16)
        return vf_from_bf16((const uint16_t *)p);
    if (type == ARNN_TYPE_F16)
        return vf_from_f16((const uint16_t *)p);
    if (type == ARNN_TYPE_I8)
        return vf_from_i8((const int8_t *)p);
    return vf_load((const float *)p);
}

ARNN_INLINE vf part_of_row(const unsigned char *p, vf_part part, const int32_t type)
{
    if (type == ARNN_TYPE_BF16)
        return vf_from_bf16_part((const uint16_t *)p, part);
    if (type == ARNN_TYPE_F16)
        return vf_from_f16_part((const uint16_t *)p, part);
    if (type == ARNN_TYPE_I8)
        return vf_from_i8_part((const int8_t *)p, part);
    return vf_load_part((const float *)p, part);
}

/* The first `count` < PAIR floats of a pair; the others are 0. What is not in their order goes by way of a copy: nothing
   beyond those elements may be touched. */
ARNN_INLINE vf2 floats_n(const float *p, size_t count)
{
    size_t low = count < VF_LANES ? count : VF_LANES;
    return (vf2){vf_load_n(p, low), vf_load_n(p + low, count - low)};
}

ARNN_INLINE vf2 pair_of_floats_n(const float *p, size_t count, const int32_t type)
{
    if (type != ARNN_TYPE_BF16)
        return floats_n(p, count);
    float room[PAIR] = {0};
    memcpy(room, p, count * sizeof *p);
    return pair_of_floats(room, type);
}

ARNN_INLINE void store_pair_n(float *p, vf2 v, size_t count, const int32_t type)
{
    size_t low = count < VF_LANES ? count : VF_LANES;
    if (type != ARNN_TYPE_BF16) {
        vf_store_n(p, v.a, low);
        vf_store_n(p + low, v.b, count - low);
        return;
    }
    float room[PAIR];
    store_pair(room, v, type);
    memcpy(p, room, count * sizeof *p);
}

#endif

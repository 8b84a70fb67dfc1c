/* The vocabulary of vec.h for aarch64: 8 lanes in two registers, so that the sums of 8 rows, or of an output, run in
   twice as many chains and hide the latency of an addition. */
#ifndef ARNN_KERNELS_VEC_NEON_H
#define ARNN_KERNELS_VEC_NEON_H

#include <arm_neon.h>

typedef struct vf {
    float32x4_t low, high;
} vf;
#define VF_LANES     8
#define VF_REGISTERS 16
#define VF_COLUMNS   8
#define VF_GROUP     8

ARNN_INLINE vf vf_of(float32x4_t low, float32x4_t high) { return (vf){low, high}; }
ARNN_INLINE vf vf_set(float x) { return vf_of(vdupq_n_f32(x), vdupq_n_f32(x)); }
ARNN_INLINE vf vf_zero(void) { return vf_set(0.0f); }
ARNN_INLINE vf vf_load(const float *p) { return vf_of(vld1q_f32(p), vld1q_f32(p + 4)); }

ARNN_INLINE void vf_keep(vf *v) { __asm__("" : "+w"(v->low), "+w"(v->high)); }

ARNN_INLINE void vf_store(float *p, vf v)
{
    vst1q_f32(p, v.low);
    vst1q_f32(p + 4, v.high);
}

/* There are no masks: the first n < 4 floats come as a pair and a single one. */
ARNN_INLINE float32x4_t vf_load_few(const float *p, size_t n)
{
    float32x4_t none = vdupq_n_f32(0.0f);
    if (n < 2)
        return n ? vld1q_lane_f32(p, none, 0) : none;
    float32x4_t pair = vcombine_f32(vld1_f32(p), vdup_n_f32(0.0f));
    return n > 2 ? vld1q_lane_f32(p + 2, pair, 2) : pair;
}

ARNN_INLINE void vf_store_few(float *p, float32x4_t v, size_t n)
{
    if (n >= 2)
        vst1_f32(p, vget_low_f32(v));
    if (n == 1)
        vst1q_lane_f32(p, v, 0);
    if (n == 3)
        vst1q_lane_f32(p + 2, v, 2);
}

ARNN_INLINE vf vf_load_n(const float *p, size_t n)
{
    if (n >= VF_LANES)
        return vf_load(p);
    return n < 4 ? vf_of(vf_load_few(p, n), vdupq_n_f32(0.0f)) : vf_of(vld1q_f32(p), vf_load_few(p + 4, n - 4));
}

ARNN_INLINE void vf_store_n(float *p, vf v, size_t n)
{
    if (n >= VF_LANES) {
        vf_store(p, v);
    } else if (n < 4) {
        vf_store_few(p, v.low, n);
    } else {
        vst1q_f32(p, v.low);
        vf_store_few(p + 4, v.high, n - 4);
    }
}

#define VF_BOTH(operation) vf_of(operation(a.low, b.low), operation(a.high, b.high))

ARNN_INLINE vf vf_add(vf a, vf b) { return VF_BOTH(vaddq_f32); }
ARNN_INLINE vf vf_sub(vf a, vf b) { return VF_BOTH(vsubq_f32); }
ARNN_INLINE vf vf_mul(vf a, vf b) { return VF_BOTH(vmulq_f32); }
ARNN_INLINE vf vf_div(vf a, vf b) { return VF_BOTH(vdivq_f32); }

ARNN_INLINE vf vf_fma(vf a, vf b, vf c)
{
    return vf_of(vfmaq_f32(c.low, a.low, b.low), vfmaq_f32(c.high, a.high, b.high));
}

ARNN_INLINE vf vf_nfma(vf a, vf b, vf c)
{
    return vf_of(vfmsq_f32(c.low, a.low, b.low), vfmsq_f32(c.high, a.high, b.high));
}

/* fmin and fmax would take a NaN from either side. */
ARNN_INLINE float32x4_t vf_least(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
ARNN_INLINE float32x4_t vf_most(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
ARNN_INLINE vf vf_min(vf a, vf b) { return VF_BOTH(vf_least); }
ARNN_INLINE vf vf_max(vf a, vf b) { return VF_BOTH(vf_most); }

ARNN_INLINE float32x4_t vf_shifted(float32x4_t v)
{
    return vreinterpretq_f32_s32(vshlq_n_s32(vreinterpretq_s32_f32(v), 23));
}

ARNN_INLINE vf vf_exponent(vf v) { return vf_of(vf_shifted(v.low), vf_shifted(v.high)); }

ARNN_INLINE vf vf_abs(vf v) { return vf_of(vabsq_f32(v.low), vabsq_f32(v.high)); }

ARNN_INLINE float32x4_t vf_signed(float32x4_t a, float32x4_t b)
{
    return vbslq_f32(vdupq_n_u32(0x80000000u), b, a);
}

ARNN_INLINE vf vf_sign(vf a, vf b) { return VF_BOTH(vf_signed); }

ARNN_INLINE vf vf_last(vf v, size_t n)
{
    static const uint32_t keep[2 * VF_LANES] = {0, 0, 0, 0, 0, 0, 0, 0, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u};
    uint32x4_t low = vandq_u32(vreinterpretq_u32_f32(v.low), vld1q_u32(keep + n));
    uint32x4_t high = vandq_u32(vreinterpretq_u32_f32(v.high), vld1q_u32(keep + n + 4));
    return vf_of(vreinterpretq_f32_u32(low), vreinterpretq_f32_u32(high));
}

ARNN_INLINE vf vf_below(vf a, vf b, vf x, vf y)
{
    return vf_of(vbslq_f32(vcltq_f32(a.low, b.low), x.low, y.low),
                 vbslq_f32(vcltq_f32(a.high, b.high), x.high, y.high));
}

/* The halves side by side are added first, then neighbours. */
ARNN_INLINE float32x4_t vf_halves(vf v) { return vaddq_f32(v.low, v.high); }

ARNN_INLINE float32x4_t vf_four_sums(const vf v[4])
{
    return vpaddq_f32(vpaddq_f32(vf_halves(v[0]), vf_halves(v[1])), vpaddq_f32(vf_halves(v[2]), vf_halves(v[3])));
}

ARNN_INLINE vf vf_sums(const vf v[VF_GROUP]) { return vf_of(vf_four_sums(v), vf_four_sums(v + 4)); }

ARNN_INLINE vf vf_join(const vf v[VF_LANES / VF_GROUP]) { return v[0]; }

ARNN_INLINE float vf_one(vf v) { return vgetq_lane_f32(v.low, 0); }

ARNN_INLINE float vf_sum(vf v)
{
    float32x4_t four = vf_halves(v), two = vpaddq_f32(four, four);
    return vgetq_lane_f32(vpaddq_f32(two, two), 0);
}

ARNN_INLINE float vf_top(vf v)
{
    float32x4_t four = vf_most(v.low, v.high), two = vf_most(four, vextq_f32(four, four, 2));
    return vgetq_lane_f32(vf_most(two, vextq_f32(two, two, 1)), 0);
}

/* ---- other elements ---- */

ARNN_INLINE vf vf_from_f16(const uint16_t *p)
{
    float16x8_t half = vreinterpretq_f16_u16(vld1q_u16(p));
    return vf_of(vcvt_f32_f16(vget_low_f16(half)), vcvt_high_f32_f16(half));
}

ARNN_INLINE vf vf_from_bf16(const uint16_t *p)
{
    uint16x8_t half = vld1q_u16(p);
    return vf_of(vreinterpretq_f32_u32(vshll_n_u16(vget_low_u16(half), 16)),
                 vreinterpretq_f32_u32(vshll_high_n_u16(half, 16)));
}

ARNN_INLINE vf vf_from_i8(const int8_t *p)
{
    int16x8_t wide = vmovl_s8(vld1_s8(p));
    return vf_of(vcvtq_f32_s32(vmovl_s16(vget_low_s16(wide))), vcvtq_f32_s32(vmovl_high_s16(wide)));
}

#define VF_KEEPS(type) false

typedef struct vf_part {
    size_t n;
} vf_part;

ARNN_INLINE vf_part vf_part_of(size_t n) { return (vf_part){n}; }
ARNN_INLINE vf vf_load_part(const float *p, vf_part part) { return vf_load_n(p, part.n); }

/* The first 0 < n < VF_LANES elements of `bytes` bytes in a room of 16: two overlapping halves, each of 4 elements, 2 or
   1, and the bytes between them. */
typedef struct vf_room {
    uint8_t at[2 * VF_LANES];
} vf_room;

ARNN_INLINE vf_room vf_copy(const void *p, size_t n, const size_t bytes)
{
    vf_room room = {{0}};
    const uint8_t *from = p;
    const size_t half = n >= 4 ? 4 : n >= 2 ? 2 : 1, last = (n - half) * bytes;
    if (half == 4) {
        __builtin_memcpy(room.at, from, 4 * bytes);
        __builtin_memcpy(room.at + last, from + last, 4 * bytes);
    } else if (half == 2) {
        __builtin_memcpy(room.at, from, 2 * bytes);
        __builtin_memcpy(room.at + last, from + last, 2 * bytes);
    } else {
        __builtin_memcpy(room.at, from, bytes);
    }
    return room;
}

ARNN_INLINE vf vf_from_f16_part(const uint16_t *p, vf_part part)
{
    vf_room room = vf_copy(p, part.n, sizeof *p);
    return vf_from_f16((const uint16_t *)(const void *)room.at);
}

ARNN_INLINE vf vf_from_bf16_part(const uint16_t *p, vf_part part)
{
    vf_room room = vf_copy(p, part.n, sizeof *p);
    return vf_from_bf16((const uint16_t *)(const void *)room.at);
}

ARNN_INLINE vf vf_from_i8_part(const int8_t *p, vf_part part)
{
    vf_room room = vf_copy(p, part.n, sizeof *p);
    return vf_from_i8((const int8_t *)room.at);
}

ARNN_INLINE void vf_to_f16(uint16_t *p, vf v)
{
    vst1q_u16(p, vreinterpretq_u16_f16(vcvt_high_f16_f32(vcvt_f16_f32(v.low), v.high)));
}

ARNN_INLINE uint16x4_t vf_rounded(float32x4_t v)
{
    uint32x4_t bits = vreinterpretq_u32_f32(v), odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
    uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(v, v), rounded, quiet), 16);
}

ARNN_INLINE void vf_to_bf16(uint16_t *p, vf v) { vst1q_u16(p, vcombine_u16(vf_rounded(v.low), vf_rounded(v.high))); }

/* What is no number would convert to 0. */
ARNN_INLINE int16x4_t vf_whole(float32x4_t v)
{
    return vqmovn_s32(vbslq_s32(vceqq_f32(v, v), vcvtnq_s32_f32(v), vdupq_n_s32(-128)));
}

ARNN_INLINE void vf_to_i8(int8_t *p, vf v)
{
    vst1_s8(p, vqmovn_s16(vcombine_s16(vf_whole(v.low), vf_whole(v.high))));
}

/* Elements 0, 2, .. in a and 1, 3, .. in b: each needs one instruction and no move between lanes. */
typedef struct vf2 {
    vf a, b;
} vf2;

ARNN_INLINE float32x4_t vf_even(uint32x4_t pairs) { return vreinterpretq_f32_u32(vshlq_n_u32(pairs, 16)); }

ARNN_INLINE float32x4_t vf_odd(uint32x4_t pairs)
{
    return vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff0000u)));
}

ARNN_INLINE vf2 vf2_from_bf16(const uint16_t *p)
{
    uint32x4_t low = vreinterpretq_u32_u16(vld1q_u16(p)), high = vreinterpretq_u32_u16(vld1q_u16(p + 8));
    return (vf2){vf_of(vf_even(low), vf_even(high)), vf_of(vf_odd(low), vf_odd(high))};
}

ARNN_INLINE vf2 vf2_load(const float *p)
{
    vf first = vf_load(p), second = vf_load(p + VF_LANES);
    return (vf2){vf_of(vuzp1q_f32(first.low, first.high), vuzp1q_f32(second.low, second.high)),
                 vf_of(vuzp2q_f32(first.low, first.high), vuzp2q_f32(second.low, second.high))};
}

ARNN_INLINE void vf2_store(float *p, vf2 v)
{
    vf_store(p, vf_of(vzip1q_f32(v.a.low, v.b.low), vzip2q_f32(v.a.low, v.b.low)));
    vf_store(p + VF_LANES, vf_of(vzip1q_f32(v.a.high, v.b.high), vzip2q_f32(v.a.high, v.b.high)));
}

#endif

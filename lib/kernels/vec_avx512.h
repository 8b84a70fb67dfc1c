/* The vocabulary of vec.h for x86-64 with AVX-512 (F, BW, DQ, VL): 16 lanes. Parts of vectors are masked: what is
   masked out is neither read nor written. */
#ifndef ARNN_KERNELS_VEC_AVX512_H
#define ARNN_KERNELS_VEC_AVX512_H

#include <immintrin.h>

typedef __m512 vf;
#define VF_LANES     16
#define VF_REGISTERS 32
#define VF_COLUMNS   8
#define VF_GROUP     8
#define VF_FUSES

ARNN_INLINE vf vf_set(float x) { return _mm512_set1_ps(x); }
ARNN_INLINE vf vf_zero(void) { return _mm512_setzero_ps(); }
ARNN_INLINE vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
ARNN_INLINE void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }

ARNN_INLINE void vf_keep(vf *v)
{
#ifdef __AVX512F__ /* not on emulated vectors */
    __asm__("" : "+v"(*v));
#else
    (void)v;
#endif
}

ARNN_INLINE __mmask16 vf_first(size_t n) { return (__mmask16)((1u << n) - 1); }

ARNN_INLINE vf vf_load_n(const float *p, size_t n)
{
    return n >= VF_LANES ? vf_load(p) : _mm512_maskz_loadu_ps(vf_first(n), p);
}

ARNN_INLINE void vf_store_n(float *p, vf v, size_t n)
{
    if (n >= VF_LANES)
        vf_store(p, v);
    else
        _mm512_mask_storeu_ps(p, vf_first(n), v);
}

ARNN_INLINE vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
ARNN_INLINE vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
ARNN_INLINE vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
ARNN_INLINE vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
ARNN_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
ARNN_INLINE vf vf_nfma(vf a, vf b, vf c) { return _mm512_fnmadd_ps(a, b, c); }
ARNN_INLINE vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
ARNN_INLINE vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }

ARNN_INLINE vf vf_exponent(vf v) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(v), 23)); }

ARNN_INLINE vf vf_abs(vf v) { return _mm512_andnot_ps(vf_set(-0.0f), v); }
ARNN_INLINE vf vf_sign(vf v, vf of) { return _mm512_or_ps(v, _mm512_and_ps(vf_set(-0.0f), of)); }

ARNN_INLINE vf vf_last(vf v, size_t n) { return _mm512_maskz_mov_ps((__mmask16)~vf_first(VF_LANES - n), v); }
ARNN_INLINE vf vf_below(vf a, vf b, vf x, vf y)
{
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}

/* In a sum over lanes the halves of every quarter are added first, then the two lanes left of it, then neighbouring
   quarters, then the two pairs of them; the sums of several vectors travel side by side. Here every quarter becomes
   (a, b, a, b). */
ARNN_INLINE vf vf_halves(vf a, vf b) { return _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)); }

/* Every quarter becomes the sums of four vectors' quarters. */
ARNN_INLINE vf vf_quarters(const vf v[4])
{
    __m512d ab = _mm512_castps_pd(vf_halves(v[0], v[1])), cd = _mm512_castps_pd(vf_halves(v[2], v[3]));
    return _mm512_add_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)), _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)));
}

/* The quarters of a are added in pairs, then those of b. */
ARNN_INLINE vf vf_pairs(vf a, vf b)
{
    return _mm512_add_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
}

/* The 8 sums stand in both halves. */
ARNN_INLINE vf vf_sums(const vf v[VF_GROUP])
{
    vf pairs = vf_pairs(vf_quarters(v), vf_quarters(v + 4));
    return vf_pairs(pairs, pairs);
}

ARNN_INLINE vf vf_join(const vf v[VF_LANES / VF_GROUP]) { return _mm512_shuffle_f32x4(v[0], v[1], 0x44); }

ARNN_INLINE float vf_one(vf v) { return _mm512_cvtss_f32(v); }

ARNN_INLINE float vf_sum(vf v)
{
    const vf alike[4] = {v, v, v, v};
    vf quarters = vf_quarters(alike), pairs = vf_pairs(quarters, quarters);
    return vf_one(vf_pairs(pairs, pairs));
}

ARNN_INLINE float vf_top(vf v)
{
    v = vf_max(v, _mm512_shuffle_f32x4(v, v, 0x4e));
    v = vf_max(v, _mm512_shuffle_f32x4(v, v, 0xb1));
    v = vf_max(v, _mm512_permute_ps(v, 0x4e));
    return vf_one(vf_max(v, _mm512_permute_ps(v, 0xb1)));
}

/* ---- other elements ---- */

ARNN_INLINE __m256i vf_half(const void *p) { return _mm256_loadu_si256((const __m256i *)p); }
ARNN_INLINE __m128i vf_quarter(const void *p) { return _mm_loadu_si128((const __m128i *)p); }

ARNN_INLINE vf vf_from_f16(const uint16_t *p) { return _mm512_cvtph_ps(vf_half(p)); }
ARNN_INLINE vf vf_from_i8(const int8_t *p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(vf_quarter(p))); }

ARNN_INLINE vf vf_from_bf16(const uint16_t *p)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(vf_half(p)), 16));
}

#define VF_KEEPS(type) ((type) == ARNN_TYPE_F16 || (type) == ARNN_TYPE_I8)

typedef struct vf_part {
    __mmask16 lanes;
} vf_part;

ARNN_INLINE vf_part vf_part_of(size_t n) { return (vf_part){vf_first(n)}; }
ARNN_INLINE vf vf_load_part(const float *p, vf_part part) { return _mm512_maskz_loadu_ps(part.lanes, p); }
ARNN_INLINE __m256i vf_shorts(const uint16_t *p, vf_part part) { return _mm256_maskz_loadu_epi16(part.lanes, p); }
ARNN_INLINE vf vf_from_f16_part(const uint16_t *p, vf_part part) { return _mm512_cvtph_ps(vf_shorts(p, part)); }

ARNN_INLINE vf vf_from_bf16_part(const uint16_t *p, vf_part part)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(vf_shorts(p, part)), 16));
}

ARNN_INLINE vf vf_from_i8_part(const int8_t *p, vf_part part)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(part.lanes, p)));
}

ARNN_INLINE void vf_to_f16(uint16_t *p, vf v)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

/* Not vcvtneps2bf16, which takes denormals for 0. */
ARNN_INLINE void vf_to_bf16(uint16_t *p, vf v)
{
    __m512i bits = _mm512_castps_si512(v);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x400000));
    __m512i chosen = _mm512_mask_blend_epi32(_mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q), rounded, quiet);
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtepi32_epi16(_mm512_srli_epi32(chosen, 16)));
}

/* What is no number converts to the least integer, which saturates to -128. */
ARNN_INLINE void vf_to_i8(int8_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtsepi32_epi8(_mm512_cvtps_epi32(v)));
}

/* Elements 0, 2, .. in a and 1, 3, .. in b: each needs one instruction and no move between lanes. */
typedef struct vf2 {
    vf a, b;
} vf2;

ARNN_INLINE vf2 vf2_from_bf16(const uint16_t *p)
{
    __m512i pairs = _mm512_loadu_si512(p);
    __m512i odd = _mm512_and_si512(pairs, _mm512_set1_epi32((int)0xffff0000));
    return (vf2){_mm512_castsi512_ps(_mm512_slli_epi32(pairs, 16)), _mm512_castsi512_ps(odd)};
}

ARNN_INLINE vf2 vf2_load(const float *p)
{
    const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    vf low = vf_load(p), high = vf_load(p + VF_LANES);
    return (vf2){_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high)};
}

ARNN_INLINE void vf2_store(float *p, vf2 v)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    vf_store(p, _mm512_permutex2var_ps(v.a, low, v.b));
    vf_store(p + VF_LANES, _mm512_permutex2var_ps(v.a, high, v.b));
}

/* ---- bytes, with VNNI ---- */

#ifdef __AVX512VNNI__

typedef __m512i vb;
#define VB_LANES 64

ARNN_INLINE vb vb_zero(void) { return _mm512_setzero_si512(); }
ARNN_INLINE vb vb_set(int8_t x) { return _mm512_set1_epi8(x); }
ARNN_INLINE vb vb_load(const void *p) { return _mm512_loadu_si512(p); }
ARNN_INLINE void vb_store(void *p, vb v) { _mm512_storeu_si512(p, v); }
ARNN_INLINE vb vb_load_n(const void *p, size_t n)
{
    return n == VB_LANES ? vb_load(p) : _mm512_maskz_loadu_epi8(~(__mmask64)0 >> (VB_LANES - n), p);
}
ARNN_INLINE vb vb_flip(vb v) { return _mm512_xor_si512(v, vb_set(-128)); }
ARNN_INLINE vb vb_minus(vb v) { return _mm512_sub_epi32(vb_zero(), v); }

/* Around the function for it gcc 12 moves the sums from register to register, and some to the stack. */
ARNN_INLINE vb vb_dot(vb sums, vb u, vb s)
{
#ifdef __AVX512F__ /* not on emulated vectors */
    __asm__("vpdpbusd %2, %1, %0" : "+v"(sums) : "v"(u), "v"(s));
    return sums;
#else
    return _mm512_dpbusd_epi32(sums, u, s);
#endif
}

ARNN_INLINE vf vf_from_sums(vb sums) { return _mm512_cvtepi32_ps(sums); }

ARNN_INLINE vb vb_four(const unsigned char *p)
{
    int32_t four;
    __builtin_memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
}

ARNN_INLINE void vb_split(unsigned char *low, unsigned char *middle, unsigned char *high, vf v, int32_t plus)
{
    __m512i t = _mm512_add_epi32(_mm512_cvtps_epi32(v), _mm512_set1_epi32(plus));
    _mm_storeu_si128((__m128i *)low, _mm512_cvtepi32_epi8(t));
    _mm_storeu_si128((__m128i *)middle, _mm512_cvtepi32_epi8(_mm512_srli_epi32(t, 8)));
    _mm_storeu_si128((__m128i *)high, _mm512_cvtepi32_epi8(_mm512_srli_epi32(t, 16)));
}

/* Quarter i of result k has columns 16 i + 4 k and the three after it. */
ARNN_INLINE void vb_interleave(vb rows[4])
{
    vb low = _mm512_unpacklo_epi8(rows[0], rows[1]), high = _mm512_unpackhi_epi8(rows[0], rows[1]);
    vb low_2 = _mm512_unpacklo_epi8(rows[2], rows[3]), high_2 = _mm512_unpackhi_epi8(rows[2], rows[3]);
    rows[0] = _mm512_unpacklo_epi16(low, low_2);
    rows[1] = _mm512_unpackhi_epi16(low, low_2);
    rows[2] = _mm512_unpacklo_epi16(high, high_2);
    rows[3] = _mm512_unpackhi_epi16(high, high_2);
}

/* Quarters k of all become vector k. */
ARNN_INLINE void vf_untangle(vf v[4])
{
    vf a = _mm512_shuffle_f32x4(v[0], v[1], 0x44), b = _mm512_shuffle_f32x4(v[0], v[1], 0xee);
    vf c = _mm512_shuffle_f32x4(v[2], v[3], 0x44), d = _mm512_shuffle_f32x4(v[2], v[3], 0xee);
    v[0] = _mm512_shuffle_f32x4(a, c, 0x88);
    v[1] = _mm512_shuffle_f32x4(a, c, 0xdd);
    v[2] = _mm512_shuffle_f32x4(b, d, 0x88);
    v[3] = _mm512_shuffle_f32x4(b, d, 0xdd);
}

#endif

#endif

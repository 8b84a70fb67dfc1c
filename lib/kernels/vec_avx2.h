/* The vocabulary of vec.h for x86-64 with AVX2, FMA and F16C: 8 lanes. */
#ifndef ARNN_KERNELS_VEC_AVX2_H
#define ARNN_KERNELS_VEC_AVX2_H

#include <immintrin.h>

typedef __m256 vf;
#define VF_LANES     8
#define VF_REGISTERS 16
#define VF_COLUMNS   4
#define VF_GROUP     8

ARNN_INLINE vf vf_set(float x) { return _mm256_set1_ps(x); }
ARNN_INLINE vf vf_zero(void) { return _mm256_setzero_ps(); }
ARNN_INLINE vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
ARNN_INLINE void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }

ARNN_INLINE void vf_keep(vf *v) { __asm__("" : "+x"(*v)); }

ARNN_INLINE __m256i vf_first(size_t n) /* n < VF_LANES */
{
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lanes);
}

/* Masked access is slow on many processors: a whole vector is taken whole. */
ARNN_INLINE vf vf_load_n(const float *p, size_t n)
{
    return n >= VF_LANES ? vf_load(p) : _mm256_maskload_ps(p, vf_first(n));
}

ARNN_INLINE void vf_store_n(float *p, vf v, size_t n)
{
    if (n >= VF_LANES)
        vf_store(p, v);
    else
        _mm256_maskstore_ps(p, vf_first(n), v);
}

ARNN_INLINE vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
ARNN_INLINE vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
ARNN_INLINE vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
ARNN_INLINE vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
ARNN_INLINE vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
ARNN_INLINE vf vf_nfma(vf a, vf b, vf c) { return _mm256_fnmadd_ps(a, b, c); }
ARNN_INLINE vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
ARNN_INLINE vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }

ARNN_INLINE vf vf_exponent(vf v) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(v), 23)); }

ARNN_INLINE vf vf_abs(vf v) { return _mm256_andnot_ps(vf_set(-0.0f), v); }
ARNN_INLINE vf vf_sign(vf v, vf of) { return _mm256_or_ps(v, _mm256_and_ps(vf_set(-0.0f), of)); }

ARNN_INLINE vf vf_last(vf v, size_t n) { return _mm256_andnot_ps(_mm256_castsi256_ps(vf_first(VF_LANES - n)), v); }
ARNN_INLINE vf vf_below(vf a, vf b, vf x, vf y) { return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ)); }

/* The halves side by side are added first, then (0 + 2) + (1 + 3) of what is left. */
ARNN_INLINE __m128 vf_halves(vf v) { return _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1)); }

ARNN_INLINE __m128 vf_four_sums(__m128 a, __m128 b, __m128 c, __m128 d)
{
    __m128 ab = _mm_add_ps(_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b)); /* a0 + a2, b0 + b2, a1 + a3, b1 + b3 */
    __m128 cd = _mm_add_ps(_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
    return _mm_add_ps(_mm_movelh_ps(ab, cd), _mm_movehl_ps(cd, ab));
}

ARNN_INLINE vf vf_sums(const vf v[VF_GROUP])
{
    __m128 low = vf_four_sums(vf_halves(v[0]), vf_halves(v[1]), vf_halves(v[2]), vf_halves(v[3]));
    __m128 high = vf_four_sums(vf_halves(v[4]), vf_halves(v[5]), vf_halves(v[6]), vf_halves(v[7]));
    return _mm256_insertf128_ps(_mm256_castps128_ps256(low), high, 1);
}

ARNN_INLINE vf vf_join(const vf v[VF_LANES / VF_GROUP]) { return v[0]; }

ARNN_INLINE float vf_sum(vf v)
{
    __m128 four = vf_halves(v);
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

ARNN_INLINE float vf_one(vf v) { return _mm256_cvtss_f32(v); }

ARNN_INLINE float vf_top(vf v)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

/* ---- other elements ---- */

ARNN_INLINE __m128i vf_low_half(const void *p) { return _mm_loadu_si128((const __m128i *)p); }
ARNN_INLINE __m128i vf_low_quarter(const void *p) { return _mm_loadl_epi64((const __m128i *)p); }

ARNN_INLINE vf vf_from_f16(const uint16_t *p) { return _mm256_cvtph_ps(vf_low_half(p)); }
ARNN_INLINE vf vf_from_i8(const int8_t *p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(vf_low_quarter(p))); }

ARNN_INLINE vf vf_from_bf16(const uint16_t *p)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(vf_low_half(p)), 16));
}

#define VF_KEEPS(type) ((type) == ARNN_TYPE_F16 || (type) == ARNN_TYPE_I8)

/* Masks are slow here, and there are none for less than 32 bits: so elements come as two overlapping halves of four, fewer
   than four one by one. */
typedef struct vf_part {
    size_t n;
} vf_part;

ARNN_INLINE vf_part vf_part_of(size_t n) { return (vf_part){n}; }
ARNN_INLINE vf vf_load_part(const float *p, vf_part part) { return vf_load_n(p, part.n); }

ARNN_INLINE __m128i vf_shorts(const uint16_t *p, size_t n)
{
    if (n < 4) {
        uint64_t few = p[0] | (uint64_t)p[n / 2] << n / 2 * 16 | (uint64_t)p[n - 1] << (n - 1) * 16;
        return _mm_cvtsi64_si128((long long)few);
    }
    uint64_t low, high;
    __builtin_memcpy(&low, p, sizeof low);
    __builtin_memcpy(&high, p + n - 4, sizeof high);
    high = high >> (8 - n) * 8 >> (8 - n) * 8; /* in two, as n may be 4 */
    return _mm_set_epi64x((long long)high, (long long)low);
}

ARNN_INLINE __m128i vf_bytes(const int8_t *p, size_t n)
{
    const uint8_t *bytes = (const uint8_t *)p;
    if (n < 4)
        return _mm_cvtsi32_si128(bytes[0] | bytes[n / 2] << n / 2 * 8 | bytes[n - 1] << (n - 1) * 8);
    uint32_t low, high;
    __builtin_memcpy(&low, p, sizeof low);
    __builtin_memcpy(&high, p + n - 4, sizeof high);
    return _mm_cvtsi64_si128((long long)(low | (uint64_t)high << (n - 4) * 8));
}

ARNN_INLINE vf vf_from_f16_part(const uint16_t *p, vf_part part) { return _mm256_cvtph_ps(vf_shorts(p, part.n)); }

ARNN_INLINE vf vf_from_bf16_part(const uint16_t *p, vf_part part)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(vf_shorts(p, part.n)), 16));
}

ARNN_INLINE vf vf_from_i8_part(const int8_t *p, vf_part part)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(vf_bytes(p, part.n)));
}

ARNN_INLINE void vf_to_f16(uint16_t *p, vf v)
{
    _mm_storeu_si128((__m128i *)p, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT));
}

/* 32-bit lanes that hold 16 bits: packed within halves, then the halves put side by side. */
ARNN_INLINE __m128i vf_pack16(__m256i v)
{
    return _mm_packus_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
}

ARNN_INLINE void vf_to_bf16(uint16_t *p, vf v)
{
    __m256i bits = _mm256_castps_si256(v), nan = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    __m256i chosen = _mm256_blendv_epi8(rounded, quiet, nan);
    _mm_storeu_si128((__m128i *)p, vf_pack16(_mm256_srli_epi32(chosen, 16)));
}

/* What is no number converts to the least integer, which saturates to -128. */
ARNN_INLINE void vf_to_i8(int8_t *p, vf v)
{
    __m256i wide = _mm256_cvtps_epi32(v);
    __m128i half = _mm_packs_epi32(_mm256_castsi256_si128(wide), _mm256_extracti128_si256(wide, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packs_epi16(half, half));
}

/* Elements 0, 2, .. in a and 1, 3, .. in b: each needs one instruction and no move between lanes. */
typedef struct vf2 {
    vf a, b;
} vf2;

ARNN_INLINE vf2 vf2_from_bf16(const uint16_t *p)
{
    __m256i pairs = _mm256_loadu_si256((const __m256i *)p);
    __m256i odd = _mm256_and_si256(pairs, _mm256_set1_epi32((int)0xffff0000));
    return (vf2){_mm256_castsi256_ps(_mm256_slli_epi32(pairs, 16)), _mm256_castsi256_ps(odd)};
}

/* Two quarters that are to be the halves of one vector. */
ARNN_INLINE vf vf_quarters(const float *low, const float *high)
{
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)), _mm_loadu_ps(high), 1);
}

ARNN_INLINE vf2 vf2_load(const float *p)
{
    vf first = vf_quarters(p, p + 8), second = vf_quarters(p + 4, p + 12);
    return (vf2){_mm256_shuffle_ps(first, second, 0x88), _mm256_shuffle_ps(first, second, 0xdd)};
}

ARNN_INLINE void vf2_store(float *p, vf2 v)
{
    vf first = _mm256_unpacklo_ps(v.a, v.b), second = _mm256_unpackhi_ps(v.a, v.b);
    _mm_storeu_ps(p, _mm256_castps256_ps128(first));
    _mm_storeu_ps(p + 4, _mm256_castps256_ps128(second));
    _mm_storeu_ps(p + 8, _mm256_extractf128_ps(first, 1));
    _mm_storeu_ps(p + 12, _mm256_extractf128_ps(second, 1));
}

#endif

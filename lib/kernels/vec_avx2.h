/* The vocabulary of vec.h for x86-64 with AVX2 and FMA: 8 lanes. */
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

ARNN_INLINE vf vf_round(vf v) { return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }

ARNN_INLINE vf vf_exp2(vf n)
{
    __m256i biased = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    return _mm256_castsi256_ps(_mm256_slli_epi32(biased, 23));
}

ARNN_INLINE vf vf_abs(vf v) { return _mm256_andnot_ps(vf_set(-0.0f), v); }
ARNN_INLINE vf vf_sign(vf v, vf of) { return _mm256_or_ps(v, _mm256_and_ps(vf_set(-0.0f), of)); }

ARNN_INLINE vf vf_below(vf a, vf b, vf x, vf y) { return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ)); }

ARNN_INLINE vf vf_sums(const vf v[VF_GROUP])
{
    vf low = _mm256_hadd_ps(_mm256_hadd_ps(v[0], v[1]), _mm256_hadd_ps(v[2], v[3]));
    vf high = _mm256_hadd_ps(_mm256_hadd_ps(v[4], v[5]), _mm256_hadd_ps(v[6], v[7]));
    return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}

ARNN_INLINE float vf_sum(vf v)
{
    vf pairs = _mm256_hadd_ps(v, v);
    vf fours = _mm256_hadd_ps(pairs, pairs);
    return _mm_cvtss_f32(_mm_add_ss(_mm256_castps256_ps128(fours), _mm256_extractf128_ps(fours, 1)));
}

ARNN_INLINE float vf_one(vf v) { return _mm256_cvtss_f32(v); }

ARNN_INLINE float vf_top(vf v)
{
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps(two, two, 1)));
}

#endif

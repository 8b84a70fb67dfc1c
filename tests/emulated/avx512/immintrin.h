/* The AVX-512 instructions of kernels/vec_avx512.h in plain C, lane by lane as Intel's manual describes them: so that
   the kernels' own source is tested on processors that lack them. */
#ifndef ARNN_TESTS_EMULATED_IMMINTRIN_H
#define ARNN_TESTS_EMULATED_IMMINTRIN_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "kernels/element.h"

typedef struct {
    float lane[16];
} __m512;
typedef struct {
    double lane[8];
} __m512d;
typedef struct {
    uint32_t lane[16];
} __m512i;
typedef struct {
    uint16_t lane[16];
} __m256i;
typedef struct {
    uint8_t lane[16];
} __m128i;
typedef uint16_t __mmask16;
typedef uint64_t __mmask64;

enum { _MM_FROUND_TO_NEAREST_INT = 0, _MM_FROUND_NO_EXC = 8, _CMP_UNORD_Q = 3, _CMP_LT_OQ = 0x11 };

/* Not inlined: the kernels unroll so much that it would take minutes to compile. */
#define EMULATED static __attribute__((noinline, unused))

/* A function whose lane i is the expression. */
#define LANES(type, count, expression) \
    type r;                            \
    for (int i = 0; i < (count); i++)  \
        r.lane[i] = (expression);      \
    return r

#define BINARY(name, expression) \
    EMULATED __m512 name(__m512 a, __m512 b) { LANES(__m512, 16, expression); }
#define TERNARY(name, expression) \
    EMULATED __m512 name(__m512 a, __m512 b, __m512 c) { LANES(__m512, 16, expression); }

/* ---- memory ---- */

EMULATED __m512 _mm512_set1_ps(float a) { LANES(__m512, 16, a); }
EMULATED __m512 _mm512_setzero_ps(void) { LANES(__m512, 16, 0.0f); }
EMULATED __m512 _mm512_loadu_ps(const void *p)
{
    __m512 r;
    memcpy(&r, p, sizeof r);
    return r;
}
EMULATED void _mm512_storeu_ps(void *p, __m512 a) { memcpy(p, &a, sizeof a); }

EMULATED __m512 _mm512_maskz_loadu_ps(__mmask16 mask, const void *p)
{
    LANES(__m512, 16, mask >> i & 1 ? ((const float *)p)[i] : 0.0f);
}

EMULATED __m512 _mm512_maskz_mov_ps(__mmask16 mask, __m512 a) { LANES(__m512, 16, mask >> i & 1 ? a.lane[i] : 0.0f); }

EMULATED void _mm512_mask_storeu_ps(void *p, __mmask16 mask, __m512 a)
{
    for (int i = 0; i < 16; i++) {
        if (mask >> i & 1)
            ((float *)p)[i] = a.lane[i];
    }
}

EMULATED float _mm512_cvtss_f32(__m512 a) { return a.lane[0]; }

/* ---- arithmetic ---- */

BINARY(_mm512_add_ps, a.lane[i] + b.lane[i])
BINARY(_mm512_sub_ps, a.lane[i] - b.lane[i])
BINARY(_mm512_mul_ps, a.lane[i] * b.lane[i])
BINARY(_mm512_div_ps, a.lane[i] / b.lane[i])
TERNARY(_mm512_fmadd_ps, fmaf(a.lane[i], b.lane[i], c.lane[i]))
TERNARY(_mm512_fnmadd_ps, fmaf(-a.lane[i], b.lane[i], c.lane[i]))
BINARY(_mm512_min_ps, a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]) /* b where either is NaN, or both are 0 */
BINARY(_mm512_max_ps, a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i])

EMULATED __m512 _mm512_roundscale_ps(__m512 a, int control)
{
    (void)control; /* to the nearest, ties to even */
    LANES(__m512, 16, rintf(a.lane[i]));
}

/* a 2^floor(b) */
EMULATED float emulated_scale(float a, float b)
{
    return b >= -1000.0f && b <= 1000.0f ? ldexpf(a, (int)floorf(b)) : a * exp2f(b);
}
BINARY(_mm512_scalef_ps, emulated_scale(a.lane[i], b.lane[i]))

/* ---- bits ---- */

EMULATED uint32_t emulated_bits(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

EMULATED float emulated_float(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

BINARY(_mm512_and_ps, emulated_float(emulated_bits(a.lane[i]) & emulated_bits(b.lane[i])))
BINARY(_mm512_or_ps, emulated_float(emulated_bits(a.lane[i]) | emulated_bits(b.lane[i])))
BINARY(_mm512_andnot_ps, emulated_float(~emulated_bits(a.lane[i]) & emulated_bits(b.lane[i])))

EMULATED __mmask16 _mm512_cmp_ps_mask(__m512 a, __m512 b, int predicate)
{
    unsigned mask = 0;
    for (int i = 0; i < 16; i++)
        mask |= (unsigned)(predicate == _CMP_LT_OQ ? a.lane[i] < b.lane[i] : isunordered(a.lane[i], b.lane[i])) << i;
    return (__mmask16)mask;
}

EMULATED __m512 _mm512_mask_blend_ps(__mmask16 mask, __m512 a, __m512 b)
{
    LANES(__m512, 16, mask >> i & 1 ? b.lane[i] : a.lane[i]);
}

/* ---- lanes that change places ---- */

EMULATED __m512d _mm512_castps_pd(__m512 a)
{
    __m512d r;
    memcpy(&r, &a, sizeof r);
    return r;
}

EMULATED __m512 _mm512_castpd_ps(__m512d a)
{
    __m512 r;
    memcpy(&r, &a, sizeof r);
    return r;
}

BINARY(_mm512_unpacklo_ps, (i & 1 ? b : a).lane[i / 4 * 4 + i % 4 / 2])
BINARY(_mm512_unpackhi_ps, (i & 1 ? b : a).lane[i / 4 * 4 + 2 + i % 4 / 2])
EMULATED __m512d _mm512_unpacklo_pd(__m512d a, __m512d b) { LANES(__m512d, 8, (i & 1 ? b : a).lane[i / 2 * 2]); }
EMULATED __m512d _mm512_unpackhi_pd(__m512d a, __m512d b) { LANES(__m512d, 8, (i & 1 ? b : a).lane[i / 2 * 2 + 1]); }

/* Two quarters of a, then two of b; two bits of the control choose each. */
EMULATED __m512 _mm512_shuffle_f32x4(__m512 a, __m512 b, int control)
{
    LANES(__m512, 16, (i < 8 ? a : b).lane[(control >> i / 4 * 2 & 3) * 4 + i % 4]);
}

/* Within every quarter, two bits of the control choose each lane. */
EMULATED __m512 _mm512_permute_ps(__m512 a, int control)
{
    LANES(__m512, 16, a.lane[i / 4 * 4 + (control >> i % 4 * 2 & 3)]);
}

EMULATED __m512 _mm512_permutex2var_ps(__m512 a, __m512i index, __m512 b)
{
    LANES(__m512, 16, (index.lane[i] & 16 ? b : a).lane[index.lane[i] & 15]);
}

/* ---- integers ---- */

#define BINARY_INT(name, expression) \
    EMULATED __m512i name(__m512i a, __m512i b) { LANES(__m512i, 16, expression); }

EMULATED __m512i _mm512_set1_epi32(int a) { LANES(__m512i, 16, (uint32_t)a); }
#define _mm512_setr_epi32(...) ((__m512i){{__VA_ARGS__}})
EMULATED __m512i _mm512_castps_si512(__m512 a) { LANES(__m512i, 16, emulated_bits(a.lane[i])); }
EMULATED __m512 _mm512_castsi512_ps(__m512i a) { LANES(__m512, 16, emulated_float(a.lane[i])); }
BINARY_INT(_mm512_and_si512, a.lane[i] & b.lane[i])
BINARY_INT(_mm512_or_si512, a.lane[i] | b.lane[i])
BINARY_INT(_mm512_add_epi32, a.lane[i] + b.lane[i])
EMULATED __m512i _mm512_slli_epi32(__m512i a, unsigned count) { LANES(__m512i, 16, a.lane[i] << count); }
EMULATED __m512i _mm512_srli_epi32(__m512i a, unsigned count) { LANES(__m512i, 16, a.lane[i] >> count); }

EMULATED __m512i _mm512_mask_blend_epi32(__mmask16 mask, __m512i a, __m512i b)
{
    LANES(__m512i, 16, mask >> i & 1 ? b.lane[i] : a.lane[i]);
}

EMULATED __m512i _mm512_loadu_si512(const void *p)
{
    __m512i r;
    memcpy(&r, p, sizeof r);
    return r;
}

EMULATED __m256i _mm256_loadu_si256(const __m256i *p)
{
    __m256i r;
    memcpy(&r, p, sizeof r);
    return r;
}

EMULATED __m128i _mm_loadu_si128(const __m128i *p)
{
    __m128i r;
    memcpy(&r, p, sizeof r);
    return r;
}

EMULATED __m256i _mm256_maskz_loadu_epi16(__mmask16 mask, const void *p)
{
    LANES(__m256i, 16, mask >> i & 1 ? ((const uint16_t *)p)[i] : 0);
}

EMULATED __m128i _mm_maskz_loadu_epi8(__mmask16 mask, const void *p)
{
    LANES(__m128i, 16, mask >> i & 1 ? ((const uint8_t *)p)[i] : 0);
}

EMULATED void _mm256_storeu_si256(__m256i *p, __m256i a) { memcpy(p, &a, sizeof a); }
EMULATED void _mm_storeu_si128(__m128i *p, __m128i a) { memcpy(p, &a, sizeof a); }

/* ---- conversions ---- */

EMULATED __m512 _mm512_cvtph_ps(__m256i a)
{
    LANES(__m512, 16, arnn_element_of(ARNN_TYPE_F16)->decode(a.lane, (size_t)i));
}

EMULATED __m512i _mm512_cvtepu16_epi32(__m256i a) { LANES(__m512i, 16, a.lane[i]); }
EMULATED __m256i _mm512_cvtepi32_epi16(__m512i a) { LANES(__m256i, 16, (uint16_t)a.lane[i]); }
EMULATED __m512i _mm512_cvtepi8_epi32(__m128i a) { LANES(__m512i, 16, (uint32_t)(int8_t)a.lane[i]); }
EMULATED __m512 _mm512_cvtepi32_ps(__m512i a) { LANES(__m512, 16, (float)(int32_t)a.lane[i]); }

EMULATED __m256i _mm512_cvtps_ph(__m512 a, int control)
{
    __m256i r;
    (void)control; /* to the nearest, ties to even */
    for (int i = 0; i < 16; i++)
        arnn_element_of(ARNN_TYPE_F16)->encode(r.lane, (size_t)i, a.lane[i]);
    return r;
}

/* What does not fit becomes the least integer. */
EMULATED __m512i _mm512_cvtps_epi32(__m512 a)
{
    LANES(__m512i, 16, fabsf(a.lane[i]) < 0x1p31f ? (uint32_t)(int32_t)rintf(a.lane[i]) : 0x80000000u);
}

EMULATED int32_t emulated_saturated(int32_t a) { return a < -128 ? -128 : a > 127 ? 127 : a; }
EMULATED __m128i _mm512_cvtsepi32_epi8(__m512i a)
{
    LANES(__m128i, 16, (uint8_t)emulated_saturated((int32_t)a.lane[i]));
}

/* ---- bytes ---- */

EMULATED __m512i _mm512_setzero_si512(void) { LANES(__m512i, 16, 0); }
EMULATED __m512i _mm512_set1_epi8(int8_t a) { LANES(__m512i, 16, (uint8_t)a * 0x01010101u); }
EMULATED void _mm512_storeu_si512(void *p, __m512i a) { memcpy(p, &a, sizeof a); }
BINARY_INT(_mm512_xor_si512, a.lane[i] ^ b.lane[i])
BINARY_INT(_mm512_sub_epi32, a.lane[i] - b.lane[i])
EMULATED __m128i _mm512_cvtepi32_epi8(__m512i a) { LANES(__m128i, 16, (uint8_t)a.lane[i]); }

EMULATED __m512i _mm512_maskz_loadu_epi8(__mmask64 mask, const void *p)
{
    uint8_t bytes[64];
    for (int i = 0; i < 64; i++)
        bytes[i] = mask >> i & 1 ? ((const uint8_t *)p)[i] : 0;
    return _mm512_loadu_si512(bytes);
}

EMULATED int32_t emulated_byte_products(uint32_t u, uint32_t s)
{
    int32_t sum = 0;
    for (int i = 0; i < 32; i += 8)
        sum += (uint8_t)(u >> i) * (int8_t)(s >> i);
    return sum;
}

EMULATED __m512i _mm512_dpbusd_epi32(__m512i sums, __m512i u, __m512i s)
{
    LANES(__m512i, 16, sums.lane[i] + (uint32_t)emulated_byte_products(u.lane[i], s.lane[i]));
}

/* Elements of `size` bytes from one half of every quarter, of a and b in turn. */
EMULATED __m512i emulated_unpack(__m512i a, __m512i b, int size, int half)
{
    __m512i r;
    for (int to = 0; to < 64; to += size) {
        int from = to / 16 * 16 + 8 * half + to % 16 / (2 * size) * size;
        memcpy((uint8_t *)&r + to, (const uint8_t *)(to / size % 2 ? &b : &a) + from, (size_t)size);
    }
    return r;
}

EMULATED __m512i _mm512_unpacklo_epi8(__m512i a, __m512i b) { return emulated_unpack(a, b, 1, 0); }
EMULATED __m512i _mm512_unpackhi_epi8(__m512i a, __m512i b) { return emulated_unpack(a, b, 1, 1); }
EMULATED __m512i _mm512_unpacklo_epi16(__m512i a, __m512i b) { return emulated_unpack(a, b, 2, 0); }
EMULATED __m512i _mm512_unpackhi_epi16(__m512i a, __m512i b) { return emulated_unpack(a, b, 2, 1); }

#include "tiles.h"

#endif

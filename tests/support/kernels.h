/* What tests of kernels share: the tables of this machine, random numbers, distances. */
#ifndef ARNN_TESTS_KERNELS_H
#define ARNN_TESTS_KERNELS_H

#include <float.h>
#include <math.h>

#include "check.h"
#include "guard.h"
#include "kernels/kernels.h"
#include "linalg/linalg.h"

/* Half an ulp of 1: the largest relative error of one rounding. */
#define U 0x1p-24

#ifdef ARNN_EMULATE_AVX512
extern const arnn_kernels arnn_kernels_avx512_emulated, arnn_kernels_avx512_emulated_amx; /* tests/emulated */
#endif

#define TABLE_(name) &arnn_kernels_##name,
static const arnn_kernels *const all_tables[] = {
    &arnn_kernels_ref,
    &arnn_kernels_blas,
    ARNN_VECTOR_TABLES(TABLE_)
#ifdef ARNN_EMULATE_AVX512
        & arnn_kernels_avx512_emulated,
    &arnn_kernels_avx512_emulated_amx,
#endif
};

#define FOR_TABLES(table)                                                  \
    for (size_t table##_i = 0; table##_i < COUNT(all_tables); table##_i++) \
        for (const arnn_kernels *table = all_tables[table##_i]; table && table->supported(); table = NULL)

/* Whether results of this table must not depend on company. */
static inline bool keeps_company_out(const arnn_kernels *table)
{
    return table != &arnn_kernels_blas;
}

/* ---- random numbers (xorshift), the same in every run ---- */

typedef uint64_t rng;
#define RNG 0x9e3779b97f4a7c15u

static inline size_t rng_below(rng *r, size_t bound)
{
    *r ^= *r << 13;
    *r ^= *r >> 7;
    *r ^= *r << 17;
    return (size_t)((*r >> 20) % bound);
}

/* In [-size, size]. */
static inline float rng_float(rng *r, float size)
{
    return size * ((float)rng_below(r, (size_t)1 << 24) * 0x1p-23f - 1.0f);
}

static inline void rng_fill(rng *r, float *values, size_t count, float size)
{
    for (size_t i = 0; i < count; i++)
        values[i] = rng_float(r, size);
}

/* rows of `width`, `stride` apart; what lies between stays as it was. */
static inline void rng_rows(rng *r, float *values, size_t rows, size_t width, size_t stride, float size)
{
    for (size_t i = 0; i < rows; i++)
        rng_fill(r, values + i * stride, width, size);
}

/* Floats that rows a stride apart take. */
static inline size_t strided(size_t rows, size_t width, size_t stride)
{
    return rows ? (rows - 1) * stride + width : 0;
}

/* ---- assertions ---- */

static inline bool same_bits(const float *a, const float *b, size_t count)
{
    return memcmp(a, b, count * sizeof *a) == 0;
}

/* |got - truth| <= bound, and neither is NaN. */
#define assert_near(got, truth, bound) check_near((got), (truth), (bound), __FILE__, __LINE__)

static inline void check_near(double got, double truth, double bound, const char *file, int line)
{
    if (fabs(got - truth) <= bound)
        return;
    fprintf(stderr, "%.9g, expected %.9g: off by %.3g, bound %.3g\n", got, truth, fabs(got - truth), bound);
    _fail(file, line);
}

/* Distance in units of the last place that a float near the truth has. */
static inline double ulps(float got, double truth)
{
    int exponent;
    frexp(truth, &exponent);
    return fabs((double)got - truth) / ldexp(1.0, (exponent > -125 ? exponent : -125) - 24);
}

#endif

#include "model/random.h"

#include <math.h>

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): a Weyl sequence through a mixing function. */
static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint64_t next(arnn_random *random)
{
    random->state += 0x9e3779b97f4a7c15u;
    return mix(random->state);
}

arnn_random arnn_random_of(uint64_t seed, uint64_t role, uint64_t layer)
{
    return (arnn_random){mix(mix(mix(seed + 1) + role) + layer)};
}

/* In [-1, 1), a multiple of 2^-23 or of 2^-52: exact in its type. */
static float uniform_float(arnn_random *random)
{
    return (float)((int64_t)(next(random) >> 40) - (1 << 23)) * 0x1p-23f;
}

static double uniform_double(arnn_random *random)
{
    return (double)((int64_t)(next(random) >> 11) - (INT64_C(1) << 52)) * 0x1p-52;
}

void arnn_random_uniform(arnn_random *random, float *values, size_t count, float bound)
{
    for (size_t i = 0; i < count; i++)
        values[i] = bound * uniform_float(random);
}

/* The C library's logarithms differ in their last bit from machine to machine. This one is only + - * /:
   log(2^e m) = e log 2 + 2 atanh((m-1)/(m+1)), with m in [sqrt(1/2), sqrt 2), where 12 terms are good to 1e-19. */
static double logarithm(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.70710678118654752) {
        m *= 2.0;
        exponent -= 1;
    }
    double s = (m - 1.0) / (m + 1.0), square = s * s, sum = 0.0;
    for (int k = 23; k >= 1; k -= 2)
        sum = sum * square + 1.0 / k;
    return exponent * 0.69314718055994531 + 2.0 * s * sum;
}

/* Marsaglia's polar method: a point in the unit disc gives two normal numbers; one is used, the order stays simple. */
static float normal(arnn_random *random)
{
    for (;;) {
        double a = uniform_double(random), b = uniform_double(random);
        double square = a * a + b * b;
        if (square > 0.0 && square < 1.0)
            return (float)(a * sqrt(-2.0 * logarithm(square) / square));
    }
}

void arnn_random_normal(arnn_random *random, float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = normal(random);
}

/* Random numbers that are the same on every machine: integers mixed from a counter, and arithmetic that IEEE 754
   fixes. */
#ifndef ARNN_MODEL_RANDOM_H
#define ARNN_MODEL_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct arnn_random {
    uint64_t state;
} arnn_random;

/* The generator of one purpose: different (role, layer) give independent sequences. */
arnn_random arnn_random_of(uint64_t seed, uint64_t role, uint64_t layer);

/* values[i] uniform in [-bound, bound), or standard normal. */
void arnn_random_uniform(arnn_random *random, float *values, size_t count, float bound);
void arnn_random_normal(arnn_random *random, float *values, size_t count);

#endif

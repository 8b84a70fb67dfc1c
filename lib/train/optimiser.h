/* Optimisers, a line each in a table: what one update makes of parameters and moments. */
#ifndef ARNN_TRAIN_OPTIMISER_H
#define ARNN_TRAIN_OPTIMISER_H

#include <stddef.h>
#include <stdint.h>

#include "base/threads.h"

#define ARNN_MOMENTS 2 /* at most, of any optimiser */

/* The numbers of one update. */
typedef struct arnn_update {
    float rate;            /* learning rate */
    float momentum;        /* sgd; Adam's beta_1 */
    float second_momentum; /* Adam's beta_2 */
    float epsilon;
    float weight_decay;
    float scale;    /* gradients are multiplied by it first: clipping */
    uint64_t count; /* updates made, this one included: 1, 2, .. */
} arnn_update;

typedef struct arnn_optimiser {
    const char *name;
    size_t moments; /* how many numbers it keeps beside each parameter; all begin at 0 */
    void (*apply)(float *values, float *first, float *second, const float *gradients, size_t count,
                  const arnn_update *update);
} arnn_optimiser;

/* NULL: not an ARNN_OPTIMISER_.. constant. */
const arnn_optimiser *arnn_optimiser_of(int32_t optimiser);

/* One update of all parameters, in parts that threads share out. Every parameter goes its own way: the results are the
   same for any number of them. */
void arnn_optimise(arnn_threads *threads, const arnn_optimiser *optimiser, float *values,
                   float *const moments[ARNN_MOMENTS], const float *gradients, size_t count, const arnn_update *update);

/* Euclidean norm, in double, of parts that depend on `count` alone. */
double arnn_norm(arnn_threads *threads, const float *values, size_t count);

#endif

/* Products, shared out among threads where that is worth it. */
#ifndef ARNN_RUN_PRODUCT_H
#define ARNN_RUN_PRODUCT_H

#include "base/threads.h"
#include "model/ready.h"

/* Work, by shape alone; about eight units take a cycle. Weights come from the second cache or beyond, at four a cycle,
   or are multiplied, at about eight; the rows of a tape likewise. */
#define ARNN_WORK_PRODUCT(weights, rows) ((weights) * ((rows) + 1))
#define ARNN_WORK_READ(rows, hidden)     (2 * (rows) * (hidden))

/* Below so much, other threads are not worth what it takes to call them. */
#define ARNN_WORK_SHARED ((size_t)1 << 17)

/* So many weights stay in a core's second cache from step to step. */
#define ARNN_NEAR_WEIGHTS ((size_t)1 << 18)

size_t arnn_affine_weights(const arnn_affine *affine);

/* y (rows, outputs) += products. threads: NULL for the calling one alone. Every output is a sum of its own: who makes
   it does not matter. */
void arnn_product_add(arnn_threads *threads, const arnn_affine *affine, const arnn_kernels *kernels, float *y,
                      const arnn_inputs *inputs, size_t rows);

#endif

/* Products, shared out among threads where that is worth it. */
#ifndef ARNN_RUN_PRODUCT_H
#define ARNN_RUN_PRODUCT_H

#include "base/threads.h"
#include "model/ready.h"

/* Work, by shape alone; about eight units take a cycle. Weights come from the second cache or beyond, at four a cycle,
   or are multiplied, at about eight; the rows of a tape likewise. */
#define ARNN_WORK_PRODUCT(weights, rows) ((weights) * ((rows) + 1))
#define ARNN_WORK_READ(rows, hidden)     (2 * (rows) * (hidden))
#define ARNN_WORK_CELL(gates, rows)      (16 * (gates) * (rows))

/* Below so much, other threads are not worth what it takes to call them: 65,536 weights and one stream gain nothing. */
#define ARNN_WORK_SHARED ((size_t)3 << 16)

/* So many weights stay in a core's second cache from step to step. */
#define ARNN_NEAR_WEIGHTS ((size_t)1 << 18)

/* Matrices of so many are gone through forward and back in turn: of what is more than a cache holds a part is still
   there when the next step begins where this one ended. */
#define ARNN_LEFT_WEIGHTS ((size_t)1 << 16)

/* Who works, and which way round. The results are the same. */
typedef struct arnn_order {
    arnn_threads *threads; /* NULL: the calling one alone */
    bool back;             /* from the last part to the first */
} arnn_order;

/* Of the parts for which there are inputs; NULL: of all. */
size_t arnn_affine_weights(const arnn_affine *affine, const arnn_inputs *inputs);

/* y (rows, outputs) += products. Every output is a sum of its own: who makes it, and when, does not matter. */
void arnn_product_add(const arnn_order *order, const arnn_affine *affine, const arnn_kernels *kernels, float *y,
                      const arnn_inputs *inputs, size_t rows);

#endif

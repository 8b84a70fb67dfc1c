/* The scores, one file each: how a query is made, what rows of keys the tape keeps, which kernel reads them.
   To add one: its file, a line in score.c, a constant in arnn.h, its parameters in model/parameters.c. */
#ifndef ARNN_ATTENTION_SCORE_H
#define ARNN_ATTENTION_SCORE_H

#include <stdint.h>

#include "base/status.h"
#include "kernels/kernels.h"

/* The weights of one layer's score; those that it has not are NULL. */
typedef struct arnn_score_weights {
    const float *key;     /* (k, n) */
    const float *query;   /* (k, z) */
    const float *score;   /* (k) */
    const float *general; /* (n, z) */
    float scale;
    size_t hidden, align, z; /* n, k, |z| */
} arnn_score_weights;

typedef struct arnn_score {
    const char *name;
    bool has_keys; /* rows of width k beside the rows of states; the query has width k too, else n */
    /* folded (query width, z): the matrix that makes the query from z */
    arnn_status (*fold)(float *folded, const arnn_score_weights *weights);
    /* bounded: |h| <= 1 */
    arnn_read_kind (*read)(const arnn_score_weights *weights, bool bounded);
} arnn_score;

extern const arnn_score arnn_score_dot, arnn_score_general, arnn_score_additive;

/* The score of an ARNN_SCORE_.. constant, which must be one. */
const arnn_score *arnn_score_of(int32_t score);

#endif

/* Attention over rows that a caller keeps, and the merge of two such results. */
#ifndef ARNN_ATTENTION_ATTEND_H
#define ARNN_ATTENTION_ATTEND_H

#include "base/status.h"
#include "kernels/kernels.h"

typedef struct arnn_attending {
    const arnn_kernels *kernels;
    float *query; /* (width): room for the scaled query */
    float *run;   /* (width): room for one run's sums */
    float scale;
    size_t width, weight_stride;
    size_t bytes; /* of all rows of all queries */
    int32_t type; /* of the rows */
} arnn_attending;

/* One query (width) over its rows. logsumexp (1), weights (weight_stride): NULL if not wanted. */
void arnn_attend_one(const arnn_attending *self, float *context, float *logsumexp, float *weights, const float *query,
                     const arnn_rows *rows);

/* The first result (width) becomes that of both. */
void arnn_merge_one(float *context, float *logsumexp, const float *other, float other_logsumexp, size_t width);

#endif

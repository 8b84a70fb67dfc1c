/* Losses of rows of outputs, a line each in a table. */
#ifndef ARNN_TRAIN_LOSS_H
#define ARNN_TRAIN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is wanted of rows: a token each, or outputs each. The other one is NULL. */
typedef struct arnn_wanted {
    const int32_t *tokens; /* (rows); negative: the row is ignored */
    const float *values;   /* (rows, outputs) */
    const float *weights;  /* (rows); a weight of 0 ignores the row */
} arnn_wanted;

/* Sums over rows. */
typedef struct arnn_loss_sums {
    double loss;    /* of w l */
    double correct; /* of w where the largest output is the wanted token */
} arnn_loss_sums;

typedef struct arnn_loss {
    const char *name;
    bool of_tokens;
    /* Adds to the sums. outputs (rows, count) become gradients, times the row's weight and `factor`; an ignored row's
       are 0, whatever its outputs. */
    void (*rows)(arnn_loss_sums *sums, float *outputs, const arnn_wanted *wanted, size_t rows, size_t count,
                 float factor);
} arnn_loss;

/* NULL: not an ARNN_LOSS_.. constant. */
const arnn_loss *arnn_loss_of(int32_t loss);

#endif

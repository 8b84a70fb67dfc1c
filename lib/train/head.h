/* Readout and loss of rows, in blocks of them: never is there a buffer of (rows, outputs). */
#ifndef ARNN_TRAIN_HEAD_H
#define ARNN_TRAIN_HEAD_H

#include "base/threads.h"
#include "model/model.h"
#include "train/mask.h"
#include "train/loss.h"

/* One row of the top layer, and what is wanted of it. */
typedef struct arnn_head_row {
    const float *h, *s; /* (n); s is read where the source needs it */
    float *dh, *ds;     /* (n): gradients are added; NULL: none are wanted, of this row or of any */
    int32_t token;
    const float *values; /* (outputs) */
    float weight;
    size_t time, stream; /* for dropout */
} arnn_head_row;

typedef struct arnn_head {
    const arnn_model *model;
    const arnn_loss *loss;
    arnn_threads *threads; /* share out rows; NULL: the calling one alone */
    arnn_mask mask;        /* of the readout's input */
    float factor;          /* on gradients: 1 / sum of weights */
    float *gradients;      /* of all parameters, to which those of the readout are added; NULL: none are wanted */
    arnn_loss_sums sums;   /* of all rows so far */
    size_t block, count;   /* rows at once, and how many wait */
    size_t width, outputs;
    float *r, *y, *dr;   /* (block, width), (block, outputs), (block, width) */
    arnn_head_row *rows; /* (block) */
    int32_t *tokens;     /* (block) */
    float *values;       /* (block, outputs) */
    float *weights;      /* (block) */
} arnn_head;

/* The destroy function accepts a half-built or zeroed object. */
arnn_status arnn_head_create(arnn_head *head, const arnn_model *model, const arnn_loss *loss);
void arnn_head_destroy(arnn_head *head);

/* Begins with no rows. */
void arnn_head_begin(arnn_head *head, float factor, float *gradients, const arnn_mask *mask);
void arnn_head_add(arnn_head *head, const arnn_head_row *row);
void arnn_head_finish(arnn_head *head); /* works off what waits */

#endif

/* One layer's backward pass, block of steps by block of steps (derivatives of every cell, wiring and score). */
#ifndef ARNN_TRAIN_PASS_H
#define ARNN_TRAIN_PASS_H

#include "cells/cell.h"
#include "train/layout.h"

/* A parameter of the layer and its gradient; NULL where the model has none. */
typedef struct arnn_weight {
    const float *values;
    float *gradient;
} arnn_weight;

typedef struct arnn_pass {
    arnn_record *record;
    arnn_backward_work *work;
    const arnn_model_desc *desc;
    const arnn_kernels *kernels;
    const arnn_cell *cell;
    const arnn_wiring *wiring;
    const arnn_kept *kept;
    size_t layer;
    size_t n, gates, inputs, query, z, keys; /* widths: n, G n, |x_l|, the query's, |z|, k where keys are kept */
    size_t columns;                          /* past + steps: of a row of weights */
    arnn_weight ih, hh, bias_ih, bias_hh, attn_key, attn_query, attn_score, attn_general, attn_recency;
    arnn_read_kind read;
    float *dh, *ds;           /* rows of n: what is owed to h and s; ds: NULL with wiring none, where s is h */
    float *dp, *dp_recurrent; /* rows of G n; the same where the cell does not split */
} arnn_pass;

/* A block: steps first .. first+count-1 of a stream. */
typedef struct arnn_steps {
    size_t stream, first, count;
    arnn_stream_work *work;
} arnn_steps;

/* Rows (record.h). */
float *arnn_row(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t t);
float *arnn_late(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t t);
float *arnn_taped(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t i);

/* What stands for h_{t-1} at steps t ..: a pointer to at most `count` rows that lie together; their number. */
size_t arnn_carried(const arnn_pass *pass, const float **rows, size_t stream, size_t t, size_t count);

/* Rows on the tape when step t reads. */
size_t arnn_rows_read(const arnn_pass *pass, size_t stream, size_t t);

/* Rows of a matrix that one thread makes at once. */
#define ARNN_PART_ROWS 128

float arnn_dot(const float *a, const float *b, size_t count);
void arnn_add_scaled(float *sums, float factor, const float *values, size_t count);

/* The block that begins at step `first` (a multiple of its length), as far as the stream goes. */
arnn_steps arnn_block_of(const arnn_pass *pass, size_t stream, size_t first);

/* Fills work->layer. */
arnn_status arnn_turn_parameters(const arnn_pass *pass);

/* ---- the recurrence, of streams that go back together ---- */

typedef struct arnn_group {
    size_t first, count;   /* streams */
    arnn_threads *threads; /* share out products; NULL: the calling one alone */
} arnn_group;

/* All steps of these streams: dp, dq and what else the matrices need, and what the initial values are owed. */
void arnn_steps_return(const arnn_pass *pass, const arnn_group *group);

/* x, z and what stands for h_{t-1} of `count` steps, as products read them. */
arnn_inputs arnn_step_inputs(const arnn_pass *pass, size_t stream, size_t t);

/* dx of `count` steps from t on. */
void arnn_input_return(const arnn_pass *pass, size_t stream, size_t t, size_t count);

/* ---- the matrices: rows first .. first+count-1 of their gradients, over all streams ---- */

void arnn_cell_weights(const arnn_pass *pass, size_t first, size_t count);
void arnn_attention_weights(const arnn_pass *pass, size_t first, size_t count);
/* And what no matrix is. */
void arnn_attention_rest(const arnn_pass *pass);

/* ---- attention ---- */

/* Before the steps of a block: its queries, and the weights of every row read. */
void arnn_attention_prepare(const arnn_pass *pass, const arnn_steps *block);
/* One step: from ds (and dm, of the memory read, or NULL) what rows, query and score are owed. z's debt is W' dq. */
void arnn_attention_step(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *ds, const float *dm);
/* After the steps: what the block owes to rows older than itself. */
void arnn_attention_finish(const arnn_pass *pass, const arnn_steps *block);
/* dx of `count` steps from t on += what queries owe to x, which is something in `before`. */
void arnn_attention_input(const arnn_pass *pass, size_t stream, size_t t, size_t count);
/* After all streams: what W is owed goes to its factors. */
void arnn_attention_unfold(const arnn_pass *pass);

#endif

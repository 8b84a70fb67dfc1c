/* One step of some streams, layer by layer. */
#ifndef ARNN_RUN_STEP_H
#define ARNN_RUN_STEP_H

#include "run/product.h"
#include "run/state.h"

/* Where the attention map of one time goes: row j of (count, columns) belongs to slot j of the caller's arrays. */
typedef struct arnn_map {
    float *weights; /* NULL: not wanted */
    float *zero;    /* NULL: not wanted */
    size_t weights_stride, zero_stride;
    size_t columns, layer;
} arnn_map;

/* Where a layer's input products come from: made ahead (count, G n), looked up by token, or, where both are NULL, made
   now. */
typedef struct arnn_first {
    float *ahead;
    const int32_t *tokens;
} arnn_first;

/* A step of the streams work.streams[0 .. count-1], whose pages are reserved. Their input is in work.x, and what layer
   l makes goes to work.h[l % 2] and work.s. */
typedef struct arnn_moment {
    arnn_state *state;
    arnn_work work; /* the rows of this step */
    size_t count;
    bool adjacent; /* these streams lie side by side */
    arnn_map map;
    arnn_order order; /* threads that serve this step, which then has the state to itself */
} arnn_moment;

/* Every step is opened, makes its layers in order, and is closed, before the next. */
void arnn_step_open(const arnn_moment *moment);
void arnn_step_layer(const arnn_moment *moment, size_t layer, const arnn_first *first);
void arnn_step_close(const arnn_moment *moment);

#endif

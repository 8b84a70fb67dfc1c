/* One step of some streams, all layers. */
#ifndef ARNN_RUN_STEP_H
#define ARNN_RUN_STEP_H

#include "run/state.h"

/* Where the attention map of one time goes: row j of (count, columns) belongs to slot j of the caller's arrays. */
typedef struct arnn_map {
    float *weights; /* NULL: not wanted */
    float *zero;    /* NULL: not wanted */
    size_t weights_stride, zero_stride;
    size_t columns, layer;
} arnn_map;

/* What a step made in its top layer: (count, n), dense, in the work buffers. */
typedef struct arnn_top {
    const float *h, *s;
} arnn_top;

/* Where the first layer's input products come from: made ahead (count, G n), looked up by token, or, where both are NULL,
   made now. */
typedef struct arnn_first {
    float *ahead;
    const int32_t *tokens;
} arnn_first;

/* A step of the streams work->streams[0 .. count-1], whose pages are reserved. Their input is in work->x. shared: all
   threads of the state serve this call, which has the state to itself. */
arnn_top arnn_step_streams(arnn_state *state, const arnn_work *work, const arnn_first *first, size_t count,
                           const arnn_map *map, bool shared);

/* y (count, outputs) of the readout, in work->y. */
const float *arnn_step_readout(const arnn_state *state, const arnn_work *work, const arnn_top *top, size_t count);

#endif

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

/* A step of the streams work.streams[0 .. count-1], whose pages are reserved. Their input is in work.x; tokens (count),
   NULL without a table of their products, says which. */
arnn_top arnn_step_streams(arnn_state *state, const int32_t *tokens, size_t count, const arnn_map *map);

/* y (count, outputs) of the readout, in work.y. */
const float *arnn_step_readout(arnn_state *state, const arnn_top *top, size_t count);

#endif

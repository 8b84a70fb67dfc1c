/* Steps over time: what the caller gives and takes, and which streams take part when. */
#ifndef ARNN_RUN_SEQUENCE_H
#define ARNN_RUN_SEQUENCE_H

#include "run/state.h"

/* A call of arnn_step or arnn_forward, checked; every stride is set. */
typedef struct arnn_sequence {
    arnn_input in;
    arnn_output out;
    const size_t *streams; /* (count); NULL: 0 .. count-1 */
    const size_t *lengths; /* (count); NULL: all make all steps */
    size_t steps, count;
} arnn_sequence;

/* Reserves the pages of all steps, then makes them. After an error nothing has changed. */
arnn_status arnn_sequence_run(arnn_state *state, const arnn_sequence *sequence);

#endif

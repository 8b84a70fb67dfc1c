/* Stretches: some consecutive steps of some streams, whose products with known inputs are made together. Each output is
   summed in the same order as alone. */
#ifndef ARNN_RUN_STRETCH_H
#define ARNN_RUN_STRETCH_H

#include "run/sequence.h"

/* Streams whose steps are made together, one after the other: elements first .. end-1 of the call. */
typedef struct arnn_part {
    arnn_state *state;
    const arnn_sequence *sequence;
    arnn_work work;
    size_t first, end;
    arnn_threads *threads; /* that serve every step of this part; NULL: the calling one alone */
} arnn_part;

/* All steps of its streams. */
void arnn_part_run(arnn_part *part);

#endif

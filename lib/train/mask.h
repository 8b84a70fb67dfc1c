/* Dropout: each number is 0 with probability `rate`, else 1/(1-rate) times itself. Which ones is decided by seed,
   update and place alone, so that the backward pass, and any number of threads, see the same mask without its being
   kept. */
#ifndef ARNN_TRAIN_MASK_H
#define ARNN_TRAIN_MASK_H

#include <stddef.h>
#include <stdint.h>

typedef struct arnn_mask {
    float rate; /* in [0, 1); 0: nothing is dropped */
    uint64_t seed;
    uint64_t update; /* another mask for every update */
} arnn_mask;

/* The mask on row (width) of a stream's time; place: the layer whose input it is, or the number of layers for the
   readout's. out may be in. */
void arnn_mask_row(float *out, const float *in, const arnn_mask *mask, size_t place, size_t time, size_t stream,
                   size_t width);

#endif

/* From what the outputs of a run are owed to what the top layer is owed. */
#ifndef ARNN_TRAIN_READOUT_H
#define ARNN_TRAIN_READOUT_H

#include "train/record.h"

/* The whole backward pass: owed has resolved strides. gradient: NULL, parameters are not wanted. */
arnn_status arnn_record_go_back(arnn_record *record, float *gradient, const arnn_output_gradient *owed);

/* Rows t .. t+count-1 of r, what the readout reads of a stream's top layer, by its parts: h, s or both. */
typedef struct arnn_source_part {
    const float *rows; /* (count, n) */
    float *owed;       /* likewise: dL/dr, added to */
    size_t column;     /* in r */
} arnn_source_part;
size_t arnn_source_parts(const arnn_record *record, arnn_source_part parts[2], size_t stream, size_t t);

/* Of rows of dy (count, outputs), dense, of one stream from step t on: adds to what the top layer is owed and to the
   gradients of the readout. */
void arnn_readout_back(arnn_record *record, float *gradient, const float *dy, size_t stride, size_t stream, size_t t,
                       size_t count);

#endif

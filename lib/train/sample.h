/* Choosing the next token from the readout of a token model. */
#ifndef ARNN_TRAIN_SAMPLE_H
#define ARNN_TRAIN_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether logits (count) give probabilities: count > 0, no NaN, and the largest of them finite. */
bool arnn_sample_possible(const float *logits, size_t count);

/* An index below count, with the probability that softmax(logits / temperature) gives it among the `top` largest (0:
   all; of equals, the first ones). temperature 0: the largest, the first of equals. (seed, draw, row) decides. */
size_t arnn_sample_index(const float *logits, size_t count, float temperature, size_t top, uint64_t seed, uint64_t draw,
                         size_t row);

#endif

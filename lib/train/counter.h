/* Random numbers by counter: the number at a place is a function of the key and the place, whoever asks, in whatever
   order. Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011). */
#ifndef ARNN_TRAIN_COUNTER_H
#define ARNN_TRAIN_COUNTER_H

#include <stddef.h>
#include <stdint.h>

typedef struct arnn_counter {
    uint32_t key[2];
    uint32_t at[4];
} arnn_counter;

/* Four random words of a place. */
void arnn_counter_words(uint32_t words[4], const arnn_counter *counter);

#endif

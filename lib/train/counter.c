#include "train/counter.h"

#define ROUNDS 10

static uint32_t high(uint64_t product)
{
    return (uint32_t)(product >> 32);
}

void arnn_counter_words(uint32_t words[4], const arnn_counter *counter)
{
    uint32_t a = counter->at[0], b = counter->at[1], c = counter->at[2], d = counter->at[3];
    uint32_t key = counter->key[0], other = counter->key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t first = (uint64_t)0xd2511f53u * a, second = (uint64_t)0xcd9e8d57u * c;
        a = high(second) ^ b ^ key;
        b = (uint32_t)second;
        c = high(first) ^ d ^ other;
        d = (uint32_t)first;
        key += 0x9e3779b9u;
        other += 0xbb67ae85u;
    }
    words[0] = a;
    words[1] = b;
    words[2] = c;
    words[3] = d;
}

#include "train/mask.h"

#include <string.h>

#include "train/counter.h"

/* Where the four words of units 4 i .. 4 i + 3 stand. Times and places share a word: layers stay below 2^8 before they
   meet times beyond 2^24, and then masks are merely not independent. */
static arnn_counter counter_of(const arnn_mask *mask, size_t place, size_t time, size_t stream)
{
    arnn_counter counter = {.key = {(uint32_t)mask->seed, (uint32_t)(mask->seed >> 32)}};
    counter.at[1] = (uint32_t)stream;
    counter.at[2] = (uint32_t)time ^ (uint32_t)place << 24;
    counter.at[3] = (uint32_t)mask->update ^ (uint32_t)(mask->update >> 32) * 0x9e3779b9u;
    return counter;
}

void arnn_mask_row(float *out, const float *in, const arnn_mask *mask, size_t place, size_t time, size_t stream,
                   size_t width)
{
    if (mask->rate <= 0.0f) {
        if (out != in)
            memcpy(out, in, width * sizeof *out);
        return;
    }
    arnn_counter counter = counter_of(mask, place, time, stream);
    float factor = 1.0f / (1.0f - mask->rate);
    uint32_t limit = (uint32_t)((double)mask->rate * 0x1p32); /* below it, a unit is dropped */
    for (size_t i = 0; i < width; i += 4) {
        uint32_t words[4];
        counter.at[0] = (uint32_t)(i / 4);
        arnn_counter_words(words, &counter);
        for (size_t j = 0; j < 4 && i + j < width; j++)
            out[i + j] = words[j] < limit ? 0.0f : in[i + j] * factor;
    }
}

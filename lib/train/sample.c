#include "train/sample.h"

#include <math.h>

#include "train/counter.h"

#define PURPOSE 0x73616d70u /* sets these numbers apart from those of dropout */

/* Uniform in [0, 1), a multiple of 2^-53. */
static double uniform(uint64_t seed, uint64_t draw, size_t row)
{
    uint32_t words[4];
    arnn_counter counter = {.key = {(uint32_t)seed, (uint32_t)(seed >> 32)},
                            .at = {(uint32_t)draw, (uint32_t)(draw >> 32), (uint32_t)row, PURPOSE}};
    arnn_counter_words(words, &counter);
    return (double)(((uint64_t)words[0] << 32 | words[1]) >> 11) * 0x1p-53;
}

static size_t largest(const float *logits, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++) {
        if (logits[i] > logits[best])
            best = i;
    }
    return best;
}

bool arnn_sample_possible(const float *logits, size_t count)
{
    size_t i = 0;
    while (i < count && !isnan(logits[i]))
        i++;
    return count > 0 && i == count && isfinite(logits[largest(logits, count)]);
}

/* Floats as integers in the same order. */
static uint32_t rank_of(float value)
{
    union {
        float value;
        uint32_t bits;
    } both = {.value = value + 0.0f}; /* -0 becomes 0 */
    return both.bits & 0x80000000u ? ~both.bits : both.bits | 0x80000000u;
}

static size_t count_from(const float *logits, size_t count, uint32_t rank)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += rank_of(logits[i]) >= rank;
    return found;
}

/* The largest rank that at least `top` logits reach, bit by bit: nothing is sorted, nothing allocated. */
static uint32_t threshold(const float *logits, size_t count, size_t top)
{
    uint32_t rank = 0;
    for (uint32_t bit = 0x80000000u; bit; bit >>= 1) {
        if (count_from(logits, count, rank | bit) >= top)
            rank |= bit;
    }
    return rank;
}

/* Among those that take part: above the threshold all, at it the first few. */
typedef struct chosen {
    uint32_t rank;
    size_t equals;
} chosen;

static bool takes_part(chosen *chosen, float logit)
{
    uint32_t rank = rank_of(logit);
    if (rank != chosen->rank)
        return rank > chosen->rank;
    if (chosen->equals == 0)
        return false;
    chosen->equals--;
    return true;
}

static chosen choose(const float *logits, size_t count, size_t top)
{
    chosen chosen = {.rank = 0, .equals = count};
    if (top > 0 && top < count) {
        chosen.rank = threshold(logits, count, top);
        chosen.equals = top - (chosen.rank == UINT32_MAX ? 0 : count_from(logits, count, chosen.rank + 1));
    }
    return chosen;
}

static double weight(float logit, float most, float temperature)
{
    return exp(((double)logit - (double)most) / (double)temperature);
}

size_t arnn_sample_index(const float *logits, size_t count, float temperature, size_t top, uint64_t seed, uint64_t draw,
                         size_t row)
{
    size_t best = largest(logits, count), last = best;
    if (temperature == 0.0f)
        return best;
    chosen first = choose(logits, count, top), again = first;
    double sum = 0.0;
    for (size_t i = 0; i < count; i++)
        sum += takes_part(&first, logits[i]) ? weight(logits[i], logits[best], temperature) : 0.0;
    double left = uniform(seed, draw, row) * sum;
    for (size_t i = 0; i < count; i++) {
        double share = takes_part(&again, logits[i]) ? weight(logits[i], logits[best], temperature) : 0.0;
        if (share > 0.0 && left < share)
            return i;
        left -= share;
        last = share > 0.0 ? i : last;
    }
    return last; /* rounding left a little over */
}

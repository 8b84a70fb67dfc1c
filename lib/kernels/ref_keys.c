/* Additive scores of keys as they are kept for training, and what is owed through them, in plain C. */
#include <math.h>

#include "kernels/kernels.h"

/* A unit: t = tanh(p + y), and 1 - t^2. Of exponents E = exp(2 p), F = exp(2 y): t = 1 - 2 G and 1 - t^2 = 4 EF G^2
   with G = 1 / (1 + EF); not 4 G (1 - G), which cancels near G = 1. EF is capped, so that it is finite. */
typedef struct unit {
    float value, slope;
} unit;

static unit exponent_unit(float key, float query)
{
    float product = key * query;
    product = product > 0x1p60f ? 0x1p60f : product;
    float g = 1.0f / (1.0f + product);
    return (unit){1.0f - 2.0f * g, 4.0f * product * g * g};
}

static unit tanh_unit(float key, float query)
{
    float t = tanhf(key + query);
    return (unit){t, 1.0f - t * t};
}

static unit unit_of(const arnn_keys *all, size_t row, size_t j)
{
    float key = all->keys[row * all->align + j];
    return all->exponent ? exponent_unit(key, all->query[j]) : tanh_unit(key, all->query[j]);
}

void arnn_ref_key_scores(const arnn_keys *all, float *scores)
{
    for (size_t row = 0; row < all->count; row++) {
        float sum = 0.0f;
        for (size_t j = 0; j < all->align; j++)
            sum += all->score[j] * unit_of(all, row, j).value;
        scores[row] = sum;
    }
}

void arnn_ref_keys_owed(const arnn_keys *all, const arnn_keys_owed *owed)
{
    for (size_t row = 0; row < all->count; row++) {
        for (size_t j = 0; j < all->align; j++) {
            unit u = unit_of(all, row, j);
            float through = owed->de[row] * all->score[j] * u.slope;
            owed->dquery[j] += through;
            owed->dscore[j] += owed->de[row] * u.value;
            if (owed->dkeys)
                owed->dkeys[row * all->align + j] += through;
        }
    }
}

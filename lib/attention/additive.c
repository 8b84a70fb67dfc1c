/* Additive (lecture 8, option 1): e = v' tanh(W_K h + W_Q z). The tape keeps keys W_K h beside the states, as exp(2 W_K
   h) where that is exact (spec 6.3). */
#include <math.h>
#include <string.h>

#include "attention/score.h"

static arnn_status fold(float *folded, const arnn_score_weights *weights)
{
    memcpy(folded, weights->query, weights->align * weights->z * sizeof *folded);
    return ARNN_OK;
}

/* |W_K h| is at most this where |h| <= 1. NaN where a weight is. */
static double largest_row_norm(const arnn_score_weights *weights)
{
    double largest = 0.0;
    for (size_t j = 0; j < weights->align; j++) {
        double norm = 0.0;
        for (size_t i = 0; i < weights->hidden; i++)
            norm += fabs((double)weights->key[j * weights->hidden + i]);
        if (!isnan(largest) && !(norm <= largest))
            largest = norm;
    }
    return largest;
}

/* Below 34 the clamps of the exponents change no unit by more than 3e-8; above, and for unbounded states, plain
   tanh. */
static arnn_read_kind read_kind(const arnn_score_weights *weights, bool bounded)
{
    const double exact = 34.0;
    return bounded && largest_row_norm(weights) <= exact ? ARNN_READ_EXPONENT : ARNN_READ_TANH;
}

const arnn_score arnn_score_additive = {.name = "additive", .has_keys = true, .fold = fold, .read = read_kind};

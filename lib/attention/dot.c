/* Dot: e = scale (W_K h)'(W_Q z) = h' (scale W_K' W_Q) z. The keys are absorbed (spec 6.1): the tape holds states
   alone, and the rows are keys and values at once. */
#include "attention/score.h"
#include "base/memory.h"
#include "linalg/linalg.h"

static double *widen(const float *values, size_t count)
{
    double *wide = arnn_alloc(count, sizeof *wide);
    for (size_t i = 0; wide && i < count; i++)
        wide[i] = (double)values[i];
    return wide;
}

/* In double: the fold stands for two products whose roundings nobody would see. */
static arnn_status fold(float *folded, const arnn_score_weights *weights)
{
    size_t count = weights->hidden * weights->z;
    double *key = widen(weights->key, weights->align * weights->hidden);
    double *query = widen(weights->query, weights->align * weights->z);
    double *product = arnn_alloc(count, sizeof *product);
    arnn_status status = key && query && product ? ARNN_OK : arnn_error_no_memory("folding attn_key and attn_query");
    if (!status)
        arnn_fold(product, (double)weights->scale, key, query, weights->hidden, weights->z, weights->align);
    for (size_t i = 0; i < count && !status; i++)
        folded[i] = (float)product[i];
    arnn_free(product);
    arnn_free(query);
    arnn_free(key);
    return status;
}

static arnn_read_kind read_kind(const arnn_score_weights *weights, bool bounded)
{
    (void)weights;
    (void)bounded;
    return ARNN_READ_DOT;
}

const arnn_score arnn_score_dot = {.name = "dot", .fold = fold, .read = read_kind};

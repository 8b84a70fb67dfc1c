/* The read in plain C: row by row, with the softmax kept up as it goes (spec 6.2). And the table `ref`. */
#include <math.h>

#include "kernels/kernels.h"

/* ---- scores ---- */

float arnn_ref_score_dot(const arnn_query *query, const arnn_run *run, size_t row)
{
    const float *h = run->h + row * run->h_stride;
    float sum = 0.0f;
    for (size_t i = 0; i < query->hidden; i++)
        sum += query->query[i] * h[i];
    return sum;
}

/* Above the cap 1 / (1 + EF) is no more than 2^-60. A NaN passes: it is not greater. */
static float capped(float product)
{
    const float cap = 0x1p60f;
    return product > cap ? cap : product;
}

/* tanh(p + u) = 1 - 2 / (1 + E F), E = exp(2 p), F = exp(2 u) (spec 6.3). */
float arnn_ref_score_exponent(const arnn_query *query, const arnn_run *run, size_t row)
{
    const float *key = run->key + row * query->align;
    float sum = 0.0f;
    for (size_t j = 0; j < query->align; j++)
        sum += query->score[j] / (1.0f + capped(key[j] * query->query[j]));
    return query->score_sum - 2.0f * sum;
}

float arnn_ref_score_tanh(const arnn_query *query, const arnn_run *run, size_t row)
{
    const float *key = run->key + row * query->align;
    float sum = 0.0f;
    for (size_t j = 0; j < query->align; j++)
        sum += query->score[j] * tanhf(key[j] + query->query[j]);
    return sum;
}

void arnn_ref_exponents(float *values, size_t count)
{
    const float limit = 87.0f;
    for (size_t i = 0; i < count; i++) {
        float x = 2.0f * values[i];
        x = x > limit ? limit : x < -limit ? -limit : x;
        values[i] = expf(x);
    }
}

/* ---- the read ---- */

static void scale(float *values, float factor, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] *= factor;
}

static void add(float *sums, float weight, const float *row, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * row[i];
}

/* One row joins: the sums so far are put on the new maximum first. */
static void join(arnn_partial *partial, float score, const float *h, const float *m, size_t hidden)
{
    if (!(score <= partial->max)) {
        float factor = expf(partial->max - score);
        scale(partial->h, factor, hidden);
        if (partial->m)
            scale(partial->m, factor, hidden);
        partial->sum *= factor;
        partial->max = score;
    }
    float weight = expf(score - partial->max);
    partial->sum += weight;
    add(partial->h, weight, h, hidden);
    if (m)
        add(partial->m, weight, m, hidden);
}

static void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                      arnn_ref_score *score)
{
    for (size_t i = 0; i < run->count; i++) {
        float e = score(query, run, i) - query->recency * (float)(query->newest - (run->first + i));
        if (scores)
            scores[i] = e;
        join(partial, e, run->h + i * run->h_stride, run->m ? run->m + i * query->hidden : NULL, query->hidden);
    }
}

void arnn_ref_read_dot(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, arnn_ref_score_dot);
}

void arnn_ref_read_exponent(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, arnn_ref_score_exponent);
}

void arnn_ref_read_tanh(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, arnn_ref_score_tanh);
}

/* ---- the table ---- */

const arnn_kernels arnn_kernels_ref = {
    .name = "ref",
    .supported = arnn_ref_supported,
    .packed_count = arnn_ref_packed_count,
    .pack = arnn_ref_pack,
    .product = arnn_ref_product,
    .rnn_tanh = arnn_ref_rnn_tanh,
    .rnn_relu = arnn_ref_rnn_relu,
    .gru = arnn_ref_gru,
    .lstm = arnn_ref_lstm,
    .exponents = arnn_ref_exponents,
    .read = {arnn_ref_read_dot, arnn_ref_read_exponent, arnn_ref_read_tanh},
};

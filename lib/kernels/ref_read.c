/* The read in plain C: row by row, with the softmax kept up as it goes (spec 6.2). And the table `ref`. */
#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

/* ---- scores ---- */

float arnn_ref_score_dot(const arnn_query *query, const arnn_run *run, size_t row)
{
    const arnn_element *element = arnn_element_of(run->h_type);
    float sum = 0.0f;
    for (size_t i = 0; i < query->hidden; i++)
        sum += query->query[i] * element->decode(run->h, row * run->h_stride + i);
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
    const arnn_element *element = arnn_element_of(run->key_type);
    float sum = 0.0f;
    for (size_t j = 0; j < query->align; j++)
        sum += query->score[j] / (1.0f + capped(element->decode(run->key, row * query->align + j) * query->query[j]));
    return query->score_sum - 2.0f * sum;
}

float arnn_ref_score_tanh(const arnn_query *query, const arnn_run *run, size_t row)
{
    const arnn_element *element = arnn_element_of(run->key_type);
    float sum = 0.0f;
    for (size_t j = 0; j < query->align; j++)
        sum += query->score[j] * tanhf(element->decode(run->key, row * query->align + j) + query->query[j]);
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

static void add(float *sums, float weight, const void *rows, size_t offset, int32_t type, size_t count)
{
    const arnn_element *element = arnn_element_of(type);
    for (size_t i = 0; i < count; i++)
        sums[i] += weight * element->decode(rows, offset + i);
}

/* The sums so far are put on a higher maximum. */
static void raise_maximum(arnn_partial *partial, float max, size_t hidden)
{
    float factor = expf(partial->max - max);
    scale(partial->h, factor, hidden);
    if (partial->m)
        scale(partial->m, factor, hidden);
    partial->sum *= factor;
    partial->max = max;
}

static void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                      arnn_ref_score *score)
{
    size_t n = query->hidden;
    for (size_t i = 0; i < run->count; i++) {
        float e = score(query, run, i) - query->recency * (float)(query->newest - (run->first + i));
        if (scores)
            scores[i] = e;
        if (!(e <= partial->max))
            raise_maximum(partial, e, n);
        float weight = expf(e - partial->max);
        partial->sum += weight;
        add(partial->h, weight, run->h, i * run->h_stride, run->h_type, n);
        if (run->m)
            add(partial->m, weight, run->m, i * n, run->m_type, n);
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

/* ---- the read, backward ---- */

static float dot(const float *a, const float *b, size_t count)
{
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

void arnn_ref_owed(const arnn_owed *owed)
{
    size_t n = owed->hidden;
    for (size_t i = 0; i < owed->count; i++) {
        const float *h = owed->h + i * n;
        float r = dot(owed->ds, h, n);
        if (owed->m)
            r += dot(owed->dm, owed->m + i * n, n);
        owed->de[i] = owed->alpha[i] * (r - owed->rho);
        for (size_t j = 0; j < n; j++)
            owed->dq[j] += owed->de[i] * h[j];
    }
}

/* ---- onto the tape ---- */

static void encode(void *row, const float *values, size_t count, int32_t type)
{
    const arnn_element *element = arnn_element_of(type);
    for (size_t i = 0; i < count; i++)
        element->encode(row, i, values[i]);
}

void arnn_ref_encode_f32(void *row, const float *values, size_t count)
{
    memcpy(row, values, count * sizeof *values);
}

void arnn_ref_encode_f16(void *row, const float *values, size_t count)
{
    encode(row, values, count, ARNN_TYPE_F16);
}

void arnn_ref_encode_bf16(void *row, const float *values, size_t count)
{
    encode(row, values, count, ARNN_TYPE_BF16);
}

void arnn_ref_encode_i8(void *row, const float *values, size_t count)
{
    encode(row, values, count, ARNN_TYPE_I8);
}

/* ---- the table ---- */

const arnn_kernels arnn_kernels_ref = {
    .name = "ref",
    .supported = arnn_ref_supported,
    .shares = true,
    .packed_bytes = arnn_ref_packed_bytes,
    .pack = arnn_ref_pack,
    .product = arnn_ref_product,
    .pack_turned = arnn_ref_pack_turned,
    .chains = true,
    .multiply = arnn_ref_multiply,
    .rnn_tanh = arnn_ref_rnn_tanh,
    .rnn_relu = arnn_ref_rnn_relu,
    .gru = arnn_ref_gru,
    .lstm = arnn_ref_lstm,
    .gru_back = arnn_ref_gru_back,
    .lstm_back = arnn_ref_lstm_back,
    .exponents = arnn_ref_exponents,
    .owed = arnn_ref_owed,
    .key_scores = arnn_ref_key_scores,
    .keys_owed = arnn_ref_keys_owed,
    .read = {arnn_ref_read_dot, arnn_ref_read_exponent, arnn_ref_read_tanh},
    .encode = {arnn_ref_encode_f32, arnn_ref_encode_f16, arnn_ref_encode_bf16, arnn_ref_encode_i8},
};

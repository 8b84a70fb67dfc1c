/* The table `blas`: products and reads through OpenBLAS, for any machine. Cells and scores that BLAS does not know are
   those of `ref`. Results depend on the batch: OpenBLAS chooses its order of summation by the shape. */
#include <cblas.h>
#include <math.h>

#include "linalg/linalg.h"

static void product(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                    size_t streams)
{
    int outputs = (int)packed->outputs, inputs = (int)packed->inputs;
    if (outputs == 0 || inputs == 0) /* OpenBLAS takes that for an error, and prints it */
        return;
    if (streams == 1)
        cblas_sgemv(CblasRowMajor, CblasNoTrans, outputs, inputs, 1.0f, packed->values, inputs, x, 1, 1.0f, y, 1);
    else if (streams > 0)
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)streams, outputs, inputs, 1.0f, x, (int)x_stride,
                    packed->values, inputs, 1.0f, y, (int)y_stride);
}

/* ---- the read: scores, softmax, weighted sums, a run at a time ---- */

static void score_dot(float *scores, const arnn_query *query, const arnn_run *run)
{
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)run->count, (int)query->hidden, 1.0f, run->h, (int)run->h_stride,
                query->query, 1, 0.0f, scores, 1);
}

static void score_rows(float *scores, const arnn_query *query, const arnn_run *run, arnn_ref_score *score)
{
    for (size_t i = 0; i < run->count; i++)
        scores[i] = score(query, run, i);
}

static void add_recency(float *scores, const arnn_query *query, const arnn_run *run)
{
    for (size_t i = 0; i < run->count; i++)
        scores[i] -= query->recency * (float)(query->newest - (run->first + i));
}

/* NaN is taken as the maximum, so that it shows. */
static float maximum(float max, const float *scores, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!(scores[i] <= max))
            max = scores[i];
    }
    return max;
}

/* Scores become weights relative to the new maximum; returns by how much the old sums shrink. */
static float softmax(arnn_partial *partial, float *scores, size_t count)
{
    float max = maximum(partial->max, scores, count);
    float factor = expf(partial->max - max), sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        scores[i] = expf(scores[i] - max);
        sum += scores[i];
    }
    partial->sum = partial->sum * factor + sum;
    partial->max = max;
    return factor;
}

static void weighted_sum(float *sums, float factor, const float *weights, const float *rows, size_t stride,
                         size_t count, size_t hidden)
{
    cblas_sgemv(CblasRowMajor, CblasTrans, (int)count, (int)hidden, 1.0f, rows, (int)stride, weights, 1, factor, sums,
                1);
}

static void finish_run(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *weights,
                       float *scores)
{
    add_recency(weights, query, run);
    for (size_t i = 0; scores && i < run->count; i++)
        scores[i] = weights[i];
    float factor = softmax(partial, weights, run->count);
    weighted_sum(partial->h, factor, weights, run->h, run->h_stride, run->count, query->hidden);
    if (run->m)
        weighted_sum(partial->m, factor, weights, run->m, query->hidden, run->count, query->hidden);
}

/* BLAS knows float32 alone: rows of other types are read as `ref` reads them. */
static bool is_float32(const arnn_run *run)
{
    return run->h_type == ARNN_TYPE_F32 && run->m_type == ARNN_TYPE_F32;
}

static void read_dot(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    if (!is_float32(run)) {
        arnn_ref_read_dot(partial, query, run, scores);
        return;
    }
    float weights[ARNN_RUN_ROWS] = {0}; /* some BLAS multiply by beta = 0 instead of clearing */
    score_dot(weights, query, run);
    finish_run(partial, query, run, weights, scores);
}

static void read_exponent(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    if (!is_float32(run)) {
        arnn_ref_read_exponent(partial, query, run, scores);
        return;
    }
    float weights[ARNN_RUN_ROWS];
    score_rows(weights, query, run, arnn_ref_score_exponent);
    finish_run(partial, query, run, weights, scores);
}

static void read_tanh(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    if (!is_float32(run)) {
        arnn_ref_read_tanh(partial, query, run, scores);
        return;
    }
    float weights[ARNN_RUN_ROWS];
    score_rows(weights, query, run, arnn_ref_score_tanh);
    finish_run(partial, query, run, weights, scores);
}

static void multiply(float *y, const float *rows, const float *x, size_t count, size_t n, float beta)
{
    cblas_sgemv(CblasRowMajor, CblasNoTrans, (int)count, (int)n, 1.0f, rows, (int)n, x, 1, beta, y, 1);
}

static void owed(const arnn_owed *owed)
{
    size_t n = owed->hidden;
    if (owed->count == 0)
        return;
    for (size_t i = 0; i < owed->count; i++)
        owed->de[i] = -owed->rho;
    multiply(owed->de, owed->h, owed->ds, owed->count, n, 1.0f);
    if (owed->m)
        multiply(owed->de, owed->m, owed->dm, owed->count, n, 1.0f);
    for (size_t i = 0; i < owed->count; i++)
        owed->de[i] *= owed->alpha[i];
    weighted_sum(owed->dq, 1.0f, owed->de, owed->h, n, owed->count, n);
}

const arnn_kernels arnn_kernels_blas = {
    .name = "blas",
    .supported = arnn_ref_supported,
    .packed_bytes = arnn_ref_packed_bytes,
    .pack = arnn_ref_pack,
    .product = product,
    .pack_turned = arnn_ref_pack_turned,
    .multiply = arnn_gemm,
    .rnn_tanh = arnn_ref_rnn_tanh,
    .rnn_relu = arnn_ref_rnn_relu,
    .gru = arnn_ref_gru,
    .lstm = arnn_ref_lstm,
    .gru_back = arnn_ref_gru_back,
    .lstm_back = arnn_ref_lstm_back,
    .exponents = arnn_ref_exponents,
    .owed = owed,
    .key_scores = arnn_ref_key_scores,
    .keys_owed = arnn_ref_keys_owed,
    .read = {read_dot, read_exponent, read_tanh},
    .encode = {arnn_ref_encode_f32, arnn_ref_encode_f16, arnn_ref_encode_bf16, arnn_ref_encode_i8},
};

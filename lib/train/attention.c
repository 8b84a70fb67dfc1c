/* Attention, backward. With rho_t = ds_t' s_t (+ dm_t' m_t) and r_ti = ds_t' h_i (+ dm_t' m_i):
       de_ti = alpha_ti (r_ti - rho_t),  alpha_ti = exp(e_ti - lambda_t);  owed: dh_i += alpha_ti ds_t, dm_i += alpha_ti dm_t
   and for dot and general scores (q_t = W z_t): dq_t = sum_i de_ti h_i, dz_t = W' dq_t, dh_i += de_ti q_t. */
#include <math.h>
#include <string.h>

#include "linalg/linalg.h"
#include "train/pass.h"

static const arnn_page_shape *shape_of(const arnn_pass *pass)
{
    return &pass->record->state->pool->shape;
}

static bool is_additive(const arnn_pass *pass)
{
    return pass->keys > 0;
}

static float *block_row(const arnn_pass *pass, const arnn_steps *block, float *rows, size_t t)
{
    return rows + (t - block->first) * pass->columns;
}

static float *own_h(const arnn_pass *pass, size_t stream, size_t t)
{
    return arnn_taped(pass, pass->kept->h, pass->n, stream, pass->record->before[stream] + t);
}

/* ---- before the steps ---- */

/* z, by its parts: x and s_{t-1} in `before`, else h. */
static void make_queries(const arnn_pass *pass, const arnn_steps *block)
{
    const arnn_kept *kept = pass->kept;
    const float *w = pass->work->layer.folded;
    size_t stream = block->stream, t = block->first, count = block->count, x = pass->z - pass->n;
    float *query = block->work->query;
    memset(query, 0, count * pass->query * sizeof *query);
    if (x)
        arnn_gemm(query, pass->query, 1.0f, (arnn_operand){arnn_row(pass, kept->x, x, stream, t), x, false},
                  (arnn_operand){w, pass->z, true}, count, pass->query, x);
    const float *rest = x ? arnn_late(pass, kept->s, pass->n, stream, t) : own_h(pass, stream, t);
    arnn_gemm(query, pass->query, 1.0f, (arnn_operand){rest, pass->n, false}, (arnn_operand){w + x, pass->z, true},
              count, pass->query, pass->n);
    if (pass->read == ARNN_READ_EXPONENT)
        pass->kernels->exponents(query, count * pass->query);
}

static void score_products(const arnn_pass *pass, const arnn_steps *block, size_t rows)
{
    float *alpha = block->work->alpha;
    for (size_t i = 0; i < block->count; i++)
        memset(alpha + i * pass->columns, 0, rows * sizeof *alpha);
    const float *h = arnn_taped(pass, pass->kept->h, pass->n, block->stream, 0);
    arnn_gemm(alpha, pass->columns, 1.0f, (arnn_operand){block->work->query, pass->query, false},
              (arnn_operand){h, pass->n, true}, block->count, rows, pass->n);
}

static void score_keys(const arnn_pass *pass, const float *query, float *scores, size_t stream, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        scores[i] = arnn_additive_score(pass, arnn_taped(pass, pass->work->key, pass->keys, stream, i), query);
}

/* Scores of one step become weights; those of rows that were not read, 0. exponents() doubles what it is given. */
static void weigh(const arnn_pass *pass, float *alpha, arnn_span span, float logsumexp, size_t all)
{
    float recency = pass->attn_recency.values ? *pass->attn_recency.values : 0.0f;
    if (logsumexp == -INFINITY) {
        memset(alpha, 0, all * sizeof *alpha);
        return;
    }
    for (size_t i = 0; i < span.rows; i++)
        alpha[i] = 0.5f * (alpha[i] - recency * (float)(span.rows - 1 - i) - logsumexp);
    pass->kernels->exponents(alpha, span.rows);
    memset(alpha + span.sinks, 0, (span.first - span.sinks) * sizeof *alpha);
    memset(alpha + span.rows, 0, (all - span.rows) * sizeof *alpha);
}

/* The zero row's weight: only additive scores need it. */
static float zero_weight(const arnn_pass *pass, const float *query, float logsumexp)
{
    const arnn_reader *reader = &pass->record->model->ready->layers[pass->layer].reader;
    if (!reader->start_zero || !is_additive(pass))
        return 0.0f;
    return expf(arnn_additive_score(pass, reader->zero_key, query) - logsumexp);
}

void arnn_attention_prepare(const arnn_pass *pass, const arnn_steps *block)
{
    arnn_stream_work *work = block->work;
    size_t all = arnn_rows_read(pass, block->stream, block->first + block->count - 1);
    make_queries(pass, block);
    if (!is_additive(pass))
        score_products(pass, block, all);
    for (size_t i = 0; i < block->count; i++) {
        size_t t = block->first + i;
        const float *query = work->query + i * pass->query;
        float logsumexp = *arnn_row(pass, pass->kept->logsumexp, 1, block->stream, t);
        arnn_span span = arnn_tape_span(shape_of(pass), arnn_rows_read(pass, block->stream, t));
        float *alpha = block_row(pass, block, work->alpha, t);
        if (is_additive(pass)) {
            score_keys(pass, query, alpha, block->stream, 0, span.sinks);
            score_keys(pass, query, alpha, block->stream, span.first, span.rows);
        }
        weigh(pass, alpha, span, logsumexp, all);
        work->zero[i] = zero_weight(pass, query, logsumexp);
    }
}

/* ---- one step ---- */

static void owe_rows(const arnn_pass *pass, const arnn_owed *all, size_t stream, size_t from, size_t to)
{
    arnn_owed owed = *all;
    if (from >= to)
        return;
    owed.de += from;
    owed.alpha += from;
    owed.h = arnn_taped(pass, pass->kept->h, pass->n, stream, from);
    owed.m = all->dm ? arnn_taped(pass, pass->kept->m, pass->n, stream, from) : NULL;
    owed.count = to - from;
    pass->kernels->owed(&owed);
}

/* Rows of the block itself are owed at once: they are gone back over before the block ends. */
static void owe_block(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *ds, const float *dm)
{
    const arnn_stream_work *work = block->work;
    const float *alpha = block_row(pass, block, work->alpha, t), *de = block_row(pass, block, work->de, t);
    const float *query = work->query + (t - block->first) * pass->query;
    size_t before = pass->record->before[block->stream], rows = arnn_rows_read(pass, block->stream, t);
    for (size_t i = before + block->first; i < rows; i++) {
        float *dh = arnn_row(pass, pass->dh, pass->n, block->stream, i - before);
        arnn_add_scaled(dh, alpha[i], ds, pass->n);
        if (!is_additive(pass))
            arnn_add_scaled(dh, de[i], query, pass->n);
        if (dm)
            arnn_add_scaled(arnn_row(pass, pass->work->dm, pass->n, block->stream, i - before), alpha[i], dm, pass->n);
    }
}

static void owe_keys(const arnn_pass *pass, const arnn_steps *block, size_t t, float *dq, arnn_span span, float rho)
{
    arnn_stream_work *work = block->work;
    const float *query = work->query + (t - block->first) * pass->query, *de = block_row(pass, block, work->de, t);
    for (size_t i = 0; i < span.rows; i++) {
        if (i == span.sinks)
            i = span.first;
        if (i >= span.rows)
            break;
        arnn_additive_owed(pass, dq, arnn_taped(pass, pass->work->dkey, pass->keys, block->stream, i), work->dscore,
                           arnn_taped(pass, pass->work->key, pass->keys, block->stream, i), query, de[i]);
    }
    const arnn_reader *reader = &pass->record->model->ready->layers[pass->layer].reader;
    if (reader->start_zero)
        arnn_additive_owed(pass, dq, NULL, work->dscore, reader->zero_key, query, -work->zero[t - block->first] * rho);
}

static double owed_to_recency(const float *de, size_t rows)
{
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++)
        sum -= (double)de[i] * (double)(rows - 1 - i);
    return sum;
}

void arnn_attention_step(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *ds, const float *dm)
{
    arnn_stream_work *work = block->work;
    size_t stream = block->stream, n = pass->n;
    arnn_span span = arnn_tape_span(shape_of(pass), arnn_rows_read(pass, stream, t));
    float *dq = arnn_row(pass, pass->work->dq, pass->query, stream, t), *de = block_row(pass, block, work->de, t);
    memset(dq, 0, pass->query * sizeof *dq);
    memset(work->dz, 0, n * sizeof *work->dz);
    memset(de, 0, arnn_rows_read(pass, stream, block->first + block->count - 1) * sizeof *de);
    if (*arnn_row(pass, pass->kept->logsumexp, 1, stream, t) == -INFINITY)
        return;
    arnn_owed owed = {.dq = is_additive(pass) ? work->dz : dq, .de = de, .ds = ds, .dm = dm, .hidden = n};
    owed.alpha = block_row(pass, block, work->alpha, t);
    owed.rho = arnn_dot(ds, arnn_late(pass, pass->kept->s, n, stream, t + 1), n);
    if (dm)
        owed.rho += arnn_dot(dm, arnn_row(pass, pass->kept->memory, n, stream, t), n);
    owe_rows(pass, &owed, stream, 0, span.sinks);
    owe_rows(pass, &owed, stream, span.first, span.rows);
    if (is_additive(pass))
        owe_keys(pass, block, t, dq, span, owed.rho);
    owe_block(pass, block, t, ds, dm);
    work->drecency += owed_to_recency(de, span.rows);
    memset(work->dz, 0, n * sizeof *work->dz);
    pass->kernels->product(work->dz, n, dq, pass->query, &pass->work->layer.query, 1);
}

/* ---- after the steps ---- */

void arnn_attention_finish(const arnn_pass *pass, const arnn_steps *block)
{
    size_t stream = block->stream, n = pass->n, before = pass->record->before[stream];
    const arnn_stream_work *work = block->work;
    const arnn_operand alpha = {work->alpha + before, pass->columns, true};
    const arnn_operand ds = {arnn_row(pass, pass->ds, n, stream, block->first), n, false};
    float *dh = arnn_row(pass, pass->dh, n, stream, 0);
    arnn_gemm(dh, n, 1.0f, alpha, ds, block->first, n, block->count);
    if (!is_additive(pass))
        arnn_gemm(dh, n, 1.0f, (arnn_operand){work->de + before, pass->columns, true},
                  (arnn_operand){work->query, pass->query, false}, block->first, n, block->count);
    if (pass->work->dm)
        arnn_gemm(arnn_row(pass, pass->work->dm, n, stream, 0), n, 1.0f, alpha,
                  (arnn_operand){work->dm_read, n, false}, block->first, n, block->count);
}

void arnn_attention_weights(const arnn_pass *pass, size_t stream, float *dx)
{
    size_t n = pass->n, x = pass->z - n, count = pass->record->lengths[stream];
    float *dw = pass->keys ? pass->attn_query.gradient : pass->work->dfolded;
    const float *dq = arnn_row(pass, pass->work->dq, pass->query, stream, 0);
    const arnn_operand owed = {dq, pass->query, true};
    if (x) {
        arnn_gemm(dw, pass->z, 1.0f, owed, (arnn_operand){arnn_row(pass, pass->kept->x, x, stream, 0), x, false},
                  pass->query, x, count);
        arnn_gemm(dx, x, 1.0f, (arnn_operand){dq, pass->query, false},
                  (arnn_operand){pass->work->layer.folded, pass->z, false}, count, x, pass->query);
    }
    const float *rest = x ? arnn_late(pass, pass->kept->s, n, stream, 0) : own_h(pass, stream, 0);
    arnn_gemm(dw + x, pass->z, 1.0f, owed, (arnn_operand){rest, n, false}, pass->query, n, count);
    if (pass->keys) {
        size_t rows = pass->record->before[stream] + count;
        arnn_gemm(pass->attn_key.gradient, n, 1.0f,
                  (arnn_operand){arnn_taped(pass, pass->work->dkey, pass->keys, stream, 0), pass->keys, true},
                  (arnn_operand){arnn_taped(pass, pass->kept->h, n, stream, 0), n, false}, pass->keys, n, rows);
        arnn_add_scaled(pass->attn_score.gradient, 1.0f, pass->work->streams[stream].dscore, pass->keys);
    }
    if (pass->attn_recency.gradient)
        *pass->attn_recency.gradient += (float)pass->work->streams[stream].drecency;
}

/* dot: dW_Q = scale W_K dW, dW_K = scale W_Q dW';  general: dW_general = scale dW */
void arnn_attention_unfold(const arnn_pass *pass)
{
    float scale = pass->desc->scale;
    size_t n = pass->n, z = pass->z, k = pass->desc->align;
    const float *dw = pass->work->dfolded;
    if (pass->keys)
        return;
    if (pass->attn_general.values) {
        arnn_add_scaled(pass->attn_general.gradient, scale, dw, n * z);
        return;
    }
    arnn_gemm(pass->attn_query.gradient, z, scale, (arnn_operand){pass->attn_key.values, n, false},
              (arnn_operand){dw, z, false}, k, z, n);
    arnn_gemm(pass->attn_key.gradient, n, scale, (arnn_operand){pass->attn_query.values, z, false},
              (arnn_operand){dw, z, true}, k, n, z);
}

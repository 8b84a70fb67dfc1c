/* Attention, backward. With rho_t = ds_t' s_t (+ dm_t' m_t) and r_ti = ds_t' h_i (+ dm_t' m_i):
       alpha_ti = exp(e_ti - lambda_t),  de_ti = alpha_ti (r_ti - rho_t)
       owed: dh_i += alpha_ti ds_t, dm_i += alpha_ti dm_t
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

/* ---- before the steps ---- */

static void make_queries(const arnn_pass *pass, const arnn_steps *block)
{
    const arnn_ready_layer *ready = &pass->record->model->ready->layers[pass->layer];
    const arnn_inputs inputs = arnn_step_inputs(pass, block->stream, block->first);
    arnn_ready_align(ready, &ready->query, pass->kernels, block->work->query, &inputs, block->count);
}

/* What a block reads: rows 0 .. sinks-1 and first .. rows-1, as of one step. Those between are read by none of its
   steps. */
static arnn_span span_of(const arnn_pass *pass, const arnn_steps *block)
{
    size_t rows = arnn_rows_read(pass, block->stream, block->first);
    arnn_span early = arnn_tape_span(shape_of(pass), rows);
    arnn_span late = arnn_tape_span(shape_of(pass), rows + block->count - 1);
    if (early.first < late.sinks)
        return (arnn_span){.rows = late.rows};
    return (arnn_span){.sinks = late.sinks, .first = early.first, .rows = late.rows};
}

/* Scores of rows from .. to-1 under all queries of the block. They come as (row, step), rows being many, and are turned
   a piece at a time, to stay in the cache. */
static void multiply(const arnn_pass *pass, const arnn_steps *block, size_t from, size_t to)
{
    enum { WIDTH = ARNN_BLOCK_STEPS, PIECE = 64 };
    float scores[PIECE * WIDTH];
    const arnn_operand queries = {block->work->query, pass->query, true};
    for (size_t first = from; first < to; first += PIECE) {
        size_t rows = to - first < PIECE ? to - first : PIECE;
        const arnn_operand h = {arnn_taped(pass, pass->kept->h, pass->n, block->stream, first), pass->n, false};
        memset(scores, 0, sizeof scores);
        pass->kernels->multiply(scores, WIDTH, h, queries, rows, block->count, pass->n);
        for (size_t i = 0; i < block->count; i++) {
            float *alpha = block->work->alpha + i * pass->columns + first;
            for (size_t row = 0; row < rows; row++)
                alpha[row] = scores[row * WIDTH + i];
        }
    }
}

static arnn_keys keys_of(const arnn_pass *pass, const float *keys, const float *query, size_t count)
{
    return (arnn_keys){
        .keys = keys,
        .query = query,
        .score = pass->attn_score.values,
        .count = count,
        .align = pass->keys,
        .exponent = pass->read == ARNN_READ_EXPONENT,
    };
}

static void score_keys(const arnn_pass *pass, const float *query, float *scores, size_t stream, size_t from, size_t to)
{
    const float *first = arnn_taped(pass, pass->work->key, pass->keys, stream, from);
    const arnn_keys keys = keys_of(pass, first, query, to - from);
    pass->kernels->key_scores(&keys, scores + from);
}

/* exponents() doubles what it is given. */
static void weigh_rows(const arnn_pass *pass, float *alpha, size_t from, size_t to, size_t rows, float logsumexp)
{
    float recency = pass->attn_recency.values ? *pass->attn_recency.values : 0.0f;
    for (size_t i = from; i < to; i++)
        alpha[i] = 0.5f * (alpha[i] - recency * (float)(rows - 1 - i) - logsumexp);
    pass->kernels->exponents(alpha + from, to - from);
}

/* Scores of one step become weights; those of rows that were not read, 0. */
static void weigh(const arnn_pass *pass, float *alpha, arnn_span span, float logsumexp, size_t all)
{
    if (logsumexp == -INFINITY) {
        memset(alpha, 0, all * sizeof *alpha);
        return;
    }
    weigh_rows(pass, alpha, 0, span.sinks, span.rows, logsumexp);
    weigh_rows(pass, alpha, span.first, span.rows, span.rows, logsumexp);
    memset(alpha + span.sinks, 0, (span.first - span.sinks) * sizeof *alpha);
    memset(alpha + span.rows, 0, (all - span.rows) * sizeof *alpha);
}

/* The zero row's weight: only additive scores need it. */
static float zero_weight(const arnn_pass *pass, const float *query, float logsumexp)
{
    const arnn_reader *reader = &pass->record->model->ready->layers[pass->layer].reader;
    float score;
    if (!reader->start_zero || !is_additive(pass))
        return 0.0f;
    const arnn_keys keys = keys_of(pass, reader->zero_key, query, 1);
    pass->kernels->key_scores(&keys, &score);
    return expf(score - logsumexp);
}

static void weigh_block(const arnn_pass *pass, const arnn_steps *block)
{
    arnn_stream_work *work = block->work;
    size_t all = arnn_rows_read(pass, block->stream, block->first + block->count - 1);
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

void arnn_attention_prepare(const arnn_pass *pass, const arnn_steps *block)
{
    arnn_span span = span_of(pass, block);
    make_queries(pass, block);
    if (!is_additive(pass)) {
        multiply(pass, block, 0, span.sinks);
        multiply(pass, block, span.first, span.rows);
    }
    weigh_block(pass, block);
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

static void owe_key_rows(const arnn_pass *pass, const arnn_steps *block, size_t t, float *dq, size_t from, size_t to)
{
    arnn_stream_work *work = block->work;
    const float *first = arnn_taped(pass, pass->work->key, pass->keys, block->stream, from);
    const arnn_keys keys = keys_of(pass, first, work->query + (t - block->first) * pass->query, to - from);
    const arnn_keys_owed owed = {
        .de = block_row(pass, block, work->de, t) + from,
        .dquery = dq,
        .dkeys = arnn_taped(pass, pass->work->dkey, pass->keys, block->stream, from),
        .dscore = work->dscore,
    };
    pass->kernels->keys_owed(&keys, &owed);
}

static void owe_keys(const arnn_pass *pass, const arnn_steps *block, size_t t, float *dq, arnn_span span, float rho)
{
    arnn_stream_work *work = block->work;
    const arnn_reader *reader = &pass->record->model->ready->layers[pass->layer].reader;
    owe_key_rows(pass, block, t, dq, 0, span.sinks);
    owe_key_rows(pass, block, t, dq, span.first, span.rows);
    if (!reader->start_zero)
        return;
    const float de = -work->zero[t - block->first] * rho;
    const arnn_keys keys = keys_of(pass, reader->zero_key, work->query + (t - block->first) * pass->query, 1);
    pass->kernels->keys_owed(&keys, &(arnn_keys_owed){.de = &de, .dquery = dq, .dscore = work->dscore});
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
    memset(de, 0, arnn_rows_read(pass, stream, block->first + block->count - 1) * sizeof *de);
    if (*arnn_row(pass, pass->kept->logsumexp, 1, stream, t) == -INFINITY)
        return;
    float *sums = is_additive(pass) ? pass->work->dz + stream * n : dq; /* of de h, which additive scores do not want */
    arnn_owed owed = {.dq = sums, .de = de, .ds = ds, .dm = dm, .hidden = n};
    owed.alpha = block_row(pass, block, work->alpha, t);
    owed.rho = arnn_dot(ds, arnn_late(pass, pass->kept->s, n, stream, t + 1), n);
    if (dm)
        owed.rho += arnn_dot(dm, arnn_row(pass, pass->kept->memory, n, stream, t), n);
    owe_rows(pass, &owed, stream, 0, span.sinks);
    owe_rows(pass, &owed, stream, span.first, span.rows);
    if (is_additive(pass))
        owe_keys(pass, block, t, dq, span, owed.rho);
    owe_block(pass, block, t, ds, dm);
    if (pass->attn_recency.values)
        work->drecency += owed_to_recency(de, span.rows);
}

/* ---- after the steps ---- */

/* To rows from .. to-1 of the tape. */
static void owe_older(const arnn_pass *pass, const arnn_steps *block, size_t from, size_t to)
{
    size_t stream = block->stream, n = pass->n, before = pass->record->before[stream];
    const arnn_stream_work *work = block->work;
    const arnn_operand alpha = {work->alpha + from, pass->columns, true};
    const arnn_operand ds = {arnn_row(pass, pass->ds, n, stream, block->first), n, false};
    if (from >= to)
        return;
    float *dh = arnn_row(pass, pass->dh, n, stream, from - before);
    pass->kernels->multiply(dh, n, alpha, ds, to - from, n, block->count);
    if (!is_additive(pass))
        pass->kernels->multiply(dh, n, (arnn_operand){work->de + from, pass->columns, true},
                                (arnn_operand){work->query, pass->query, false}, to - from, n, block->count);
    if (pass->work->dm)
        pass->kernels->multiply(arnn_row(pass, pass->work->dm, n, stream, from - before), n, alpha,
                                (arnn_operand){work->dm_read, n, false}, to - from, n, block->count);
}

/* Rows of earlier runs are constants, those of the block itself were owed to at once. */
void arnn_attention_finish(const arnn_pass *pass, const arnn_steps *block)
{
    arnn_span span = span_of(pass, block);
    size_t before = pass->record->before[block->stream], end = before + block->first;
    owe_older(pass, block, before, span.sinks < end ? span.sinks : end);
    owe_older(pass, block, span.first > before ? span.first : before, end);
}

void arnn_attention_input(const arnn_pass *pass, size_t stream, size_t t, size_t count)
{
    size_t x = pass->z - pass->n;
    if (x)
        pass->kernels->multiply(arnn_row(pass, pass->record->dx, x, stream, t), x,
                                (arnn_operand){arnn_row(pass, pass->work->dq, pass->query, stream, t), pass->query, false},
                                (arnn_operand){pass->work->layer.folded, pass->z, false}, count, x, pass->query);
}

/* ---- the matrices ---- */

static void add_queries(const arnn_pass *pass, size_t stream, size_t first, size_t count)
{
    size_t n = pass->n, x = pass->z - n, steps = pass->record->lengths[stream];
    float *dw = (pass->keys ? pass->attn_query.gradient : pass->work->dfolded) + first * pass->z;
    const arnn_operand dq = {arnn_row(pass, pass->work->dq, pass->query, stream, 0) + first, pass->query, true};
    const arnn_inputs inputs = arnn_step_inputs(pass, stream, 0);
    const float *rest = inputs.values[x ? ARNN_FROM_SUMMARY : ARNN_FROM_HIDDEN];
    if (x)
        pass->kernels->multiply(dw, pass->z, dq, (arnn_operand){inputs.values[ARNN_FROM_BELOW], x, false}, count, x,
                                steps);
    pass->kernels->multiply(dw + x, pass->z, dq, (arnn_operand){rest, n, false}, count, n, steps);
}

static void add_keys(const arnn_pass *pass, size_t stream, size_t first, size_t count)
{
    size_t n = pass->n, rows = pass->record->before[stream] + pass->record->lengths[stream];
    const float *dkey = arnn_taped(pass, pass->work->dkey, pass->keys, stream, 0) + first;
    pass->kernels->multiply(pass->attn_key.gradient + first * n, n, (arnn_operand){dkey, pass->keys, true},
                            (arnn_operand){arnn_taped(pass, pass->kept->h, n, stream, 0), n, false}, count, n, rows);
}

void arnn_attention_weights(const arnn_pass *pass, size_t first, size_t count)
{
    for (size_t stream = 0; stream < pass->record->count; stream++) {
        add_queries(pass, stream, first, count);
        if (pass->keys)
            add_keys(pass, stream, first, count);
    }
}

void arnn_attention_rest(const arnn_pass *pass)
{
    for (size_t stream = 0; stream < pass->record->count; stream++) {
        const arnn_stream_work *work = &pass->work->streams[stream];
        if (pass->keys)
            arnn_add_scaled(pass->attn_score.gradient, 1.0f, work->dscore, pass->keys);
        if (pass->attn_recency.gradient)
            *pass->attn_recency.gradient += (float)work->drecency;
    }
}

/* dot: dW_Q = scale W_K dW, dW_K = scale W_Q dW';  general: dW_general = scale dW */
void arnn_attention_unfold(const arnn_pass *pass)
{
    size_t n = pass->n, z = pass->z, k = pass->desc->align;
    float *dw = pass->work->dfolded;
    if (pass->keys)
        return;
    if (pass->attn_general.values) {
        arnn_add_scaled(pass->attn_general.gradient, pass->desc->scale, dw, n * z);
        return;
    }
    for (size_t i = 0; i < n * z; i++)
        dw[i] *= pass->desc->scale;
    pass->kernels->multiply(pass->attn_query.gradient, z, (arnn_operand){pass->attn_key.values, n, false},
                            (arnn_operand){dw, z, false}, k, z, n);
    pass->kernels->multiply(pass->attn_key.gradient, n, (arnn_operand){pass->attn_query.values, z, false},
                            (arnn_operand){dw, z, true}, k, n, z);
}

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

/* Rows of a block's matrices (layout.h), of step t. */
static float *alpha_row(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    return block->work->weights + (t - block->first) * pass->columns;
}

static float *de_row(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    return alpha_row(pass, block, t) + block->count * pass->columns;
}

static float *ds_row(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    return block->work->owing + (t - block->first) * pass->n;
}

static float *query_row(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    return block->work->owing + block->count * pass->n + (t - block->first) * pass->query;
}

/* ---- before the steps ---- */

/* Those of the top layer are still there, where dq comes to stand. */
static void make_queries(const arnn_pass *pass, const arnn_steps *block)
{
    if (pass->layer + 1 == pass->desc->layers) {
        memcpy(query_row(pass, block, block->first),
               arnn_row(pass, pass->work->dq, pass->query, block->stream, block->first),
               block->count * pass->query * sizeof(float));
        return;
    }
    const arnn_ready_layer *ready = &pass->record->model->ready->layers[pass->layer];
    const arnn_inputs inputs = arnn_step_inputs(pass, block->stream, block->first);
    arnn_ready_align(ready, &ready->query, pass->kernels, query_row(pass, block, block->first), &inputs, block->count);
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
static void score_rows(const arnn_pass *pass, const arnn_steps *block, const arnn_packed *queries, size_t from,
                       size_t to)
{
    enum { WIDTH = ARNN_BLOCK_STEPS, PIECE = 48 };
    float scores[PIECE * WIDTH];
    for (size_t first = from; first < to; first += PIECE) {
        size_t rows = to - first < PIECE ? to - first : PIECE;
        const float *h = arnn_taped(pass, pass->kept->h, pass->n, block->stream, first);
        memset(scores, 0, rows * WIDTH * sizeof *scores);
        pass->kernels->product(scores, WIDTH, h, pass->n, queries, rows);
        for (size_t i = 0; i < block->count; i++) {
            float *alpha = alpha_row(pass, block, block->first + i) + first;
            for (size_t row = 0; row < rows; row++)
                alpha[row] = scores[row * WIDTH + i];
        }
    }
}

static void score_block(const arnn_pass *pass, const arnn_steps *block)
{
    arnn_span span = span_of(pass, block);
    const arnn_packed queries = {.outputs = block->count, .inputs = pass->n, .values = block->work->queries};
    pass->kernels->pack(&queries, query_row(pass, block, block->first), pass->n);
    score_rows(pass, block, &queries, 0, span.sinks);
    score_rows(pass, block, &queries, span.first, span.rows);
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
    const float *recency = pass->attn_recency.values;
    for (size_t i = from; recency && i < to; i++)
        alpha[i] -= *recency * (float)(rows - 1 - i);
    for (size_t i = from; i < to; i++)
        alpha[i] = 0.5f * (alpha[i] - logsumexp);
    pass->kernels->exponents(alpha + from, to - from);
}

/* Scores of one step become weights; those of rows that were not read, 0. */
static void weigh(const arnn_pass *pass, float *alpha, arnn_span span, float logsumexp)
{
    if (logsumexp == -INFINITY) {
        memset(alpha, 0, span.rows * sizeof *alpha);
        return;
    }
    weigh_rows(pass, alpha, 0, span.sinks, span.rows, logsumexp);
    weigh_rows(pass, alpha, span.first, span.rows, span.rows, logsumexp);
    memset(alpha + span.sinks, 0, (span.first - span.sinks) * sizeof *alpha);
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
    for (size_t i = 0; i < block->count; i++) {
        size_t t = block->first + i;
        const float *query = query_row(pass, block, t);
        float logsumexp = *arnn_row(pass, pass->kept->logsumexp, 1, block->stream, t);
        arnn_span span = arnn_tape_span(shape_of(pass), arnn_rows_read(pass, block->stream, t));
        float *alpha = alpha_row(pass, block, t);
        if (is_additive(pass)) {
            score_keys(pass, query, alpha, block->stream, 0, span.sinks);
            score_keys(pass, query, alpha, block->stream, span.first, span.rows);
        }
        weigh(pass, alpha, span, logsumexp);
        block->work->zero[i] = zero_weight(pass, query, logsumexp);
    }
}

void arnn_attention_prepare(const arnn_pass *pass, const arnn_steps *block)
{
    make_queries(pass, block);
    if (!is_additive(pass))
        score_block(pass, block);
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

/* c (1, n) += what steps t .. of the block owe by a column of their weights; `owing` belongs to step t. */
static void collect(const arnn_pass *pass, const arnn_steps *block, size_t t, float *c, const float *column,
                    const float *owing)
{
    pass->kernels->multiply(c, pass->n, (arnn_operand){column, pass->columns, true},
                            (arnn_operand){owing, pass->n, false}, 1, pass->n, block->first + block->count - t);
}

/* The newest row that step t reads is read by no earlier step: if it is the block's own, what the block owes to it is
   complete, and it is gone back over next. */
static void owe_newest(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    size_t stream = block->stream, row = t - pass->wiring->reads_first, i = pass->record->before[stream] + row;
    if (t < block->first + pass->wiring->reads_first)
        return;
    float *dh = arnn_row(pass, pass->dh, pass->n, stream, row), *dm_read = block->work->dm_read;
    collect(pass, block, t, dh, alpha_row(pass, block, t) + i, ds_row(pass, block, t));
    if (!is_additive(pass))
        collect(pass, block, t, dh, de_row(pass, block, t) + i, query_row(pass, block, t));
    if (pass->work->dm)
        collect(pass, block, t, arnn_row(pass, pass->work->dm, pass->n, stream, row), alpha_row(pass, block, t) + i,
                dm_read + (t - block->first) * pass->n);
}

static void owe_key_rows(const arnn_pass *pass, const arnn_steps *block, size_t t, float *dq, size_t from, size_t to)
{
    arnn_stream_work *work = block->work;
    const float *first = arnn_taped(pass, pass->work->key, pass->keys, block->stream, from);
    const arnn_keys keys = keys_of(pass, first, query_row(pass, block, t), to - from);
    const arnn_keys_owed owed = {
        .de = de_row(pass, block, t) + from,
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
    const arnn_keys keys = keys_of(pass, reader->zero_key, query_row(pass, block, t), 1);
    pass->kernels->keys_owed(&keys, &(arnn_keys_owed){.de = &de, .dquery = dq, .dscore = work->dscore});
}

static double owed_to_recency(const float *de, size_t rows)
{
    double sum = 0.0;
    for (size_t i = 0; i < rows; i++)
        sum -= (double)de[i] * (double)(rows - 1 - i);
    return sum;
}

/* A step that read rows. */
static void step_back(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *ds, const float *dm)
{
    size_t stream = block->stream, n = pass->n;
    arnn_span span = arnn_tape_span(shape_of(pass), arnn_rows_read(pass, stream, t));
    float *dq = arnn_row(pass, pass->work->dq, pass->query, stream, t), *de = de_row(pass, block, t);
    float *sums = is_additive(pass) ? pass->work->dz + stream * n : dq; /* of de h, which additive scores do not want */
    arnn_owed owed = {.dq = sums, .de = de, .ds = ds, .dm = dm, .hidden = n};
    owed.alpha = alpha_row(pass, block, t);
    owed.rho = arnn_dot(ds, arnn_late(pass, pass->kept->s, n, stream, t + 1), n);
    if (dm)
        owed.rho += arnn_dot(dm, arnn_row(pass, pass->kept->memory, n, stream, t), n);
    memset(de + span.sinks, 0, (span.first - span.sinks) * sizeof *de);
    owed.back = t % 2;
    owe_rows(pass, &owed, stream, 0, span.sinks);
    owe_rows(pass, &owed, stream, span.first, span.rows);
    if (is_additive(pass))
        owe_keys(pass, block, t, dq, span, owed.rho);
    if (pass->attn_recency.values)
        block->work->drecency += owed_to_recency(de, span.rows);
}

void arnn_attention_step(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *ds, const float *dm)
{
    size_t stream = block->stream;
    memset(arnn_row(pass, pass->work->dq, pass->query, stream, t), 0, pass->query * sizeof *ds);
    memcpy(ds_row(pass, block, t), ds, pass->n * sizeof *ds);
    if (*arnn_row(pass, pass->kept->logsumexp, 1, stream, t) == -INFINITY)
        memset(de_row(pass, block, t), 0, arnn_rows_read(pass, stream, t) * sizeof *ds);
    else
        step_back(pass, block, t, ds, dm);
    owe_newest(pass, block, t);
}

/* ---- after the steps ---- */

/* To rows from .. to-1 of the tape. */
static void owe_older(const arnn_pass *pass, const arnn_steps *block, size_t from, size_t to)
{
    size_t stream = block->stream, n = pass->n, before = pass->record->before[stream];
    const arnn_stream_work *work = block->work;
    const arnn_operand weights = {work->weights + from, pass->columns, true};
    if (from >= to)
        return;
    pass->kernels->multiply(arnn_row(pass, pass->dh, n, stream, from - before), n, weights,
                            (arnn_operand){work->owing, n, false}, to - from, n,
                            is_additive(pass) ? block->count : 2 * block->count);
    if (pass->work->dm)
        pass->kernels->multiply(arnn_row(pass, pass->work->dm, n, stream, from - before), n, weights,
                                (arnn_operand){work->dm_read, n, false}, to - from, n, block->count);
}

/* Rows of earlier runs are constants, those of the block itself have what they are owed. */
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
        pass->kernels->multiply(
            arnn_row(pass, pass->record->dx, x, stream, t), x,
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

/* Rows of dW_Q = scale W_K dW, or of dW_K = scale W_Q dW'. dW is scaled. */
static void unfold_rows(void *context, size_t item, size_t worker)
{
    const arnn_pass *pass = context;
    size_t n = pass->n, z = pass->z, align = pass->desc->align, parts = arnn_pieces(align, ARNN_PART_ROWS);
    arnn_piece at = arnn_piece_of(align, ARNN_PART_ROWS, item % parts);
    const float *dw = pass->work->dfolded;
    (void)worker;
    if (item < parts)
        pass->kernels->multiply(pass->attn_query.gradient + at.first * z, z,
                                (arnn_operand){pass->attn_key.values + at.first * n, n, false},
                                (arnn_operand){dw, z, false}, at.count, z, n);
    else
        pass->kernels->multiply(pass->attn_key.gradient + at.first * n, n,
                                (arnn_operand){pass->attn_query.values + at.first * z, z, false},
                                (arnn_operand){dw, z, true}, at.count, n, z);
}

/* general: dW_general = scale dW */
void arnn_attention_unfold(const arnn_pass *pass)
{
    size_t count = pass->query * pass->z;
    float *dw = pass->work->dfolded;
    arnn_pass own = *pass;
    if (pass->keys)
        return;
    if (pass->attn_general.values) {
        arnn_add_scaled(pass->attn_general.gradient, pass->desc->scale, dw, count);
        return;
    }
    for (size_t i = 0; i < count; i++)
        dw[i] *= pass->desc->scale;
    arnn_threads_run(pass->record->state->threads, unfold_rows, &own,
                     2 * arnn_pieces(pass->desc->align, ARNN_PART_ROWS), false);
}

/* The backward pass: layer by layer from the top, in each the steps from the last to the first, in blocks. What is not
   in the recurrence is a matrix product before or after a block, or over the whole run. */
#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/linalg.h"
#include "train/pass.h"

static arnn_weight weight_of(const arnn_model *model, float *gradient, arnn_role role, size_t layer)
{
    const arnn_parameter *parameter = arnn_parameters_of(&model->parameters, role, layer);
    if (!parameter)
        return (arnn_weight){0};
    return (arnn_weight){parameter->values, gradient + (parameter->values - model->parameters.values)};
}

static arnn_pass pass_of(arnn_record *record, size_t layer, float *gradient)
{
    const arnn_model *model = record->model;
    const arnn_model_desc *desc = &model->desc;
    bool attends = arnn_desc_has_tape(desc);
    return (arnn_pass){
        .record = record,
        .work = record->work,
        .desc = desc,
        .kernels = model->kernels,
        .cell = model->cell,
        .wiring = arnn_wiring_of(desc),
        .kept = &record->kept[layer],
        .layer = layer,
        .n = desc->hidden,
        .gates = model->cell->gates * desc->hidden,
        .inputs = arnn_desc_input_width(desc, layer),
        .query = arnn_query_width(desc),
        .z = arnn_desc_query_width(desc, layer),
        .keys = attends && arnn_score_of(desc->score)->has_keys ? desc->align : 0,
        .columns = record->past + record->steps,
        .ih = weight_of(model, gradient, ARNN_WEIGHT_IH, layer),
        .hh = weight_of(model, gradient, ARNN_WEIGHT_HH, layer),
        .bias_ih = weight_of(model, gradient, ARNN_BIAS_IH, layer),
        .bias_hh = weight_of(model, gradient, ARNN_BIAS_HH, layer),
        .attn_key = weight_of(model, gradient, ARNN_ATTN_KEY, layer),
        .attn_query = weight_of(model, gradient, ARNN_ATTN_QUERY, layer),
        .attn_score = weight_of(model, gradient, ARNN_ATTN_SCORE, layer),
        .attn_general = weight_of(model, gradient, ARNN_ATTN_GENERAL, layer),
        .attn_recency = weight_of(model, gradient, ARNN_ATTN_RECENCY, layer),
        .read = model->ready->layers[layer].read,
        .dh = record->top_dh,
        .ds = record->top_ds,
    };
}

/* ---- before the steps of a block ---- */

static void fill_rows(float *rows, const float *row, size_t width, size_t count)
{
    for (size_t i = 0; i < count; i++)
        memcpy(rows + i * width, row, width * sizeof *rows);
}

/* Activations again, from the inputs that were kept. */
static void activate(const arnn_pass *pass, const arnn_steps *block)
{
    const arnn_kept *kept = pass->kept;
    float *input = pass->work->input, *recurrent = pass->work->recurrent;
    size_t n = pass->n, x = pass->inputs, stream = block->stream, t = block->first, count = block->count;
    size_t ih = x + (pass->wiring->carries_h ? n : 0);
    fill_rows(input, pass->bias_ih.values, pass->gates, count);
    fill_rows(recurrent, pass->bias_hh.values, pass->gates, count);
    arnn_gemm(input, pass->gates, 1.0f, (arnn_operand){arnn_row(pass, kept->x, x, stream, t), x, false},
              (arnn_operand){pass->ih.values, ih, true}, count, pass->gates, x);
    if (pass->wiring->carries_h)
        arnn_gemm(input, pass->gates, 1.0f, (arnn_operand){arnn_late(pass, kept->s, n, stream, t), n, false},
                  (arnn_operand){pass->ih.values + x, ih, true}, count, pass->gates, n);
    for (size_t i = 0, some; i < count; i += some) {
        const float *carried;
        some = arnn_carried(pass, &carried, stream, t + i, count - i);
        arnn_gemm(recurrent + i * pass->gates, pass->gates, 1.0f, (arnn_operand){carried, n, false},
                  (arnn_operand){pass->hh.values, n, true}, some, pass->gates, n);
    }
    const float *m = NULL;
    if (pass->cell->has_memory)
        m = kept->memory ? arnn_taped(pass, kept->m, n, stream, pass->record->before[stream] + t)
                         : arnn_late(pass, kept->m, n, stream, t + 1);
    pass->cell->activate(pass->kernels, block->work->gates, input, recurrent, m, count, n);
}

/* ---- the steps ---- */

/* dh and, for the LSTM, dm of a step are complete: through the cell, to work->back what stands for h_{t-1} is owed. */
static void cell_step(const arnn_pass *pass, const arnn_steps *block, size_t t, const float *dh, const float *dm,
                      float *dm_prev)
{
    arnn_stream_work *work = block->work;
    const arnn_kept *kept = pass->kept;
    size_t n = pass->n, stream = block->stream;
    float *dp = arnn_row(pass, pass->work->dp, pass->gates, stream, t);
    arnn_cell_owed owed = {.dp_input = dp, .dp_recurrent = dp, .dcarried = work->back, .hidden = n, .dh = dh, .dm = dm};
    if (pass->cell->splits)
        owed.dp_recurrent = arnn_row(pass, pass->work->dp_recurrent, pass->gates, stream, t);
    owed.dm_prev = dm_prev;
    owed.gates = work->gates ? work->gates + (t - block->first) * pass->cell->kept * n : NULL;
    owed.h = arnn_record_h(pass->record, pass->layer, stream) + t * n;
    arnn_carried(pass, &owed.carried, stream, t, 1);
    if (pass->cell->has_memory)
        owed.m_prev =
            kept->memory ? arnn_row(pass, kept->memory, n, stream, t) : arnn_late(pass, kept->m, n, stream, t);
    pass->cell->backward(&owed);
    pass->kernels->product(work->back, n, owed.dp_recurrent, pass->gates, &pass->work->layer.recurrent, 1);
}

/* What later reads left to the row's key. */
static void add_key_debt(const arnn_pass *pass, const arnn_steps *block, size_t t, float *dh)
{
    size_t row = pass->record->before[block->stream] + t;
    if (pass->keys)
        pass->kernels->product(dh, pass->n, arnn_taped(pass, pass->work->dkey, pass->keys, block->stream, row),
                               pass->keys, &pass->work->layer.key, 1);
}

static void step_none(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    arnn_stream_work *work = block->work;
    float *dh = arnn_row(pass, pass->dh, pass->n, block->stream, t);
    arnn_add_scaled(dh, 1.0f, arnn_row(pass, pass->ds, pass->n, block->stream, t), pass->n);
    arnn_add_scaled(dh, 1.0f, work->carry_s, pass->n);
    cell_step(pass, block, t, dh, work->carry_m, work->carry_m);
    memcpy(work->carry_s, work->back, pass->n * sizeof(float));
}

/* `after` and `beside`: the attention first, then the cell. */
static void step_last(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    arnn_stream_work *work = block->work;
    size_t n = pass->n;
    float *ds = arnn_row(pass, pass->ds, n, block->stream, t), *dh = arnn_row(pass, pass->dh, n, block->stream, t);
    arnn_add_scaled(ds, 1.0f, work->carry_s, n);
    arnn_attention_step(pass, block, t, ds, NULL);
    arnn_add_scaled(dh, 1.0f, work->dz, n);
    add_key_debt(pass, block, t, dh);
    if (pass->wiring->carries_h)
        arnn_add_scaled(dh, 1.0f, work->carry_h, n);
    cell_step(pass, block, t, dh, work->carry_m, work->carry_m);
    if (!pass->wiring->carries_h) {
        memcpy(work->carry_s, work->back, n * sizeof(float));
        return;
    }
    memcpy(work->carry_h, work->back, n * sizeof(float));
    memset(work->carry_s, 0, n * sizeof(float));
    pass->kernels->product(work->carry_s, n, arnn_row(pass, pass->work->dp, pass->gates, block->stream, t), pass->gates,
                           &pass->work->layer.summary, 1);
}

/* `before`: the cell first, then the attention that it read from. */
static void step_first(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    arnn_stream_work *work = block->work;
    size_t n = pass->n;
    float *ds = arnn_row(pass, pass->ds, n, block->stream, t), *dh = arnn_row(pass, pass->dh, n, block->stream, t);
    float *dm_read = work->dm_read ? work->dm_read + (t - block->first) * n : NULL;
    add_key_debt(pass, block, t, dh);
    cell_step(pass, block, t, dh, pass->work->dm ? arnn_row(pass, pass->work->dm, n, block->stream, t) : NULL, dm_read);
    arnn_add_scaled(ds, 1.0f, work->back, n);
    arnn_add_scaled(ds, 1.0f, work->carry_s, n);
    arnn_attention_step(pass, block, t, ds, dm_read);
    memcpy(work->carry_s, work->dz, n * sizeof(float));
}

static void step(const arnn_pass *pass, const arnn_steps *block, size_t t)
{
    if (pass->wiring->reads_first)
        step_first(pass, block, t);
    else if (pass->wiring->reads_last)
        step_last(pass, block, t);
    else
        step_none(pass, block, t);
}

/* ---- after all blocks ---- */

static void add_bias(float *gradient, const float *rows, size_t width, size_t count)
{
    for (size_t i = 0; i < count; i++)
        arnn_add_scaled(gradient, 1.0f, rows + i * width, width);
}

/* The matrices of the cell, and dx. */
static void cell_weights(const arnn_pass *pass, size_t stream, float *dx)
{
    const arnn_kept *kept = pass->kept;
    size_t n = pass->n, x = pass->inputs, gates = pass->gates, count = pass->record->lengths[stream];
    size_t ih = x + (pass->wiring->carries_h ? n : 0);
    const float *dp = arnn_row(pass, pass->work->dp, gates, stream, 0);
    const float *dp_recurrent = pass->cell->splits ? arnn_row(pass, pass->work->dp_recurrent, gates, stream, 0) : dp;
    arnn_gemm(dx, x, 1.0f, (arnn_operand){dp, gates, false}, (arnn_operand){pass->ih.values, ih, false}, count, x,
              gates);
    arnn_gemm(pass->ih.gradient, ih, 1.0f, (arnn_operand){dp, gates, true},
              (arnn_operand){arnn_row(pass, kept->x, x, stream, 0), x, false}, gates, x, count);
    if (pass->wiring->carries_h)
        arnn_gemm(pass->ih.gradient + x, ih, 1.0f, (arnn_operand){dp, gates, true},
                  (arnn_operand){arnn_late(pass, kept->s, n, stream, 0), n, false}, gates, n, count);
    for (size_t t = 0, some; t < count; t += some) {
        const float *carried;
        some = arnn_carried(pass, &carried, stream, t, count - t);
        arnn_gemm(pass->hh.gradient, n, 1.0f, (arnn_operand){dp_recurrent + t * gates, gates, true},
                  (arnn_operand){carried, n, false}, gates, n, some);
    }
    add_bias(pass->bias_ih.gradient, dp, gates, count);
    add_bias(pass->bias_hh.gradient, dp_recurrent, gates, count);
}

/* ---- a layer ---- */

static void clear(float *values, size_t count)
{
    if (values)
        memset(values, 0, count * sizeof *values);
}

static void begin_stream(const arnn_pass *pass, size_t stream)
{
    const arnn_record *record = pass->record;
    arnn_stream_work *work = &pass->work->streams[stream];
    size_t n = pass->n, rows = record->before[stream] + record->lengths[stream];
    clear(work->carry_s, n);
    clear(work->carry_m, n);
    clear(work->carry_h, n);
    clear(work->dscore, pass->keys);
    work->drecency = 0.0;
    if (pass->work->dm)
        clear(arnn_row(pass, pass->work->dm, n, stream, 0), record->lengths[stream] * n);
    clear(arnn_row(pass, record->dx, pass->inputs, stream, 0), record->lengths[stream] * pass->inputs);
    if (!pass->keys)
        return;
    float *key = arnn_taped(pass, pass->work->key, pass->keys, stream, 0);
    clear(arnn_taped(pass, pass->work->dkey, pass->keys, stream, 0), rows * pass->keys);
    const arnn_inputs states = {.values[ARNN_FROM_HIDDEN] = arnn_taped(pass, pass->kept->h, n, stream, 0),
                                .strides[ARNN_FROM_HIDDEN] = n};
    const arnn_ready_layer *ready = &record->model->ready->layers[pass->layer];
    arnn_ready_align(ready, &ready->key, pass->kernels, key, &states, rows);
}

static void end_stream(const arnn_pass *pass, size_t stream)
{
    arnn_record *record = pass->record;
    const arnn_stream_work *work = &pass->work->streams[stream];
    size_t n = pass->n, at = (pass->layer * record->streams + stream) * n;
    float *dx = arnn_row(pass, record->dx, pass->inputs, stream, 0);
    cell_weights(pass, stream, dx);
    if (pass->query)
        arnn_attention_weights(pass, stream, dx);
    memcpy(record->d_s + at, work->carry_s, n * sizeof(float));
    if (record->d_m)
        memcpy(record->d_m + at, work->carry_m, n * sizeof(float));
    if (record->d_h)
        memcpy(record->d_h + at, work->carry_h, n * sizeof(float));
}

static arnn_steps block_of(const arnn_pass *pass, size_t stream, size_t first)
{
    size_t length = pass->record->lengths[stream], left = length > first ? length - first : 0;
    size_t count = left < ARNN_BLOCK_STEPS ? left : ARNN_BLOCK_STEPS;
    return (arnn_steps){.stream = stream, .first = first, .count = count, .work = &pass->work->streams[stream]};
}

/* A block of all streams: BLAS is called by the calling thread alone, the steps are shared out by stream. */
typedef struct blocks {
    const arnn_pass *pass;
    size_t first;
} blocks;

static void prepare(const arnn_pass *pass, const arnn_steps *block)
{
    if (block->count && pass->cell->kept)
        activate(pass, block);
    if (block->count && pass->query)
        arnn_attention_prepare(pass, block);
}

static void make_steps(void *context, size_t stream, size_t worker)
{
    const blocks *all = context;
    const arnn_steps block = block_of(all->pass, stream, all->first);
    (void)worker;
    if (block.count && all->pass->query)
        arnn_attention_weigh(all->pass, &block);
    for (size_t i = block.count; i-- > 0;)
        step(all->pass, &block, all->first + i);
}

static void back_blocks(const arnn_pass *pass, size_t first)
{
    blocks all = {pass, first};
    const arnn_record *record = pass->record;
    for (size_t stream = 0; stream < record->count; stream++) {
        const arnn_steps block = block_of(pass, stream, first);
        prepare(pass, &block);
    }
    arnn_threads_run(record->state->threads, make_steps, &all, record->count);
    for (size_t stream = 0; stream < record->count && pass->query; stream++) {
        const arnn_steps block = block_of(pass, stream, first);
        if (block.count)
            arnn_attention_finish(pass, &block);
    }
}

static size_t longest(const arnn_record *record)
{
    size_t steps = 0;
    for (size_t stream = 0; stream < record->count; stream++)
        steps = record->lengths[stream] > steps ? record->lengths[stream] : steps;
    return steps;
}

static arnn_status back_layer(const arnn_pass *pass)
{
    const arnn_record *record = pass->record;
    arnn_status status = arnn_turn_parameters(pass);
    if (status)
        return status;
    clear(pass->work->dfolded, pass->query * pass->z);
    for (size_t stream = 0; stream < record->count; stream++)
        begin_stream(pass, stream);
    for (size_t left = (longest(record) + ARNN_BLOCK_STEPS - 1) / ARNN_BLOCK_STEPS; left > 0; left--)
        back_blocks(pass, (left - 1) * ARNN_BLOCK_STEPS);
    for (size_t stream = 0; stream < record->count; stream++)
        end_stream(pass, stream);
    if (pass->query)
        arnn_attention_unfold(pass);
    return ARNN_OK;
}

/* ---- between layers ---- */

/* dx of a layer becomes dh of the one below; what it owes to the model's input is kept for later. */
static void hand_down(const arnn_pass *pass)
{
    arnn_record *record = pass->record;
    size_t n = pass->n, d = pass->desc->inputs;
    for (size_t stream = 0; stream < record->count; stream++) {
        for (size_t t = 0; t < record->lengths[stream]; t++) {
            float *dx = arnn_row(pass, record->dx, pass->inputs, stream, t);
            if (record->dropout.apply)
                record->dropout.apply(record->dropout.context, pass->layer, stream, t, dx, n);
            memcpy(arnn_row(pass, record->top_dh, n, stream, t), dx, n * sizeof *dx);
            clear(arnn_row(pass, record->top_ds, n, stream, t), n);
            if (pass->work->dskip)
                arnn_add_scaled(arnn_row(pass, pass->work->dskip, d, stream, t), 1.0f, dx + n, d);
        }
    }
}

/* Of the first layer: dx is whole, and goes on to the embedding. */
static void finish_input(const arnn_pass *pass, float *gradient)
{
    arnn_record *record = pass->record;
    size_t d = pass->desc->inputs;
    float *embed = weight_of(record->model, gradient, ARNN_EMBED, 0).gradient;
    for (size_t stream = 0; stream < record->count; stream++) {
        for (size_t t = 0; t < record->lengths[stream]; t++) {
            float *dx = arnn_row(pass, record->dx, d, stream, t);
            if (pass->work->dskip)
                arnn_add_scaled(dx, 1.0f, arnn_row(pass, pass->work->dskip, d, stream, t), d);
            if (record->dropout.apply)
                record->dropout.apply(record->dropout.context, 0, stream, t, dx, d);
            if (embed)
                arnn_add_scaled(embed + (size_t)record->tokens[stream * record->steps + t] * d, 1.0f, dx, d);
        }
    }
}

arnn_status arnn_record_return(arnn_record *record, float *gradient)
{
    assert(record->ran);
    arnn_status status = arnn_model_refresh(record->model);
    clear(record->work->dskip, record->streams * record->steps * record->model->desc.inputs);
    for (size_t layer = record->model->desc.layers; layer-- > 0 && !status;) {
        const arnn_pass pass = pass_of(record, layer, gradient);
        status = back_layer(&pass);
        if (!status && layer > 0)
            hand_down(&pass);
        else if (!status)
            finish_input(&pass, gradient);
    }
    record->ran = false;
    return status;
}

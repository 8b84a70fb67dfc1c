/* The backward pass: layer by layer from the top, in each the steps from the last to the first (steps.c), then the
   matrices, which are products over the whole run. */
#include <assert.h>
#include <string.h>

#include "base/cpu.h"
#include "base/memory.h"
#include "linalg/linalg.h"
#include "run/product.h"
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
    const arnn_kept *kept = &record->kept[layer];
    float *dp = kept->dp ? kept->dp : record->work->dp;
    bool attends = arnn_desc_has_tape(desc);
    return (arnn_pass){
        .record = record,
        .work = record->work,
        .desc = desc,
        .kernels = model->kernels,
        .cell = model->cell,
        .wiring = arnn_wiring_of(desc),
        .kept = kept,
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
        .dp = dp,
        .dp_recurrent = kept->dp_recurrent ? kept->dp_recurrent : dp,
    };
}

/* ---- a layer ---- */

static void clear(float *values, size_t count)
{
    if (values)
        memset(values, 0, count * sizeof *values);
}

/* Streams are shared out among threads, some at a time: their steps go together. */
typedef struct groups {
    const arnn_pass *pass;
    size_t count;
} groups;

static void return_group(void *context, size_t item, size_t worker)
{
    const groups *all = context;
    size_t streams = all->pass->record->count, first = item * streams / all->count;
    const arnn_group group = {.first = first, .count = (item + 1) * streams / all->count - first};
    (void)worker;
    arnn_steps_return(all->pass, &group);
}

static size_t fitting(size_t cache, size_t weights, size_t tape)
{
    return cache > weights ? (cache - weights) / tape : 0;
}

/* The weights of a step are read once for all streams that go together. These are as many as have what every step reads,
   rows and a block's attention weights, in the second cache beside the weights, or else in a thread's share of the last
   one, of which others want some, too. Every thread has as many groups. */
static size_t groups_for_tapes(const arnn_pass *pass, size_t workers)
{
    const size_t most = (size_t)4 << 20; /* bytes */
    size_t weights = (pass->gates + pass->query) * pass->n * sizeof(float), count = pass->record->count;
    size_t row = (pass->work->dm ? 2 : 1) * pass->n + 2 * ARNN_BLOCK_STEPS, tape = pass->columns * row * sizeof(float);
    size_t last = arnn_cpu_cache(3) / workers, together = fitting(arnn_cpu_cache(2), weights, tape);
    if (together == 0)
        together = fitting(last < most ? last : most, weights, tape);
    size_t needed = together > 0 ? (count + together - 1) / together : count;
    return (needed + workers - 1) / workers * workers;
}

/* Weights that the second cache does not hold are read from further away at every step: then threads share them out,
   and not the streams, which without a tape have little else to do. */
static void return_steps(const arnn_pass *pass)
{
    arnn_threads *threads = pass->record->state->threads;
    bool near = (pass->gates + pass->query) * pass->n <= ARNN_NEAR_WEIGHTS;
    size_t count = pass->record->count, workers = arnn_threads_count(threads);
    groups all = {pass, pass->query ? groups_for_tapes(pass, workers) : workers};
    const arnn_group whole = {.count = count, .threads = threads};
    if (count < workers || (!pass->query && !near))
        arnn_steps_return(pass, &whole);
    else
        arnn_threads_run(threads, return_group, &all, all.count, false);
}

static bool inputs_wanted(const arnn_pass *pass)
{
    return pass->layer > 0 || pass->record->inputs_wanted || pass->desc->vocab > 0;
}

static size_t input_parts(const arnn_pass *pass)
{
    return inputs_wanted(pass) ? arnn_pieces(pass->record->last_steps, ARNN_PART_ROWS) : 0;
}

/* An item is a part of the cell's matrices, of the attention's, or of the inputs of a stream. */
static void make_part(void *context, size_t item, size_t worker)
{
    const arnn_pass *pass = context;
    const arnn_record *record = pass->record;
    size_t inputs = input_parts(pass), of_inputs = record->count * inputs, rows = pass->gates;
    void (*make)(const arnn_pass *pass, size_t first, size_t count) = arnn_cell_weights;
    (void)worker;
    if (item < of_inputs) {
        size_t stream = item / inputs, steps = record->lengths[stream];
        arnn_piece at = arnn_piece_of(steps, ARNN_PART_ROWS, item % inputs);
        if (at.first < steps)
            arnn_input_return(pass, stream, at.first, at.count);
        return;
    }
    item -= of_inputs;
    if (item >= arnn_pieces(rows, ARNN_PART_ROWS)) {
        item -= arnn_pieces(rows, ARNN_PART_ROWS);
        rows = pass->query;
        make = arnn_attention_weights;
    }
    arnn_piece at = arnn_piece_of(rows, ARNN_PART_ROWS, item);
    make(pass, at.first, at.count);
}

static void make_parts(arnn_pass *pass)
{
    const arnn_record *record = pass->record;
    size_t items = record->count * input_parts(pass) + arnn_pieces(pass->gates, ARNN_PART_ROWS) +
                   arnn_pieces(pass->query, ARNN_PART_ROWS);
    if (record->last_steps > 0)
        arnn_threads_run(record->state->threads, make_part, pass, items, false);
}

static arnn_status back_layer(arnn_pass *pass)
{
    arnn_status status = arnn_turn_parameters(pass);
    if (status)
        return status;
    clear(pass->work->dfolded, pass->query * pass->z);
    return_steps(pass);
    make_parts(pass);
    if (pass->query) {
        arnn_attention_rest(pass);
        arnn_attention_unfold(pass);
    }
    return ARNN_OK;
}

/* ---- between layers ---- */

/* dx of a layer becomes dh of the one below; what it owes to the model's input is kept for later. Of one stream. */
static void hand_down(void *context, size_t stream, size_t worker)
{
    const arnn_pass *pass = context;
    arnn_record *record = pass->record;
    size_t n = pass->n, d = pass->desc->inputs;
    (void)worker;
    for (size_t t = 0; t < record->lengths[stream]; t++) {
        float *dx = arnn_row(pass, record->dx, pass->inputs, stream, t);
        if (record->dropout.apply)
            record->dropout.apply(record->dropout.context, pass->layer, stream, t, dx, n);
        memcpy(arnn_row(pass, record->top_dh, n, stream, t), dx, n * sizeof *dx);
        if (record->top_ds)
            clear(arnn_row(pass, record->top_ds, n, stream, t), n);
        if (pass->work->dskip)
            arnn_add_scaled(arnn_row(pass, pass->work->dskip, d, stream, t), 1.0f, dx + n, d);
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
    arnn_status status = arnn_model_refresh(record->model, record->state->threads);
    clear(record->work->dskip, record->streams * record->steps * record->model->desc.inputs);
    for (size_t layer = record->model->desc.layers; layer-- > 0 && !status;) {
        arnn_pass pass = pass_of(record, layer, gradient);
        status = back_layer(&pass);
        if (!status && layer > 0)
            arnn_threads_run(record->state->threads, hand_down, &pass, record->count, false);
        else if (!status && inputs_wanted(&pass))
            finish_input(&pass, gradient);
    }
    record->ran = false;
    return status;
}

/* The backward pass: layer by layer from the top, in each the steps from the last to the first (steps.c), then the
   matrices, which are products over the whole run. */
#include <assert.h>
#include <string.h>

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

/* As many streams go together as have their tapes in the second cache, or, where the weights are not there in any case,
   in the last one (as in run/sequence.c). */
static size_t groups_for_tapes(const arnn_pass *pass, bool near)
{
    const size_t second = (size_t)3 << 17, last = (size_t)2 << 20; /* floats */
    size_t tape = pass->columns * (pass->n + 2 * ARNN_BLOCK_STEPS) * (pass->work->dm ? 2 : 1);
    size_t cache = near ? second : last, together = cache / tape > 0 ? cache / tape : 1;
    return pass->query ? (pass->record->count + together - 1) / together : 1;
}

/* Weights that the second cache does not hold are read from further away at every step: then threads share them out,
   and not the streams, which without a tape have little else to do. */
static void return_steps(const arnn_pass *pass)
{
    arnn_threads *threads = pass->record->state->threads;
    bool near = (pass->gates + pass->query) * pass->n <= ARNN_NEAR_WEIGHTS;
    size_t count = pass->record->count, workers = arnn_threads_count(threads), needed = groups_for_tapes(pass, near);
    groups all = {pass, needed > workers ? needed : workers};
    const arnn_group whole = {.count = count, .threads = threads};
    if (count < workers || (!pass->query && !near))
        arnn_steps_return(pass, &whole);
    else
        arnn_threads_run(threads, return_group, &all, all.count, false);
}

#define PART_ROWS 64 /* of a matrix: what one thread makes at once */

static size_t parts(size_t rows)
{
    return (rows + PART_ROWS - 1) / PART_ROWS;
}

/* An item is a part of the cell's matrices, of the attention's, or of the inputs of a stream. */
static void make_part(void *context, size_t item, size_t worker)
{
    const arnn_pass *pass = context;
    const arnn_record *record = pass->record;
    size_t inputs = parts(record->last_steps), stream = item / inputs, rows = pass->gates;
    void (*make)(const arnn_pass *pass, size_t first, size_t count) = arnn_cell_weights;
    (void)worker;
    if (stream < record->count) {
        size_t first = item % inputs * PART_ROWS, end = record->lengths[stream];
        if (first < end)
            arnn_input_return(pass, stream, first, end - first < PART_ROWS ? end - first : PART_ROWS);
        return;
    }
    item -= record->count * inputs;
    if (item >= parts(rows)) {
        item -= parts(rows);
        rows = pass->query;
        make = arnn_attention_weights;
    }
    size_t first = item * PART_ROWS;
    make(pass, first, rows - first < PART_ROWS ? rows - first : PART_ROWS);
}

static void make_parts(arnn_pass *pass)
{
    const arnn_record *record = pass->record;
    size_t items = record->count * parts(record->last_steps) + parts(pass->gates) + parts(pass->query);
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
        arnn_pass pass = pass_of(record, layer, gradient);
        status = back_layer(&pass);
        if (!status && layer > 0)
            hand_down(&pass);
        else if (!status)
            finish_input(&pass, gradient);
    }
    record->ran = false;
    return status;
}

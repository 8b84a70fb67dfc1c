#include "model/ready.h"

#include <string.h>

#include "base/memory.h"
#include "cells/cell.h"
#include "model/model.h"
#include "model/wiring.h"

/* ---- affine maps ---- */

void arnn_affine_begin(const arnn_affine *affine, float *y, size_t streams)
{
    for (size_t b = 0; b < streams; b++) {
        float *row = y + b * affine->outputs;
        if (affine->bias)
            memcpy(row, affine->bias, affine->outputs * sizeof *row);
        else
            memset(row, 0, affine->outputs * sizeof *row);
    }
}

void arnn_affine_add(const arnn_affine *affine, const arnn_kernels *kernels, float *y, const arnn_inputs *inputs,
                     size_t streams)
{
    for (size_t s = 0; s < ARNN_SOURCES; s++) {
        if (affine->parts[s].inputs && inputs->values[s])
            kernels->product(y, affine->outputs, inputs->values[s], inputs->strides[s], &affine->parts[s], streams);
    }
}

static arnn_packed part_of(const arnn_packed *whole, const arnn_kernels *kernels, size_t part)
{
    arnn_piece at = arnn_piece_of(whole->outputs, ARNN_PART_OUTPUTS, part);
    arnn_packed one = *whole;
    one.outputs = at.count;
    one.values = (char *)one.values + kernels->packed_bytes(at.first, one.inputs, one.type);
    one.scales = one.scales ? one.scales + at.first : NULL;
    return one;
}

typedef struct packing {
    const arnn_packed *whole;
    const arnn_kernels *kernels;
    const float *weights;
    size_t stride;
    bool turned;
} packing;

static void pack_outputs(void *context, size_t item, size_t worker)
{
    const packing *all = context;
    const arnn_packed part = part_of(all->whole, all->kernels, item);
    const float *weights = all->weights + item * ARNN_PART_OUTPUTS * (all->turned ? 1 : all->stride);
    (void)worker;
    (all->turned ? all->kernels->pack_turned : all->kernels->pack)(&part, weights, all->stride);
}

void arnn_packed_fill(const arnn_packed *packed, const arnn_kernels *kernels, arnn_threads *threads,
                      const float *weights, size_t stride, bool turned)
{
    const size_t least = (size_t)1 << 16; /* weights that are worth calling other threads */
    packing all = {packed, kernels, weights, stride, turned};
    arnn_threads_run(packed->outputs * packed->inputs >= least ? threads : NULL, pack_outputs, &all,
                     arnn_pieces(packed->outputs, ARNN_PART_OUTPUTS), false);
}

void arnn_affine_add_part(const arnn_affine *affine, const arnn_kernels *kernels, float *y, const arnn_inputs *inputs,
                          size_t streams, size_t part)
{
    for (size_t s = 0; s < ARNN_SOURCES; s++) {
        if (!affine->parts[s].inputs || !inputs->values[s])
            continue;
        const arnn_packed one = part_of(&affine->parts[s], kernels, part);
        kernels->product(y + part * ARNN_PART_OUTPUTS, affine->outputs, inputs->values[s], inputs->strides[s], &one,
                         streams);
    }
}

void arnn_ready_align(const arnn_ready_layer *layer, const arnn_affine *affine, const arnn_kernels *kernels, float *y,
                      const arnn_inputs *inputs, size_t streams)
{
    arnn_affine_begin(affine, y, streams);
    arnn_affine_add(affine, kernels, y, inputs, streams);
    if (layer->read == ARNN_READ_EXPONENT)
        kernels->exponents(y, streams * affine->outputs);
}

static void affine_destroy(arnn_affine *affine)
{
    for (size_t s = 0; s < ARNN_SOURCES; s++) {
        arnn_free(affine->parts[s].values);
        arnn_free(affine->parts[s].scales);
    }
}

/* Who makes parameters ready, and with which threads. */
typedef struct maker {
    const arnn_model *model;
    arnn_threads *threads; /* NULL: none but the caller's */
} maker;

/* A model's shapes do not change: only another type of weights needs other memory. */
static arnn_status provide(arnn_packed *part, size_t outputs, size_t inputs, const arnn_model *model)
{
    int32_t type = model->weight_type;
    if (part->values && part->type == type)
        return ARNN_OK;
    arnn_free(part->values);
    arnn_free(part->scales);
    *part = (arnn_packed){.outputs = outputs, .inputs = inputs, .type = type};
    part->values = arnn_alloc(model->kernels->packed_bytes(outputs, inputs, type), 1);
    part->scales = type == ARNN_TYPE_I8 ? arnn_alloc_floats(outputs) : NULL;
    return part->values && (type != ARNN_TYPE_I8 || part->scales) ? ARNN_OK : arnn_error_no_memory("packed weights");
}

/* Packs the columns that belong to one source and moves on to those of the next. */
static arnn_status pack_part(arnn_affine *affine, arnn_source source, size_t inputs, const float **weights,
                             size_t stride, const maker *by)
{
    arnn_packed *part = &affine->parts[source];
    arnn_status status = provide(part, affine->outputs, inputs, by->model);
    if (status)
        return status;
    arnn_packed_fill(part, by->model->kernels, by->threads, *weights, stride, false);
    *weights += inputs;
    return ARNN_OK;
}

typedef struct part {
    arnn_source source;
    size_t inputs; /* 0: left out */
} part;

/* weights (outputs, sum of inputs), row-major. */
static arnn_status affine_create(arnn_affine *affine, const maker *by, const float *weights, const float *bias,
                                 size_t outputs, const part *parts, size_t count)
{
    size_t stride = 0;
    arnn_status status = ARNN_OK;
    affine->outputs = outputs;
    affine->type = by->model->weight_type;
    affine->bias = bias;
    for (size_t i = 0; i < count; i++)
        stride += parts[i].inputs;
    for (size_t i = 0; i < count && !status; i++) {
        if (parts[i].inputs)
            status = pack_part(affine, parts[i].source, parts[i].inputs, &weights, stride, by);
    }
    return status;
}

/* ---- a layer ---- */

static const float *values_of(const arnn_model *model, arnn_role role, size_t layer)
{
    const arnn_parameter *parameter = arnn_parameters_of(&model->parameters, role, layer);
    return parameter ? parameter->values : NULL;
}

/* Both parts of x_l: from below, and the model's own input again. */
static size_t below_width(const arnn_model_desc *desc, size_t layer)
{
    return layer == 0 ? desc->inputs : desc->hidden;
}

static size_t skip_width(const arnn_model_desc *desc, size_t layer)
{
    return layer > 0 && desc->skip ? desc->inputs : 0;
}

/* Where both products are one: their biases. */
static arnn_status add_biases(arnn_ready_layer *ready, const float *ih, const float *hh, size_t outputs)
{
    if (!ready->bias)
        ready->bias = arnn_alloc_floats(outputs);
    if (!ready->bias)
        return arnn_error_no_memory("a cell's biases");
    for (size_t i = 0; i < outputs; i++)
        ready->bias[i] = ih[i] + hh[i];
    ready->input.bias = ready->bias;
    return ARNN_OK;
}

static arnn_status create_cell(arnn_ready_layer *ready, const maker *by, size_t layer)
{
    const arnn_model *model = by->model;
    const arnn_model_desc *desc = &model->desc;
    const float *ih = values_of(model, ARNN_BIAS_IH, layer), *hh = values_of(model, ARNN_BIAS_HH, layer);
    const float *carried = values_of(model, ARNN_WEIGHT_HH, layer);
    size_t n = desc->hidden, outputs = model->cell->gates * n;
    const part input[] = {
        {ARNN_FROM_BELOW, below_width(desc, layer)},
        {ARNN_FROM_INPUT, skip_width(desc, layer)},
        {ARNN_FROM_SUMMARY, arnn_wiring_of(desc)->carries_h ? n : 0},
    };
    const part recurrent = {ARNN_FROM_CARRIED, n};
    arnn_status status =
        affine_create(&ready->input, by, values_of(model, ARNN_WEIGHT_IH, layer), ih, outputs, input, 3);
    if (!status && model->cell->splits)
        return affine_create(&ready->recurrent, by, carried, hh, outputs, &recurrent, 1);
    if (!status)
        status = pack_part(&ready->input, recurrent.source, n, &carried, n, by);
    return status ? status : add_biases(ready, ih, hh, outputs);
}

arnn_score_weights arnn_ready_score(const arnn_model *model, size_t layer)
{
    return (arnn_score_weights){
        .key = values_of(model, ARNN_ATTN_KEY, layer),
        .query = values_of(model, ARNN_ATTN_QUERY, layer),
        .score = values_of(model, ARNN_ATTN_SCORE, layer),
        .general = values_of(model, ARNN_ATTN_GENERAL, layer),
        .scale = model->desc.scale,
        .hidden = model->desc.hidden,
        .align = model->desc.align,
        .z = arnn_desc_query_width(&model->desc, layer),
    };
}

static arnn_status create_query(arnn_ready_layer *ready, const maker *by, size_t layer, const arnn_score *score,
                                const arnn_score_weights *weights)
{
    const arnn_model_desc *desc = &by->model->desc;
    bool before = arnn_wiring_of(desc)->reads_first;
    size_t n = desc->hidden, outputs = score->has_keys ? desc->align : n, count;
    const part z[] = {
        {ARNN_FROM_BELOW, before ? below_width(desc, layer) : 0},
        {ARNN_FROM_INPUT, before ? skip_width(desc, layer) : 0},
        {before ? ARNN_FROM_SUMMARY : ARNN_FROM_HIDDEN, n},
    };
    float *folded = arnn_size_mul(&count, outputs, weights->z) ? arnn_alloc_floats(count) : NULL;
    arnn_status status = folded ? score->fold(folded, weights) : arnn_error_no_memory("the folded query matrix");
    if (!status)
        status = affine_create(&ready->query, by, folded, NULL, outputs, z, 3);
    arnn_free(folded);
    return status;
}

static float sum(const float *values, size_t count)
{
    double total = 0.0;
    for (size_t i = 0; i < count; i++)
        total += (double)values[i];
    return (float)total;
}

static void create_reader(arnn_ready_layer *ready, const arnn_model *model, size_t layer,
                          const arnn_score_weights *weights, const arnn_ready *whole)
{
    const float *recency = values_of(model, ARNN_ATTN_RECENCY, layer);
    bool keys = weights->score != NULL;
    ready->form = (arnn_query){
        .score = weights->score,
        .score_sum = keys ? sum(weights->score, weights->align) : 0.0f,
        .recency = recency ? *recency : 0.0f,
        .hidden = weights->hidden,
        .align = keys ? weights->align : 0,
    };
    ready->reader = (arnn_reader){
        .kernel = model->kernels->read[ready->read],
        .start_zero = model->desc.start_row == ARNN_START_ZERO,
        .zeros = whole->zeros,
        .zero_key = ready->read == ARNN_READ_EXPONENT ? whole->ones : whole->zeros,
    };
}

static arnn_status create_attention(arnn_ready_layer *ready, const maker *by, size_t layer, const arnn_ready *whole)
{
    const arnn_model *model = by->model;
    const arnn_score *score = arnn_score_of(model->desc.score);
    arnn_score_weights weights = arnn_ready_score(model, layer);
    const part hidden[] = {{ARNN_FROM_HIDDEN, model->desc.hidden}};
    ready->read = score->read(&weights, model->cell->bounded);
    create_reader(ready, model, layer, &weights, whole);
    arnn_status status = create_query(ready, by, layer, score, &weights);
    if (!status && score->has_keys)
        status = affine_create(&ready->key, by, weights.key, NULL, model->desc.align, hidden, 1);
    return status;
}

static arnn_status create_layer(arnn_ready_layer *ready, const maker *by, size_t layer, const arnn_ready *whole)
{
    arnn_status status = create_cell(ready, by, layer);
    if (!status && arnn_desc_has_tape(&by->model->desc))
        status = create_attention(ready, by, layer, whole);
    return status;
}

/* ---- the whole ---- */

static arnn_status create_readout(arnn_ready *ready, const maker *by)
{
    const arnn_model *model = by->model;
    const arnn_model_desc *desc = &model->desc;
    const part sources[] = {
        {ARNN_FROM_HIDDEN, desc->source == ARNN_SOURCE_S ? 0 : desc->hidden},
        {ARNN_FROM_SUMMARY, desc->source == ARNN_SOURCE_H ? 0 : desc->hidden},
    };
    if (desc->outputs == 0)
        return ARNN_OK;
    return affine_create(&ready->readout, by, values_of(model, ARNN_READOUT, 0), values_of(model, ARNN_READOUT_BIAS, 0),
                         desc->outputs, sources, 2);
}

/* A token's part in the first layer is the same at every step: a table saves its product, within reason. */
static arnn_status create_token_inputs(arnn_ready *ready, const arnn_model *model)
{
    const size_t most = (size_t)1 << 24; /* floats */
    const arnn_affine *input = &ready->layers[0].input;
    const arnn_inputs embedded = {.values = {values_of(model, ARNN_EMBED, 0)}, .strides = {model->desc.inputs}};
    size_t count, vocab = model->desc.vocab;
    ready->embed = embedded.values[ARNN_FROM_BELOW];
    if (vocab == 0 || !arnn_size_mul(&count, vocab, input->outputs) || count > most)
        return ARNN_OK;
    if (!ready->token_inputs)
        ready->token_inputs = arnn_alloc_floats(count);
    if (!ready->token_inputs)
        return arnn_error_no_memory("the input products of all tokens");
    arnn_affine_begin(input, ready->token_inputs, vocab);
    arnn_affine_add(input, model->kernels, ready->token_inputs, &embedded, vocab);
    return ARNN_OK;
}

static arnn_status create_constants(arnn_ready *ready, const arnn_model_desc *desc)
{
    size_t count = desc->hidden > desc->align ? desc->hidden : desc->align;
    if (ready->ones)
        return ARNN_OK;
    ready->zeros = arnn_alloc_floats(count);
    ready->ones = arnn_alloc_floats(count);
    for (size_t i = 0; i < count && ready->ones; i++)
        ready->ones[i] = 1.0f;
    return ready->zeros && ready->ones ? ARNN_OK : arnn_error_no_memory("the zero row");
}

static arnn_ready *new_ready(size_t layers)
{
    arnn_ready *ready = arnn_alloc(1, sizeof *ready);
    if (!ready)
        return NULL;
    ready->count = layers;
    ready->layers = arnn_alloc(layers, sizeof *ready->layers);
    if (ready->layers)
        return ready;
    arnn_free(ready);
    return NULL;
}

arnn_status arnn_ready_make(arnn_ready **out, const arnn_model *model, arnn_threads *threads)
{
    arnn_ready *ready = *out ? *out : new_ready(model->desc.layers);
    const maker by = {model, threads};
    *out = NULL;
    if (!ready)
        return arnn_error_no_memory("packed weights");
    arnn_status status = create_constants(ready, &model->desc);
    for (size_t layer = 0; layer < model->desc.layers && !status; layer++)
        status = create_layer(&ready->layers[layer], &by, layer, ready);
    if (!status)
        status = create_readout(ready, &by);
    if (!status)
        status = create_token_inputs(ready, model);
    if (status)
        arnn_ready_destroy(ready);
    else
        *out = ready;
    return status;
}

void arnn_ready_destroy(arnn_ready *ready)
{
    if (!ready)
        return;
    for (size_t layer = 0; layer < ready->count; layer++) {
        arnn_free(ready->layers[layer].bias);
        affine_destroy(&ready->layers[layer].input);
        affine_destroy(&ready->layers[layer].recurrent);
        affine_destroy(&ready->layers[layer].query);
        affine_destroy(&ready->layers[layer].key);
    }
    affine_destroy(&ready->readout);
    arnn_free(ready->token_inputs);
    arnn_free(ready->ones);
    arnn_free(ready->zeros);
    arnn_free(ready->layers);
    arnn_free(ready);
}

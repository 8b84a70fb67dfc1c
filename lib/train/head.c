#include "train/head.h"

#include <string.h>

#include "base/memory.h"
#include "model/ready.h"

#define BLOCK_FLOATS ((size_t)1 << 20) /* of outputs at once, .. */
#define LEAST_ROWS   32                /* .. within so many rows */
#define MOST_ROWS    256

static size_t block_rows(size_t outputs)
{
    size_t rows = BLOCK_FLOATS / outputs;
    return rows < LEAST_ROWS ? LEAST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
}

arnn_status arnn_head_create(arnn_head *head, const arnn_model *model, const arnn_loss *loss)
{
    size_t outputs = arnn_desc_output_width(&model->desc), width = arnn_desc_source_width(&model->desc);
    *head = (arnn_head){.model = model, .loss = loss, .outputs = outputs, .width = width};
    head->block = block_rows(outputs);
    size_t inputs_floats, outputs_floats;
    if (arnn_size_mul(&inputs_floats, head->block, width) && arnn_size_mul(&outputs_floats, head->block, outputs)) {
        head->r = arnn_alloc_floats(inputs_floats);
        head->dr = arnn_alloc_floats(inputs_floats);
        head->y = arnn_alloc_floats(outputs_floats);
        head->values = arnn_alloc_floats(loss->of_tokens ? 0 : outputs_floats);
        head->rows = arnn_alloc(head->block, sizeof *head->rows);
        head->tokens = arnn_alloc(head->block, sizeof *head->tokens);
        head->weights = arnn_alloc_floats(head->block);
    }
    if (head->r && head->dr && head->y && head->values && head->rows && head->tokens && head->weights)
        return ARNN_OK;
    arnn_head_destroy(head);
    return arnn_error_no_memory("a block of outputs");
}

void arnn_head_destroy(arnn_head *head)
{
    arnn_free(head->r);
    arnn_free(head->dr);
    arnn_free(head->y);
    arnn_free(head->values);
    arnn_free(head->rows);
    arnn_free(head->tokens);
    arnn_free(head->weights);
    *head = (arnn_head){0};
}

void arnn_head_begin(arnn_head *head, float factor, float *gradients, const arnn_mask *mask)
{
    head->factor = factor;
    head->gradients = gradients;
    head->mask = *mask;
    head->sums = (arnn_loss_sums){0};
    head->count = 0;
}

static const arnn_parameter *readout(const arnn_head *head, arnn_role role)
{
    return arnn_parameters_of(&head->model->parameters, role, 0);
}

/* Where a parameter's gradient stands: as the parameter in the block. */
static float *gradient_of(const arnn_head *head, const arnn_parameter *parameter)
{
    return head->gradients + (parameter->values - head->model->parameters.values);
}

/* y = W r + b, or r where there is no readout. */
static void outputs(arnn_head *head)
{
    const arnn_affine *affine = &head->model->ready->readout;
    if (!affine->outputs) {
        memcpy(head->y, head->r, head->count * head->outputs * sizeof *head->y);
        return;
    }
    const arnn_inputs inputs = {
        .values = {[ARNN_FROM_HIDDEN] = head->r,
                   [ARNN_FROM_SUMMARY] = head->r + (head->width - head->model->desc.hidden)},
        .strides = {[ARNN_FROM_HIDDEN] = head->width, [ARNN_FROM_SUMMARY] = head->width},
    };
    arnn_affine_begin(affine, head->y, head->count);
    arnn_affine_add(affine, head->model->kernels, head->y, &inputs, head->count);
}

/* y holds gradients by now: dr = W' dy, dW += dy r', db += dy. */
static void outputs_back(arnn_head *head)
{
    const arnn_parameter *weight = readout(head, ARNN_READOUT), *bias = readout(head, ARNN_READOUT_BIAS);
    if (!weight) {
        memcpy(head->dr, head->y, head->count * head->outputs * sizeof *head->dr);
        return;
    }
    memset(head->dr, 0, head->count * head->width * sizeof *head->dr);
    const arnn_kernels *kernels = head->model->kernels;
    kernels->multiply(head->dr, head->width, (arnn_operand){head->y, head->outputs, false},
                      (arnn_operand){weight->values, head->width, false}, head->count, head->width, head->outputs);
    kernels->multiply(gradient_of(head, weight), head->width, (arnn_operand){head->y, head->outputs, true},
                      (arnn_operand){head->r, head->width, false}, head->outputs, head->width, head->count);
    float *sums = gradient_of(head, bias);
    for (size_t i = 0; i < head->count; i++) {
        for (size_t j = 0; j < head->outputs; j++)
            sums[j] += head->y[i * head->outputs + j];
    }
}

static void add(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* The gradient of r goes through the same mask, and to where r came from. */
static void hand_back(arnn_head *head, size_t i)
{
    const arnn_head_row *row = &head->rows[i];
    float *dr = head->dr + i * head->width;
    size_t n = head->model->desc.hidden;
    int32_t source = head->model->desc.source;
    arnn_mask_row(dr, dr, &head->mask, head->model->desc.layers, row->time, row->stream, head->width);
    if (source != ARNN_SOURCE_S)
        add(row->dh, dr, n);
    if (source != ARNN_SOURCE_H)
        add(row->ds, dr + (head->width - n), n);
}

void arnn_head_finish(arnn_head *head)
{
    if (head->count == 0)
        return;
    arnn_wanted wanted = {.tokens = head->tokens, .values = head->values, .weights = head->weights};
    outputs(head);
    head->loss->rows(&head->sums, head->y, &wanted, head->count, head->outputs, head->factor);
    if (head->gradients) {
        outputs_back(head);
        for (size_t i = 0; i < head->count; i++)
            hand_back(head, i);
    }
    head->count = 0;
}

void arnn_head_add(arnn_head *head, const arnn_head_row *row)
{
    size_t i = head->count++, n = head->model->desc.hidden;
    int32_t source = head->model->desc.source;
    float *r = head->r + i * head->width;
    if (source != ARNN_SOURCE_S)
        memcpy(r, row->h, n * sizeof *r);
    if (source != ARNN_SOURCE_H)
        memcpy(r + (head->width - n), row->s, n * sizeof *r);
    arnn_mask_row(r, r, &head->mask, head->model->desc.layers, row->time, row->stream, head->width);
    head->rows[i] = *row;
    head->tokens[i] = row->token;
    head->weights[i] = row->weight;
    if (!head->loss->of_tokens)
        memcpy(head->values + i * head->outputs, row->values, head->outputs * sizeof *head->values);
    if (head->count == head->block)
        arnn_head_finish(head);
}

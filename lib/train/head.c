#include "train/head.h"

#include <string.h>

#include "base/memory.h"
#include "model/ready.h"
#include "run/product.h"

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

/* ---- rows: some of those that wait ---- */

#define PART_ROWS 32 /* which one thread takes at once, and whose losses are summed by themselves */

typedef struct part {
    const arnn_head *head;
    size_t first, count;
    float *r, *y, *dr; /* of its rows; where there is no readout they are the same */
} part;

static part part_of(const arnn_head *head, size_t item)
{
    arnn_piece at = arnn_piece_of(head->count, PART_ROWS, item);
    part rows = {.head = head, .first = at.first, .count = at.count};
    rows.r = rows.y = rows.dr = head->r + at.first * head->width;
    if (head->model->ready->readout.outputs) {
        rows.y = head->y + at.first * head->outputs;
        rows.dr = head->dr + at.first * head->width;
    }
    return rows;
}

/* Rows to a dense block, through their mask; and what is wanted of them. */
static void gather(const part *rows)
{
    const arnn_head *head = rows->head;
    size_t n = head->model->desc.hidden, layers = head->model->desc.layers;
    int32_t source = head->model->desc.source;
    float *r = rows->r, *values = head->values + rows->first * head->outputs;
    for (size_t i = 0; i < rows->count; i++, r += head->width, values += head->outputs) {
        const arnn_head_row *row = &head->rows[rows->first + i];
        if (source != ARNN_SOURCE_S)
            memcpy(r, row->h, n * sizeof *r);
        if (source != ARNN_SOURCE_H)
            memcpy(r + (head->width - n), row->s, n * sizeof *r);
        arnn_mask_row(r, r, &head->mask, layers, row->time, row->stream, head->width);
        if (!head->loss->of_tokens)
            memcpy(values, row->values, head->outputs * sizeof *values);
    }
}

/* y = W r + b, or r where there is no readout. */
static void make_outputs(const part *rows)
{
    const arnn_head *head = rows->head;
    const arnn_affine *affine = &head->model->ready->readout;
    const arnn_inputs inputs = {
        .values =
            {[ARNN_FROM_HIDDEN] = rows->r, [ARNN_FROM_SUMMARY] = rows->r + (head->width - head->model->desc.hidden)},
        .strides = {[ARNN_FROM_HIDDEN] = head->width, [ARNN_FROM_SUMMARY] = head->width},
    };
    if (!affine->outputs)
        return;
    arnn_affine_begin(affine, rows->y, rows->count);
    arnn_affine_add(affine, head->model->kernels, rows->y, &inputs, rows->count);
}

/* y holds gradients by now: dr = W' dy. */
static void outputs_back(const part *rows)
{
    const arnn_head *head = rows->head;
    const arnn_parameter *weight = readout(head, ARNN_READOUT);
    if (!weight)
        return;
    memset(rows->dr, 0, rows->count * head->width * sizeof *rows->dr);
    head->model->kernels->multiply(rows->dr, head->width, (arnn_operand){rows->y, head->outputs, false},
                                   (arnn_operand){weight->values, head->width, false}, rows->count, head->width,
                                   head->outputs);
}

static void add(float *to, const float *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
}

/* The gradient of r goes through the same mask, and to where r came from. */
static void hand_back(const part *rows)
{
    const arnn_head *head = rows->head;
    size_t n = head->model->desc.hidden, layers = head->model->desc.layers;
    int32_t source = head->model->desc.source;
    float *dr = rows->dr;
    for (size_t i = 0; i < rows->count; i++, dr += head->width) {
        const arnn_head_row *row = &head->rows[rows->first + i];
        arnn_mask_row(dr, dr, &head->mask, layers, row->time, row->stream, head->width);
        if (source != ARNN_SOURCE_S)
            add(row->dh, dr, n);
        if (source != ARNN_SOURCE_H)
            add(row->ds, dr + (head->width - n), n);
    }
}

typedef struct turn {
    const arnn_head *head;
    arnn_loss_sums sums[(MOST_ROWS + PART_ROWS - 1) / PART_ROWS];
} turn;

static void take_part(void *context, size_t item, size_t worker)
{
    turn *all = context;
    const arnn_head *head = all->head;
    const part rows = part_of(head, item);
    const arnn_wanted wanted = {.tokens = head->tokens + rows.first,
                                .values = head->loss->of_tokens ? NULL : head->values + rows.first * head->outputs,
                                .weights = head->weights + rows.first};
    (void)worker;
    gather(&rows);
    make_outputs(&rows);
    head->loss->rows(&all->sums[item], rows.y, &wanted, rows.count, head->outputs, head->factor);
    if (!head->gradients)
        return;
    outputs_back(&rows);
    hand_back(&rows);
}

/* ---- the readout's parameters ---- */

#define PART_OUTPUTS 64

/* dW += dy r', db += dy, of some outputs. */
static void weights_back(void *context, size_t item, size_t worker)
{
    const arnn_head *head = context;
    arnn_piece at = arnn_piece_of(head->outputs, PART_OUTPUTS, item);
    float *dw = gradient_of(head, readout(head, ARNN_READOUT)) + at.first * head->width;
    float *db = gradient_of(head, readout(head, ARNN_READOUT_BIAS)) + at.first;
    (void)worker;
    head->model->kernels->multiply(dw, head->width, (arnn_operand){head->y + at.first, head->outputs, true},
                                   (arnn_operand){head->r, head->width, false}, at.count, head->width, head->count);
    for (size_t i = 0; i < head->count; i++)
        add(db, head->y + i * head->outputs + at.first, at.count);
}

/* ---- all that wait ---- */

/* Rows are copied, compared and handed back, and multiplied by a readout. */
static bool worth_sharing(const arnn_head *head)
{
    size_t copies = 8, factors = head->model->ready->readout.outputs;
    return ARNN_WORK_PRODUCT(head->width * (copies + factors), head->count) >= ARNN_WORK_SHARED;
}

void arnn_head_finish(arnn_head *head)
{
    size_t parts = arnn_pieces(head->count, PART_ROWS);
    arnn_threads *threads = worth_sharing(head) ? head->threads : NULL;
    turn all = {.head = head};
    arnn_threads_run(threads, take_part, &all, parts, false);
    for (size_t i = 0; i < parts; i++) {
        head->sums.loss += all.sums[i].loss;
        head->sums.correct += all.sums[i].correct;
    }
    if (head->gradients && parts > 0 && readout(head, ARNN_READOUT))
        arnn_threads_run(threads, weights_back, head, arnn_pieces(head->outputs, PART_OUTPUTS), false);
    head->count = 0;
}

void arnn_head_add(arnn_head *head, const arnn_head_row *row)
{
    size_t i = head->count++;
    head->rows[i] = *row;
    head->tokens[i] = row->token;
    head->weights[i] = row->weight;
    if (head->count == head->block)
        arnn_head_finish(head);
}

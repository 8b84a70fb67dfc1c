#include "run/stretch.h"

#include <string.h>

#include "run/product.h"
#include "run/step.h"

/* Fills work.streams and work.slots with those that have a step at time t. */
static size_t choose(arnn_part *self, size_t t)
{
    const arnn_sequence *sequence = self->sequence;
    size_t count = 0;
    for (size_t j = self->first; j < self->end; j++) {
        if (sequence->lengths && sequence->lengths[j] <= t)
            continue;
        self->work.streams[count] = sequence->streams ? sequence->streams[j] : j;
        self->work.slots[count] = j;
        count++;
    }
    return count;
}

/* ---- input ---- */

static size_t input_offset(const arnn_sequence *sequence, size_t t, size_t slot)
{
    return t * sequence->in.time_stride + slot * sequence->in.stream_stride;
}

/* Rows of one step to x (count, d). */
static void take_input(arnn_part *self, size_t t, size_t count, float *x)
{
    const arnn_sequence *sequence = self->sequence;
    const arnn_ready *ready = self->state->model->ready;
    size_t d = self->state->model->desc.inputs;
    for (size_t b = 0; b < count; b++) {
        size_t offset = input_offset(sequence, t, self->work.slots[b]);
        const float *row =
            sequence->in.x ? sequence->in.x + offset : ready->embed + (size_t)sequence->in.tokens[offset] * d;
        memcpy(x + b * d, row, d * sizeof *x);
    }
}

static void take_tokens(arnn_part *self, size_t t, size_t count)
{
    for (size_t b = 0; b < count; b++)
        self->work.tokens[b] = self->sequence->in.tokens[input_offset(self->sequence, t, self->work.slots[b])];
}

typedef struct stretch {
    size_t first, end; /* steps */
    size_t rows;
} stretch;

static stretch take_stretch(arnn_part *self, size_t first)
{
    size_t d = self->state->model->desc.inputs, streams = self->end - self->first;
    size_t most = streams < ARNN_AHEAD_ROWS ? ARNN_AHEAD_ROWS / (streams ? streams : 1) : 1;
    stretch taken = {.first = first, .end = first};
    for (size_t count; taken.end < self->sequence->steps && taken.end - first < most; taken.end++) {
        if ((count = choose(self, taken.end)) == 0)
            break;
        take_input(self, taken.end, count, self->work.x + taken.rows * d);
        taken.rows += count;
    }
    return taken;
}

/* ---- output ---- */

/* Dense rows to the caller's, from column `column` on. */
static void give(const arnn_array *array, size_t t, const arnn_work *work, const float *dense, size_t width,
                 size_t column, size_t count)
{
    for (size_t b = 0; b < count && array->data; b++) {
        float *row = array->data + t * array->time_stride + work->slots[b] * array->stream_stride;
        memcpy(row + column, dense + b * width, width * sizeof *row);
    }
}

/* y without a readout is r: h, s or both. */
static void give_source(const arnn_part *self, size_t t, const float *h, const float *s, size_t count)
{
    const arnn_model_desc *desc = &self->state->model->desc;
    const arnn_array *y = &self->sequence->out.y;
    size_t n = desc->hidden;
    if (desc->source != ARNN_SOURCE_S)
        give(y, t, &self->work, h, n, 0, count);
    if (desc->source != ARNN_SOURCE_H)
        give(y, t, &self->work, s, n, desc->source == ARNN_SOURCE_HS ? n : 0, count);
}

static void read_out(const arnn_part *self, const float *h, const float *s, size_t rows)
{
    const arnn_affine *readout = &self->state->model->ready->readout;
    size_t n = self->state->model->desc.hidden;
    const arnn_inputs inputs = {
        .values = {[ARNN_FROM_HIDDEN] = h, [ARNN_FROM_SUMMARY] = s},
        .strides = {[ARNN_FROM_HIDDEN] = n, [ARNN_FROM_SUMMARY] = n},
    };
    arnn_affine_begin(readout, self->work.y, rows);
    const arnn_order order = {.threads = self->threads};
    arnn_product_add(&order, readout, self->state->model->kernels, self->work.y, &inputs, rows);
}

/* y of as many steps at a time as there is room for. h, s: of all steps. */
static void give_readout(arnn_part *self, const stretch *taken, const float *h, const float *s)
{
    const arnn_model_desc *desc = &self->state->model->desc;
    size_t t = taken->first, end = t, rows = 0, next = 0; /* rows of steps t .. end-1; all before them */
    for (size_t count, row = 0; t < taken->end; t = end, row = next) {
        for (rows = 0; end < taken->end; end++, rows += count) {
            count = choose(self, end);
            if (rows > 0 && rows + count > ARNN_READOUT_ROWS)
                break;
        }
        read_out(self, h + row * desc->hidden, s + row * desc->hidden, rows);
        next = row + rows;
        for (size_t y = 0; t < end; t++, y += count) {
            count = choose(self, t);
            give(&self->sequence->out.y, t, &self->work, self->work.y + y * desc->outputs, desc->outputs, 0, count);
        }
    }
}

static void give_output(arnn_part *self, const stretch *taken)
{
    const arnn_output *out = &self->sequence->out;
    const arnn_model_desc *desc = &self->state->model->desc;
    const float *h = self->work.h[(desc->layers - 1) % 2], *s = self->state->pool ? self->work.s : h;
    size_t n = desc->hidden, row = 0;
    for (size_t t = taken->first, count; t < taken->end; t++, row += count) {
        count = choose(self, t);
        give(&out->h, t, &self->work, h + row * n, n, 0, count);
        give(&out->s, t, &self->work, s + row * n, n, 0, count);
        if (out->y.data && !desc->outputs)
            give_source(self, t, h + row * n, s + row * n, count);
    }
    if (out->y.data && desc->outputs)
        give_readout(self, taken, h, s);
}

static float *at_time(const arnn_array *array, size_t t)
{
    return array->data ? array->data + t * array->time_stride : NULL;
}

static arnn_map map_of(const arnn_sequence *sequence, size_t t)
{
    const arnn_output *out = &sequence->out;
    return (arnn_map){
        .weights = at_time(&out->map, t),
        .zero = at_time(&out->map_zero, t),
        .weights_stride = out->map.stream_stride,
        .zero_stride = out->map_zero.stream_stride,
        .columns = out->map_columns,
        .layer = out->map_layer,
    };
}

/* ---- layers ---- */

/* A tap may scale inputs just before they are used. */
static bool as_they_are(const arnn_part *self)
{
    return !self->state->tap || !self->state->tap->scales;
}

/* How the first layer gets its input products. */
static bool has_table(const arnn_part *self)
{
    return self->sequence->in.tokens && self->state->model->ready->token_inputs && as_they_are(self);
}

static void multiply_ahead(const arnn_part *self, size_t layer, size_t rows)
{
    const arnn_model *model = self->state->model;
    const arnn_affine *input = &model->ready->layers[layer].input;
    size_t n = model->desc.hidden, d = model->desc.inputs;
    const arnn_inputs inputs = {
        .values = {[ARNN_FROM_BELOW] = layer > 0 ? self->work.h[(layer - 1) % 2] : self->work.x,
                   [ARNN_FROM_INPUT] = self->work.x},
        .strides = {[ARNN_FROM_BELOW] = layer > 0 ? n : d, [ARNN_FROM_INPUT] = d},
    };
    arnn_affine_begin(input, self->work.ahead, rows);
    const arnn_order order = {.threads = self->threads};
    arnn_product_add(&order, input, model->kernels, self->work.ahead, &inputs, rows);
}

static bool are_adjacent(const size_t *streams, size_t count)
{
    for (size_t b = 1; b < count; b++)
        if (streams[b] != streams[0] + b)
            return false;
    return true;
}

/* Step t, whose rows of the buffers begin at `row`. Steps go through weights and tapes forward and back in turn. */
static arnn_moment moment_of(arnn_part *self, size_t t, size_t row)
{
    arnn_moment moment = {
        .state = self->state,
        .work = arnn_work_rows(self->state, &self->work, row),
        .count = choose(self, t),
        .map = map_of(self->sequence, t),
        .order.threads = self->threads,
    };
    moment.adjacent = are_adjacent(self->work.streams, moment.count);
    moment.order.back = self->state->tapes[self->work.streams[0]].length % 2;
    return moment;
}

/* Layers first .. end-1 of all steps, one step after the other; of the first of them the input products are made ahead.
 */
static void run_layers(arnn_part *self, const stretch *taken, size_t first, size_t end)
{
    size_t layers = self->state->model->desc.layers, row = 0;
    bool table = first == 0 && has_table(self), ahead = !table && as_they_are(self) && taken->rows > 1;
    if (ahead)
        multiply_ahead(self, first, taken->rows);
    for (size_t t = taken->first; t < taken->end; t++) {
        static const arnn_first now = {0};
        arnn_moment moment = moment_of(self, t, row);
        const arnn_first made = {.ahead = ahead ? moment.work.ahead : NULL,
                                 .tokens = table ? moment.work.tokens : NULL};
        if (table)
            take_tokens(self, t, moment.count);
        if (first == 0)
            arnn_step_open(&moment);
        for (size_t layer = first; layer < end; layer++)
            arnn_step_layer(&moment, layer, layer == first ? &made : &now);
        if (end == layers)
            arnn_step_close(&moment);
        row += moment.count;
    }
}

/* Without a tape a layer makes all steps before the next one begins, which keeps its weights in a cache and lets it
   know its input ahead. (Tapes move on with all layers, so that pages are let go for all of them.) */
static void run_stretch(arnn_part *self, const stretch *taken)
{
    size_t layers = self->state->model->desc.layers, step = self->state->pool || self->state->tap ? layers : 1;
    for (size_t layer = 0; layer < layers; layer += step)
        run_layers(self, taken, layer, layer + step);
    give_output(self, taken);
}

void arnn_part_run(arnn_part *self)
{
    stretch taken;
    for (size_t t = 0; (taken = take_stretch(self, t)).rows > 0; t = taken.end)
        run_stretch(self, &taken);
}

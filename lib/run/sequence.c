#include "run/sequence.h"

#include <string.h>

#include "run/step.h"

/* Streams whose steps are made together, one after the other: elements first .. end-1 of the call. */
typedef struct part {
    arnn_state *state;
    const arnn_sequence *sequence;
    arnn_work work;
    size_t first, end;
    bool shared;
} part;

/* Fills work.streams and work.slots with those that have a step at time t. */
static size_t choose(part *self, size_t t)
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
static void take_input(part *self, size_t t, size_t count, float *x)
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

static void take_tokens(part *self, size_t t, size_t count)
{
    for (size_t b = 0; b < count; b++)
        self->work.tokens[b] = self->sequence->in.tokens[input_offset(self->sequence, t, self->work.slots[b])];
}

/* Some steps whose inputs are taken together, and whose products in the first layer are one: each output is summed in
   the same order as alone. */
typedef struct stretch {
    size_t first, end; /* steps */
    size_t rows;
} stretch;

static stretch take_stretch(part *self, size_t first)
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

static void multiply_ahead(part *self, const stretch *taken)
{
    const arnn_model *model = self->state->model;
    const arnn_affine *input = &model->ready->layers[0].input;
    const arnn_inputs inputs = {.values[ARNN_FROM_BELOW] = self->work.x,
                                .strides[ARNN_FROM_BELOW] = model->desc.inputs};
    arnn_affine_begin(input, self->work.ahead, taken->rows);
    arnn_affine_add(input, model->kernels, self->work.ahead, &inputs, taken->rows);
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
static void give_source(const part *self, size_t t, const arnn_top *top, size_t count)
{
    const arnn_model_desc *desc = &self->state->model->desc;
    const arnn_array *y = &self->sequence->out.y;
    size_t n = desc->hidden;
    if (desc->source != ARNN_SOURCE_S)
        give(y, t, &self->work, top->h, n, 0, count);
    if (desc->source != ARNN_SOURCE_H)
        give(y, t, &self->work, top->s, n, desc->source == ARNN_SOURCE_HS ? n : 0, count);
}

static void give_output(const part *self, size_t t, const arnn_top *top, size_t count)
{
    const arnn_output *out = &self->sequence->out;
    size_t n = self->state->model->desc.hidden, outputs = self->state->model->desc.outputs;
    give(&out->h, t, &self->work, top->h, n, 0, count);
    give(&out->s, t, &self->work, top->s, n, 0, count);
    if (!out->y.data)
        return;
    if (outputs)
        give(&out->y, t, &self->work, arnn_step_readout(self->state, &self->work, top, count), outputs, 0, count);
    else
        give_source(self, t, top, count);
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

/* ---- the run ---- */

/* How the first layer gets its input products. A tap may scale inputs just before they are used: then not ahead. */
static bool has_table(const part *self)
{
    return self->sequence->in.tokens && self->state->model->ready->token_inputs && !self->state->tap;
}

static void run_stretch(part *self, const stretch *taken)
{
    const arnn_model *model = self->state->model;
    size_t d = model->desc.inputs, gates = model->cell->gates * model->desc.hidden, row = 0;
    bool table = has_table(self), ahead = !table && !self->state->tap && taken->rows > 1;
    if (ahead)
        multiply_ahead(self, taken);
    for (size_t t = taken->first, count; t < taken->end; t++, row += count) {
        arnn_work work = self->work;
        arnn_map map = map_of(self->sequence, t);
        count = choose(self, t);
        if (table)
            take_tokens(self, t, count);
        work.x += row * d;
        const arnn_first first = {.ahead = ahead ? work.ahead + row * gates : NULL,
                                  .tokens = table ? work.tokens : NULL};
        arnn_top top = arnn_step_streams(self->state, &work, &first, count, &map, self->shared);
        give_output(self, t, &top, count);
    }
}

static void run_part(part *self)
{
    stretch taken;
    for (size_t t = 0; (taken = take_stretch(self, t)).rows > 0; t = taken.end)
        run_stretch(self, &taken);
}

typedef struct shares {
    arnn_state *state;
    const arnn_sequence *sequence;
    size_t count; /* of parts */
    bool shared;  /* threads share out every step: there are more of them than streams */
} shares;

static part part_of(const shares *all, size_t index, size_t worker)
{
    size_t count = all->sequence->count, first = index * count / all->count;
    return (part){
        .state = all->state,
        .sequence = all->sequence,
        .work = arnn_work_part(all->state, first, worker),
        .first = first,
        .end = (index + 1) * count / all->count,
        .shared = all->shared,
    };
}

static void run_share(void *context, size_t item, size_t worker)
{
    part own = part_of(context, item, worker);
    run_part(&own);
}

/* Bytes of the longest tape that the call will read. */
static size_t longest_tape(const arnn_state *state, const arnn_sequence *sequence)
{
    const arnn_page_shape *shape = &state->pool->shape;
    size_t longest = 0;
    for (size_t j = 0; j < sequence->count; j++) {
        size_t stream = sequence->streams ? sequence->streams[j] : j;
        size_t steps = sequence->lengths ? sequence->lengths[j] : sequence->steps;
        arnn_span span = arnn_tape_span(shape, state->tapes[stream].length + steps);
        size_t rows = span.sinks + span.rows - span.first;
        longest = rows > longest ? rows : longest;
    }
    return longest * (shape->page_bytes / shape->rows);
}

/* Going on with few streams at a time keeps their tapes in a cache, going on with all of them the weights: long sequences
   on tapes of which some fit into a cache, but not all, are made a few streams after the other. */
static size_t parts_of(const arnn_state *state, const arnn_sequence *sequence)
{
    const size_t cache = (size_t)4 << 20, steps = 32; /* bytes: a part of a last cache; and what is a long sequence */
    size_t threads = arnn_threads_count(state->threads), parts = sequence->count >= threads ? threads : 1;
    size_t tape = state->pool && sequence->steps >= steps ? longest_tape(state, sequence) : 0;
    if (tape == 0 || tape > 2 * cache || sequence->count < threads)
        return parts;
    size_t together = cache / tape > 0 ? cache / tape : 1, needed = (sequence->count + together - 1) / together;
    return needed > parts ? needed : parts;
}

arnn_status arnn_sequence_run(arnn_state *state, const arnn_sequence *sequence)
{
    shares all = {.state = state, .sequence = sequence, .count = parts_of(state, sequence)};
    all.shared = sequence->count < arnn_threads_count(state->threads);
    arnn_status status =
        arnn_state_reserve(state, sequence->streams, sequence->lengths, sequence->steps, sequence->count);
    if (status)
        return status;
    arnn_threads_run(state->threads, run_share, &all, all.count);
    arnn_state_unreserve(state, sequence->streams, sequence->count);
    return ARNN_OK;
}

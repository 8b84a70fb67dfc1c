#include "run/step.h"

#include <string.h>

#include "run/product.h"

/* What one layer of one step works on. */
typedef struct layer_step {
    arnn_state *state;
    const arnn_work *work;
    const arnn_order *order;
    const arnn_ready_layer *ready;
    const arnn_kernels *kernels;
    const arnn_map *map; /* NULL: not this layer's */
    size_t layer, count, hidden;
    arnn_inputs inputs;
    bool adjacent;      /* what streams carry is dense where it is */
    float *h, *s;       /* (count, n): what the step makes */
    float *m;           /* (count, n): the memory it makes; NULL: none */
    float *m_prev;      /* (count, n): the one before, or read from the tape; NULL: none */
    bool memory_rows;   /* the LSTM's memory is read from the tape */
    const float *input; /* what the cell was given of it */
} layer_step;

/* ---- between the streams' own places and the dense buffers ---- */

static float *own_row(const layer_step *step, float *array, size_t b)
{
    return arnn_state_row(step->state, array, step->hidden, step->layer, step->work->streams[b]);
}

/* What streams carry, dense: in `dense`, or where it is. */
static float *gather(const layer_step *step, float *dense, float *array)
{
    if (step->adjacent)
        return own_row(step, array, 0);
    for (size_t b = 0; b < step->count; b++)
        memcpy(dense + b * step->hidden, own_row(step, array, b), step->hidden * sizeof *dense);
    return dense;
}

static void scatter(const layer_step *step, float *array, const float *dense)
{
    if (dense == own_row(step, array, 0))
        return;
    for (size_t b = 0; b < step->count; b++)
        memcpy(own_row(step, array, b), dense + b * step->hidden, step->hidden * sizeof *dense);
}

/* ---- products ---- */

static void add_product(const layer_step *step, const arnn_affine *affine, float *y, const arnn_inputs *inputs)
{
    arnn_product_add(step->order, affine, step->kernels, y, inputs, step->count);
}

/* Queries or keys, as their read wants them. */
static void align(const layer_step *step, const arnn_affine *affine, float *y)
{
    arnn_affine_begin(affine, y, step->count);
    add_product(step, affine, y, &step->inputs);
    if (step->ready->read == ARNN_READ_EXPONENT)
        step->kernels->exponents(y, step->count * affine->outputs);
}

static void set_source(layer_step *step, arnn_source source, const float *values, size_t stride)
{
    step->inputs.values[source] = values;
    step->inputs.strides[source] = stride;
}

/* ---- reading the tape ---- */

static float *map_row(const layer_step *step, size_t b)
{
    if (!step->map || !step->map->weights)
        return NULL;
    float *row = step->map->weights + step->work->slots[b] * step->map->weights_stride;
    memset(row, 0, step->map->columns * sizeof *row);
    return row;
}

/* So that the weights of the last step can be asked for. */
static void remember(layer_step *step, size_t b, size_t rows, const arnn_reading *reading, const float *query)
{
    arnn_state *state = step->state;
    size_t stream = step->work->streams[b], width = state->query_width;
    memcpy(arnn_state_row(state, state->queries, width, step->layer, stream), query, width * sizeof *query);
    state->rows_read[stream] = rows;
    if (step->map && step->map->zero)
        step->map->zero[step->work->slots[b] * step->map->zero_stride] = reading->zero_weight;
}

/* Reads of all streams, `fresh` rows beyond the counted ones on each tape. */
typedef struct reads {
    layer_step *step;
    size_t fresh;
    bool apart; /* a stream is one thread's */
} reads;

static size_t rows_on(const reads *self, size_t b)
{
    return self->step->state->tapes[self->step->work->streams[b]].length + self->fresh;
}

static size_t work_of_read(const reads *self, size_t b)
{
    arnn_span span = arnn_tape_span(&self->step->state->pool->shape, rows_on(self, b));
    return ARNN_WORK_READ(span.sinks + span.rows - span.first, self->step->hidden);
}

/* Of all streams of the step, of which others hold about as much as this one. */
static size_t bytes_of_reads(const layer_step *step, const arnn_tape *tape)
{
    return step->count * tape->pages * step->state->pool->shape.page_bytes;
}

static void read_stream(void *context, size_t b, size_t worker)
{
    const reads *self = context;
    layer_step *step = self->step;
    arnn_state *state = step->state;
    arnn_query query = step->ready->form;
    const arnn_work *work = step->work;
    size_t n = step->hidden, rows = rows_on(self, b);
    bool shared = step->order->threads && !self->apart && work_of_read(self, b) >= ARNN_WORK_SHARED;
    arnn_reading reading = {
        .h = step->s + b * n,
        .m = step->memory_rows ? step->m_prev + b * n : NULL,
        .run_h = work->run_h + worker * n,
        .run_m = step->memory_rows ? work->run_m + worker * n : NULL,
        .share = shared ? &work->share : NULL,
        .weights = map_row(step, b),
    };
    query.query = work->query + b * state->query_width;
    query.newest = rows > 0 ? rows - 1 : 0;
    query.bytes = bytes_of_reads(step, &state->tapes[work->streams[b]]);
    arnn_read_tape(&reading, &step->ready->reader, &query, &state->tapes[work->streams[b]], &state->pool->shape,
                   step->layer, rows);
    remember(step, b, rows, &reading, query.query);
    work->logsumexp[b] = reading.logsumexp;
}

/* Threads take whole streams where these come out even, or nearly, else runs of every tape. */
static bool streams_apart(const reads *self)
{
    size_t count = self->step->count, threads = arnn_threads_count(self->step->order->threads), work = 0, most = 0;
    if (threads == 1)
        return false;
    for (size_t b = 0; b < count; b++) {
        size_t own = work_of_read(self, b);
        work += own;
        most = own > most ? own : most;
    }
    bool even = (count % threads == 0 || count > 2 * threads) && most / 9 * 8 <= work / threads;
    return even && work >= ARNN_WORK_SHARED;
}

static void read_tapes(layer_step *step, size_t fresh)
{
    const arnn_order *order = step->order;
    reads all = {.step = step, .fresh = fresh};
    all.apart = streams_apart(&all);
    align(step, &step->ready->query, step->work->query);
    arnn_threads_run(all.apart ? order->threads : NULL, read_stream, &all, step->count, order->back);
}

/* ---- writing it ---- */

static void write_rows(layer_step *step)
{
    const arnn_state *state = step->state;
    size_t n = step->hidden, k = step->ready->key.outputs;
    if (k)
        align(step, &step->ready->key, step->work->key);
    for (size_t b = 0; b < step->count; b++) {
        arnn_tape *tape = &state->tapes[step->work->streams[b]];
        arnn_tape_write(tape, &state->pool->shape, step->kernels, step->layer, tape->length, step->h + b * n,
                        step->m ? step->m + b * n : NULL, k ? step->work->key + b * k : NULL, 1);
    }
}

/* ---- the cell ---- */

/* The input product: ahead, from the table of tokens, or now; what else it reads is added. */
static float *make_input(layer_step *step, const arnn_first *first)
{
    const arnn_affine *affine = &step->ready->input;
    const float *table = step->state->model->ready->token_inputs;
    float *input = first->ahead ? first->ahead : step->work->input;
    arnn_inputs inputs = step->inputs;
    if (first->ahead || first->tokens)
        inputs.values[ARNN_FROM_BELOW] = inputs.values[ARNN_FROM_INPUT] = NULL;
    else
        arnn_affine_begin(affine, input, step->count);
    for (size_t b = 0; b < step->count && first->tokens; b++)
        memcpy(input + b * affine->outputs, table + (size_t)first->tokens[b] * affine->outputs,
               affine->outputs * sizeof *input);
    add_product(step, affine, input, &inputs);
    return input;
}

/* Of one stream. */
static void run_stream(void *context, size_t b, size_t worker)
{
    const layer_step *step = context;
    const arnn_work *work = step->work;
    size_t n = step->hidden, gates = b * step->ready->input.outputs;
    const arnn_cell_step cell = {
        .h = step->h + b * n,
        .m = step->m ? step->m + b * n : NULL,
        .input = step->input + gates,
        .recurrent = work->recurrent ? work->recurrent + gates : NULL,
        .carried = step->inputs.values[ARNN_FROM_CARRIED] + b * n,
        .memory = step->m_prev ? step->m_prev + b * n : NULL,
        .streams = 1,
        .hidden = n,
    };
    (void)worker;
    step->state->model->cell->forward(step->kernels, &cell);
}

static void run_cell(layer_step *step, const arnn_first *first)
{
    const arnn_affine *recurrent = &step->ready->recurrent;
    float *apart = step->work->recurrent;
    bool shared = ARNN_WORK_CELL(step->ready->input.outputs, step->count) >= ARNN_WORK_SHARED;
    step->input = make_input(step, first);
    if (apart) {
        arnn_affine_begin(recurrent, apart, step->count);
        add_product(step, recurrent, apart, &step->inputs);
    }
    arnn_threads_run(shared ? step->order->threads : NULL, run_stream, step, step->count, step->order->back);
}

/* ---- a layer, a step ---- */

/* A memory that is not on the tape takes the place of the one before. */
static void take_values(layer_step *step)
{
    arnn_state *state = step->state;
    const arnn_work *work = step->work;
    const float *s = gather(step, work->s_old, state->s);
    set_source(step, ARNN_FROM_SUMMARY, s, step->hidden);
    set_source(step, ARNN_FROM_CARRIED, state->h ? gather(step, work->carried, state->h) : s, step->hidden);
    step->m = work->m;
    step->m_prev = work->m_old;
    if (state->m)
        step->m = step->m_prev = gather(step, work->m_old, state->m);
}

static void keep_values(layer_step *step)
{
    arnn_state *state = step->state;
    scatter(step, state->s, step->s);
    if (state->h)
        scatter(step, state->h, step->h);
    if (state->m)
        scatter(step, state->m, step->m);
}

static void tell(const layer_step *step)
{
    arnn_state *state = step->state;
    const arnn_layer_values values = {
        .layer = step->layer,
        .count = step->count,
        .h = step->h,
        .s = step->s,
        .m = state->model->cell->has_memory ? step->m : NULL,
        .memory = step->memory_rows ? step->m_prev : NULL,
        .logsumexp = state->pool ? step->work->logsumexp : NULL,
        .input = step->input,
        .recurrent = step->work->recurrent,
    };
    state->tap->layer(state->tap, step->work->streams, &values);
}

static void step_layer(layer_step *step, const arnn_first *first)
{
    const arnn_wiring *wiring = step->state->wiring;
    take_values(step);
    if (wiring->reads_first) {
        read_tapes(step, 0);
        set_source(step, ARNN_FROM_SUMMARY, step->s, step->hidden);
        set_source(step, ARNN_FROM_CARRIED, step->s, step->hidden);
    }
    run_cell(step, first);
    set_source(step, ARNN_FROM_HIDDEN, step->h, step->hidden);
    if (step->state->pool)
        write_rows(step);
    if (wiring->reads_last)
        read_tapes(step, 1);
    if (!step->state->pool)
        step->s = step->h;
    keep_values(step);
    if (step->state->tap)
        tell(step);
}

static void hear_input(const arnn_moment *moment, size_t layer)
{
    const arnn_model_desc *desc = &moment->state->model->desc;
    arnn_tap *tap = moment->state->tap;
    float *below = layer > 0 ? moment->work.h[(layer - 1) % 2] : moment->work.x;
    tap->input(tap, moment->work.streams, layer, below, layer > 0 ? desc->hidden : desc->inputs, moment->count);
}

void arnn_step_layer(const arnn_moment *moment, size_t layer, const arnn_first *first)
{
    const arnn_model *model = moment->state->model;
    const arnn_work *work = &moment->work;
    size_t n = model->desc.hidden, d = model->desc.inputs;
    layer_step step = {
        .state = moment->state,
        .work = work,
        .order = &moment->order,
        .ready = &model->ready->layers[layer],
        .kernels = model->kernels,
        .map = moment->map.layer == layer ? &moment->map : NULL,
        .layer = layer,
        .count = moment->count,
        .adjacent = moment->adjacent,
        .hidden = n,
        .h = work->h[layer % 2],
        .s = work->s,
        .memory_rows = arnn_desc_has_memory_rows(&model->desc),
    };
    if (step.state->tap)
        hear_input(moment, layer);
    set_source(&step, ARNN_FROM_BELOW, layer > 0 ? work->h[(layer - 1) % 2] : work->x, layer > 0 ? n : d);
    set_source(&step, ARNN_FROM_INPUT, work->x, d);
    step_layer(&step, first);
}

void arnn_step_open(const arnn_moment *moment)
{
    arnn_state *state = moment->state;
    for (size_t b = 0; b < moment->count && state->pool; b++)
        arnn_tape_open(&state->tapes[moment->work.streams[b]], &state->pool->shape);
}

void arnn_step_close(const arnn_moment *moment)
{
    arnn_state *state = moment->state;
    for (size_t b = 0; b < moment->count; b++) {
        state->tapes[moment->work.streams[b]].length++;
        state->stepped[moment->work.streams[b]] = true;
    }
}

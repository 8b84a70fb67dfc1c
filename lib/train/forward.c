/* The forward pass: the ordinary run, listened to. */
#include <string.h>

#include "train/layout.h"

/* ---- what the run began with ---- */

static void take_tape(arnn_record *record, size_t layer, size_t stream)
{
    const arnn_state *state = record->state;
    const arnn_page_shape *shape = &state->pool->shape;
    arnn_kept *kept = &record->kept[layer];
    size_t n = shape->hidden, first = stream * (record->past + record->steps), rows = record->before[stream];
    for (size_t row = 0, count; row < rows; row += count) {
        arnn_tape_rows found;
        bool there = arnn_tape_find(&state->tapes[stream], shape, layer, row, &found);
        count = there ? found.count : 1; /* what window and sinks have left behind is not read again */
        count = count < rows - row ? count : rows - row;
        float *h = kept->h + (first + row) * n, *m = shape->memories ? kept->m + (first + row) * n : NULL;
        if (there)
            memcpy(h, found.h, count * n * sizeof *h);
        else
            memset(h, 0, count * n * sizeof *h);
        if (m && there)
            memcpy(m, found.m, count * n * sizeof *m);
        else if (m)
            memset(m, 0, count * n * sizeof *m);
    }
}

static void take_values(arnn_record *record, size_t layer, size_t stream)
{
    arnn_state *state = record->state;
    const arnn_kept *kept = &record->kept[layer];
    size_t n = record->model->desc.hidden, late = stream * (record->steps + 1) * n;
    memcpy(kept->s + late, arnn_state_row(state, state->s, n, layer, stream), n * sizeof(float));
    if (state->m)
        memcpy(kept->m + late, arnn_state_row(state, state->m, n, layer, stream), n * sizeof(float));
    if (state->h)
        memcpy(kept->first_h + stream * n, arnn_state_row(state, state->h, n, layer, stream), n * sizeof(float));
    if (state->pool)
        take_tape(record, layer, stream);
}

/* ---- what it makes ---- */

static arnn_record *record_of(arnn_tap *tap)
{
    return (arnn_record *)(void *)((char *)tap - offsetof(arnn_record, tap));
}

static size_t time_of(const arnn_record *record, size_t stream)
{
    return record->state->tapes[stream].length - record->before[stream];
}

static void hear_input(arnn_tap *tap, const size_t *streams, size_t layer, float *below, size_t width, size_t count)
{
    arnn_record *record = record_of(tap);
    size_t all = arnn_desc_input_width(&record->model->desc, layer), d = record->model->desc.inputs;
    for (size_t b = 0; b < count; b++, below += width) {
        size_t stream = streams[b], time = time_of(record, stream);
        size_t row = stream * record->steps + time;
        float *x = record->kept[layer].x + row * all;
        if (record->dropout.apply)
            record->dropout.apply(record->dropout.context, layer, stream, time, below, width);
        memcpy(x, below, width * sizeof *x);
        if (all > width)
            memcpy(x + width, record->kept[0].x + row * d, d * sizeof *x);
    }
}

static void put(float *array, size_t row, const float *values, size_t b, size_t n)
{
    if (array && values)
        memcpy(array + row * n, values + b * n, n * sizeof *array);
}

/* Queries of the top layer, which is gone back over first, wait where the pass puts what they are owed. */
static void put_query(const arnn_record *record, size_t layer, size_t stream, size_t row)
{
    const arnn_state *state = record->state;
    if (record->work->dq && layer + 1 == record->model->desc.layers)
        put(record->work->dq, row, arnn_state_row(state, state->queries, state->query_width, layer, stream), 0,
            state->query_width);
}

static void hear_layer(arnn_tap *tap, const size_t *streams, const arnn_layer_values *values)
{
    arnn_record *record = record_of(tap);
    const arnn_kept *kept = &record->kept[values->layer];
    size_t n = record->model->desc.hidden, gates = record->model->cell->gates * n;
    for (size_t b = 0; b < values->count; b++) {
        size_t stream = streams[b], time = time_of(record, stream);
        size_t row = stream * record->steps + time, late = stream * (record->steps + 1) + time + 1;
        size_t taped = stream * (record->past + record->steps) + record->before[stream] + time;
        put(kept->h, taped, values->h, b, n);
        put(kept->s, late, values->s, b, n);
        put(kept->m, values->memory ? taped : late, values->m, b, n);
        put(kept->memory, row, values->memory, b, n);
        put(kept->logsumexp, row, values->logsumexp, b, 1);
        put_query(record, values->layer, stream, row);
        put(kept->dp, row, values->input, b, gates);
        put(kept->dp_recurrent, row, values->recurrent, b, gates);
    }
}

void arnn_record_listen(arnn_record *record)
{
    record->tap = (arnn_tap){.input = hear_input, .layer = hear_layer};
}

/* ---- the run ---- */

static size_t length_of(const arnn_sequence *sequence, size_t stream)
{
    return sequence->lengths ? sequence->lengths[stream] : sequence->steps;
}

static arnn_status check_room(const arnn_record *record, const arnn_sequence *sequence)
{
    if (sequence->steps > record->steps)
        return arnn_error(ARNN_SHAPE, "%zu steps, the record has room for %zu", sequence->steps, record->steps);
    for (size_t b = 0; b < sequence->count && record->state->pool; b++) {
        if (record->state->tapes[b].length > record->past)
            return arnn_error(ARNN_FULL, "stream %zu has %zu rows on its tape, the record keeps %zu of the past", b,
                              record->state->tapes[b].length, record->past);
    }
    return ARNN_OK;
}

static void take_tokens(arnn_record *record, const arnn_sequence *sequence)
{
    for (size_t b = 0; b < sequence->count && record->tokens; b++) {
        for (size_t t = 0; t < record->lengths[b]; t++)
            record->tokens[b * record->steps + t] =
                sequence->in.tokens[t * sequence->in.time_stride + b * sequence->in.stream_stride];
    }
}

arnn_status arnn_record_run(arnn_record *record, const arnn_sequence *sequence)
{
    arnn_state *state = record->state;
    arnn_status status = check_room(record, sequence);
    if (!status)
        status = arnn_state_refresh(state);
    if (status)
        return status;
    record->ran = false;
    record->count = sequence->count;
    record->last_steps = sequence->steps;
    record->changes = record->model->changes;
    for (size_t b = 0; b < sequence->count; b++) {
        record->lengths[b] = length_of(sequence, b);
        record->before[b] = state->tapes[b].length;
        for (size_t layer = 0; layer < record->model->desc.layers; layer++)
            take_values(record, layer, b);
    }
    take_tokens(record, sequence);
    record->tap.scales = record->dropout.apply != NULL;
    state->tap = &record->tap;
    status = arnn_sequence_run(state, sequence);
    state->tap = NULL;
    record->ran = !status;
    return status;
}

#include "run/sequence.h"

#include <string.h>

#include "run/step.h"

/* Fills work.streams and work.slots with those that have a step at time t. */
static size_t choose(arnn_state *state, const arnn_sequence *sequence, size_t t)
{
    size_t count = 0;
    for (size_t j = 0; j < sequence->count; j++) {
        if (sequence->lengths && sequence->lengths[j] <= t)
            continue;
        state->work.streams[count] = sequence->streams ? sequence->streams[j] : j;
        state->work.slots[count] = j;
        count++;
    }
    return count;
}

/* ---- input ---- */

static size_t input_offset(const arnn_sequence *sequence, size_t t, size_t slot)
{
    return t * sequence->in.time_stride + slot * sequence->in.stream_stride;
}

static void take_input(arnn_state *state, const arnn_sequence *sequence, size_t t, size_t count)
{
    arnn_work *work = &state->work;
    size_t d = state->model->desc.inputs;
    for (size_t b = 0; b < count; b++) {
        size_t offset = input_offset(sequence, t, work->slots[b]);
        const float *x = sequence->in.x ? sequence->in.x + offset
                                        : state->model->ready->embed + (size_t)sequence->in.tokens[offset] * d;
        if (!sequence->in.x)
            work->tokens[b] = sequence->in.tokens[offset];
        memcpy(work->x + b * d, x, d * sizeof *x);
    }
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
static void give_source(arnn_state *state, const arnn_sequence *sequence, size_t t, const arnn_top *top, size_t count)
{
    const arnn_model_desc *desc = &state->model->desc;
    const arnn_array *y = &sequence->out.y;
    size_t n = desc->hidden;
    if (desc->source != ARNN_SOURCE_S)
        give(y, t, &state->work, top->h, n, 0, count);
    if (desc->source != ARNN_SOURCE_H)
        give(y, t, &state->work, top->s, n, desc->source == ARNN_SOURCE_HS ? n : 0, count);
}

static void give_output(arnn_state *state, const arnn_sequence *sequence, size_t t, const arnn_top *top, size_t count)
{
    size_t n = state->model->desc.hidden, outputs = state->model->desc.outputs;
    give(&sequence->out.h, t, &state->work, top->h, n, 0, count);
    give(&sequence->out.s, t, &state->work, top->s, n, 0, count);
    if (!sequence->out.y.data)
        return;
    if (outputs)
        give(&sequence->out.y, t, &state->work, arnn_step_readout(state, top, count), outputs, 0, count);
    else
        give_source(state, sequence, t, top, count);
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

arnn_status arnn_sequence_run(arnn_state *state, const arnn_sequence *sequence)
{
    arnn_status status =
        arnn_state_reserve(state, sequence->streams, sequence->lengths, sequence->steps, sequence->count);
    if (status)
        return status;
    bool table = sequence->in.tokens && state->model->ready->token_inputs && !state->tap;
    for (size_t t = 0, count; t < sequence->steps && (count = choose(state, sequence, t)) > 0; t++) {
        arnn_map map = map_of(sequence, t);
        take_input(state, sequence, t, count);
        arnn_top top = arnn_step_streams(state, table ? state->work.tokens : NULL, count, &map);
        give_output(state, sequence, t, &top, count);
    }
    arnn_state_unreserve(state, sequence->streams, sequence->count);
    return ARNN_OK;
}

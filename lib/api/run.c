#include "api/api.h"

#include "base/memory.h"
#include "run/sequence.h"

/* ---- strides ---- */

/* Sets strides that are 0, and sees that the last element's index is one. */
static arnn_status resolve(const char *name, size_t *time_stride, size_t *stream_stride, size_t width,
                           const arnn_sequence *sequence)
{
    size_t over_time, over_streams, last;
    bool fits = true;
    if (*stream_stride == 0)
        *stream_stride = width;
    if (*time_stride == 0)
        fits = arnn_size_mul(time_stride, sequence->count, *stream_stride);
    size_t later = sequence->steps > 1 ? sequence->steps - 1 : 0,
           others = sequence->count > 1 ? sequence->count - 1 : 0;
    fits = (fits || later == 0) && arnn_size_mul(&over_time, later, *time_stride) &&
           arnn_size_mul(&over_streams, others, *stream_stride) && arnn_size_add(&last, over_time, over_streams) &&
           arnn_size_add(&last, last, width) && last <= PTRDIFF_MAX / sizeof(float);
    if (!fits)
        return arnn_error(ARNN_SHAPE, "%s: strides %zu and %zu overflow the address space", name, *time_stride,
                          *stream_stride);
    return ARNN_OK;
}

/* No two elements of an output may share memory: one of its axes lies within a stride of the other. */
static arnn_status check_distinct(const char *name, const arnn_array *array, size_t width,
                                  const arnn_sequence *sequence)
{
    size_t later = sequence->steps > 1 ? sequence->steps - 1 : 0,
           others = sequence->count > 1 ? sequence->count - 1 : 0;
    size_t row = others * array->stream_stride + width, column = later * array->time_stride + width;
    bool streams_fit = others == 0 || array->stream_stride >= width;
    bool times_fit = later == 0 || array->time_stride >= width;
    bool nested = others == 0 || later == 0 || array->time_stride >= row || array->stream_stride >= column;
    if (streams_fit && times_fit && nested)
        return ARNN_OK;
    return arnn_error(ARNN_SHAPE, "%s: with strides %zu and %zu elements of width %zu overlap", name,
                      array->time_stride, array->stream_stride, width);
}

arnn_status arnn_check_array(const char *name, arnn_array *array, size_t width, const arnn_sequence *sequence)
{
    if (!array->data)
        return ARNN_OK;
    arnn_status status = resolve(name, &array->time_stride, &array->stream_stride, width, sequence);
    return status ? status : check_distinct(name, array, width, sequence);
}

/* ---- input ---- */

static size_t length_of(const arnn_sequence *sequence, size_t j)
{
    return sequence->lengths ? sequence->lengths[j] : sequence->steps;
}

static arnn_status check_tokens(const arnn_sequence *sequence, size_t vocab)
{
    for (size_t j = 0; j < sequence->count; j++) {
        for (size_t t = 0; t < length_of(sequence, j); t++) {
            int32_t token = sequence->in.tokens[t * sequence->in.time_stride + j * sequence->in.stream_stride];
            if (token < 0 || (size_t)token >= vocab)
                return arnn_error(ARNN_INVALID_ARGUMENT, "token %d at time %zu of element %zu, expected 0 to %zu",
                                  (int)token, t, j, vocab - 1);
        }
    }
    return ARNN_OK;
}

arnn_status arnn_check_input(arnn_sequence *sequence, const arnn_model_desc *desc)
{
    bool tokens = desc->vocab > 0;
    if ((sequence->in.tokens != NULL) != tokens || (sequence->in.x != NULL) == tokens)
        return arnn_error(ARNN_INVALID_ARGUMENT, "the model reads %s: give %s and leave the other NULL",
                          tokens ? "token ids" : "dense input", tokens ? "tokens" : "x");
    arnn_status status =
        resolve("input", &sequence->in.time_stride, &sequence->in.stream_stride, tokens ? 1 : desc->inputs, sequence);
    return status || !tokens ? status : check_tokens(sequence, desc->vocab);
}

/* ---- output ---- */

static arnn_status check_map(arnn_sequence *sequence, const arnn_state *state)
{
    arnn_output *out = &sequence->out;
    if (!out->map.data && !out->map_zero.data)
        return ARNN_OK;
    if (!state->pool)
        return arnn_error(ARNN_UNSUPPORTED, "a map is wanted: wiring none has no attention");
    arnn_status status = arnn_check_layer(state, out->map_layer);
    for (size_t j = 0; j < sequence->count && !status; j++) {
        size_t rows, stream = sequence->streams ? sequence->streams[j] : j;
        arnn_size_add(&rows, state->tapes[stream].length, length_of(sequence, j));
        if (out->map.data && rows > out->map_columns)
            status = arnn_error(ARNN_SHAPE, "map_columns is %zu, stream %zu will have %zu rows", out->map_columns,
                                stream, rows);
    }
    if (!status)
        status = arnn_check_array("map", &out->map, out->map_columns, sequence);
    if (!status)
        status = arnn_check_array("map_zero", &out->map_zero, 1, sequence);
    return status;
}

static arnn_status check_output(arnn_sequence *sequence, const arnn_state *state)
{
    const arnn_model_desc *desc = &state->model->desc;
    arnn_output *out = &sequence->out;
    arnn_status status = arnn_check_array("y", &out->y, arnn_desc_output_width(desc), sequence);
    if (!status)
        status = arnn_check_array("h", &out->h, desc->hidden, sequence);
    if (!status)
        status = arnn_check_array("s", &out->s, desc->hidden, sequence);
    return status ? status : check_map(sequence, state);
}

/* ---- the whole ---- */

arnn_status arnn_input_default(arnn_input *in, size_t struct_size)
{
    ARNN_REQUIRE(in);
    arnn_status status = arnn_check_struct("arnn_input", struct_size, sizeof *in);
    if (!status)
        *in = (arnn_input){.struct_size = sizeof *in};
    return status;
}

arnn_status arnn_output_default(arnn_output *out, size_t struct_size)
{
    ARNN_REQUIRE(out);
    arnn_status status = arnn_check_struct("arnn_output", struct_size, sizeof *out);
    if (!status)
        *out = (arnn_output){.struct_size = sizeof *out};
    return status;
}

arnn_status arnn_check_lengths(const arnn_sequence *sequence)
{
    for (size_t j = 0; j < sequence->count; j++) {
        if (length_of(sequence, j) > sequence->steps)
            return arnn_error(ARNN_SHAPE, "lengths[%zu] is %zu, above %zu steps", j, sequence->lengths[j],
                              sequence->steps);
    }
    return ARNN_OK;
}

arnn_status arnn_check_sequence(arnn_state *state, arnn_sequence *sequence, const arnn_output *out,
                                const arnn_input *in)
{
    ARNN_REQUIRE(state);
    ARNN_REQUIRE(in);
    arnn_status status = arnn_check_struct("arnn_input", in->struct_size, sizeof *in);
    if (!status && out)
        status = arnn_check_struct("arnn_output", out->struct_size, sizeof *out);
    if (!status)
        status = arnn_check_streams(state, sequence->streams, sequence->count);
    if (!status)
        status = arnn_check_lengths(sequence);
    if (status || sequence->count == 0 || sequence->steps == 0)
        return status;
    sequence->in = *in;
    if (out)
        sequence->out = *out;
    status = arnn_check_input(sequence, &state->model->desc);
    if (!status)
        status = check_output(sequence, state);
    return status ? status : arnn_state_refresh(state);
}

arnn_status arnn_step(arnn_state *state, const arnn_output *out, const arnn_input *in, const size_t *streams,
                      size_t count)
{
    arnn_sequence sequence = {.streams = streams, .steps = 1, .count = count};
    arnn_status status = arnn_check_sequence(state, &sequence, out, in);
    return status || count == 0 ? status : arnn_sequence_run(state, &sequence);
}

arnn_status arnn_forward(arnn_state *state, const arnn_output *out, const arnn_input *in, const size_t *lengths,
                         const size_t *streams, size_t steps, size_t count)
{
    arnn_sequence sequence = {.streams = streams, .lengths = lengths, .steps = steps, .count = count};
    arnn_status status = arnn_check_sequence(state, &sequence, out, in);
    return status || count == 0 || steps == 0 ? status : arnn_sequence_run(state, &sequence);
}

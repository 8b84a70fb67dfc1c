#include "api/api.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "run/state.h"

arnn_status arnn_state_create(arnn_state **out, arnn_model *model, arnn_cache *cache, size_t streams)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(model);
    if (arnn_desc_has_tape(&model->desc) && !cache)
        return arnn_error(ARNN_INVALID_ARGUMENT, "cache is NULL: this model attends and needs one");
    if (cache && cache->model != model)
        return arnn_error(ARNN_INVALID_ARGUMENT, "the cache was made for another model");
    if (streams > INT32_MAX)
        return arnn_error(ARNN_INVALID_ARGUMENT, "%zu streams, at most %d are possible", streams, (int)INT32_MAX);
    return arnn_state_new(out, model, cache, streams);
}

void arnn_state_destroy(arnn_state *state)
{
    arnn_state_release(state);
}

size_t arnn_state_streams(const arnn_state *state)
{
    return state ? state->streams : 0;
}

arnn_status arnn_state_length(const arnn_state *state, size_t *length, size_t stream)
{
    ARNN_REQUIRE(state);
    ARNN_REQUIRE(length);
    arnn_status status = arnn_check_stream(state, stream);
    if (!status)
        *length = state->tapes[stream].length;
    return status;
}

arnn_status arnn_state_reset(arnn_state *state, const size_t *streams, size_t count)
{
    ARNN_REQUIRE(state);
    for (size_t j = 0; streams && j < count; j++) {
        arnn_status status = arnn_check_stream(state, streams[j]);
        if (status)
            return status;
    }
    for (size_t j = 0; j < (streams ? count : state->streams); j++)
        arnn_state_clear(state, streams ? streams[j] : j);
    return ARNN_OK;
}

/* ---- values ---- */

static arnn_status check_value(float **array, const arnn_state *state, int32_t which, size_t layer, size_t stream)
{
    static const char *const names[] = {[ARNN_VALUE_S] = "s", [ARNN_VALUE_M] = "m", [ARNN_VALUE_H] = "h"};
    if (which < ARNN_VALUE_S || which > ARNN_VALUE_H)
        return arnn_error(ARNN_INVALID_ARGUMENT, "which is %d, expected 0 to %d", (int)which, (int)ARNN_VALUE_H);
    arnn_status status = arnn_check_layer(state, layer);
    if (!status)
        status = arnn_check_stream(state, stream);
    if (status)
        return status;
    *array = arnn_state_values(state, which);
    if (!*array)
        return arnn_error(ARNN_UNSUPPORTED, "this model does not carry %s from step to step", names[which]);
    return ARNN_OK;
}

/* A GRU blends what it carries into its states, and an 8-bit tape holds no more than 1. */
static arnn_status check_bounded(const arnn_state *state, const float *values, size_t count)
{
    if (!state->pool || state->pool->shape.h_type != ARNN_TYPE_I8 || state->model->desc.cell != ARNN_CELL_GRU)
        return ARNN_OK;
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(values[i]) <= 1.0f))
            return arnn_error(ARNN_INVALID_ARGUMENT, "values[%zu] is %g: a GRU on an 8-bit tape must begin within +-1",
                              i, (double)values[i]);
    }
    return ARNN_OK;
}

arnn_status arnn_state_get(const arnn_state *state, float *values, int32_t which, size_t layer, size_t stream)
{
    float *array;
    ARNN_REQUIRE(state);
    ARNN_REQUIRE(values);
    arnn_status status = check_value(&array, state, which, layer, stream);
    size_t n = state->model->desc.hidden;
    if (!status)
        memcpy(values, arnn_state_row(state, array, n, layer, stream), n * sizeof *values);
    return status;
}

arnn_status arnn_state_set(arnn_state *state, int32_t which, size_t layer, size_t stream, const float *values)
{
    float *array;
    ARNN_REQUIRE(state);
    ARNN_REQUIRE(values);
    arnn_status status = check_value(&array, state, which, layer, stream);
    size_t n = state->model->desc.hidden;
    if (!status)
        status = check_bounded(state, values, n);
    if (!status)
        memcpy(arnn_state_row(state, array, n, layer, stream), values, n * sizeof *values);
    return status;
}

/* ---- rows ---- */

static arnn_status check_tape(const arnn_state *state, size_t stream)
{
    arnn_status status = arnn_check_stream(state, stream);
    if (!status && !state->pool)
        return arnn_error(ARNN_UNSUPPORTED, "wiring none has no tape");
    return status;
}

arnn_status arnn_state_append(arnn_state *state, size_t stream, const float *h, const float *m, size_t rows)
{
    size_t floats;
    ARNN_REQUIRE(state);
    arnn_status status = check_tape(state, stream);
    if (status || rows == 0)
        return status;
    const arnn_page_shape *shape = &state->pool->shape;
    ARNN_REQUIRE(h);
    if (shape->memories && !m)
        return arnn_error(ARNN_INVALID_ARGUMENT, "m is NULL: this model's tape holds rows of m beside h");
    if (!shape->memories && m)
        return arnn_error(ARNN_INVALID_ARGUMENT, "m is given: this model's tape holds no rows of m");
    if (!arnn_size_mul(&floats, shape->layers * shape->hidden, rows) || floats > PTRDIFF_MAX / sizeof(float))
        return arnn_error(ARNN_INVALID_ARGUMENT, "%zu rows overflow the address space", rows);
    status = arnn_state_refresh(state);
    return status ? status : arnn_state_extend(state, stream, h, m, rows);
}

static void decode(float *values, const void *rows, int32_t type, size_t count)
{
    const arnn_element *element = arnn_element_of(type);
    for (size_t i = 0; i < count; i++)
        values[i] = element->decode(rows, i);
}

/* Each row for itself: recycled pages may stand between them. */
static arnn_status copy_rows(const arnn_state *state, float *h, float *m, size_t layer, size_t stream, size_t first,
                             size_t rows, bool write)
{
    const arnn_page_shape *shape = &state->pool->shape;
    size_t n = shape->hidden;
    for (size_t i = 0; i < rows;) {
        arnn_tape_rows found;
        if (!arnn_tape_find(&state->tapes[stream], shape, layer, first + i, &found))
            return arnn_error(ARNN_NOT_FOUND, "row %zu of stream %zu has left its window and sinks", first + i, stream);
        size_t count = found.count < rows - i ? found.count : rows - i;
        if (write)
            decode(h + i * n, found.h, shape->h_type, count * n);
        if (write && m)
            decode(m + i * n, found.m, shape->m_type, count * n);
        i += count;
    }
    return ARNN_OK;
}

arnn_status arnn_state_rows(const arnn_state *state, float *h, float *m, size_t layer, size_t stream, size_t first,
                            size_t rows)
{
    ARNN_REQUIRE(state);
    arnn_status status = check_tape(state, stream);
    if (!status)
        status = arnn_check_layer(state, layer);
    if (status)
        return status;
    ARNN_REQUIRE(h);
    size_t length = state->tapes[stream].length;
    if (m && !state->pool->shape.memories)
        return arnn_error(ARNN_UNSUPPORTED, "m is given: this model's tape holds no rows of m");
    if (first > length || rows > length - first)
        return arnn_error(ARNN_NOT_FOUND, "rows %zu to %zu of stream %zu, which has %zu", first, first + rows, stream,
                          length);
    status = copy_rows(state, h, m, layer, stream, first, rows, false);
    return status ? status : copy_rows(state, h, m, layer, stream, first, rows, true);
}

arnn_status arnn_state_lost(const arnn_state *state, int32_t *lost, size_t stream)
{
    ARNN_REQUIRE(state);
    ARNN_REQUIRE(lost);
    arnn_status status = arnn_check_stream(state, stream);
    if (!status)
        *lost = state->tapes[stream].lost;
    return status;
}

arnn_status arnn_state_weights(const arnn_state *state, float *weights, float *zero, float *logsumexp, size_t layer,
                               size_t stream, size_t count)
{
    ARNN_REQUIRE(state);
    arnn_status status = check_tape(state, stream);
    if (!status)
        status = arnn_check_layer(state, layer);
    if (status)
        return status;
    if (!state->stepped[stream])
        return arnn_error(ARNN_NOT_FOUND, "stream %zu made no step since it was created, reset or appended to", stream);
    if (weights && count < state->rows_read[stream])
        return arnn_error(ARNN_SHAPE, "weights has room for %zu rows, the tape had %zu", count,
                          state->rows_read[stream]);
    status = arnn_state_refresh(state);
    if (status)
        return status;
    if (weights)
        memset(weights, 0, count * sizeof *weights);
    arnn_state_weigh(state, weights, zero, logsumexp, layer, stream);
    return ARNN_OK;
}

#include "api/api.h"

#include <stddef.h>

#include "run/state.h"

/* struct_size tells versions apart only if no struct ends in padding, in which the next member would hide. */
#define ENDS_WITH(type, member) \
    _Static_assert(sizeof(type) == offsetof(type, member) + sizeof(((type *)0)->member), #type " ends in padding")
ENDS_WITH(arnn_model_desc, outputs);
ENDS_WITH(arnn_load_options, reserved);
ENDS_WITH(arnn_cache_desc, max_bytes);
ENDS_WITH(arnn_input, stream_stride);
ENDS_WITH(arnn_output, map_columns);
ENDS_WITH(arnn_trainer_desc, past);
ENDS_WITH(arnn_examples, reserved);
ENDS_WITH(arnn_training, norm);
ENDS_WITH(arnn_record_desc, past);
ENDS_WITH(arnn_output_gradient, s);
ENDS_WITH(arnn_gradient, h);

arnn_status arnn_check_struct(const char *name, size_t given, size_t expected)
{
    if (given != expected)
        return arnn_error(ARNN_INVALID_ARGUMENT, "struct_size of %s is %zu, expected %zu", name, given, expected);
    return ARNN_OK;
}

arnn_status arnn_check_threads(int32_t threads)
{
    if (threads < 1 || threads > ARNN_THREADS_MOST)
        return arnn_error(ARNN_INVALID_ARGUMENT, "threads is %d, expected 1 to %d", (int)threads, ARNN_THREADS_MOST);
    return ARNN_OK;
}

arnn_status arnn_check_stream(const arnn_state *state, size_t stream)
{
    if (stream >= state->streams)
        return arnn_error(ARNN_NOT_FOUND, "stream %zu of %zu", stream, state->streams);
    return ARNN_OK;
}

arnn_status arnn_check_layer(const arnn_state *state, size_t layer)
{
    if (layer >= state->model->desc.layers)
        return arnn_error(ARNN_NOT_FOUND, "layer %zu of %zu", layer, state->model->desc.layers);
    return ARNN_OK;
}

static arnn_status mark(const arnn_state *state, const size_t *streams, size_t j)
{
    arnn_status status = arnn_check_stream(state, streams[j]);
    if (!status && state->chosen[streams[j]])
        status = arnn_error(ARNN_INVALID_ARGUMENT, "stream %zu is chosen twice", streams[j]);
    if (!status)
        state->chosen[streams[j]] = true;
    return status;
}

arnn_status arnn_check_streams(const arnn_state *state, const size_t *streams, size_t count)
{
    arnn_status status = ARNN_OK;
    size_t marked = 0;
    if (!streams)
        return count > state->streams ? arnn_check_stream(state, state->streams) : ARNN_OK;
    while (marked < count && !(status = mark(state, streams, marked)))
        marked++;
    while (marked > 0)
        state->chosen[streams[--marked]] = false;
    return status;
}

#include "run/state.h"

#include <string.h>

#include "base/memory.h"

/* ---- life ---- */

/* One array of floats that a state owns: made by one list and freed by the same. */
typedef struct need {
    float **pointer;
    size_t width;  /* 0: this model has none */
    size_t copies; /* of the width */
} need;

#define NEEDS_MOST 24

static size_t query_width(const arnn_model_desc *desc)
{
    if (!arnn_desc_has_tape(desc))
        return 0;
    return arnn_score_of(desc->score)->has_keys ? desc->align : desc->hidden;
}

static size_t list_needs(arnn_state *state, need needs[NEEDS_MOST])
{
    const arnn_model_desc *desc = &state->model->desc;
    arnn_work *work = &state->work;
    bool tape = arnn_desc_has_tape(desc), rows = arnn_desc_has_memory_rows(desc);
    size_t n = desc->hidden, all, streams = state->streams, count = 0;
    size_t h = state->wiring->carries_h ? n : 0, m = state->model->cell->has_memory ? n : 0;
    size_t keys = tape && arnn_score_of(desc->score)->has_keys ? desc->align : 0;
    size_t gates = state->model->cell->gates * n;
    size_t threads = arnn_threads_count(state->threads), ahead, readout;
    arnn_size_add(&ahead, streams, ARNN_AHEAD_ROWS);
    arnn_size_mul(&ahead, ahead, threads);
    arnn_size_add(&readout, streams, ARNN_READOUT_ROWS);
    arnn_size_mul(&readout, readout, threads);
    arnn_size_mul(&all, desc->layers, streams); /* SIZE_MAX, of which there is no memory, where it overflows */
    const need list[] = {
        {&state->s, n, all},
        {&state->h, h, all},
        {&state->m, rows ? 0 : m, all},
        {&state->queries, state->query_width, all},
        {&work->x, desc->inputs, ahead},
        {&work->ahead, gates, ahead},
        {&work->h[0], n, ahead},
        {&work->h[1], n, ahead},
        {&work->s, n, ahead},
        {&work->s_old, n, streams},
        {&work->carried, h, streams},
        {&work->m, rows ? m : 0, streams},
        {&work->m_old, m, streams},
        {&work->input, gates, streams},
        {&work->recurrent, state->model->cell->splits ? gates : 0, streams},
        {&work->query, state->query_width, streams},
        {&work->key, keys, streams},
        {&work->logsumexp, tape ? 1 : 0, streams},
        {&work->y, desc->outputs, readout},
        {&work->run_h, tape ? n : 0, threads},
        {&work->run_m, rows ? n : 0, threads},
        {&work->share.h, tape && threads > 1 ? n : 0, ARNN_SHARED_RUNS},
        {&work->share.m, rows && threads > 1 ? n : 0, ARNN_SHARED_RUNS},
    };
    _Static_assert(sizeof list <= NEEDS_MOST * sizeof *needs, "NEEDS_MOST is too small");
    for (; count < sizeof list / sizeof *list; count++)
        needs[count] = list[count];
    return count;
}

static arnn_status create_floats(arnn_state *state)
{
    need needs[NEEDS_MOST];
    size_t count = list_needs(state, needs), floats;
    for (size_t i = 0; i < count; i++) {
        if (needs[i].width == 0)
            continue;
        bool fits = arnn_size_mul(&floats, needs[i].width, needs[i].copies);
        *needs[i].pointer = fits ? arnn_alloc_floats(floats) : NULL;
        if (!*needs[i].pointer)
            return arnn_error_no_memory("a state");
    }
    return ARNN_OK;
}

static void destroy_floats(arnn_state *state)
{
    need needs[NEEDS_MOST];
    for (size_t i = list_needs(state, needs); i-- > 0;)
        arnn_free(*needs[i].pointer);
}

static arnn_status create_lists(arnn_state *state)
{
    state->tapes = arnn_alloc(state->streams, sizeof *state->tapes);
    state->rows_read = arnn_alloc(state->streams, sizeof *state->rows_read);
    state->stepped = arnn_alloc(state->streams, sizeof *state->stepped);
    state->chosen = arnn_alloc(state->streams, sizeof *state->chosen);
    state->work.streams = arnn_alloc(state->streams, sizeof(size_t));
    state->work.slots = arnn_alloc(state->streams, sizeof(size_t));
    state->work.tokens = arnn_alloc(state->streams, sizeof(int32_t));
    arnn_share *share = &state->work.share;
    share->most = state->pool && state->threads ? ARNN_SHARED_RUNS : 0;
    share->runs = arnn_alloc(share->most, sizeof *share->runs);
    share->partials = arnn_alloc(share->most, sizeof *share->partials);
    bool lists = share->runs && share->partials && state->tapes && state->rows_read && state->stepped && state->chosen;
    bool work = state->work.streams && state->work.slots && state->work.tokens;
    return lists && work ? ARNN_OK : arnn_error_no_memory("a state");
}

arnn_status arnn_state_new(arnn_state **out, arnn_model *model, arnn_cache *cache, size_t streams)
{
    *out = NULL;
    arnn_status status = arnn_model_lock(model);
    if (status)
        return status;
    arnn_state *state = arnn_alloc(1, sizeof *state);
    if (!state) {
        arnn_model_unlock(model);
        return arnn_error_no_memory("a state");
    }
    arnn_model_retain(model);
    if (cache)
        arnn_cache_retain(cache);
    state->model = model;
    state->cache = cache;
    state->pool = arnn_desc_has_tape(&model->desc) ? &cache->pool : NULL;
    state->threads = cache && model->kernels->shares ? cache->threads : NULL;
    state->work.share.threads = state->threads;
    state->streams = streams;
    state->wiring = arnn_wiring_of(&model->desc);
    state->query_width = query_width(&model->desc);
    status = create_lists(state);
    if (!status)
        status = create_floats(state);
    if (status)
        arnn_state_release(state);
    else
        *out = state;
    return status;
}

void arnn_state_yield(arnn_state *state)
{
    arnn_model_unlock(state->model);
    state->yields = true;
}

arnn_status arnn_state_refresh(const arnn_state *state)
{
    return state->yields ? arnn_model_refresh(state->model, state->threads) : ARNN_OK;
}

static void release_tapes(arnn_state *state)
{
    for (size_t stream = 0; state->pool && state->tapes && stream < state->streams; stream++)
        arnn_tape_clear(&state->tapes[stream], state->pool);
}

void arnn_state_release(arnn_state *state)
{
    if (!state)
        return;
    release_tapes(state);
    destroy_floats(state);
    arnn_free(state->work.share.runs);
    arnn_free(state->work.share.partials);
    arnn_free(state->work.streams);
    arnn_free(state->work.slots);
    arnn_free(state->work.tokens);
    arnn_free(state->tapes);
    arnn_free(state->rows_read);
    arnn_free(state->stepped);
    arnn_free(state->chosen);
    arnn_cache_release(state->cache);
    if (!state->yields)
        arnn_model_unlock(state->model);
    arnn_model_release(state->model);
    arnn_free(state);
}

arnn_work arnn_work_part(const arnn_state *state, size_t first, size_t worker)
{
    const arnn_model_desc *desc = &state->model->desc;
    arnn_work work = state->work;
    size_t n = desc->hidden, gates = state->model->cell->gates * n, ahead = worker * (state->streams + ARNN_AHEAD_ROWS);
    size_t readout = worker * (state->streams + ARNN_READOUT_ROWS);
    const struct {
        float **pointer;
        size_t floats;
    } moves[] = {
        {&work.x, ahead * desc->inputs},
        {&work.ahead, ahead * gates},
        {&work.h[0], ahead * n},
        {&work.h[1], ahead * n},
        {&work.s, ahead * n},
        {&work.s_old, first * n},
        {&work.carried, first * n},
        {&work.m, first * n},
        {&work.m_old, first * n},
        {&work.input, first * gates},
        {&work.recurrent, first * gates},
        {&work.query, first * state->query_width},
        {&work.key, first * desc->align},
        {&work.logsumexp, first},
        {&work.y, readout * desc->outputs},
        {&work.run_h, worker * n},
        {&work.run_m, worker * n},
    };
    for (size_t i = 0; i < sizeof moves / sizeof *moves; i++) {
        if (*moves[i].pointer)
            *moves[i].pointer += moves[i].floats;
    }
    work.tokens += first;
    work.streams += first;
    work.slots += first;
    return work;
}

/* ---- values ---- */

arnn_work arnn_work_rows(const arnn_state *state, const arnn_work *work, size_t row)
{
    arnn_work rows = *work;
    size_t n = state->model->desc.hidden;
    rows.x += row * state->model->desc.inputs;
    rows.ahead += row * state->model->cell->gates * n;
    rows.h[0] += row * n;
    rows.h[1] += row * n;
    rows.s += row * n;
    return rows;
}

float *arnn_state_row(const arnn_state *state, float *array, size_t width, size_t layer, size_t stream)
{
    return array + (layer * state->streams + stream) * width;
}

float *arnn_state_values(const arnn_state *state, int32_t which)
{
    float *const arrays[] = {[ARNN_VALUE_S] = state->s, [ARNN_VALUE_M] = state->m, [ARNN_VALUE_H] = state->h};
    return arrays[which];
}

void arnn_state_clear(arnn_state *state, size_t stream)
{
    size_t n = state->model->desc.hidden;
    for (int32_t which = ARNN_VALUE_S; which <= ARNN_VALUE_H; which++) {
        float *array = arnn_state_values(state, which);
        for (size_t layer = 0; array && layer < state->model->desc.layers; layer++)
            memset(arnn_state_row(state, array, n, layer, stream), 0, n * sizeof *array);
    }
    if (state->pool)
        arnn_tape_clear(&state->tapes[stream], state->pool);
    state->tapes[stream].length = 0;
    state->stepped[stream] = false;
}

/* ---- pages ---- */

static size_t steps_of(const size_t *lengths, size_t steps, size_t j)
{
    return lengths ? lengths[j] : steps;
}

static size_t stream_of(const size_t *streams, size_t j)
{
    return streams ? streams[j] : j;
}

arnn_status arnn_state_reserve(arnn_state *state, const size_t *streams, const size_t *lengths, size_t steps,
                               size_t count)
{
    size_t total = 0;
    arnn_pool *pool = state->pool;
    if (!pool)
        return ARNN_OK;
    for (size_t j = 0; j < count; j++) {
        const arnn_tape *tape = &state->tapes[stream_of(streams, j)];
        arnn_size_add(&total, total, arnn_tape_pages_needed(tape, &pool->shape, steps_of(lengths, steps, j)));
    }
    arnn_status status = total ? arnn_pool_provide_unused(pool, total) : ARNN_OK;
    for (size_t j = 0; j < count && total && !status; j++)
        arnn_tape_reserve(&state->tapes[stream_of(streams, j)], pool, steps_of(lengths, steps, j));
    return status;
}

void arnn_state_unreserve(arnn_state *state, const size_t *streams, size_t count)
{
    for (size_t j = 0; j < count && state->pool; j++)
        arnn_tape_release(&state->tapes[stream_of(streams, j)], state->pool);
}

/* ---- rows given by the caller ---- */

/* Rows of one layer on the newest page; as many at a time as there is room for their keys. */
static void extend_layer(arnn_state *state, arnn_tape *tape, size_t layer, const float *h, const float *m, size_t rows)
{
    const arnn_ready_layer *ready = &state->model->ready->layers[layer];
    const arnn_kernels *kernels = state->model->kernels;
    size_t n = state->model->desc.hidden, most = state->work.key ? state->streams : rows;
    for (size_t i = 0, count; i < rows; i += count) {
        count = rows - i < most ? rows - i : most;
        const arnn_inputs states = {.values[ARNN_FROM_HIDDEN] = h + i * n, .strides[ARNN_FROM_HIDDEN] = n};
        if (state->work.key)
            arnn_ready_align(ready, &ready->key, kernels, state->work.key, &states, count);
        arnn_tape_write(tape, &state->pool->shape, kernels, layer, tape->length + i, h + i * n, m ? m + i * n : NULL,
                        state->work.key, count);
    }
}

/* Rows that end with their page, in every layer. h and m (layers, all, n) point at the first of them in the first
   layer. */
static size_t extend_page(arnn_state *state, arnn_tape *tape, const float *h, const float *m, size_t all, size_t rows)
{
    const arnn_page_shape *shape = &state->pool->shape;
    size_t n = shape->hidden, room = shape->rows - tape->length % shape->rows;
    rows = rows < room ? rows : room;
    arnn_tape_open(tape, shape);
    for (size_t layer = 0; layer < shape->layers; layer++)
        extend_layer(state, tape, layer, h + layer * all * n, m ? m + layer * all * n : NULL, rows);
    tape->length += rows;
    return rows;
}

arnn_status arnn_state_extend(arnn_state *state, size_t stream, const float *h, const float *m, size_t rows)
{
    size_t n = state->model->desc.hidden;
    arnn_status status = arnn_state_reserve(state, &stream, NULL, rows, 1);
    for (size_t i = 0; i < rows && !status;)
        i += extend_page(state, &state->tapes[stream], h + i * n, m ? m + i * n : NULL, rows, rows - i);
    if (!status) {
        arnn_state_unreserve(state, &stream, 1);
        state->stepped[stream] = state->stepped[stream] && rows == 0;
    }
    return status;
}

/* ---- weights of the last step ---- */

void arnn_state_weigh(const arnn_state *state, float *weights, float *zero, float *logsumexp, size_t layer,
                      size_t stream)
{
    const arnn_ready_layer *ready = &state->model->ready->layers[layer];
    size_t rows = state->rows_read[stream];
    arnn_query query = ready->form;
    query.query = arnn_state_row(state, state->queries, state->query_width, layer, stream);
    query.newest = rows > 0 ? rows - 1 : 0;
    bool memories = state->pool->shape.memories;
    const arnn_work *work = &state->work;
    arnn_reading reading = {.h = work->s, .m = memories ? work->m : NULL, .weights = weights};
    reading.run_h = work->run_h;
    reading.run_m = memories ? work->run_m : NULL;
    arnn_read_tape(&reading, &ready->reader, &query, &state->tapes[stream], &state->pool->shape, layer, rows);
    if (zero)
        *zero = reading.zero_weight;
    if (logsumexp)
        *logsumexp = reading.logsumexp;
}

#include "run/sequence.h"

#include "base/cpu.h"
#include "base/memory.h"
#include "run/product.h"
#include "run/stretch.h"

static size_t length_of(const arnn_sequence *sequence, size_t j)
{
    return sequence->lengths ? sequence->lengths[j] : sequence->steps;
}

/* That the last step of element j will read. */
static size_t rows_read(const arnn_state *state, const arnn_sequence *sequence, size_t j)
{
    size_t stream = sequence->streams ? sequence->streams[j] : j;
    arnn_span span = arnn_tape_span(&state->pool->shape, state->tapes[stream].length + length_of(sequence, j));
    return span.sinks + span.rows - span.first;
}

/* ---- how much there is to do ---- */

/* Weights that a step of one stream multiplies. */
static size_t weights_of(const arnn_state *state)
{
    const arnn_ready *ready = state->model->ready;
    size_t weights = arnn_affine_weights(&ready->readout, NULL);
    for (size_t i = 0; i < state->model->desc.layers; i++) {
        const arnn_ready_layer *layer = &ready->layers[i];
        weights += arnn_affine_weights(&layer->input, NULL) + arnn_affine_weights(&layer->recurrent, NULL) +
                   arnn_affine_weights(&layer->query, NULL) + arnn_affine_weights(&layer->key, NULL);
    }
    return weights;
}

/* Of these, those that it reads anew: the first layer's inputs are multiplied some steps at a time. */
static size_t weights_read(const arnn_state *state, const arnn_sequence *sequence)
{
    const arnn_affine *input = &state->model->ready->layers[0].input;
    size_t ahead = sequence->steps > 1 ? input->parts[ARNN_FROM_BELOW].inputs * input->outputs : 0;
    return weights_of(state) - ahead;
}

/* In units of run/product.h; SIZE_MAX where it overflows. */
static size_t work_of(const arnn_state *state, const arnn_sequence *sequence)
{
    size_t all = 0, weights = weights_of(state), layers = state->model->desc.layers, n = state->model->desc.hidden;
    for (size_t j = 0; j < sequence->count; j++) {
        size_t rows = state->pool ? rows_read(state, sequence, j) : 0, own;
        arnn_size_mul(&own, length_of(sequence, j), weights + layers * ARNN_WORK_READ(rows, n));
        arnn_size_add(&all, all, own);
    }
    return all;
}

static size_t steps_of(const arnn_sequence *sequence)
{
    size_t all = 0;
    for (size_t j = 0; j < sequence->count; j++)
        arnn_size_add(&all, all, length_of(sequence, j));
    return all;
}

/* Bytes of the longest tape that the call will read. */
static size_t longest_tape(const arnn_state *state, const arnn_sequence *sequence)
{
    const arnn_page_shape *shape = &state->pool->shape;
    size_t longest = 0;
    for (size_t j = 0; j < sequence->count; j++) {
        size_t rows = rows_read(state, sequence, j);
        longest = rows > longest ? rows : longest;
    }
    return longest * (shape->page_bytes / shape->rows);
}

/* ---- who does what ---- */

typedef struct plan {
    arnn_state *state;
    const arnn_sequence *sequence;
    size_t parts, steps;   /* steps: of all streams */
    arnn_threads *threads; /* share out parts, or, where there is one, its steps; NULL: the calling one alone */
} plan;

/* Going on with few streams at a time keeps their tapes in a cache, going on with all of them the weights: long
   sequences on tapes that some cache holds are made a few streams after the other, as many as the second one holds
   beside the weights, or, where these are not there in any case, or what is fetched far ahead comes as fast from there, the
   last one. */
static size_t parts_for_tapes(const arnn_state *state, const arnn_sequence *sequence)
{
    const size_t second = (size_t)3 << 19, last = (size_t)4 << 20, steps = 32; /* bytes; and what is a long sequence */
    size_t tape = state->pool && sequence->steps >= steps ? longest_tape(state, sequence) : 0;
    if (tape == 0 || tape > 2 * last)
        return 1;
    size_t cache = weights_read(state, sequence) <= ARNN_NEAR_WEIGHTS && !arnn_cpu_fetches_far() ? second : last;
    size_t together = cache / tape > 0 ? cache / tape : 1;
    return (sequence->count + together - 1) / together;
}

/* Weights of which a core holds its part, but not all, are fetched from afar by every thread that makes whole streams,
   which takes longer than to multiply them by a few; by very few, where the last cache is fast. */
static bool better_by_steps(const arnn_state *state, const arnn_sequence *sequence, size_t threads)
{
    const size_t few = arnn_cpu_fetches_far() ? 1 : 8; /* streams a thread */
    return weights_read(state, sequence) > ARNN_NEAR_WEIGHTS && sequence->count <= few * threads;
}

/* Threads take whole streams, for all of their steps; or they share out the steps: where most would get no stream, or
   for the sake of the weights, if a step is worth it. */
static plan plan_of(arnn_state *state, const arnn_sequence *sequence)
{
    plan all = {.state = state, .sequence = sequence, .parts = 1, .threads = state->threads};
    size_t count = sequence->count, threads = arnn_threads_count(state->threads), needed;
    size_t work = threads > 1 ? work_of(state, sequence) : 0;
    all.steps = steps_of(sequence);
    needed = parts_for_tapes(state, sequence);
    if (work < ARNN_WORK_SHARED)
        all.threads = NULL;
    else if (work / 2 / all.steps < ARNN_WORK_SHARED ||
             (count > threads / 2 && (needed > 1 || !better_by_steps(state, sequence, threads))))
        all.parts = count < threads ? count : threads;
    else
        return all;
    if (needed > all.parts) { /* as many for every thread */
        size_t rounds = all.threads ? (needed + threads - 1) / threads * threads : needed;
        all.parts = rounds < count ? rounds : count;
    }
    return all;
}

/* The first element of a part: all have about the same number of steps. */
static size_t first_of(const plan *all, size_t part)
{
    const arnn_sequence *sequence = all->sequence;
    size_t before = all->steps / all->parts * part + all->steps % all->parts * part / all->parts, steps = 0, j = 0;
    if (part == all->parts)
        return sequence->count;
    while (j < sequence->count && steps + length_of(sequence, j) / 2 < before)
        steps += length_of(sequence, j++);
    return j;
}

static void run_part(void *context, size_t item, size_t worker)
{
    const plan *all = context;
    size_t first = first_of(all, item);
    arnn_part own = {
        .state = all->state,
        .sequence = all->sequence,
        .work = arnn_work_part(all->state, first, worker),
        .first = first,
        .end = first_of(all, item + 1),
        .threads = all->parts == 1 ? all->threads : NULL,
    };
    arnn_part_run(&own);
}

arnn_status arnn_sequence_run(arnn_state *state, const arnn_sequence *sequence)
{
    plan all = plan_of(state, sequence);
    arnn_status status =
        arnn_state_reserve(state, sequence->streams, sequence->lengths, sequence->steps, sequence->count);
    if (status)
        return status;
    arnn_threads_run(all.threads, run_part, &all, all.parts, false);
    arnn_state_unreserve(state, sequence->streams, sequence->count);
    return ARNN_OK;
}

/* Loss without gradients: on states of its own, some steps at a time, so that sequences of any length take no more
   memory than their tapes. */
#include <stdint.h>
#include <string.h>

#include "base/memory.h"
#include "train/feed.h"

#define CHUNK 64 /* steps at a time */

typedef struct judge {
    const arnn_lesson *lesson;
    int32_t over;
    arnn_head head;
    arnn_cache *cache;
    arnn_state *state;
    size_t n, count;
    float *h, *s;    /* (count, CHUNK, n) */
    float *means;    /* (count, 2 n) */
    size_t *lengths; /* (count): of this chunk */
} judge;

static void judge_destroy(judge *judge)
{
    arnn_head_destroy(&judge->head);
    arnn_state_release(judge->state);
    arnn_cache_release(judge->cache);
    arnn_free(judge->h);
    arnn_free(judge->s);
    arnn_free(judge->means);
    arnn_free(judge->lengths);
}

static arnn_status make_state(judge *judge, arnn_model *model)
{
    const arnn_cache_desc desc = {.struct_size = sizeof desc, .threads = 1, .max_bytes = SIZE_MAX};
    arnn_status status = arnn_cache_new(&judge->cache, model, &desc);
    return status ? status : arnn_state_new(&judge->state, model, judge->cache, judge->count);
}

static arnn_status judge_create(judge *judge, const arnn_trainer *trainer, const arnn_lesson *lesson)
{
    size_t rows, floats;
    memset(judge, 0, sizeof *judge);
    judge->lesson = lesson;
    judge->over = trainer->desc.over;
    judge->n = trainer->model->desc.hidden;
    judge->count = lesson->sequence.count;
    arnn_status status = arnn_head_create(&judge->head, trainer->model, trainer->loss);
    if (!status)
        status = make_state(judge, trainer->model);
    if (status)
        return status;
    if (arnn_size_mul(&rows, judge->count, CHUNK) && arnn_size_mul(&floats, rows, judge->n)) {
        judge->h = arnn_alloc_floats(floats);
        judge->s = arnn_alloc_floats(floats);
        judge->means = arnn_alloc_floats(2 * judge->count * judge->n);
        judge->lengths = arnn_alloc(judge->count, sizeof *judge->lengths);
    }
    if (judge->h && judge->s && judge->means && judge->lengths)
        return ARNN_OK;
    return arnn_error_no_memory("an evaluation");
}

/* The steps first .. first + CHUNK - 1 as a sequence of their own. */
static arnn_sequence chunk(const judge *judge, size_t first)
{
    arnn_sequence part = judge->lesson->sequence;
    arnn_array out = {.time_stride = judge->n, .stream_stride = CHUNK * judge->n};
    size_t left = part.steps - first;
    part.steps = left < CHUNK ? left : CHUNK;
    part.lengths = judge->lengths;
    if (part.in.x)
        part.in.x += first * part.in.time_stride;
    else
        part.in.tokens += first * part.in.time_stride;
    part.out.h = part.out.s = out;
    part.out.h.data = judge->h;
    part.out.s.data = judge->s;
    for (size_t j = 0; j < judge->count; j++) {
        size_t length = arnn_lesson_length(judge->lesson, j), rest = length > first ? length - first : 0;
        judge->lengths[j] = rest < part.steps ? rest : part.steps;
    }
    return part;
}

static void feed(judge *judge, size_t first)
{
    for (size_t j = 0; j < judge->count; j++) {
        arnn_feed feed = {
            .stream = j,
            .first = first,
            .count = judge->lengths[j],
            .length = arnn_lesson_length(judge->lesson, j),
            .h = judge->h + j * CHUNK * judge->n,
            .s = judge->s + j * CHUNK * judge->n,
            .mean = judge->means + 2 * j * judge->n,
        };
        arnn_feed_head(&judge->head, judge->lesson, judge->over, &feed);
    }
    arnn_head_finish(&judge->head); /* its rows point into h and s */
}

arnn_status arnn_trainer_judge(const arnn_trainer *trainer, arnn_training *training, const arnn_lesson *lesson)
{
    judge judge;
    const arnn_mask none = {.rate = 0.0f};
    arnn_status status = judge_create(&judge, trainer, lesson);
    if (!status)
        arnn_head_begin(&judge.head, 0.0f, NULL, &none);
    for (size_t first = 0; first < lesson->sequence.steps && !status; first += CHUNK) {
        arnn_sequence part = chunk(&judge, first);
        status = arnn_sequence_run(judge.state, &part);
        if (!status)
            feed(&judge, first);
    }
    if (!status)
        arnn_training_write(training, &judge.head, lesson);
    judge_destroy(&judge);
    return status;
}

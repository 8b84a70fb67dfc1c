/* A small model in training. A lesson stays where it was made: its examples point into it. */
#ifndef ARNN_TESTS_API_LESSONS_H
#define ARNN_TESTS_API_LESSONS_H

#include "check.h"
#include "world.h"

enum { STREAMS = 2, STEPS = 4, OUTPUTS = 3 };

typedef struct lesson {
    arnn_model *model;
    arnn_trainer_desc desc;
    arnn_trainer *trainer;
    float x[STEPS * STREAMS * WORLD_INPUTS];
    int32_t labels[STEPS * STREAMS];
    float values[STEPS * STREAMS * OUTPUTS];
    arnn_examples examples; /* with x and labels */
} lesson;

static inline arnn_model_desc lesson_model(int32_t cell, int32_t wiring)
{
    arnn_model_desc desc = world_desc(cell, wiring);
    desc.outputs = OUTPUTS;
    return desc;
}

static inline void lesson_make(lesson *l, int32_t cell, int32_t wiring, int32_t loss, int32_t over, int32_t optimiser)
{
    arnn_model_desc desc = lesson_model(cell, wiring);
    *l = (lesson){.model = NULL};
    assert_ok(arnn_model_create(&l->model, &desc));
    assert_ok(arnn_model_init(l->model, 1));
    assert_ok(arnn_trainer_desc_default(&l->desc, sizeof l->desc));
    l->desc.loss = loss;
    l->desc.over = over;
    l->desc.optimiser = optimiser;
    l->desc.streams = STREAMS;
    l->desc.steps = STEPS;
    assert_ok(arnn_trainer_create(&l->trainer, l->model, &l->desc));
    for (size_t i = 0; i < COUNT(l->x); i++)
        l->x[i] = (float)(i * 7 % 11) / 11.0f - 0.4f;
    for (size_t i = 0; i < COUNT(l->labels); i++)
        l->labels[i] = (int32_t)(i * 5 % OUTPUTS);
    for (size_t i = 0; i < COUNT(l->values); i++)
        l->values[i] = (float)(i % 5) * 0.2f;
    assert_ok(arnn_examples_default(&l->examples, sizeof l->examples));
    l->examples.x = l->x;
    l->examples.labels = loss == ARNN_LOSS_CROSS_ENTROPY ? l->labels : NULL;
    l->examples.values = loss == ARNN_LOSS_CROSS_ENTROPY ? NULL : l->values;
    l->examples.steps = STEPS;
    l->examples.count = STREAMS;
}

static inline void lesson_free(lesson *l)
{
    arnn_trainer_destroy(l->trainer);
    arnn_model_destroy(l->model);
}

/* The model's bytes and the number of updates: what an error must not change. The caller frees. */
static inline char *lesson_picture(const lesson *l, size_t *bytes)
{
    assert_ok(arnn_model_save_memory(l->model, NULL, 0, bytes));
    char *data = malloc(*bytes + sizeof(uint64_t));
    uint64_t updates = arnn_trainer_updates(l->trainer);
    assert_non_null(data);
    assert_ok(arnn_model_save_memory(l->model, data, *bytes, bytes));
    memcpy(data + *bytes, &updates, sizeof updates);
    *bytes += sizeof updates;
    return data;
}

static inline void lesson_unchanged(const lesson *l, char *before, size_t bytes)
{
    size_t now_bytes;
    char *now = lesson_picture(l, &now_bytes);
    assert_int_equal(now_bytes, bytes);
    assert_memory_equal(now, before, bytes);
    free(now);
    free(before);
}

#endif

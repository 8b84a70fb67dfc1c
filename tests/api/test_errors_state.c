/* Errors of section 5 of the header: states. After each the state is as it was. */
#include "check.h"
#include "world.h"

static world made(int32_t cell, int32_t wiring, size_t steps)
{
    arnn_model_desc desc = world_desc(cell, wiring);
    world w;
    world_make(&w, &desc, NULL);
    world_run(&w, steps);
    return w;
}

static void refused(const char *word, arnn_model *model, arnn_cache *cache)
{
    arnn_state *state = (arnn_state *)(intptr_t)1;
    assert_error(ARNN_INVALID_ARGUMENT, word, arnn_state_create(&state, model, cache, 1));
    assert_null(state);
}

static void test_create(void **unused)
{
    (void)unused;
    world after = made(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 0), other = made(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 0);
    world none = made(ARNN_CELL_GRU, ARNN_WIRING_NONE, 0);
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_state_create(NULL, after.model, after.cache, 1));
    refused("model", NULL, after.cache);
    refused("cache", after.model, NULL);
    refused("cache", after.model, other.cache);
    refused("cache", none.model, after.cache);
    arnn_state *state = (arnn_state *)(intptr_t)1;
    const size_t many[] = {(size_t)INT32_MAX + 1, SIZE_MAX / 2};
    for (size_t i = 0; i < COUNT(many); i++) {
        state = (arnn_state *)(intptr_t)1;
        assert_error(ARNN_INVALID_ARGUMENT, "streams", arnn_state_create(&state, after.model, after.cache, many[i]));
        assert_null(state);
    }
    world_free(&after);
    world_free(&other);
    world_free(&none);
}

static void test_lengths(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_RNN_RELU, ARNN_WIRING_AFTER, 2);
    size_t length = 77;
    assert_int_equal(arnn_state_streams(w.state), WORLD_STREAMS);
    assert_int_equal(arnn_state_streams(NULL), 0);
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_length(NULL, &length, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "length", arnn_state_length(w.state, NULL, 0));
    assert_error(ARNN_NOT_FOUND, "3", arnn_state_length(w.state, &length, WORLD_STREAMS));
    assert_error(ARNN_NOT_FOUND, "", arnn_state_length(w.state, &length, SIZE_MAX));
    assert_int_equal(length, 77);
    world_free(&w);
}

static void test_reset(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_LSTM, ARNN_WIRING_BESIDE, 3);
    picture before = world_picture(&w);
    const size_t streams[] = {0, 1, WORLD_STREAMS};
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_reset(NULL, streams, 1));
    assert_error(ARNN_NOT_FOUND, "3", arnn_state_reset(w.state, streams, 3));
    world_unchanged(&w, &before);
    assert_ok(arnn_state_reset(w.state, NULL, 0));
    size_t length, used;
    assert_ok(arnn_state_length(w.state, &length, 2));
    assert_ok(arnn_cache_bytes(w.cache, NULL, &used));
    assert_int_equal(length | used, 0);
    world_free(&w);
}

/* Which values each kind of model carries: spec of arnn_state_get. */
static void test_values_not_carried(void **unused)
{
    (void)unused;
    const struct {
        int32_t cell, wiring, which;
    } missing[] = {
        {ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE, ARNN_VALUE_M},   {ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE, ARNN_VALUE_H},
        {ARNN_CELL_GRU, ARNN_WIRING_AFTER, ARNN_VALUE_M},       {ARNN_CELL_GRU, ARNN_WIRING_AFTER, ARNN_VALUE_H},
        {ARNN_CELL_RNN_RELU, ARNN_WIRING_BESIDE, ARNN_VALUE_M}, {ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, ARNN_VALUE_M},
        {ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, ARNN_VALUE_H},     {ARNN_CELL_LSTM, ARNN_WIRING_NONE, ARNN_VALUE_H},
    };
    for (size_t i = 0; i < COUNT(missing); i++) {
        world w = made(missing[i].cell, missing[i].wiring, 1);
        picture before = world_picture(&w);
        float values[WORLD_WIDTH] = {0.5f, 0.5f};
        assert_error(ARNN_UNSUPPORTED, "", arnn_state_get(w.state, values, missing[i].which, 0, 0));
        assert_error(ARNN_UNSUPPORTED, "", arnn_state_set(w.state, missing[i].which, 0, 0, values));
        assert_true(values[0] == 0.5f && values[2] == 0.0f);
        world_unchanged(&w, &before);
        world_free(&w);
    }
}

static void test_values(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_LSTM, ARNN_WIRING_BESIDE, 2);
    picture before = world_picture(&w);
    float values[WORLD_WIDTH] = {0};
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_get(NULL, values, ARNN_VALUE_S, 0, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "values", arnn_state_get(w.state, NULL, ARNN_VALUE_S, 0, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_set(NULL, ARNN_VALUE_S, 0, 0, values));
    assert_error(ARNN_INVALID_ARGUMENT, "values", arnn_state_set(w.state, ARNN_VALUE_S, 0, 0, NULL));
    const int32_t wrong[] = {-1, ARNN_VALUE_H + 1, INT32_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_error(ARNN_INVALID_ARGUMENT, "", arnn_state_get(w.state, values, wrong[i], 0, 0));
        assert_error(ARNN_INVALID_ARGUMENT, "", arnn_state_set(w.state, wrong[i], 0, 0, values));
    }
    for (int32_t which = ARNN_VALUE_S; which <= ARNN_VALUE_H; which++) {
        assert_error(ARNN_NOT_FOUND, "layer", arnn_state_get(w.state, values, which, 1, 0));
        assert_error(ARNN_NOT_FOUND, "stream", arnn_state_get(w.state, values, which, 0, WORLD_STREAMS));
        assert_error(ARNN_NOT_FOUND, "layer", arnn_state_set(w.state, which, 1, 0, values));
        assert_error(ARNN_NOT_FOUND, "stream", arnn_state_set(w.state, which, 0, WORLD_STREAMS, values));
    }
    world_unchanged(&w, &before);
    world_free(&w);
}

static void test_append(void **unused)
{
    (void)unused;
    float rows[2 * WORLD_WIDTH] = {0.25f};
    world none = made(ARNN_CELL_LSTM, ARNN_WIRING_NONE, 1), after = made(ARNN_CELL_LSTM, ARNN_WIRING_AFTER, 1);
    world w = made(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, 1);
    picture before = world_picture(&w), before_none = world_picture(&none), before_after = world_picture(&after);
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_append(none.state, 0, rows, NULL, 2));
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_append(NULL, 0, rows, rows, 2));
    assert_error(ARNN_INVALID_ARGUMENT, "h", arnn_state_append(w.state, 0, NULL, rows, 2));
    assert_error(ARNN_INVALID_ARGUMENT, "m", arnn_state_append(w.state, 0, rows, NULL, 2));
    assert_error(ARNN_INVALID_ARGUMENT, "m", arnn_state_append(after.state, 0, rows, rows, 2));
    assert_error(ARNN_NOT_FOUND, "3", arnn_state_append(w.state, WORLD_STREAMS, rows, rows, 2));
    world_unchanged(&w, &before);
    world_unchanged(&none, &before_none);
    world_unchanged(&after, &before_after);
    world_free(&w);
    world_free(&none);
    world_free(&after);
}

static void test_append_to_a_full_cache(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE);
    arnn_cache_desc room;
    assert_ok(arnn_cache_desc_default(&room, sizeof room));
    room.streams = WORLD_STREAMS;
    room.rows = 1;
    room.max_bytes = 0;
    world w;
    world_make(&w, &desc, &room);
    world_run(&w, 1);
    size_t page;
    assert_ok(arnn_cache_page(w.cache, &page, &(size_t){0}));
    float *rows = calloc((page + 1) * WORLD_WIDTH, sizeof *rows);
    assert_non_null(rows);
    picture before = world_picture(&w);
    assert_error(ARNN_FULL, "", arnn_state_append(w.state, 1, rows, rows, page + 1));
    world_unchanged(&w, &before);
    assert_ok(arnn_state_append(w.state, 1, rows, rows, page - 1));
    free(rows);
    world_free(&w);
}

static void test_rows(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 3), none = made(ARNN_CELL_GRU, ARNN_WIRING_NONE, 3);
    float h[4 * WORLD_WIDTH] = {0}, m[4 * WORLD_WIDTH] = {0}, zeros[4 * WORLD_WIDTH] = {0};
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_rows(NULL, h, NULL, 0, 0, 0, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "h", arnn_state_rows(w.state, NULL, NULL, 0, 0, 0, 1));
    assert_error(ARNN_NOT_FOUND, "layer", arnn_state_rows(w.state, h, NULL, 1, 0, 0, 1));
    assert_error(ARNN_NOT_FOUND, "stream", arnn_state_rows(w.state, h, NULL, 0, WORLD_STREAMS, 0, 1));
    assert_error(ARNN_NOT_FOUND, "row", arnn_state_rows(w.state, h, NULL, 0, 0, 3, 1));
    assert_error(ARNN_NOT_FOUND, "row", arnn_state_rows(w.state, h, NULL, 0, 0, 0, 4));
    assert_error(ARNN_NOT_FOUND, "row", arnn_state_rows(w.state, h, NULL, 0, 0, SIZE_MAX, 2));
    assert_error(ARNN_NOT_FOUND, "row", arnn_state_rows(w.state, h, NULL, 0, 0, 1, SIZE_MAX));
    assert_error(ARNN_UNSUPPORTED, "m", arnn_state_rows(w.state, h, m, 0, 0, 0, 1));
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_rows(none.state, h, NULL, 0, 0, 0, 1));
    assert_memory_equal(h, zeros, sizeof h);
    assert_memory_equal(m, zeros, sizeof m);
    world_free(&w);
    world_free(&none);
}

static void test_recycled_rows(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    desc.window = 2;
    desc.sinks = 1;
    world w;
    world_make(&w, &desc, NULL);
    size_t page;
    assert_ok(arnn_cache_page(w.cache, &page, &(size_t){0}));
    world_run(&w, 4 * page);
    float h[WORLD_WIDTH];
    assert_ok(arnn_state_rows(w.state, h, NULL, 0, 0, 4 * page - 1, 1));
    assert_ok(arnn_state_rows(w.state, h, NULL, 0, 0, 0, 1)); /* the sink */
    assert_error(ARNN_NOT_FOUND, "row", arnn_state_rows(w.state, h, NULL, 0, 0, 2 * page, 1));
    world_free(&w);
}

static void test_lost(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 2), none = made(ARNN_CELL_GRU, ARNN_WIRING_NONE, 2);
    int32_t lost = 7;
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_lost(NULL, &lost, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "lost", arnn_state_lost(w.state, NULL, 0));
    assert_error(ARNN_NOT_FOUND, "stream", arnn_state_lost(w.state, &lost, WORLD_STREAMS));
    assert_int_equal(lost, 7);
    assert_ok(arnn_state_lost(w.state, &lost, 0));
    assert_int_equal(lost, 0);
    lost = 7;
    assert_ok(arnn_state_lost(none.state, &lost, 0));
    assert_int_equal(lost, 0);
    world_free(&w);
    world_free(&none);
}

static void test_weights(void **unused)
{
    (void)unused;
    world w = made(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER, 0), none = made(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE, 1);
    float weights[8], zero, row[WORLD_WIDTH] = {0};
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_weights(none.state, weights, NULL, NULL, 0, 0, 8));
    assert_error(ARNN_NOT_FOUND, "step", arnn_state_weights(w.state, weights, NULL, NULL, 0, 0, 8));
    world_run(&w, 3);
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_state_weights(NULL, weights, NULL, NULL, 0, 0, 8));
    assert_error(ARNN_NOT_FOUND, "layer", arnn_state_weights(w.state, weights, NULL, NULL, 1, 0, 8));
    assert_error(ARNN_NOT_FOUND, "stream", arnn_state_weights(w.state, weights, NULL, NULL, 0, WORLD_STREAMS, 8));
    assert_error(ARNN_SHAPE, "3", arnn_state_weights(w.state, weights, NULL, NULL, 0, 0, 2));
    assert_ok(arnn_state_weights(w.state, weights, NULL, NULL, 0, 0, 3));
    assert_ok(arnn_state_weights(w.state, NULL, &zero, NULL, 0, 0, 0));
    assert_ok(arnn_state_weights(w.state, NULL, NULL, NULL, 0, 0, 0));

    assert_ok(arnn_state_append(w.state, 0, row, NULL, 1));
    assert_error(ARNN_NOT_FOUND, "step", arnn_state_weights(w.state, weights, NULL, NULL, 0, 0, 8));
    assert_ok(arnn_state_reset(w.state, &(size_t){1}, 1));
    assert_error(ARNN_NOT_FOUND, "step", arnn_state_weights(w.state, weights, NULL, NULL, 0, 1, 8));
    assert_ok(arnn_state_weights(w.state, weights, &zero, NULL, 0, 2, 8));
    assert_true(zero == 0.0f && weights[3] == 0.0f);
    world_free(&w);
    world_free(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),   cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_reset),    cmocka_unit_test(test_values_not_carried),
        cmocka_unit_test(test_values),   cmocka_unit_test(test_append),
        cmocka_unit_test(test_rows),     cmocka_unit_test(test_append_to_a_full_cache),
        cmocka_unit_test(test_weights),  cmocka_unit_test(test_recycled_rows),
        cmocka_unit_test(test_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

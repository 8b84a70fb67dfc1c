/* Handles keep alive what they rest on: they may be destroyed in any order, and go on working meanwhile. */
#include "check.h"
#include "world.h"

static void destroy(world *w, int which)
{
    if (which == 0)
        arnn_model_destroy(w->model);
    else if (which == 1)
        arnn_cache_destroy(w->cache);
    else
        arnn_state_destroy(w->state);
}

static void test_null(void **unused)
{
    (void)unused;
    arnn_model_destroy(NULL);
    arnn_cache_destroy(NULL);
    arnn_state_destroy(NULL);
}

static void test_any_order(void **unused)
{
    (void)unused;
    static const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    for (int32_t wiring = ARNN_WIRING_NONE; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        for (size_t i = 0; i < COUNT(orders); i++) {
            arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, wiring);
            world w;
            world_make(&w, &desc, NULL);
            world_run(&w, 3);
            for (size_t j = 0; j < 3; j++)
                destroy(&w, orders[i][j]);
        }
    }
}

/* A state whose model and cache handles are gone gives what one with them gives. */
static void test_a_state_alone_goes_on(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_GRU, ARNN_WIRING_AFTER);
    world kept, alone;
    float expected[WORLD_WIDTH], got[WORLD_WIDTH];
    world_make(&kept, &desc, NULL);
    world_make(&alone, &desc, NULL);
    arnn_model_destroy(alone.model);
    arnn_cache_destroy(alone.cache);
    world_run(&kept, 200);
    world_run(&alone, 200);
    assert_ok(arnn_state_get(kept.state, expected, ARNN_VALUE_S, 0, 2));
    assert_ok(arnn_state_get(alone.state, got, ARNN_VALUE_S, 0, 2));
    assert_memory_equal(expected, got, sizeof got);
    arnn_state_destroy(alone.state);
    world_free(&kept);
}

/* Two states on one cache: the pages of the first serve the second when it is gone. */
static void test_pages_come_back(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    world w;
    size_t allocated, used, after;
    world_make(&w, &desc, NULL);
    world_run(&w, 100);
    assert_ok(arnn_cache_bytes(w.cache, &allocated, &used));
    assert_true(used > 0 && allocated >= used);
    arnn_state_destroy(w.state);
    assert_ok(arnn_cache_bytes(w.cache, NULL, &after));
    assert_int_equal(after, 0);
    assert_ok(arnn_state_create(&w.state, w.model, w.cache, WORLD_STREAMS));
    world_run(&w, 100);
    assert_ok(arnn_cache_bytes(w.cache, &after, NULL));
    assert_int_equal(after, allocated);
    world_free(&w);
}

/* With wiring none a cache is allowed and holds nothing; the steps are those without one. */
static void test_a_cache_without_a_tape(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, ARNN_WIRING_NONE);
    world plain, cached;
    size_t rows = 7, bytes = 7, used = 7;
    float expected[WORLD_WIDTH], got[WORLD_WIDTH];
    world_make(&plain, &desc, NULL);
    world_make(&cached, &desc, NULL);
    arnn_state_destroy(cached.state);
    assert_ok(arnn_cache_create(&cached.cache, cached.model, NULL));
    assert_ok(arnn_cache_reserve(cached.cache, 3, 1000));
    assert_ok(arnn_cache_page(cached.cache, &rows, &bytes));
    assert_true(rows == 0 && bytes == 0);
    assert_ok(arnn_state_create(&cached.state, cached.model, cached.cache, WORLD_STREAMS));
    world_run(&plain, 4);
    world_run(&cached, 4);
    assert_ok(arnn_state_get(plain.state, expected, ARNN_VALUE_M, 0, 1));
    assert_ok(arnn_state_get(cached.state, got, ARNN_VALUE_M, 0, 1));
    assert_memory_equal(expected, got, sizeof got);
    assert_ok(arnn_cache_bytes(cached.cache, &bytes, &used));
    assert_true(bytes == 0 && used == 0);
    world_free(&plain);
    world_free(&cached);
}

/* Wiring none has no tape: its cache holds no pages, and a state runs the same on one and without. */
static void test_a_cache_without_tapes(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, ARNN_WIRING_NONE);
    world without, with;
    float expected[WORLD_WIDTH], got[WORLD_WIDTH];
    size_t allocated = 1, used = 1;
    world_make(&without, &desc, NULL);
    world_make(&with, &desc, NULL);
    arnn_state_destroy(with.state);
    assert_ok(arnn_cache_create(&with.cache, with.model, NULL));
    assert_ok(arnn_cache_reserve(with.cache, 10, 1000));
    assert_ok(arnn_state_create(&with.state, with.model, with.cache, WORLD_STREAMS));
    world_run(&without, 20);
    world_run(&with, 20);
    assert_ok(arnn_cache_bytes(with.cache, &allocated, &used));
    assert_int_equal(allocated | used, 0);
    assert_ok(arnn_state_get(without.state, expected, ARNN_VALUE_S, 0, 1));
    assert_ok(arnn_state_get(with.state, got, ARNN_VALUE_S, 0, 1));
    assert_memory_equal(expected, got, sizeof got);
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_append(with.state, 0, expected, NULL, 1));
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_rows(with.state, got, NULL, 0, 0, 0, 1));
    assert_error(ARNN_UNSUPPORTED, "none", arnn_state_weights(with.state, NULL, NULL, NULL, 0, 0, 0));
    arnn_input in = {.struct_size = sizeof in, .x = expected};
    arnn_output out = {.struct_size = sizeof out, .map = {.data = got}, .map_columns = WORLD_WIDTH};
    assert_error(ARNN_UNSUPPORTED, "none", arnn_step(with.state, &out, &in, NULL, 1));
    world_free(&without);
    world_free(&with);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_a_state_alone_goes_on),
        cmocka_unit_test(test_pages_come_back),
        cmocka_unit_test(test_a_cache_without_tapes),
        cmocka_unit_test(test_a_cache_without_a_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_any_order),
        cmocka_unit_test(test_a_state_alone_goes_on),
        cmocka_unit_test(test_pages_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

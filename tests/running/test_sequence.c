/* Company, cutting and order do not matter, to the last bit, on every table but blas. */
#include "tables.h"

#include <math.h>

enum { STEPS = 40 };

static void fill(float *x)
{
    for (size_t i = 0; i < (size_t)STEPS * WORLD_STREAMS * WORLD_INPUTS; i++)
        x[i] = (float)(i * 2654435761u % 1000) / 500.0f - 1.0f;
}

static const size_t lengths[WORLD_STREAMS] = {STEPS, 5, 23};

/* All streams at once, each its own length. */
static world together(const arnn_model_desc *desc, const float *x)
{
    world w;
    world_make(&w, desc, NULL);
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    assert_ok(arnn_forward(w.state, NULL, &in, lengths, NULL, STEPS, WORLD_STREAMS));
    return w;
}

/* One stream after the other, the last one first, a step at a time. */
static world alone(const arnn_model_desc *desc, const float *x)
{
    world w;
    world_make(&w, desc, NULL);
    for (size_t stream = WORLD_STREAMS; stream-- > 0;) {
        for (size_t t = 0; t < lengths[stream]; t++) {
            const arnn_input in = {.struct_size = sizeof in, .x = x + (t * WORLD_STREAMS + stream) * WORLD_INPUTS};
            assert_ok(arnn_step(w.state, NULL, &in, &stream, 1));
        }
    }
    return w;
}

/* In chunks of growing length, streams in another order. */
static world in_chunks(const arnn_model_desc *desc, const float *x)
{
    static const size_t order[WORLD_STREAMS] = {2, 0, 1};
    world w;
    world_make(&w, desc, NULL);
    for (size_t t = 0, chunk = 1; t < STEPS; t += chunk, chunk += 2) {
        float part[STEPS * WORLD_STREAMS * WORLD_INPUTS];
        size_t left[WORLD_STREAMS], steps = chunk < STEPS - t ? chunk : STEPS - t;
        for (size_t j = 0; j < WORLD_STREAMS; j++) {
            size_t all = lengths[order[j]];
            left[j] = all <= t ? 0 : all - t < steps ? all - t : steps;
            for (size_t i = 0; i < steps; i++)
                memcpy(part + (i * WORLD_STREAMS + j) * WORLD_INPUTS,
                       x + ((t + i) * WORLD_STREAMS + order[j]) * WORLD_INPUTS, WORLD_INPUTS * sizeof *x);
        }
        const arnn_input in = {.struct_size = sizeof in, .x = part};
        assert_ok(arnn_forward(w.state, NULL, &in, left, order, steps, WORLD_STREAMS));
    }
    return w;
}

/* Lengths, rows and values; not the cache's bytes, which depend on what was reserved together. */
static void assert_same(const world *a, const world *b)
{
    picture first = world_picture(a), second = world_picture(b);
    assert_int_equal(first.size, second.size);
    size_t bytes = 2 * sizeof(size_t);
    assert_memory_equal(first.bytes + bytes, second.bytes + bytes, first.size - bytes);
    free(first.bytes);
    free(second.bytes);
}

static void check(const arnn_model_desc *desc)
{
    static float x[STEPS * WORLD_STREAMS * WORLD_INPUTS];
    fill(x);
    world whole = together(desc, x), single = alone(desc, x), chunks = in_chunks(desc, x);
    assert_same(&whole, &single);
    assert_same(&whole, &chunks);
    world_free(&whole);
    world_free(&single);
    world_free(&chunks);
}

static void test_cutting_and_company(void **unused)
{
    (void)unused;
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i++) {
            arnn_model_desc desc = variant(i);
            desc.layers = 2;
            check(&desc);
            if (desc.wiring == ARNN_WIRING_NONE)
                continue;
            desc.start_row = ARNN_START_ZERO;
            desc.window = 7;
            desc.sinks = 2;
            check(&desc);
        }
    }
}

/* Many streams, some of them without a step, and each by itself: outputs and maps of all times. */
enum { MANY = 13, WIDTH = 37, TIMES = 9 };

typedef struct outputs {
    float y[TIMES][MANY][2], s[TIMES][MANY][WIDTH], map[TIMES][MANY][TIMES];
} outputs;

/* Streams first .. first+count-1 of a state of their own; places of steps that are not made stay 0. */
static void run_some(arnn_model *model, outputs *to, const float *x, const size_t *steps, size_t first, size_t count)
{
    arnn_cache *cache = NULL;
    arnn_state *state;
    arnn_model_desc desc = {.struct_size = sizeof desc};
    assert_ok(arnn_model_describe(model, &desc));
    bool tape = desc.wiring != ARNN_WIRING_NONE;
    if (tape)
        assert_ok(arnn_cache_create(&cache, model, NULL));
    assert_ok(arnn_state_create(&state, model, cache, count));
    const arnn_input in = {
        .struct_size = sizeof in, .x = x + first * WORLD_INPUTS, .time_stride = (size_t)MANY * WORLD_INPUTS};
    arnn_output out = {.struct_size = sizeof out, .map_columns = TIMES};
    out.y = (arnn_array){to->y[0][first], (size_t)MANY * 2, 2};
    out.s = (arnn_array){to->s[0][first], (size_t)MANY * WIDTH, WIDTH};
    out.map = (arnn_array){tape ? to->map[0][first] : NULL, (size_t)MANY * TIMES, TIMES};
    assert_ok(arnn_forward(state, &out, &in, steps + first, NULL, TIMES, count));
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);
}

static void test_many_streams(void **unused)
{
    (void)unused;
    static const size_t steps[MANY] = {9, 0, 3, 9, 9, 1, 8, 9, 9, 2, 9, 5, 9};
    static float x[TIMES * MANY * WORLD_INPUTS];
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] = (float)(i * 2654435761u % 1000) / 500.0f - 1.0f;
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i++) {
            static outputs all, each;
            arnn_model *model;
            arnn_model_desc desc = variant(i);
            desc.hidden = WIDTH;
            desc.outputs = 2;
            memset(&all, 0, sizeof all);
            memset(&each, 0, sizeof each);
            assert_ok(arnn_model_create(&model, &desc));
            assert_ok(arnn_model_init(model, 3));
            run_some(model, &all, x, steps, 0, MANY);
            for (size_t stream = 0; stream < MANY; stream++)
                run_some(model, &each, x, steps, stream, 1);
            assert_memory_equal(&all, &each, sizeof all);
            assert_true(all.y[8][0][0] != 0.0f && all.y[0][1][0] == 0.0f);
            arnn_model_destroy(model);
        }
    }
}

/* A NaN in one stream's input stays with that stream. */
static void test_nan_stays(void **unused)
{
    (void)unused;
    static float x[STEPS * WORLD_STREAMS * WORLD_INPUTS];
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i++) {
            arnn_model_desc desc = variant(i);
            fill(x);
            world clean = together(&desc, x);
            x[(3 * WORLD_STREAMS + 2) * WORLD_INPUTS + 1] = NAN;
            world dirty = together(&desc, x);
            float a[WORLD_WIDTH], b[WORLD_WIDTH];
            assert_ok(arnn_state_get(clean.state, a, ARNN_VALUE_S, 0, 0));
            assert_ok(arnn_state_get(dirty.state, b, ARNN_VALUE_S, 0, 0));
            assert_memory_equal(a, b, sizeof a);
            assert_ok(arnn_state_get(dirty.state, b, ARNN_VALUE_S, 0, 2));
            for (size_t j = 0; j < WORLD_WIDTH; j++)
                assert_true(b[j] != b[j]);
            world_free(&clean);
            world_free(&dirty);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cutting_and_company),
        cmocka_unit_test(test_many_streams),
        cmocka_unit_test(test_nan_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a state tells of its last step, and states without a tape. */
#include "tables.h"

#include <math.h>

enum { LAYERS = 2, ROWS = 64 };

static arnn_model_desc desc_of(int32_t wiring, int32_t score)
{
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, wiring);
    desc.layers = LAYERS;
    desc.score = score;
    desc.recency = 1;
    return desc;
}

typedef struct maps {
    float weights[LAYERS][WORLD_STREAMS][ROWS], zero[LAYERS][WORLD_STREAMS];
} maps;

/* One step of all streams, for each layer's map on a state of its own: the states are alike. */
static void step_with_map(world *w, maps *to, size_t layer, size_t t)
{
    float x[WORLD_STREAMS * WORLD_INPUTS];
    for (size_t i = 0; i < COUNT(x); i++)
        x[i] = (float)((i * 5 + t * 3) % 13) / 13.0f - 0.5f;
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    arnn_output out = {.struct_size = sizeof out, .map_layer = layer, .map_columns = ROWS};
    out.map.data = to->weights[layer][0];
    out.map_zero.data = to->zero[layer];
    assert_ok(arnn_step(w->state, &out, &in, NULL, WORLD_STREAMS));
}

/* Rows read, by the rule's own words: `rows` were on the tape. */
static bool is_read(const arnn_model_desc *desc, size_t rows, size_t row)
{
    return row < rows && (!desc->window || row + desc->window >= rows || row < desc->sinks);
}

static void check_weights(const world *w, const maps *from, size_t layer, size_t stream, size_t rows)
{
    float weights[ROWS], zero, logsumexp;
    double sum;
    assert_ok(arnn_state_weights(w->state, weights, &zero, &logsumexp, layer, stream, ROWS));
    assert_memory_equal(weights, from->weights[layer][stream], sizeof weights); /* the step's own map */
    assert_true(zero == from->zero[layer][stream]);
    sum = (double)zero;
    for (size_t row = 0; row < ROWS; row++) {
        assert_true(is_read(&w->desc, rows, row) ? weights[row] > 0.0f : weights[row] == 0.0f);
        sum += (double)weights[row];
    }
    bool any = rows > 0 || w->desc.start_row;
    assert_true(any ? fabs(sum - 1.0) < 1e-5 : sum == 0.0);
    assert_true(any ? isfinite(logsumexp) : logsumexp == -INFINITY);
    assert_true((zero > 0.0f) == (w->desc.start_row == ARNN_START_ZERO));
}

static void check_model(arnn_model_desc desc)
{
    static maps map;
    world w[LAYERS];
    for (size_t layer = 0; layer < LAYERS; layer++)
        world_make(&w[layer], &desc, NULL);
    for (size_t t = 0; t < ROWS - 1; t++) {
        for (size_t layer = 0; layer < LAYERS; layer++) {
            step_with_map(&w[layer], &map, layer, t);
            for (size_t stream = 0; stream < WORLD_STREAMS; stream++)
                check_weights(&w[layer], &map, layer, stream, desc.wiring == ARNN_WIRING_BEFORE ? t : t + 1);
        }
    }
    for (size_t layer = 0; layer < LAYERS; layer++)
        world_free(&w[layer]);
}

static void test_weights_of_the_last_step(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_AFTER; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        for (int32_t score = ARNN_SCORE_DOT; score <= ARNN_SCORE_ADDITIVE; score++) {
            for (int32_t start = ARNN_START_NONE; start <= ARNN_START_ZERO; start++) {
                arnn_model_desc desc = desc_of(wiring, score);
                desc.start_row = start;
                check_model(desc);
                desc.window = 9;
                desc.sinks = 2;
                check_model(desc);
            }
        }
    }
}

/* s is the mean of the tape's rows under the weights told: in `after`, of the newest too. */
static void test_weights_make_the_summary(void **unused)
{
    (void)unused;
    world w;
    arnn_model_desc desc = desc_of(ARNN_WIRING_AFTER, ARNN_SCORE_DOT);
    world_make(&w, &desc, NULL);
    world_run(&w, 30);
    for (size_t layer = 0; layer < LAYERS; layer++) {
        float rows[30 * WORLD_WIDTH], weights[30], s[WORLD_WIDTH];
        assert_ok(arnn_state_rows(w.state, rows, NULL, layer, 1, 0, 30));
        assert_ok(arnn_state_weights(w.state, weights, NULL, NULL, layer, 1, 30));
        assert_ok(arnn_state_get(w.state, s, ARNN_VALUE_S, layer, 1));
        for (size_t i = 0; i < WORLD_WIDTH; i++) {
            double mean = 0.0;
            for (size_t row = 0; row < 30; row++)
                mean += (double)weights[row] * (double)rows[row * WORLD_WIDTH + i];
            assert_true(fabs(mean - (double)s[i]) < 64.0 * 0x1p-23); /* 30 rows within 1: 2 roundings each */
        }
    }
    world_free(&w);
}

/* Asking changes nothing, however often: the next step is the same. */
static void test_asking_changes_nothing(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < VARIANTS; i++) {
        arnn_model_desc desc = variant(i);
        world asked, left;
        world_make(&asked, &desc, NULL);
        world_make(&left, &desc, NULL);
        for (size_t t = 0; t < 5; t++) {
            world_run(&asked, 1);
            world_run(&left, 1);
            float weights[ROWS];
            for (size_t stream = 0; stream < WORLD_STREAMS && asked.cache; stream++)
                assert_ok(arnn_state_weights(asked.state, weights, NULL, NULL, 0, stream, ROWS));
        }
        picture before = world_picture(&left);
        world_unchanged(&asked, &before);
        world_free(&asked);
        world_free(&left);
    }
}

/* Wiring none: no cache, s is h of the last step, times are counted, resets begin anew. */
static void test_without_a_tape(void **unused)
{
    (void)unused;
    for (int32_t cell = ARNN_CELL_RNN_TANH; cell <= ARNN_CELL_LSTM; cell++) {
        world w;
        arnn_model_desc desc = world_desc(cell, ARNN_WIRING_NONE);
        world_make(&w, &desc, NULL);
        float x[WORLD_STREAMS * WORLD_INPUTS], h[2][WORLD_STREAMS * WORLD_WIDTH], s[WORLD_STREAMS * WORLD_WIDTH];
        for (size_t i = 0; i < COUNT(x); i++)
            x[i] = (float)i / 10.0f - 0.6f;
        const arnn_input in = {.struct_size = sizeof in, .x = x};
        for (size_t round = 0; round < 2; round++) {
            arnn_output out = {.struct_size = sizeof out, .h = {.data = h[round]}, .s = {.data = s}};
            for (size_t t = 0; t < 600; t++)
                assert_ok(arnn_step(w.state, &out, &in, NULL, WORLD_STREAMS));
            assert_memory_equal(h[round], s, sizeof s);
            for (size_t stream = 0; stream < WORLD_STREAMS; stream++) {
                float value[WORLD_WIDTH];
                size_t length;
                assert_ok(arnn_state_length(w.state, &length, stream));
                assert_int_equal(length, 600);
                assert_ok(arnn_state_get(w.state, value, ARNN_VALUE_S, 0, stream));
                assert_memory_equal(value, s + stream * WORLD_WIDTH, sizeof value);
            }
            float weights[1];
            assert_error(ARNN_UNSUPPORTED, "none", arnn_state_weights(w.state, weights, NULL, NULL, 0, 0, 1));
            assert_ok(arnn_state_reset(w.state, NULL, 0));
        }
        assert_memory_equal(h[0], h[1], sizeof h[0]);
        world_free(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weights_of_the_last_step),
        cmocka_unit_test(test_weights_make_the_summary),
        cmocka_unit_test(test_asking_changes_nothing),
        cmocka_unit_test(test_without_a_tape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

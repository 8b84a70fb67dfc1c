/* Matrices packed in parts, by one thread or several, are what a kernel packs as a whole; and what is made ready anew
   is what would have been made at first. */
#include "kernels.h"

#include "arnn.h"
#include "base/memory.h"
#include "model/ready.h"

static void check_fill(rng *r, const arnn_kernels *table, arnn_threads *threads, size_t outputs, size_t inputs, bool turned)
{
    size_t bytes = table->packed_bytes(outputs, inputs, ARNN_TYPE_F32), count = (outputs + 2) * (inputs + 2);
    size_t stride = (turned ? outputs : inputs) + rng_below(r, 3);
    float *weights = arnn_alloc_floats(count);
    arnn_packed whole = {.outputs = outputs, .inputs = inputs, .values = arnn_alloc(bytes, 1)}, parts = whole;
    parts.values = arnn_alloc(bytes, 1);
    assert_true(weights && whole.values && parts.values);
    for (size_t i = 0; i < count; i++)
        weights[i] = (float)rng_below(r, 1000);
    (turned ? table->pack_turned : table->pack)(&whole, weights, stride);
    arnn_packed_fill(&parts, table, threads, weights, stride, turned);
    assert_memory_equal(parts.values, whole.values, bytes);
    arnn_free(weights);
    arnn_free(whole.values);
    arnn_free(parts.values);
}

static void test_parts_are_the_whole(void **unused)
{
    (void)unused;
    static const size_t outputs[] = {1, ARNN_PART_OUTPUTS, ARNN_PART_OUTPUTS + 1, 3 * ARNN_PART_OUTPUTS - 5};
    rng r = RNG;
    arnn_threads *threads = arnn_threads_new(3);
    assert_non_null(threads);
    FOR_TABLES(table) {
        for (size_t i = 0; table->shares && i < 8 * COUNT(outputs); i++)
            check_fill(&r, table, i & 1 ? threads : NULL, outputs[i / 8], i & 4 ? 300 : 7, i & 2);
    }
    arnn_threads_free(threads);
}

enum { UNITS = 5, GATES_MOST = 4 };

static void make_step(arnn_model *model, float *h)
{
    arnn_state *state;
    const float x[UNITS] = {1.0f, -0.5f, 0.25f, 2.0f, -1.0f};
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    const arnn_output out = {.struct_size = sizeof out, .h = {.data = h}};
    assert_int_equal(arnn_state_create(&state, model, NULL, 1), ARNN_OK);
    assert_int_equal(arnn_step(state, &out, &in, NULL, 1), ARNN_OK);
    arnn_state_destroy(state);
}

static arnn_model *new_model(int32_t cell)
{
    arnn_model *model;
    arnn_model_desc desc;
    assert_int_equal(arnn_model_desc_default(&desc, sizeof desc), ARNN_OK);
    desc.cell = cell;
    desc.wiring = ARNN_WIRING_NONE;
    desc.inputs = desc.hidden = UNITS;
    assert_int_equal(arnn_model_create(&model, &desc), ARNN_OK);
    assert_int_equal(arnn_model_init(model, 1), ARNN_OK);
    return model;
}

/* A bias of the state, which the rnn and the LSTM add to that of the input. */
static void set_bias(arnn_model *model, size_t gates)
{
    static const float bias[GATES_MOST * UNITS] = {0.5f, -0.5f, 1.0f, 2.0f, -1.0f, 0.25f, 3.0f};
    assert_int_equal(arnn_model_write(model, "bias_hh_l0", bias, gates * UNITS), ARNN_OK);
}

static void test_made_anew(void **unused)
{
    (void)unused;
    static const struct {
        int32_t cell;
        size_t gates;
    } cells[] = {{ARNN_CELL_RNN_TANH, 1}, {ARNN_CELL_RNN_RELU, 1}, {ARNN_CELL_GRU, 3}, {ARNN_CELL_LSTM, 4}};
    static const int32_t types[] = {ARNN_TYPE_F32, ARNN_TYPE_I8, ARNN_TYPE_BF16, ARNN_TYPE_F32};
    for (size_t i = 0; i < COUNT(cells); i++) {
        arnn_model *old = new_model(cells[i].cell), *fresh = new_model(cells[i].cell);
        float before[UNITS], h[UNITS], expected[UNITS];
        make_step(old, before);
        set_bias(old, cells[i].gates);
        set_bias(fresh, cells[i].gates);
        make_step(fresh, expected);
        for (size_t t = 0; t < COUNT(types); t++) {
            assert_int_equal(arnn_model_set_weight_type(old, types[t]), ARNN_OK);
            make_step(old, h);
            assert_memory_not_equal(h, before, sizeof h);
        }
        assert_memory_equal(h, expected, sizeof h);
        arnn_model_destroy(old);
        arnn_model_destroy(fresh);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts_are_the_whole), cmocka_unit_test(test_made_anew)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

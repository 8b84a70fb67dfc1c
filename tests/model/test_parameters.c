/* Parameters: which a description has, their names, shapes and order, and where their values lie. */
#include "check.h"

#include "model/parameters.h"

static arnn_model_desc resolved(arnn_model_desc desc)
{
    arnn_model_desc out;
    desc.struct_size = sizeof desc;
    assert_ok(arnn_desc_resolve(&out, &desc));
    return out;
}

static arnn_model_desc small(int32_t cell, int32_t wiring)
{
    arnn_model_desc desc;
    arnn_desc_default(&desc);
    desc.cell = cell;
    desc.wiring = wiring;
    desc.inputs = 3;
    desc.hidden = 5;
    return desc;
}

/* Name and shape of every parameter, as one text: "weight_ih_l0(5, 3) .. ". */
static void assert_list(const arnn_model_desc *desc, const char *expected)
{
    arnn_parameters parameters;
    arnn_model_desc whole = resolved(*desc);
    char all[1024] = "", shape[ARNN_SHAPE_TEXT];
    assert_ok(arnn_parameters_create(&parameters, &whole));
    for (size_t i = 0; i < parameters.count; i++) {
        arnn_shape_write(shape, parameters.list[i].rank, parameters.list[i].shape);
        snprintf(all + strlen(all), sizeof all - strlen(all), "%s%s ", parameters.list[i].name, shape);
    }
    assert_string_equal(all, expected);
    arnn_parameters_destroy(&parameters);
}

static void test_cells(void **unused)
{
    (void)unused;
    static const struct {
        int32_t cell;
        const char *list;
    } rows[] = {
        {ARNN_CELL_RNN_TANH, "weight_ih_l0(5, 3) weight_hh_l0(5, 5) bias_ih_l0(5) bias_hh_l0(5) "},
        {ARNN_CELL_RNN_RELU, "weight_ih_l0(5, 3) weight_hh_l0(5, 5) bias_ih_l0(5) bias_hh_l0(5) "},
        {ARNN_CELL_GRU, "weight_ih_l0(15, 3) weight_hh_l0(15, 5) bias_ih_l0(15) bias_hh_l0(15) "},
        {ARNN_CELL_LSTM, "weight_ih_l0(20, 3) weight_hh_l0(20, 5) bias_ih_l0(20) bias_hh_l0(20) "},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        arnn_model_desc desc = small(rows[i].cell, ARNN_WIRING_NONE);
        assert_list(&desc, rows[i].list);
    }
}

static void test_attention(void **unused)
{
    (void)unused;
#define CELL "weight_ih_l0(5, 3) weight_hh_l0(5, 5) bias_ih_l0(5) bias_hh_l0(5) "
    arnn_model_desc desc = small(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    assert_list(&desc, CELL "attn_key_l0(5, 5) attn_query_l0(5, 5) ");
    desc.align = 2;
    desc.recency = 1;
    assert_list(&desc, CELL "attn_key_l0(2, 5) attn_query_l0(2, 5) attn_recency_l0(1) ");
    desc.score = ARNN_SCORE_ADDITIVE;
    assert_list(&desc, CELL "attn_key_l0(2, 5) attn_query_l0(2, 5) attn_score_l0(2) attn_recency_l0(1) ");
    desc.score = ARNN_SCORE_GENERAL;
    assert_list(&desc, CELL "attn_general_l0(5, 5) attn_recency_l0(1) ");
    desc.recency = 0;
    desc.wiring = ARNN_WIRING_BEFORE;
    assert_list(&desc, CELL "attn_general_l0(5, 8) ");
    desc.score = ARNN_SCORE_DOT;
    assert_list(&desc, CELL "attn_key_l0(2, 5) attn_query_l0(2, 8) ");
    desc.wiring = ARNN_WIRING_BESIDE;
    assert_list(&desc, "weight_ih_l0(5, 8) weight_hh_l0(5, 5) bias_ih_l0(5) bias_hh_l0(5) attn_key_l0(2, 5) "
                       "attn_query_l0(2, 5) ");
}

static void test_layers_tokens_readout(void **unused)
{
    (void)unused;
    arnn_model_desc desc = small(ARNN_CELL_GRU, ARNN_WIRING_BEFORE);
    desc.layers = 2;
    desc.vocab = 11;
    desc.outputs = 7;
    desc.skip = 1;
    assert_list(
        &desc,
        "embed.weight(11, 3) "
        "weight_ih_l0(15, 3) weight_hh_l0(15, 5) bias_ih_l0(15) bias_hh_l0(15) attn_key_l0(5, 5) attn_query_l0(5, 8) "
        "weight_ih_l1(15, 8) weight_hh_l1(15, 5) bias_ih_l1(15) bias_hh_l1(15) attn_key_l1(5, 5) attn_query_l1(5, 13) "
        "readout.weight(7, 5) readout.bias(7) ");
    desc = small(ARNN_CELL_RNN_TANH, ARNN_WIRING_BESIDE);
    desc.layers = 2;
    desc.outputs = 7;
    desc.source = ARNN_SOURCE_HS;
    assert_list(
        &desc,
        "weight_ih_l0(5, 8) weight_hh_l0(5, 5) bias_ih_l0(5) bias_hh_l0(5) attn_key_l0(5, 5) attn_query_l0(5, 5) "
        "weight_ih_l1(5, 10) weight_hh_l1(5, 5) bias_ih_l1(5) bias_hh_l1(5) attn_key_l1(5, 5) attn_query_l1(5, 5) "
        "readout.weight(7, 10) readout.bias(7) ");
}

/* Values lie side by side in the order of the list, zero; each is found by its name, and by role and layer. */
static void test_values(void **unused)
{
    (void)unused;
    arnn_parameters parameters;
    arnn_model_desc desc = small(ARNN_CELL_LSTM, ARNN_WIRING_AFTER);
    desc.layers = 3;
    desc.vocab = 4;
    desc.outputs = 2;
    desc = resolved(desc);
    assert_ok(arnn_parameters_create(&parameters, &desc));
    const float *next = parameters.values;
    for (size_t i = 0; i < parameters.count; i++) {
        arnn_parameter *parameter = &parameters.list[i];
        assert_ptr_equal(parameter->values, next);
        assert_int_equal(parameter->count, parameter->shape[0] * parameter->shape[1]);
        assert_true(parameter->rank == 2 || parameter->shape[1] == 1);
        assert_ptr_equal(arnn_parameters_find(&parameters, parameter->name), parameter);
        assert_ptr_equal(arnn_parameters_of(&parameters, parameter->role, parameter->layer), parameter);
        next += parameter->count;
    }
    assert_int_equal(parameters.values_count, next - parameters.values);
    for (size_t i = 0; i < parameters.values_count; i++)
        assert_true(parameters.values[i] == 0.0f);
    static const char *const missing[] = {
        "", "weight_ih_l3", "weight_ih_l", "weight_ih_l00", "attn_score_l0", "Embed.weight"};
    for (size_t i = 0; i < COUNT(missing); i++)
        assert_null(arnn_parameters_find(&parameters, missing[i]));
    assert_null(arnn_parameters_of(&parameters, ARNN_ATTN_SCORE, 0));
    assert_null(arnn_parameters_of(&parameters, ARNN_WEIGHT_IH, 3));
    arnn_parameters_destroy(&parameters);
    arnn_parameters_destroy(&parameters); /* zeroed by the first */
}

/* The list alone: the same names and shapes, and no memory for values, however many they would be. */
static void test_list_without_values(void **unused)
{
    (void)unused;
    arnn_parameters parameters;
    arnn_model_desc desc = small(ARNN_CELL_LSTM, ARNN_WIRING_AFTER);
    desc.hidden = 100000000;
    desc.vocab = 100000000;
    desc.inputs = 100000000;
    desc = resolved(desc);
    assert_ok(arnn_parameters_list(&parameters, &desc));
    assert_int_equal(parameters.count, 7);
    assert_string_equal(parameters.list[1].name, "weight_ih_l0");
    assert_int_equal(parameters.list[1].count, 400000000 * (size_t)100000000);
    assert_null(parameters.values);
    assert_null(parameters.list[1].values);
    arnn_parameters_destroy(&parameters);
}

/* The address sanitizer's allocator then gives NULL, as others do, and does not end the program. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void test_too_large(void **unused)
{
    (void)unused;
    arnn_parameters parameters;
    arnn_model_desc desc = small(ARNN_CELL_LSTM, ARNN_WIRING_AFTER);
    desc.hidden = desc.vocab = desc.inputs = 100000000; /* 10^17 numbers: more than any machine has */
    desc = resolved(desc);
    assert_error(ARNN_NO_MEMORY, "parameters", arnn_parameters_create(&parameters, &desc));
    arnn_parameters_destroy(&parameters);
}

static void test_widths(void **unused)
{
    (void)unused;
    arnn_model_desc desc = small(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    static const size_t gates[] = {1, 1, 3, 4};
    for (int32_t cell = 0; cell < 4; cell++) {
        desc.cell = cell;
        assert_int_equal(arnn_desc_gates(&desc), gates[cell]);
    }
    assert_int_equal(arnn_desc_query_width(&desc, 0), 5);
    assert_int_equal(arnn_desc_query_width(&desc, 1), 5);
    desc.wiring = ARNN_WIRING_BEFORE;
    assert_int_equal(arnn_desc_query_width(&desc, 0), 8);
    assert_int_equal(arnn_desc_query_width(&desc, 1), 10);
    desc.skip = 1;
    assert_int_equal(arnn_desc_query_width(&desc, 1), 13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells),
        cmocka_unit_test(test_attention),
        cmocka_unit_test(test_layers_tokens_readout),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_list_without_values),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_widths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

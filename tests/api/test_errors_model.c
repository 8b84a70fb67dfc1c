/* Errors of sections 1, 2 and 8 of the header: status, model, constants. */
#include <limits.h>
#include <math.h>
#include <pthread.h>

#include "check.h"
#include "world.h"

/* A description that is refused, and leaves no model behind. */
static void refused(const arnn_model_desc *desc, arnn_status status, const char *word)
{
    arnn_model *model = (arnn_model *)(intptr_t)1;
    assert_error(status, word, arnn_model_create(&model, desc));
    assert_null(model);
}

static arnn_model_desc plain(void)
{
    return world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
}

static void test_status_strings(void **unused)
{
    (void)unused;
    for (arnn_status status = ARNN_OK; status <= ARNN_FORMAT; status++) {
        assert_true(strlen(arnn_status_string(status)) > 1);
        for (arnn_status other = ARNN_OK; other < status; other++)
            assert_string_not_equal(arnn_status_string(status), arnn_status_string(other));
    }
    assert_non_null(arnn_status_string(-1));
    assert_non_null(arnn_status_string(INT32_MAX));
}

static void *other_thread(void *sentence)
{
    strcpy(sentence, arnn_last_error());
    return arnn_model_create(NULL, NULL) == ARNN_INVALID_ARGUMENT ? sentence : NULL;
}

static void test_last_error_belongs_to_the_thread(void **unused)
{
    (void)unused;
    char seen[1000] = "?", before[1000];
    int32_t value;
    assert_error(ARNN_NOT_FOUND, "ARNN_THIS", arnn_constant("ARNN_THIS", &value));
    strcpy(before, arnn_last_error());
    assert_ok(arnn_constant("ARNN_FULL", &value));
    pthread_t thread;
    void *refused_there = NULL;
    assert_int_equal(pthread_create(&thread, NULL, other_thread, seen), 0);
    assert_int_equal(pthread_join(thread, &refused_there), 0);
    assert_non_null(refused_there);
    assert_string_equal(seen, "");
    assert_string_equal(arnn_last_error(), before);
}

static void test_desc_default(void **unused)
{
    (void)unused;
    arnn_model_desc desc;
    assert_error(ARNN_INVALID_ARGUMENT, "desc", arnn_model_desc_default(NULL, sizeof desc));
    const size_t sizes[] = {0, 1, sizeof(size_t), sizeof desc - 1, sizeof desc + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_error(ARNN_INVALID_ARGUMENT, "size", arnn_model_desc_default(&desc, sizes[i]));
    assert_ok(arnn_model_desc_default(&desc, sizeof desc));
    assert_int_equal(desc.struct_size, sizeof desc);
    assert_int_equal(desc.cell, ARNN_CELL_RNN_TANH);
    assert_int_equal(desc.wiring, ARNN_WIRING_AFTER);
    assert_int_equal(desc.score, ARNN_SCORE_DOT);
    assert_int_equal(desc.attention_start, ARNN_ATTENTION_SPREAD);
    assert_int_equal(desc.start_row, ARNN_START_NONE);
    assert_int_equal(desc.recency | desc.skip | desc.source, 0);
    assert_true(desc.scale == 1.0f && desc.recency_start == 0.1f);
    assert_int_equal(desc.inputs, 256);
    assert_int_equal(desc.hidden, 256);
    assert_int_equal(desc.layers, 1);
    assert_int_equal(desc.vocab | desc.align | desc.window | desc.sinks | desc.outputs, 0);
}

static void test_create_null(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain();
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_model_create(NULL, &desc));
    refused(NULL, ARNN_INVALID_ARGUMENT, "desc");
    desc.struct_size = 0;
    refused(&desc, ARNN_INVALID_ARGUMENT, "struct_size");
    desc.struct_size = sizeof desc + 8;
    refused(&desc, ARNN_INVALID_ARGUMENT, "struct_size");
}

static void test_create_constants_out_of_range(void **unused)
{
    (void)unused;
    const struct {
        size_t offset;
        int32_t last;
        const char *name;
    } fields[] = {
        {offsetof(arnn_model_desc, cell), ARNN_CELL_LSTM, "cell"},
        {offsetof(arnn_model_desc, wiring), ARNN_WIRING_BEFORE, "wiring"},
        {offsetof(arnn_model_desc, score), ARNN_SCORE_ADDITIVE, "score"},
        {offsetof(arnn_model_desc, attention_start), ARNN_ATTENTION_NEWEST, "attention_start"},
        {offsetof(arnn_model_desc, start_row), ARNN_START_ZERO, "start_row"},
        {offsetof(arnn_model_desc, recency), 1, "recency"},
        {offsetof(arnn_model_desc, skip), 1, "skip"},
        {offsetof(arnn_model_desc, source), ARNN_SOURCE_HS, "source"},
    };
    for (size_t i = 0; i < COUNT(fields); i++) {
        const int32_t wrong[] = {-1, fields[i].last + 1, INT32_MAX, INT32_MIN};
        for (size_t j = 0; j < COUNT(wrong); j++) {
            arnn_model_desc desc = plain();
            memcpy((char *)&desc + fields[i].offset, &wrong[j], sizeof wrong[j]);
            refused(&desc, ARNN_INVALID_ARGUMENT, fields[i].name);
        }
    }
}

static void test_create_numbers_out_of_range(void **unused)
{
    (void)unused;
    const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        arnn_model_desc desc = plain();
        desc.scale = wrong[i];
        refused(&desc, ARNN_INVALID_ARGUMENT, "scale");
        desc = plain();
        desc.recency_start = wrong[i];
        refused(&desc, ARNN_INVALID_ARGUMENT, "recency_start");
    }
}

static void test_create_sizes_out_of_range(void **unused)
{
    (void)unused;
    const struct {
        size_t offset;
        const char *name;
        int may_be_zero;
    } fields[] = {
        {offsetof(arnn_model_desc, inputs), "inputs", 0}, {offsetof(arnn_model_desc, hidden), "hidden", 0},
        {offsetof(arnn_model_desc, layers), "layers", 0}, {offsetof(arnn_model_desc, vocab), "vocab", 1},
        {offsetof(arnn_model_desc, align), "align", 1},   {offsetof(arnn_model_desc, window), "window", 1},
        {offsetof(arnn_model_desc, outputs), "outputs", 1},
    };
    for (size_t i = 0; i < COUNT(fields); i++) {
        const size_t wrong[] = {SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 4 + 1, 0};
        for (size_t j = 0; j < COUNT(wrong) - (size_t)fields[i].may_be_zero; j++) {
            arnn_model_desc desc = plain();
            memcpy((char *)&desc + fields[i].offset, &wrong[j], sizeof wrong[j]);
            refused(&desc, ARNN_INVALID_ARGUMENT, fields[i].name);
        }
    }
    arnn_model_desc desc = plain();
    desc.window = SIZE_MAX / 2;
    desc.sinks = SIZE_MAX / 2 + 2;
    refused(&desc, ARNN_INVALID_ARGUMENT, "sinks");
}

static void test_create_combinations_without_meaning(void **unused)
{
    (void)unused;
    const arnn_model_desc none = world_desc(ARNN_CELL_GRU, ARNN_WIRING_NONE);
    arnn_model_desc desc = none;
    desc.window = 4;
    refused(&desc, ARNN_UNSUPPORTED, "window");
    desc = none;
    desc.recency = 1;
    refused(&desc, ARNN_UNSUPPORTED, "recency");
    desc = none;
    desc.start_row = ARNN_START_ZERO;
    refused(&desc, ARNN_UNSUPPORTED, "start_row");
    desc = none;
    desc.score = ARNN_SCORE_ADDITIVE;
    refused(&desc, ARNN_UNSUPPORTED, "score");
    desc = plain();
    desc.sinks = 2;
    refused(&desc, ARNN_UNSUPPORTED, "sinks");
    for (int32_t source = ARNN_SOURCE_S; source <= ARNN_SOURCE_HS; source++) {
        desc = none;
        desc.source = source;
        refused(&desc, ARNN_UNSUPPORTED, "source");
        desc = plain();
        desc.wiring = ARNN_WIRING_BEFORE;
        desc.source = source;
        refused(&desc, ARNN_UNSUPPORTED, "source");
    }
}

static void test_create_unknown_table(void **unused)
{
    (void)unused;
    const char *chosen = getenv("ARNN_ISA");
    char keep[64] = "";
    if (chosen)
        snprintf(keep, sizeof keep, "%s", chosen);
    arnn_model_desc desc = plain();
    assert_int_equal(setenv("ARNN_ISA", "abacus", 1), 0);
    refused(&desc, ARNN_UNSUPPORTED, "abacus");
    assert_int_equal(chosen ? setenv("ARNN_ISA", keep, 1) : unsetenv("ARNN_ISA"), 0);
    arnn_model *model;
    assert_ok(arnn_model_create(&model, &desc));
    arnn_model_destroy(model);
}

static void test_describe(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain(), read = {.struct_size = sizeof read};
    desc.scale = 0.25f;
    arnn_model *model;
    size_t width;
    assert_ok(arnn_model_create(&model, &desc));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_describe(NULL, &read));
    assert_error(ARNN_INVALID_ARGUMENT, "desc", arnn_model_describe(model, NULL));
    read.struct_size = 3;
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_model_describe(model, &read));
    assert_int_equal(read.hidden, 0);
    read.struct_size = sizeof read;
    assert_ok(arnn_model_describe(model, &read));
    desc.align = desc.hidden;
    assert_memory_equal(&read, &desc, sizeof desc);
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_output_width(NULL, &width));
    assert_error(ARNN_INVALID_ARGUMENT, "width", arnn_model_output_width(model, NULL));
    arnn_model_destroy(model);
}

static void test_parameters(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain();
    arnn_model *model;
    const char *name = "untouched";
    size_t rank = 7, shape[2] = {7, 7};
    assert_ok(arnn_model_create(&model, &desc));
    size_t count = arnn_model_parameter_count(model);
    assert_int_equal(count, 6); /* four of the cell, key and query */
    assert_int_equal(arnn_model_parameter_count(NULL), 0);
    assert_error(ARNN_NOT_FOUND, "6", arnn_model_parameter(model, &name, &rank, shape, count));
    assert_error(ARNN_NOT_FOUND, "", arnn_model_parameter(model, &name, &rank, shape, SIZE_MAX));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_parameter(NULL, &name, &rank, shape, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "name", arnn_model_parameter(model, NULL, &rank, shape, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "rank", arnn_model_parameter(model, &name, NULL, shape, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "shape", arnn_model_parameter(model, &name, &rank, NULL, 0));
    assert_string_equal(name, "untouched");
    assert_int_equal(rank + shape[0] + shape[1], 21);
    arnn_model_destroy(model);
}

static void test_read_and_write(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain();
    arnn_model *model;
    float values[25], back[25];
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = back[i] = (float)i;
    assert_ok(arnn_model_create(&model, &desc));
    assert_ok(arnn_model_write(model, "attn_key_l0", values, 25));

    assert_error(ARNN_NOT_FOUND, "attn_key_l1", arnn_model_read(model, back, "attn_key_l1", 25));
    assert_error(ARNN_NOT_FOUND, "nothing", arnn_model_write(model, "nothing", back, 25));
    assert_error(ARNN_SHAPE, "attn_key_l0", arnn_model_read(model, back, "attn_key_l0", 24));
    assert_error(ARNN_SHAPE, "attn_key_l0", arnn_model_write(model, "attn_key_l0", back, 26));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_read(NULL, back, "attn_key_l0", 25));
    assert_error(ARNN_INVALID_ARGUMENT, "values", arnn_model_read(model, NULL, "attn_key_l0", 25));
    assert_error(ARNN_INVALID_ARGUMENT, "name", arnn_model_read(model, back, NULL, 25));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_write(NULL, "attn_key_l0", back, 25));
    assert_error(ARNN_INVALID_ARGUMENT, "name", arnn_model_write(model, NULL, back, 25));
    assert_error(ARNN_INVALID_ARGUMENT, "values", arnn_model_write(model, "attn_key_l0", NULL, 25));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_init(NULL, 1));
    assert_memory_equal(values, back, sizeof values);

    assert_ok(arnn_model_read(model, back, "attn_key_l0", 25));
    assert_memory_equal(values, back, sizeof values);
    arnn_model_destroy(model);
}

static void test_busy_while_a_state_rests_on_the_model(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain();
    world w;
    float before[25], after[25], zeros[25] = {0};
    world_make(&w, &desc, NULL);
    assert_ok(arnn_model_read(w.model, before, "weight_hh_l0", 25));
    assert_error(ARNN_BUSY, "", arnn_model_write(w.model, "weight_hh_l0", zeros, 25));
    assert_error(ARNN_BUSY, "", arnn_model_init(w.model, 2));
    assert_error(ARNN_BUSY, "", arnn_model_set_weight_type(w.model, ARNN_TYPE_F16));
    assert_ok(arnn_model_read(w.model, after, "weight_hh_l0", 25));
    assert_memory_equal(before, after, sizeof before);

    arnn_state_destroy(w.state);
    w.state = NULL;
    assert_ok(arnn_model_write(w.model, "weight_hh_l0", zeros, 25));
    assert_ok(arnn_model_init(w.model, 2));
    world_free(&w);
}

static void test_weight_type(void **unused)
{
    (void)unused;
    arnn_model_desc desc = plain();
    arnn_model *model;
    assert_ok(arnn_model_create(&model, &desc));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_set_weight_type(NULL, ARNN_TYPE_F16));
    const int32_t wrong[] = {-1, ARNN_TYPE_I8 + 1, INT32_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_error(ARNN_INVALID_ARGUMENT, "type", arnn_model_set_weight_type(model, wrong[i]));
    for (int32_t type = ARNN_TYPE_F32; type <= ARNN_TYPE_I8; type++)
        assert_ok(arnn_model_set_weight_type(model, type));
    arnn_model_destroy(model);
}

static void test_constant(void **unused)
{
    (void)unused;
    int32_t value = 7;
    assert_error(ARNN_INVALID_ARGUMENT, "name", arnn_constant(NULL, &value));
    assert_error(ARNN_INVALID_ARGUMENT, "value", arnn_constant("ARNN_OK", NULL));
    assert_error(ARNN_NOT_FOUND, "ARNN_CELL_TREE", arnn_constant("ARNN_CELL_TREE", &value));
    assert_int_equal(value, 7);
}

static void test_the_build(void **unused)
{
    (void)unused;
    char version[32];
    assert_int_equal(arnn_version(), ARNN_VERSION_MAJOR * 10000 + ARNN_VERSION_MINOR * 100 + ARNN_VERSION_PATCH);
    snprintf(version, sizeof version, "%d.%d.%d", ARNN_VERSION_MAJOR, ARNN_VERSION_MINOR, ARNN_VERSION_PATCH);
    assert_non_null(strstr(arnn_build_info(), version));
    assert_non_null(strstr(arnn_build_info(), "ref"));
    assert_null(strchr(arnn_build_info(), '\n'));

    arnn_model_desc desc;
    arnn_model *model;
    assert_ok(arnn_model_desc_default(&desc, sizeof desc));
    assert_ok(arnn_model_create(&model, &desc));
    assert_non_null(strstr(arnn_build_info(), arnn_model_kernels(model)));
    assert_null(arnn_model_kernels(NULL));
    arnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_strings),
        cmocka_unit_test(test_last_error_belongs_to_the_thread),
        cmocka_unit_test(test_desc_default),
        cmocka_unit_test(test_create_null),
        cmocka_unit_test(test_create_constants_out_of_range),
        cmocka_unit_test(test_create_numbers_out_of_range),
        cmocka_unit_test(test_create_sizes_out_of_range),
        cmocka_unit_test(test_create_combinations_without_meaning),
        cmocka_unit_test(test_create_unknown_table),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_read_and_write),
        cmocka_unit_test(test_busy_while_a_state_rests_on_the_model),
        cmocka_unit_test(test_weight_type),
        cmocka_unit_test(test_constant),
        cmocka_unit_test(test_the_build),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

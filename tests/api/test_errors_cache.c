/* Errors of section 4 of the header: the cache. */
#include "check.h"
#include "world.h"

static arnn_model *model_of(int32_t wiring)
{
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, wiring);
    arnn_model *model;
    assert_ok(arnn_model_create(&model, &desc));
    return model;
}

static arnn_cache_desc defaults(void)
{
    arnn_cache_desc desc;
    assert_ok(arnn_cache_desc_default(&desc, sizeof desc));
    return desc;
}

static void refused(arnn_status status, const char *word, arnn_model *model, const arnn_cache_desc *desc)
{
    arnn_cache *cache = (arnn_cache *)(intptr_t)1;
    assert_error(status, word, arnn_cache_create(&cache, model, desc));
    assert_null(cache);
}

static void test_desc_default(void **unused)
{
    (void)unused;
    arnn_cache_desc desc;
    assert_error(ARNN_INVALID_ARGUMENT, "desc", arnn_cache_desc_default(NULL, sizeof desc));
    assert_error(ARNN_INVALID_ARGUMENT, "size", arnn_cache_desc_default(&desc, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "size", arnn_cache_desc_default(&desc, sizeof desc + 8));
    assert_ok(arnn_cache_desc_default(&desc, sizeof desc));
    assert_int_equal(desc.struct_size, sizeof desc);
    assert_int_equal(desc.tape_type, ARNN_TYPE_F32);
    assert_int_equal(desc.memory_type | desc.key_type, ARNN_TYPE_F32);
    assert_int_equal(desc.threads, 1);
    assert_int_equal(desc.streams | desc.rows, 0);
    assert_true(desc.max_bytes == SIZE_MAX);
}

static void test_create(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_WIRING_AFTER);
    arnn_cache_desc desc = defaults();
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_cache_create(NULL, model, NULL));
    refused(ARNN_INVALID_ARGUMENT, "model", NULL, &desc);
    desc.struct_size = 4;
    refused(ARNN_INVALID_ARGUMENT, "struct_size", model, &desc);
    desc = defaults();
    desc.tape_type = 77;
    refused(ARNN_INVALID_ARGUMENT, "tape_type", model, &desc);
    desc.tape_type = -1;
    refused(ARNN_INVALID_ARGUMENT, "tape_type", model, &desc);
    desc = defaults();
    desc.memory_type = 77;
    refused(ARNN_INVALID_ARGUMENT, "memory_type", model, &desc);
    desc = defaults();
    desc.key_type = -1;
    refused(ARNN_INVALID_ARGUMENT, "key_type", model, &desc);
    desc = defaults();
    desc.threads = 0;
    refused(ARNN_INVALID_ARGUMENT, "threads", model, &desc);
    arnn_model_destroy(model);
}

static void test_create_room(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_WIRING_BEFORE);
    arnn_cache_desc desc = defaults();
    arnn_cache *cache;
    desc.streams = 2;
    desc.rows = 100;
    desc.max_bytes = 1;
    refused(ARNN_FULL, "", model, &desc);

    desc.rows = SIZE_MAX / 3;
    desc.max_bytes = SIZE_MAX;
    refused(ARNN_FULL, "", model, &desc); /* more than there are addresses */

    /* a limit of 0 is no limit on the room made at once, but the end of growth */
    desc.rows = 100;
    desc.max_bytes = 0;
    size_t allocated, after, used;
    assert_ok(arnn_cache_create(&cache, model, &desc));
    assert_ok(arnn_cache_bytes(cache, &allocated, &used));
    assert_true(allocated >= 2 * 100 * WORLD_WIDTH * sizeof(float));
    assert_int_equal(used, 0);
    assert_ok(arnn_cache_reserve(cache, 2, 100));
    assert_error(ARNN_FULL, "", arnn_cache_reserve(cache, 40, 1000));
    assert_ok(arnn_cache_bytes(cache, &after, NULL));
    assert_int_equal(after, allocated);
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
}

static void test_reserve(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_WIRING_AFTER);
    arnn_cache *cache;
    size_t allocated, rows, bytes, after;
    assert_ok(arnn_cache_create(&cache, model, NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "cache", arnn_cache_reserve(NULL, 1, 1));
    assert_ok(arnn_cache_bytes(cache, &allocated, NULL));
    assert_int_equal(allocated, 0);
    arnn_status status = arnn_cache_reserve(cache, SIZE_MAX / 2, SIZE_MAX / 2);
    assert_true(status == ARNN_NO_MEMORY || status == ARNN_INVALID_ARGUMENT || status == ARNN_FULL);
    assert_ok(arnn_cache_bytes(cache, &after, NULL));
    assert_int_equal(after, 0);
    arnn_cache_destroy(cache);

    arnn_cache_desc desc = defaults();
    assert_ok(arnn_cache_create(&cache, model, NULL));
    assert_ok(arnn_cache_page(cache, &rows, &bytes));
    arnn_cache_destroy(cache);
    desc.max_bytes = 2 * bytes;
    assert_ok(arnn_cache_create(&cache, model, &desc));
    assert_error(ARNN_FULL, "", arnn_cache_reserve(cache, 3, 1));
    assert_error(ARNN_FULL, "", arnn_cache_reserve(cache, 1, 2 * rows + 1));
    assert_ok(arnn_cache_bytes(cache, &after, NULL));
    assert_int_equal(after, 0);
    assert_ok(arnn_cache_reserve(cache, 1, 2 * rows));
    assert_ok(arnn_cache_bytes(cache, &after, NULL));
    assert_int_equal(after, 2 * bytes);
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
}

static void test_bytes_and_page(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_WIRING_AFTER);
    arnn_cache *cache;
    size_t rows = 0, bytes = 0;
    assert_ok(arnn_cache_create(&cache, model, NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "cache", arnn_cache_bytes(NULL, &bytes, NULL));
    assert_ok(arnn_cache_bytes(cache, NULL, NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "cache", arnn_cache_page(NULL, &rows, &bytes));
    assert_error(ARNN_INVALID_ARGUMENT, "rows", arnn_cache_page(cache, NULL, &bytes));
    assert_error(ARNN_INVALID_ARGUMENT, "bytes", arnn_cache_page(cache, &rows, NULL));
    assert_int_equal(rows | bytes, 0);
    assert_ok(arnn_cache_page(cache, &rows, &bytes));
    assert_true(rows > 0 && bytes >= rows * WORLD_WIDTH * sizeof(float));
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
}

/* Pages of any allowed length give the same numbers up to rounding, and one of one length the same bits. */
static void test_page_rows(void **unused)
{
    (void)unused;
    static const size_t refused_rows[] = {1, 8, 17, 48, 1024, SIZE_MAX};
    arnn_model *model = model_of(ARNN_WIRING_AFTER);
    arnn_cache_desc desc = defaults();
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        desc.page_rows = refused_rows[i];
        refused(ARNN_INVALID_ARGUMENT, "page_rows", model, &desc);
    }
    float summary[3][5];
    const size_t rows[3] = {16, 16, 0};
    for (size_t i = 0; i < 3; i++) {
        arnn_model_desc model_desc = world_desc(ARNN_CELL_GRU, ARNN_WIRING_AFTER);
        size_t page, bytes;
        world w;
        desc.page_rows = rows[i];
        world_make(&w, &model_desc, &desc);
        assert_ok(arnn_cache_page(w.cache, &page, &bytes));
        assert_true(page == (rows[i] ? rows[i] : 512) && bytes == page * WORLD_WIDTH * sizeof(float));
        world_run(&w, 100);
        assert_ok(arnn_state_get(w.state, summary[i], ARNN_VALUE_S, 0, 1));
        world_free(&w);
    }
    assert_memory_equal(summary[0], summary[1], sizeof summary[0]);
    for (size_t j = 0; j < 5; j++)
        assert_true(summary[0][j] - summary[2][j] < 1e-5f && summary[2][j] - summary[0][j] < 1e-5f);
    arnn_model_destroy(model);
}

/* A window longer than memory is no fault as long as nobody fills it; room for it is refused at once. */
static void test_huge_window(void **unused)
{
    (void)unused;
    arnn_model_desc model_desc;
    arnn_model *model;
    arnn_cache *cache;
    assert_ok(arnn_model_desc_default(&model_desc, sizeof model_desc));
    model_desc.inputs = model_desc.hidden = 4;
    model_desc.window = (size_t)1 << 60;
    model_desc.sinks = (size_t)1 << 50;
    assert_ok(arnn_model_create(&model, &model_desc));
    assert_ok(arnn_cache_create(&cache, model, NULL));
    arnn_status status = arnn_cache_reserve(cache, 1, (size_t)1 << 61);
    assert_true(status == ARNN_FULL || status == ARNN_NO_MEMORY);
    assert_ok(arnn_cache_reserve(cache, 1, 100));
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_huge_window),
        cmocka_unit_test(test_page_rows),
        cmocka_unit_test(test_desc_default), cmocka_unit_test(test_create),         cmocka_unit_test(test_create_room),
        cmocka_unit_test(test_reserve),      cmocka_unit_test(test_bytes_and_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

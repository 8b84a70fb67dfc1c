/* Pages: made up to a limit, taken, given back; and memory that ends. */
#include "check.h"
#include "failing.h"

#include "attention/pool.h"
#include "base/memory.h"
#include "kernels/kernels.h"

static arnn_page_shape small_shape(void)
{
    arnn_page_shape shape = {.layers = 2, .hidden = 4100, .align = 3, .memories = true};
    assert_true(arnn_page_shape_complete(&shape));
    return shape;
}

/* Bytes of whole cache lines. */
static size_t lines(size_t bytes)
{
    return (bytes + ARNN_ALIGNMENT - 1) / ARNN_ALIGNMENT * ARNN_ALIGNMENT;
}

static void test_shapes(void **unused)
{
    (void)unused;
    static const size_t rows[][2] = {{1, 512},   {128, 512}, {129, 256},  {256, 256},
                                     {512, 128}, {4096, 16}, {100000, 16}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t keys = 0; keys < 2; keys++) {
            arnn_page_shape shape = {.layers = 3, .hidden = rows[i][0], .align = 7 * keys, .memories = keys};
            assert_true(arnn_page_shape_complete(&shape));
            assert_int_equal(shape.rows, rows[i][1]);
            assert_true(shape.rows <= ARNN_RUN_ROWS);
            size_t h = lines(rows[i][1] * rows[i][0] * 4), key = lines(rows[i][1] * 7 * 4);
            assert_int_equal(shape.m_offset, h);
            assert_int_equal(shape.key_offset, h * (1 + keys));
            assert_int_equal(shape.layer_bytes, h * (1 + keys) + key * keys);
            assert_int_equal(shape.page_bytes, 3 * shape.layer_bytes);
        }
    }
}

static void test_shapes_that_overflow(void **unused)
{
    (void)unused;
    const arnn_page_shape shapes[] = {
        {.layers = 1, .hidden = SIZE_MAX / 2 + 1, .memories = true},
        {.layers = 1, .hidden = 16, .align = SIZE_MAX - 4},
        {.layers = 1, .hidden = SIZE_MAX / 16 + 1},
        {.layers = SIZE_MAX / 16, .hidden = 4096},
        {.layers = 1, .hidden = SIZE_MAX / 32},
    };
    for (size_t i = 0; i < COUNT(shapes); i++) {
        arnn_page_shape shape = shapes[i];
        assert_false(arnn_page_shape_complete(&shape));
    }
}

static void test_up_to_the_limit(void **unused)
{
    (void)unused;
    arnn_page_shape shape = small_shape();
    arnn_pool pool;
    arnn_pool_create(&pool, &shape, 3);
    assert_int_equal(pool.made, 0);
    assert_ok(arnn_pool_provide_made(&pool, 0));
    assert_ok(arnn_pool_provide_unused(&pool, 2));
    assert_int_equal(pool.made, 2);
    assert_ok(arnn_pool_provide_unused(&pool, 1)); /* two are there */
    assert_int_equal(pool.made, 2);
    arnn_page *a = arnn_pool_take(&pool);
    assert_int_equal(pool.unused, 1);
    assert_ok(arnn_pool_provide_unused(&pool, 2));
    assert_int_equal(pool.made, 3);
    assert_error(ARNN_FULL, "3 pages", arnn_pool_provide_unused(&pool, 3));
    assert_error(ARNN_FULL, "3 pages", arnn_pool_provide_made(&pool, 4));
    assert_error(ARNN_FULL, "3 pages", arnn_pool_provide_unused(&pool, SIZE_MAX));
    assert_int_equal(pool.made, 3);
    assert_int_equal(pool.unused, 2);
    arnn_pool_give(&pool, a);
    assert_ok(arnn_pool_provide_unused(&pool, 3));
    arnn_pool_destroy(&pool);
    assert_int_equal(pool.made, 0);
}

/* Pages differ, and are zeroed and all ours. */
static void test_pages_are_memory(void **unused)
{
    (void)unused;
    enum { PAGES = 4 };
    arnn_page_shape shape = small_shape();
    arnn_pool pool;
    arnn_page *pages[PAGES];
    arnn_pool_create(&pool, &shape, PAGES);
    assert_ok(arnn_pool_provide_made(&pool, PAGES));
    for (size_t i = 0; i < PAGES; i++) {
        pages[i] = arnn_pool_take(&pool);
        assert_null(pages[i]->next);
        for (size_t j = 0; j < shape.page_bytes; j++)
            assert_int_equal(pages[i]->bytes[j], 0);
        memset(pages[i]->bytes, (int)(i + 1), shape.page_bytes);
    }
    assert_int_equal(pool.unused, 0);
    for (size_t i = 0; i < PAGES; i++) {
        for (size_t j = 0; j < shape.page_bytes; j++)
            assert_int_equal(pages[i]->bytes[j], i + 1);
        arnn_pool_give(&pool, pages[i]);
    }
    assert_int_equal(pool.unused, PAGES);
    arnn_pool_destroy(&pool);
}

/* At whichever allocation memory ends, what was there before is there after, and no more; then all is had. */
static void test_without_memory(void **unused)
{
    (void)unused;
    arnn_page_shape shape = small_shape();
    long live = failing_live();
    for (size_t n = 1;; n++) {
        arnn_pool pool;
        arnn_pool_create(&pool, &shape, 9);
        assert_ok(arnn_pool_provide_made(&pool, 2));
        arnn_page *taken = arnn_pool_take(&pool);
        long before = failing_live();
        failing_begin(n);
        arnn_status status = arnn_pool_provide_unused(&pool, 5);
        bool failed = failing_end();
        assert_int_equal(status, failed ? ARNN_NO_MEMORY : ARNN_OK);
        assert_int_equal(pool.unused, failed ? 1 : 5);
        assert_int_equal(pool.made, failed ? 2 : 6);
        assert_true(!failed || failing_live() == before);
        assert_ok(arnn_pool_provide_unused(&pool, 8));
        arnn_pool_give(&pool, taken);
        arnn_pool_destroy(&pool);
        assert_int_equal(failing_live(), live);
        if (!failed) {
            assert_true(n > 1);
            return;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),           cmocka_unit_test(test_shapes_that_overflow),
        cmocka_unit_test(test_up_to_the_limit),  cmocka_unit_test(test_pages_are_memory),
        cmocka_unit_test(test_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

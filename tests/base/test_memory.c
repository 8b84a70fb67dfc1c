/* Checked sizes and aligned memory. */
#include "check.h"

#include "base/memory.h"

static void test_products(void **unused)
{
    (void)unused;
    static const struct {
        size_t a, b, product;
        bool fits;
    } cases[] = {
        {0, 0, 0, true},
        {0, SIZE_MAX, 0, true},
        {SIZE_MAX, 0, 0, true},
        {1, SIZE_MAX, SIZE_MAX, true},
        {SIZE_MAX, 1, SIZE_MAX, true},
        {3, 7, 21, true},
        {SIZE_MAX / 2, 2, SIZE_MAX - 1, true},
        {SIZE_MAX / 2 + 1, 2, SIZE_MAX, false},
        {2, SIZE_MAX / 2 + 1, SIZE_MAX, false},
        {SIZE_MAX, SIZE_MAX, SIZE_MAX, false},
        {(size_t)1 << 32, (size_t)1 << 32, SIZE_MAX, false},
        {(size_t)1 << 32, ((size_t)1 << 32) - 1, SIZE_MAX - ((size_t)1 << 32) + 1, true},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t out = 12345;
        assert_int_equal(arnn_size_mul(&out, cases[i].a, cases[i].b), cases[i].fits);
        assert_int_equal(out, cases[i].product);
    }
}

static void test_sums(void **unused)
{
    (void)unused;
    static const struct {
        size_t a, b, sum;
        bool fits;
    } cases[] = {
        {0, 0, 0, true},        {SIZE_MAX, 0, SIZE_MAX, true},  {0, SIZE_MAX, SIZE_MAX, true},
        {2, 3, 5, true},        {SIZE_MAX, 1, SIZE_MAX, false}, {1, SIZE_MAX, SIZE_MAX, false},
        {SIZE_MAX - 1, 1, SIZE_MAX, true}, {SIZE_MAX / 2 + 1, SIZE_MAX / 2 + 1, SIZE_MAX, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t out = 12345;
        assert_int_equal(arnn_size_add(&out, cases[i].a, cases[i].b), cases[i].fits);
        assert_int_equal(out, cases[i].sum);
    }
}

/* Checks may be chained and made once: what has overflowed stays so. */
static void test_overflow_carries_on(void **unused)
{
    (void)unused;
    size_t total;
    arnn_size_mul(&total, SIZE_MAX / 2, 3);
    assert_false(arnn_size_mul(&total, total, 4));
    assert_int_equal(total, SIZE_MAX);
    assert_false(arnn_size_add(&total, total, 1));
    assert_int_equal(total, SIZE_MAX);
}

/* Of dirty memory too: blocks are dirtied, freed, and had again. */
static void test_aligned_and_zeroed(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {1, 2, 3, 15, 16, 17, 63, 64, 65, 1000, 4096, 70000};
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT(sizes); i++) {
            unsigned char *memory = arnn_alloc(sizes[i], 3);
            assert_non_null(memory);
            assert_int_equal((uintptr_t)memory % ARNN_ALIGNMENT, 0);
            for (size_t j = 0; j < sizes[i] * 3; j++)
                assert_int_equal(memory[j], 0);
            memset(memory, 0xee, sizes[i] * 3);
            arnn_free(memory);
        }
    }
    float *floats = arnn_alloc_floats(333);
    assert_non_null(floats);
    assert_int_equal((uintptr_t)floats % ARNN_ALIGNMENT, 0);
    for (size_t i = 0; i < 333; i++)
        assert_true(floats[i] == 0.0f);
    arnn_free(floats);
}

/* Long stretches, too, on both sides of a huge page's size. */
static void test_stretches(void **unused)
{
    (void)unused;
    static const size_t sizes[] = {0, 1, 1000, (1 << 21) - 1, 1 << 21, (1 << 21) + 1, 3 << 21};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        unsigned char *bytes = arnn_alloc_stretch(sizes[i]);
        assert_non_null(bytes);
        assert_int_equal((uintptr_t)bytes % ARNN_ALIGNMENT, 0);
        for (size_t j = 0; j < sizes[i]; j++) {
            if (bytes[j] != 0)
                fail();
            bytes[j] = 1;
        }
        arnn_free(bytes);
    }
    assert_null(arnn_alloc_stretch(SIZE_MAX / 2));
}

static void test_blocks_are_apart(void **unused)
{
    (void)unused;
    unsigned char *blocks[50];
    for (size_t i = 0; i < COUNT(blocks); i++) {
        blocks[i] = arnn_alloc(i + 1, 1);
        assert_non_null(blocks[i]);
        memset(blocks[i], (int)i + 1, i + 1);
    }
    for (size_t i = 0; i < COUNT(blocks); i++) {
        for (size_t j = 0; j <= i; j++)
            assert_int_equal(blocks[i][j], i + 1);
        arnn_free(blocks[i]);
    }
}

static void test_too_much_and_nothing(void **unused)
{
    (void)unused;
    static const size_t sizes[][2] = {
        {SIZE_MAX, 2}, {2, SIZE_MAX}, {SIZE_MAX, 1}, {SIZE_MAX - 8, 1}, {(size_t)PTRDIFF_MAX + 1, 1}, {PTRDIFF_MAX, 1}};
    for (size_t i = 0; i < COUNT(sizes); i++)
        assert_null(arnn_alloc(sizes[i][0], sizes[i][1]));
    assert_null(arnn_alloc_floats(SIZE_MAX / 2));
    void *nothing = arnn_alloc(0, 8), *nothings = arnn_alloc(8, 0);
    assert_non_null(nothing);
    assert_non_null(nothings);
    arnn_free(nothing);
    arnn_free(nothings);
    arnn_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_products),
        cmocka_unit_test(test_sums),
        cmocka_unit_test(test_overflow_carries_on),
        cmocka_unit_test(test_aligned_and_zeroed),
        cmocka_unit_test(test_stretches),
        cmocka_unit_test(test_blocks_are_apart),
        cmocka_unit_test(test_too_much_and_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

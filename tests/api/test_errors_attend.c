/* Errors of section 7 of the header: attention alone. Outputs stay as they were. */
#include <math.h>

#include "check.h"

enum { BATCH = 2, WIDTH = 3, ROWS = 4 };

static float contexts[BATCH * WIDTH], logsumexp[BATCH], weights[BATCH * ROWS];
static const float queries[BATCH * WIDTH] = {1, 0, -1, 0.5f, 0.5f, 0.5f};
static const float data[ROWS * WIDTH] = {1, 2, 3, -1, -2, -3, 0.5f, 0.5f, 0, 0, 1, 0};

static int untouched(void)
{
    for (size_t i = 0; i < COUNT(contexts); i++) {
        if (contexts[i] != 9.0f)
            return 0;
    }
    return 1;
}

static int before_each(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(contexts); i++)
        contexts[i] = 9.0f;
    return 0;
}

static void test_null(void **unused)
{
    (void)unused;
    const arnn_rows rows[BATCH] = {{data, ROWS, 0}, {data, 2, 0}};
    const arnn_rows hollow[BATCH] = {{data, ROWS, 0}, {NULL, 1, 0}};
    assert_error(ARNN_INVALID_ARGUMENT, "contexts",
                 arnn_attend(NULL, NULL, NULL, queries, rows, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "queries",
                 arnn_attend(contexts, NULL, NULL, NULL, rows, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "rows",
                 arnn_attend(contexts, NULL, NULL, queries, NULL, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "rows",
                 arnn_attend(contexts, NULL, NULL, queries, hollow, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_true(untouched());
}

static void test_sizes(void **unused)
{
    (void)unused;
    const arnn_rows rows[BATCH] = {{data, 2, 0}, {data, ROWS, 0}};
    const arnn_rows narrow[BATCH] = {{data, 2, 0}, {data, 2, WIDTH - 1}};
    assert_error(ARNN_SHAPE, "weight_stride",
                 arnn_attend(contexts, logsumexp, weights, queries, rows, BATCH, WIDTH, ROWS - 1, ARNN_TYPE_F32, 1));
    assert_error(ARNN_SHAPE, "stride",
                 arnn_attend(contexts, logsumexp, NULL, queries, narrow, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_true(untouched());
    assert_ok(arnn_attend(contexts, logsumexp, weights, queries, rows, BATCH, WIDTH, ROWS, ARNN_TYPE_F32, 1));
    assert_false(untouched());
}

static void test_type(void **unused)
{
    (void)unused;
    const arnn_rows rows[BATCH] = {{data, 2, 0}, {data, ROWS, 0}};
    const int32_t wrong[] = {-1, 99, INT32_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_error(ARNN_INVALID_ARGUMENT, "type",
                     arnn_attend(contexts, NULL, NULL, queries, rows, BATCH, WIDTH, 0, wrong[i], 1));
    assert_true(untouched());
}

static void test_numbers_out_of_range(void **unused)
{
    (void)unused;
    const arnn_rows rows[BATCH] = {{data, 2, 0}, {data, ROWS, 0}};
    const float scales[] = {NAN, INFINITY};
    assert_error(ARNN_INVALID_ARGUMENT, "width is 0",
                 arnn_attend(contexts, NULL, NULL, queries, rows, BATCH, 0, 0, ARNN_TYPE_F32, 1));
    for (size_t i = 0; i < COUNT(scales); i++)
        assert_error(ARNN_INVALID_ARGUMENT, "scale",
                     arnn_attend(contexts, NULL, NULL, queries, rows, BATCH, WIDTH, 0, ARNN_TYPE_F32, scales[i]));
    assert_true(untouched());
}

static void test_unknown_table(void **unused)
{
    (void)unused;
    const arnn_rows rows[BATCH] = {{data, 2, 0}, {data, ROWS, 0}};
    const char *chosen = getenv("ARNN_ISA");
    char keep[64] = "";
    if (chosen)
        snprintf(keep, sizeof keep, "%s", chosen);
    assert_int_equal(setenv("ARNN_ISA", "abacus", 1), 0);
    assert_error(ARNN_UNSUPPORTED, "abacus",
                 arnn_attend(contexts, NULL, NULL, queries, rows, BATCH, WIDTH, 0, ARNN_TYPE_F32, 1));
    assert_int_equal(chosen ? setenv("ARNN_ISA", keep, 1) : unsetenv("ARNN_ISA"), 0);
    assert_true(untouched());
}

static void test_merge(void **unused)
{
    (void)unused;
    const float other[BATCH * WIDTH] = {0}, other_logsumexp[BATCH] = {0};
    assert_error(ARNN_INVALID_ARGUMENT, "contexts",
                 arnn_attend_merge(NULL, logsumexp, other, other_logsumexp, BATCH, WIDTH));
    assert_error(ARNN_INVALID_ARGUMENT, "logsumexp",
                 arnn_attend_merge(contexts, NULL, other, other_logsumexp, BATCH, WIDTH));
    assert_error(ARNN_INVALID_ARGUMENT, "other_contexts",
                 arnn_attend_merge(contexts, logsumexp, NULL, other_logsumexp, BATCH, WIDTH));
    assert_error(ARNN_INVALID_ARGUMENT, "other_logsumexp",
                 arnn_attend_merge(contexts, logsumexp, other, NULL, BATCH, WIDTH));
    assert_error(ARNN_INVALID_ARGUMENT, "overflow",
                 arnn_attend_merge(contexts, logsumexp, other, other_logsumexp, SIZE_MAX / 2, WIDTH));
    assert_true(untouched());
}

/* Two parts merged are the whole; no rows give zero and -inf, and change nothing in a merge. */
static void test_merge_is_exact(void **unused)
{
    (void)unused;
    float whole[WIDTH], part[WIDTH], rest[WIDTH], whole_l, part_l, rest_l, none[WIDTH], none_l;
    const arnn_rows all = {data, ROWS, 0}, first = {data, 1, 0}, last = {data + WIDTH, ROWS - 1, 0}, empty = {NULL, 0, 0};
    assert_ok(arnn_attend(whole, &whole_l, NULL, queries, &all, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_ok(arnn_attend(part, &part_l, NULL, queries, &first, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_ok(arnn_attend(rest, &rest_l, NULL, queries, &last, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_ok(arnn_attend(none, &none_l, NULL, queries, &empty, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_true(isinf(none_l) && none_l < 0 && none[0] == 0 && none[2] == 0);
    assert_ok(arnn_attend_merge(part, &part_l, none, &none_l, 1, WIDTH));
    assert_ok(arnn_attend_merge(part, &part_l, rest, &rest_l, 1, WIDTH));
    for (size_t i = 0; i < WIDTH; i++)
        assert_true(fabsf(part[i] - whole[i]) < 2e-6f);
    assert_true(fabsf(part_l - whole_l) < 2e-6f);
    float empty_too[WIDTH] = {0}, empty_too_l = -INFINITY;
    assert_ok(arnn_attend_merge(none, &none_l, empty_too, &empty_too_l, 1, WIDTH));
    assert_true(isinf(none_l) && none_l < 0 && none[0] == 0);
}

/* Contexts may take the place of queries. */
static void test_in_place(void **unused)
{
    (void)unused;
    const arnn_rows rows = {data, ROWS, 0};
    float apart[WIDTH], place[WIDTH];
    memcpy(place, queries, sizeof place);
    assert_ok(arnn_attend(apart, NULL, NULL, queries, &rows, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_ok(arnn_attend(place, NULL, NULL, place, &rows, 1, WIDTH, 0, ARNN_TYPE_F32, 0.5f));
    assert_memory_equal(apart, place, sizeof place);
    assert_ok(arnn_attend(NULL, NULL, NULL, NULL, NULL, 0, WIDTH, 0, ARNN_TYPE_F32, 0.5f)); /* nothing to do */
    assert_ok(arnn_attend_merge(NULL, NULL, NULL, NULL, 0, WIDTH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_null, before_each),          cmocka_unit_test_setup(test_sizes, before_each),
        cmocka_unit_test_setup(test_type, before_each),          cmocka_unit_test_setup(test_merge, before_each),
        cmocka_unit_test_setup(test_unknown_table, before_each), cmocka_unit_test_setup(test_merge_is_exact, before_each),
        cmocka_unit_test_setup(test_in_place, before_each),
        cmocka_unit_test_setup(test_numbers_out_of_range, before_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

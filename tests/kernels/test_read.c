/* The reads of every table, over random tapes, against double and against `ref`; and cut into pieces. */
#include "reads.h"

static const size_t widths[] = {1,  2,  3,  5,  7,  8,  9,  15, 16,  17,  24,  31,  32,
                                33, 40, 63, 64, 65, 80, 90, 112, 120, 127, 130, 300};

/* Blocks of rows in the vector tables begin at multiples of a divisor of this, in the absolute index. */
enum { BLOCK = 64 };

static shape random_shape(rng *r, size_t most)
{
    shape s = {
        .kind = (arnn_read_kind)rng_below(r, ARNN_READS),
        .n = widths[rng_below(r, COUNT(widths))],
        .k = widths[rng_below(r, COUNT(widths))],
        .count = 1 + rng_below(r, most),
        .first = rng_below(r, 3) * rng_below(r, 5000),
        .memories = rng_below(r, 2),
        .recency = rng_below(r, 2) ? 0.0f : rng_float(r, 0.5f),
    };
    s.stride = s.n + rng_below(r, 2) * rng_below(r, 20);
    if (rng_below(r, 2)) {
        s.h_type = (int32_t)rng_below(r, ARNN_TYPES);
        s.m_type = rng_below(r, 2) ? ARNN_TYPE_BF16 : ARNN_TYPE_F32;
        s.key_type = rng_below(r, 2) ? ARNN_TYPE_BF16 : ARNN_TYPE_F32;
    }
    return s;
}

/* A partial of some rows before: sums of a weight, at a maximum near the scores'. */
static void begin_amid(rng *r, reading *a)
{
    a->max = rng_float(r, 4.0f);
    a->sum = 1.5f + rng_float(r, 1.0f);
    rng_fill(r, a->sum_h.floats, a->n, a->sum);
    rng_fill(r, a->sum_m.floats, a->sum_m.count, a->sum);
}

static reading random_reading(rng *r, size_t most, guard_side side)
{
    shape s = random_shape(r, most);
    reading a = reading_make(r, &s, side);
    if (rng_below(r, 3) == 0)
        begin_amid(r, &a);
    reading_freeze(&a);
    return a;
}

static void check_tables(const reading *a, guard_side side)
{
    truth t = truth_make(a);
    result ref = result_of(a, &arnn_kernels_ref, side);
    FOR_TABLES(table)
    {
        result got = result_of(a, table, side);
        check_truth(a, &t, &got);
        check_like(a, &t, &got, &ref);
        result_free(&got);
    }
    result_free(&ref);
    truth_free(&t);
}

static void test_random_runs(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 800; i++) {
        reading a = random_reading(&r, i % 40 ? 40 : ARNN_RUN_ROWS, i % GUARD_SIDES);
        check_tables(&a, i % GUARD_SIDES);
        reading_free(&a);
    }
}

/* The longest run there may be. */
static void test_full_runs(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 3 * ARNN_TYPES; i++) {
        shape s = random_shape(&r, 1);
        s.kind = (arnn_read_kind)(i % ARNN_READS);
        s.h_type = (int32_t)(i % ARNN_TYPES);
        s.count = ARNN_RUN_ROWS;
        reading a = reading_make(&r, &s, GUARD_BEHIND);
        check_tables(&a, GUARD_BEHIND);
        reading_free(&a);
    }
}

/* int8 at the widths where products of bytes end, and where the query is too wide for them. */
static void test_bytes(void **unused)
{
    (void)unused;
    static const size_t edges[] = {63, 64, 65, 127, 129, 4095, 4096, 4097};
    rng r = RNG;
    for (size_t i = 0; i < 4 * COUNT(edges); i++) {
        shape s = random_shape(&r, 140);
        s.kind = ARNN_READ_DOT;
        s.n = edges[i % COUNT(edges)];
        s.stride = s.n + i % 3;
        s.h_type = ARNN_TYPE_I8;
        reading a = reading_make(&r, &s, i % GUARD_SIDES);
        check_tables(&a, i % GUARD_SIDES);
        reading_free(&a);
    }
}

/* Rows that may be kept as floats between scores and sums, around the widest for which there is room; and, where rows of
   int8 are scored by bytes, under a query that has none. */
static void test_kept_rows(void **unused)
{
    (void)unused;
    static const size_t edges[] = {1023, 1024, 1025, 2048};
    rng r = RNG;
    for (size_t i = 0; i < 6 * COUNT(edges); i++) {
        shape s = random_shape(&r, 40);
        s.kind = ARNN_READ_DOT;
        s.n = edges[i % COUNT(edges)];
        s.stride = s.n + i % 3;
        s.h_type = i / COUNT(edges) % 2 ? ARNN_TYPE_F16 : ARNN_TYPE_I8;
        reading a = reading_make(&r, &s, i % GUARD_SIDES);
        for (size_t j = 0; i / COUNT(edges) / 2 == 2 && j < a.query.count; j++)
            a.query.floats[j] = 0.0f;
        check_tables(&a, i % GUARD_SIDES);
        reading_free(&a);
    }
}

/* Additive scores of more units than are taken at a time. */
static void test_many_units(void **unused)
{
    (void)unused;
    static const size_t edges[] = {2047, 2048, 2049, 2100, 4097};
    rng r = RNG;
    for (size_t i = 0; i < 4 * COUNT(edges); i++) {
        shape s = random_shape(&r, 20);
        s.kind = i / COUNT(edges) % 2 ? ARNN_READ_TANH : ARNN_READ_EXPONENT;
        s.k = edges[i % COUNT(edges)];
        s.key_type = i / COUNT(edges) / 2 ? ARNN_TYPE_BF16 : ARNN_TYPE_F32;
        reading a = reading_make(&r, &s, i % GUARD_SIDES);
        check_tables(&a, i % GUARD_SIDES);
        reading_free(&a);
    }
}

/* Keys of some rows become ones at angles up to `size`, which add to the query's. */
static void spread_keys(rng *r, reading *a, float size)
{
    const arnn_element *element = arnn_element_of(a->run.key_type);
    for (size_t row = 0; row < a->count; row++) {
        float *key = a->key.floats + row * a->k, most = (float)rng_below(r, 4) / 3.0f * size;
        for (size_t j = 0; j < a->k; j++) {
            key[j] = expf(2.0f * rng_float(r, j % 7 ? most : size));
            if (a->key_rows.bytes) {
                element->encode(a->key_rows.floats, row * a->k + j, key[j]);
                key[j] = element->decode(a->key_rows.floats, row * a->k + j);
            }
        }
    }
}

/* Units far from 0, whose denominators multiply to more than a float holds, in some rows beside others: every row is as
   near the truth as it is, and as it is alone. */
static void test_far_units(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 200; i++) {
        shape s = random_shape(&r, 40);
        s.kind = ARNN_READ_EXPONENT;
        reading a = reading_make(&r, &s, i % GUARD_SIDES);
        spread_keys(&r, &a, 2.0f + (float)(i % 16) * 2.0f);
        check_tables(&a, i % GUARD_SIDES);
        FOR_TABLES(table)
        {
            result whole = result_of(&a, table, GUARD_BEHIND), alone = result_begin(&a, GUARD_BEHIND);
            for (size_t row = 0; row < a.count; row++)
                result_extend(&alone, &a, table, row, row + 1);
            assert_true(!keeps_company_out(table) || same_bits(whole.scores.floats, alone.scores.floats, a.count));
            result_free(&whole);
            result_free(&alone);
        }
        reading_free(&a);
    }
}

/* Whether scores are wanted changes nothing. */
static void test_scores_are_optional(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 100; i++) {
        reading a = random_reading(&r, 100, GUARD_BEHIND);
        FOR_TABLES(table)
        {
            result with = result_of(&a, table, GUARD_BEHIND), without = result_begin(&a, GUARD_BEHIND);
            table->read[a.kind](&without.partial, &a.form, &a.run, NULL);
            assert_true(same_result(&with, &without));
            result_free(&with);
            result_free(&without);
        }
        reading_free(&a);
    }
}

/* A run in two pieces, which continue in one partial. Where the cut is a multiple of a block in the absolute index,
   and for `ref` wherever it is, not a bit changes, nor does any score ever; elsewhere the result is as near the
   truth. */
static void check_cuts(const reading *a)
{
    truth t = truth_make(a);
    FOR_TABLES(table)
    {
        result whole = result_of(a, table, GUARD_BEHIND);
        for (size_t cut = 0; cut <= a->count; cut++) {
            bool anchored = (a->run.first + cut) % BLOCK == 0 || table == &arnn_kernels_ref;
            result pieces = result_begin(a, GUARD_BEHIND);
            result_extend(&pieces, a, table, 0, cut);
            result_extend(&pieces, a, table, cut, a->count);
            check_truth(a, &t, &pieces);
            if (keeps_company_out(table)) {
                assert_true(same_bits(whole.scores.floats, pieces.scores.floats, a->count));
                assert_true(!anchored || same_result(&whole, &pieces));
            }
            result_free(&pieces);
        }
        result_free(&whole);
    }
    truth_free(&t);
}

/* Whole blocks one after the other in float32, which a table may add and score at once; cut off after 64 rows they are
   not. */
static void test_blocks_in_a_row(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 24; i++) {
        shape s = random_shape(&r, 1);
        s.kind = ARNN_READ_DOT;
        s.h_type = ARNN_TYPE_F32;
        s.n = s.stride = 64 + rng_below(&r, 200);
        s.stride += i % 2 * 5;
        s.count = 130 + rng_below(&r, 100);
        s.first = rng_below(&r, 70);
        reading a = reading_make(&r, &s, i % GUARD_SIDES);
        check_tables(&a, i % GUARD_SIDES);
        check_cuts(&a);
        reading_free(&a);
    }
}

static void test_cuts(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 30; i++) {
        reading a = random_reading(&r, 150, GUARD_BEHIND);
        check_cuts(&a);
        reading_free(&a);
    }
}

/* Row by row, as a tape grows; and all rows at once at several places in the index: scores do not depend on the
   place. */
static void test_scores_do_not_depend_on_the_place(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 60; i++) {
        reading a = random_reading(&r, 40, GUARD_BEHIND);
        FOR_TABLES(table)
        {
            if (!keeps_company_out(table))
                continue;
            result whole = result_of(&a, table, GUARD_BEHIND), rows = result_begin(&a, GUARD_BEHIND);
            reading moved = a;
            moved.run.first += 3;
            moved.form.newest += 3;
            for (size_t row = 0; row < a.count; row++)
                result_extend(&rows, &moved, table, row, row + 1);
            assert_true(same_bits(whole.scores.floats, rows.scores.floats, a.count));
            result_free(&whole);
            result_free(&rows);
        }
        reading_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_runs),
        cmocka_unit_test(test_full_runs),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_kept_rows),
        cmocka_unit_test(test_many_units),
        cmocka_unit_test(test_far_units),
        cmocka_unit_test(test_scores_are_optional),
        cmocka_unit_test(test_blocks_in_a_row),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_scores_do_not_depend_on_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

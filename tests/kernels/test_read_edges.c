/* Reads at their edges: what the exact result is there is known without any bound, or is no number at all. */
#include "reads.h"

enum { N = 21, K = 13, MOST = 150 };

/* Weights of a table at rest: zero states, keys that score 0 in every kind. */
static reading still(arnn_read_kind kind, size_t count, size_t first)
{
    rng r = RNG;
    const shape s = {.kind = kind, .n = N, .k = K, .count = count, .stride = N, .first = first, .memories = true};
    reading a = reading_make(&r, &s, GUARD_BEHIND);
    for (size_t i = 0; i < a.key.count; i++)
        a.key.floats[i] = kind == ARNN_READ_EXPONENT ? 1.0f : 0.0f;
    for (size_t i = 0; i < a.query.count; i++)
        a.query.floats[i] = kind == ARNN_READ_EXPONENT ? 1.0f : 0.0f;
    for (size_t i = 0; i < a.h.count; i++)
        a.h.floats[i] = 0.0f;
    return a;
}

static const size_t counts[] = {1, 2, 7, 8, 9, 31, 63, 64, 65, MOST};

#define FOR_READS(kind, count_i, table)                                     \
    for (arnn_read_kind kind = ARNN_READ_DOT; kind < ARNN_READS; kind++)    \
        for (size_t count_i = 0; count_i < COUNT(counts); count_i++)        \
            FOR_TABLES(table)

/* Rows of zeros: all weigh the same, and their mean is zero, not nearly. */
static void test_zero_rows(void **unused)
{
    (void)unused;
    FOR_READS(kind, c, table) {
        reading a = still(kind, counts[c], 5);
        a.form.score_sum = kind == ARNN_READ_EXPONENT ? a.form.score_sum : 0.0f;
        result got = result_of(&a, table, GUARD_BEHIND);
        for (size_t j = 0; j < N; j++)
            assert_true(got.h.floats[j] == 0.0f);
        assert_near((double)got.partial.sum, (double)a.count, (double)a.count * (double)a.count * U);
        result_free(&got);
        reading_free(&a);
    }
}

/* From the empty partial one row is itself, to the last bit, and its score the maximum. */
static void test_one_row(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 90; i++) {
        shape s = {.kind = (arnn_read_kind)(i % ARNN_READS), .n = 1 + i, .k = 1 + i / 2, .count = 1, .memories = i % 2};
        s.stride = s.n;
        s.first = i * 7;
        reading a = reading_make(&r, &s, GUARD_BEHIND);
        FOR_TABLES(table) {
            result got = result_of(&a, table, GUARD_BEHIND);
            assert_true(same_bits(got.h.floats, a.h.floats, s.n));
            assert_true(same_bits(got.m.floats, a.m.floats, a.m.count));
            assert_true(got.partial.sum == 1.0f && got.partial.max == got.scores.floats[0]);
            result_free(&got);
        }
        reading_free(&a);
    }
}

/* One row's score stands so far out that the others weigh nothing: the result is that row. */
static void test_huge_scores(void **unused)
{
    (void)unused;
    for (size_t winner = 0; winner < MOST; winner += 13) {
        for (int sign = -1; sign <= 1; sign += 2) {
            rng r = RNG;
            const shape s = {.kind = ARNN_READ_DOT, .n = N, .count = MOST, .stride = N, .first = 3, .memories = true};
            reading a = reading_make(&r, &s, GUARD_BEHIND);
            memset(a.query.floats, 0, a.query.count * sizeof(float));
            a.query.floats[2] = (float)sign * 1e4f;
            for (size_t i = 0; i < MOST; i++) /* +1e4 against -1e4 */
                a.h.floats[i * N + 2] = (float)sign * (i == winner ? 1.0f : -1.0f);
            FOR_TABLES(table) {
                result got = result_of(&a, table, GUARD_BEHIND);
                assert_true(got.scores.floats[winner] == 1e4f && got.scores.floats[(winner + 1) % MOST] == -1e4f);
                assert_true(got.partial.max == 1e4f && got.partial.sum == 1.0f);
                assert_true(same_bits(got.h.floats, a.h.floats + winner * N, N));
                assert_true(same_bits(got.m.floats, a.m.floats + winner * N, N));
                result_free(&got);
            }
            reading_free(&a);
        }
    }
}

/* All scores 1e4, or all -1e4: the mean of the rows. */
static void test_equal_scores(void **unused)
{
    (void)unused;
    static const float scores[] = {0.0f, 1e4f, -1e4f, 1e30f, -1e30f};
    for (size_t i = 0; i < COUNT(scores); i++) {
        rng r = RNG;
        const shape s = {.kind = ARNN_READ_DOT, .n = N, .count = MOST, .stride = N + 4, .first = 11, .memories = true};
        reading a = reading_make(&r, &s, GUARD_BEHIND);
        memset(a.query.floats, 0, a.query.count * sizeof(float));
        a.query.floats[N - 1] = scores[i];
        for (size_t row = 0; row < MOST; row++)
            a.h.floats[row * a.stride + N - 1] = 1.0f;
        FOR_TABLES(table) {
            result got = result_of(&a, table, GUARD_BEHIND);
            assert_true(got.partial.max == scores[i] && got.partial.sum == (float)MOST);
            for (size_t j = 0; j < N; j++) {
                double mean = 0.0;
                for (size_t row = 0; row < MOST; row++)
                    mean += (double)a.h.floats[row * a.stride + j] / MOST;
                assert_near((double)got.h.floats[j] / MOST, mean, MOST * U);
            }
            result_free(&got);
        }
        reading_free(&a);
    }
}

/* Rows of the smallest floats: a mean of them, with the rounding of their scale. */
static void test_subnormal_rows(void **unused)
{
    (void)unused;
    FOR_READS(kind, c, table) {
        rng r = RNG;
        reading a = still(kind, counts[c], 0);
        rng_fill(&r, a.h.floats, a.h.count, 1e-40f);
        rng_fill(&r, a.query.floats, a.query.count, 1.0f);
        result got = result_of(&a, table, GUARD_BEHIND);
        for (size_t j = 0; j < N; j++) {
            double sum = 0.0; /* scores are 0, or one and the same: all weights are 1 */
            for (size_t row = 0; row < a.count; row++)
                sum += (double)a.h.floats[row * N + j];
            assert_near((double)got.h.floats[j], sum, (double)a.count * (double)FLT_TRUE_MIN);
        }
        result_free(&got);
        reading_free(&a);
    }
}

/* A NaN in what one row is scored by makes the means NaN, wherever the row stands, and so they stay with the rows that
   follow; scores of other rows are untouched. */
static void test_nan_in_one_row(void **unused)
{
    (void)unused;
    FOR_READS(kind, c, table) {
        for (size_t row = 0; row < counts[c]; row += 1 + counts[c] / 5) {
            reading a = still(kind, counts[c], 2);
            *(kind == ARNN_READ_DOT ? &a.h.floats[row * N + 4] : &a.key.floats[row * K + 3]) = NAN;
            result got = result_of(&a, table, GUARD_BEHIND);
            result_extend(&got, &a, table, 0, row);
            assert_true(isnan(got.partial.sum) && isnan(got.scores.floats[row]));
            for (size_t j = 0; j < N; j++)
                assert_true(isnan(got.h.floats[j] / got.partial.sum) && isnan(got.m.floats[j] / got.partial.sum));
            for (size_t i = 0; i < a.count; i++)
                assert_true(i == row || !isnan(got.scores.floats[i]));
            result_free(&got);
            reading_free(&a);
        }
    }
}

/* A score that overflows to -inf weighs nothing, also where all do: then the partial stays empty. */
static void test_minus_infinity(void **unused)
{
    (void)unused;
    for (size_t c = 0; c < COUNT(counts); c++) {
        for (size_t some = 0; some < 2; some++) {
            reading a = still(ARNN_READ_DOT, counts[c], 6);
            a.query.floats[1] = 1e30f;
            for (size_t row = 0; row < a.count; row++)
                a.h.floats[row * N + 1] = some && row == a.count / 2 ? 0.0f : -1e30f;
            FOR_TABLES(table) {
                result got = result_of(&a, table, GUARD_BEHIND);
                assert_true(got.partial.sum == (float)some);
                for (size_t row = 0; row < a.count; row++)
                    assert_true(got.scores.floats[row] == (some && row == a.count / 2 ? 0.0f : -INFINITY));
                assert_true(got.h.floats[1] == 0.0f);
                for (size_t j = 0; j < N && some; j++)
                    assert_true(got.m.floats[j] == a.m.floats[a.count / 2 * N + j]);
                result_free(&got);
            }
            reading_free(&a);
        }
    }
}

/* An infinity in one column of a row whose score is -inf stays in that column, whatever the width: a column is never met
   twice, nor by another's number. */
static void check_infinity(int32_t type, size_t n, size_t column)
{
    enum { ROWS = 11, ROW = 4 };
    rng r = RNG;
    const shape s = {.kind = ARNN_READ_DOT, .n = n, .count = ROWS, .stride = n, .h_type = type};
    reading a = reading_make(&r, &s, GUARD_BEHIND);
    for (size_t j = 0; j < n; j++)
        a.query.floats[j] = -1.0f;
    for (size_t i = 0; i < ROWS * n; i++)
        a.h.floats[i] = i == ROW * n + column ? INFINITY : 0.25f;
    for (size_t i = 0; type != ARNN_TYPE_F32 && i < ROWS * n; i++)
        arnn_element_of(type)->encode(a.h_rows.floats, i, a.h.floats[i]);
    FOR_TABLES(table) {
        result got = result_of(&a, table, GUARD_BEHIND);
        for (size_t row = 0; row < ROWS; row++)
            assert_true(got.scores.floats[row] == (row == ROW ? -INFINITY : -0.25f * (float)n));
        for (size_t j = 0; j < n; j++)
            assert_true(j == column ? isnan(got.h.floats[j]) : got.h.floats[j] == 0.25f * got.partial.sum);
        result_free(&got);
    }
    reading_free(&a);
}

static void test_infinity_in_one_column(void **unused)
{
    (void)unused;
    static const int32_t types[] = {ARNN_TYPE_F32, ARNN_TYPE_F16, ARNN_TYPE_BF16};
    for (size_t t = 0; t < COUNT(types); t++) {
        for (size_t n = 1; n < 70; n++) {
            for (size_t column = 0; column < n; column++)
                check_infinity(types[t], n, column);
        }
    }
}

/* A score of +inf has no mean: NaN, not a crash, not a number made up. */
static void test_plus_infinity(void **unused)
{
    (void)unused;
    for (size_t c = 0; c < COUNT(counts); c++) {
        reading a = still(ARNN_READ_DOT, counts[c], 6);
        a.query.floats[1] = 1e30f;
        a.h.floats[a.count / 2 * N + 1] = 1e30f;
        FOR_TABLES(table) {
            result got = result_of(&a, table, GUARD_BEHIND);
            assert_true(got.scores.floats[a.count / 2] == INFINITY && isnan(got.partial.sum));
            for (size_t j = 0; j < N; j++)
                assert_true(isnan(got.h.floats[j]) && isnan(got.m.floats[j]));
            result_free(&got);
        }
        reading_free(&a);
    }
}

/* Exponents at the ends of their range, in every pairing: units saturate at +-v as tanh does. Where both are clamped
   with opposite signs the unit is not exact; those are left out. Clamps cost 3e-8 of sum v, the cap of E F 2^-29,
   roundings what reads.h counts: 2 (k + 12) and 4 more U of sum v. */
static void test_saturated_exponents(void **unused)
{
    (void)unused;
    static const float angles[] = {-60.0f, -43.5f, -34.0f, -20.0f, -3.0f, 0.0f, 3.0f, 20.0f, 34.0f, 43.5f, 60.0f};
    for (size_t i = 0; i < COUNT(angles) * COUNT(angles); i++) {
        float p = angles[i / COUNT(angles)], u = angles[i % COUNT(angles)];
        if (fabsf(p) > 34.0f && fabsf(u) > 34.0f && p * u < 0.0f)
            continue;
        for (size_t k = 1; k <= 70; k += 3) {
            float h = 1.0f, sum_h = 0.0f, score = 0.0f, key[70], query[70], v[70];
            double truth = 0.0, size = 0.0;
            arnn_query form = {.query = query, .score = v, .hidden = 1, .align = k};
            for (size_t j = 0; j < k; j++) {
                key[j] = p;
                query[j] = u;
                v[j] = 1.0f / (float)(1 + j % 5);
                size += (double)v[j];
                truth += (double)v[j] * tanh((double)p + (double)u);
            }
            form.score_sum = (float)size;
            arnn_kernels_ref.exponents(key, k);
            arnn_kernels_ref.exponents(query, k);
            const arnn_run run = {.h = &h, .key = key, .h_stride = 1, .count = 1};
            FOR_TABLES(table) {
                arnn_partial partial = {.h = &sum_h, .max = -FLT_MAX};
                table->read[ARNN_READ_EXPONENT](&partial, &form, &run, &score);
                assert_near((double)score, truth, ((double)(2 * k + 28) * U + 3e-8 + 0x1p-29) * size);
            }
        }
    }
}

/* Recency of 0 rows between, and of very many. */
static void test_recency(void **unused)
{
    (void)unused;
    static const size_t newest[] = {9, 10, 1000, 1000000};
    FOR_TABLES(table) {
        for (size_t i = 0; i < COUNT(newest); i++) {
            reading a = still(ARNN_READ_DOT, 8, 2);
            a.form.recency = 0.25f;
            a.form.newest = newest[i];
            result got = result_of(&a, table, GUARD_BEHIND);
            for (size_t row = 0; row < a.count; row++)
                assert_true(got.scores.floats[row] == -0.25f * (float)(newest[i] - 2 - row));
            result_free(&got);
            reading_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zero_rows),      cmocka_unit_test(test_one_row),
        cmocka_unit_test(test_huge_scores),    cmocka_unit_test(test_equal_scores),
        cmocka_unit_test(test_subnormal_rows), cmocka_unit_test(test_nan_in_one_row),
        cmocka_unit_test(test_minus_infinity), cmocka_unit_test(test_infinity_in_one_column),
        cmocka_unit_test(test_plus_infinity),
        cmocka_unit_test(test_saturated_exponents), cmocka_unit_test(test_recency),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

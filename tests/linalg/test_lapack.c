/* Orthogonal factors and folding. */
#include "kernels.h"

static const size_t shapes[][2] = {{1, 1}, {1, 7},   {7, 1},   {5, 5},   {9, 4},
                                   {4, 9}, {64, 64}, {65, 33}, {33, 65}, {130, 17}};

/* Number k of vector i: of row i, or of column i where columns are fewer. */
static float element(const float *matrix, size_t rows, size_t columns, size_t k, size_t i)
{
    return matrix[rows < columns ? i * columns + k : k * columns + i];
}

static double inner(const float *matrix, size_t rows, size_t columns, size_t i, size_t j)
{
    double sum = 0.0;
    for (size_t k = 0; k < (rows < columns ? columns : rows); k++)
        sum += (double)element(matrix, rows, columns, k, i) * (double)element(matrix, rows, columns, k, j);
    return sum;
}

/* Each float of Q, of a size of at most 1, is rounded once: an inner product of two unit vectors is off by at most 2
   U and a little for what was done in double. */
static void assert_orthonormal(const float *matrix, size_t rows, size_t columns)
{
    size_t count = rows < columns ? rows : columns;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++)
            assert_near(inner(matrix, rows, columns, i, j), i == j ? 1.0 : 0.0, 2.1 * U);
    }
}

/* R = Q' A is upper triangular with a positive diagonal: that fixes Q. */
static void assert_factor_of(const float *q, const float *a, size_t rows, size_t columns)
{
    size_t count = rows < columns ? rows : columns, length = rows < columns ? columns : rows;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j <= i; j++) {
            double r = 0.0;
            for (size_t k = 0; k < length; k++)
                r += (double)element(q, rows, columns, k, i) * (double)element(a, rows, columns, k, j);
            if (j < i)
                assert_near(r, 0.0, 2.0 * (double)length * U);
            else
                assert_true(r > 0.0);
        }
    }
}

static void test_orthogonal_factors(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        size_t rows = shapes[i][0], columns = shapes[i][1];
        guard before = guard_make(rows * columns, GUARD_BEHIND), after = guard_make(rows * columns, GUARD_BEHIND);
        rng_fill(&r, before.floats, before.count, 1.0f);
        memcpy(after.floats, before.floats, before.count * sizeof(float));
        assert_ok(arnn_orthogonalise(after.floats, rows, columns));
        assert_true(guard_intact(&after));
        assert_orthonormal(after.floats, rows, columns);
        assert_factor_of(after.floats, before.floats, rows, columns);
        guard_free(&before);
        guard_free(&after);
    }
}

static void test_one_number(void **unused)
{
    (void)unused;
    float one = 0.3f, minus = -5.0f;
    assert_ok(arnn_orthogonalise(&one, 1, 1));
    assert_ok(arnn_orthogonalise(&minus, 1, 1));
    assert_true(one == 1.0f && minus == -1.0f);
}

/* What is orthonormal already is its own factor. */
static void test_identity_stays(void **unused)
{
    (void)unused;
    float matrix[6 * 4] = {0};
    for (size_t i = 0; i < 4; i++)
        matrix[i * 4 + i] = 1.0f;
    assert_ok(arnn_orthogonalise(matrix, 6, 4));
    for (size_t i = 0; i < 6 * 4; i++)
        assert_true(matrix[i] == (i / 4 == i % 4 ? 1.0f : 0.0f));
}

/* Columns that are nothing, or one another's, still give a factor: numbers, and orthonormal. */
static void test_deficient_rank(void **unused)
{
    (void)unused;
    float zeros[8 * 5] = {0}, same[8 * 5];
    for (size_t i = 0; i < COUNT(same); i++)
        same[i] = (float)(1 + i / 5);
    assert_ok(arnn_orthogonalise(zeros, 8, 5));
    assert_orthonormal(zeros, 8, 5);
    assert_ok(arnn_orthogonalise(same, 8, 5));
    assert_orthonormal(same, 8, 5);
}

/* c = factor a' b, off by at most inner roundings of double. */
static void test_fold(void **unused)
{
    (void)unused;
    enum { MOST = 40 };
    static double a[MOST * MOST], b[MOST * MOST], c[MOST * MOST + 1];
    rng r = RNG;
    for (size_t round = 0; round < 60; round++) {
        size_t rows = 1 + rng_below(&r, MOST), columns = 1 + rng_below(&r, MOST), inner_count = 1 + rng_below(&r, MOST);
        double factor = (double)rng_float(&r, 3.0f);
        for (size_t i = 0; i < COUNT(a); i++) {
            a[i] = (double)rng_float(&r, 1.0f);
            b[i] = (double)rng_float(&r, 1.0f);
        }
        c[rows * columns] = 77.0;
        for (size_t i = 0; i < rows * columns; i++)
            c[i] = (double)NAN; /* is not read */
        arnn_fold(c, factor, a, b, rows, columns, inner_count);
        assert_true(c[rows * columns] == 77.0);
        for (size_t i = 0; i < rows * columns; i++) {
            double sum = 0.0;
            for (size_t k = 0; k < inner_count; k++)
                sum += a[k * rows + i / columns] * b[k * columns + i % columns];
            assert_near(c[i], factor * sum, 3.0 * (double)(inner_count * (inner_count + 2)) * 0x1p-53);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orthogonal_factors),
        cmocka_unit_test(test_one_number),
        cmocka_unit_test(test_identity_stays),
        cmocka_unit_test(test_deficient_rank),
        cmocka_unit_test(test_fold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

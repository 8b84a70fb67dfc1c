/* v = exp(2 v), 2 v clamped to +-87, of every table, against double and against `ref`: the exponential of the vector
   tables over its whole range. */
#include "kernels.h"

enum { COUNT_AT_ONCE = 1024 };

/* In ulp. Over all floats the vector exponential is at most 1.06 off, the C library's of `ref` and `blas` 0.51. */
static const double allowed = 1.1;

/* Twice a float is a float, so that nothing is lost before the exponential. */
static double truth(float v)
{
    return exp(fmin(87.0, fmax(-87.0, 2.0 * (double)v)));
}

static void check(const arnn_kernels *table, const float *v, size_t count)
{
    float y[COUNT_AT_ONCE];
    memcpy(y, v, count * sizeof *y);
    table->exponents(y, count);
    for (size_t i = 0; i < count; i++) {
        if (!(ulps(y[i], truth(v[i])) <= allowed)) {
            fprintf(stderr, "%s: exp(2 * %a) is %a\n", table->name, (double)v[i], (double)y[i]);
            fail();
        }
    }
}

/* One float in 1009 by their bits, all but NaN; clamped ones and infinities too. */
static void test_all_magnitudes(void **unused)
{
    (void)unused;
    FOR_TABLES(table) {
        for (uint64_t bits = 0; bits < UINT64_C(1) << 32;) {
            float v[COUNT_AT_ONCE];
            for (size_t i = 0; i < COUNT_AT_ONCE; bits += 1009) {
                uint32_t pattern = (uint32_t)bits;
                memcpy(&v[i], &pattern, sizeof pattern);
                i += !isnan(v[i]);
            }
            check(table, v, COUNT_AT_ONCE);
        }
    }
}

/* Where the result moves, in even steps. */
static void test_whole_range(void **unused)
{
    (void)unused;
    const size_t steps = 4096;
    FOR_TABLES(table) {
        for (size_t step = 0; step < steps; step++) {
            float v[COUNT_AT_ONCE];
            for (size_t i = 0; i < COUNT_AT_ONCE; i++)
                v[i] = 88.0f * (float)(step * COUNT_AT_ONCE + i) / (float)(steps * COUNT_AT_ONCE) - 44.0f;
            check(table, v, COUNT_AT_ONCE);
        }
    }
}

static void test_special_values(void **unused)
{
    (void)unused;
    static const float values[] = {0.0f,    -0.0f, 1e-45f, -1e-45f, FLT_MIN,  -FLT_MIN,  43.5f,     -43.5f,
                                   43.51f, -43.51f, 1e4f,   -1e4f,   FLT_MAX, -FLT_MAX, INFINITY, -INFINITY};
    FOR_TABLES(table) {
        check(table, values, COUNT(values));
        float y[COUNT(values) + 1];
        memcpy(y, values, sizeof values);
        y[COUNT(values)] = NAN;
        table->exponents(y, COUNT(y));
        assert_true(isnan(y[COUNT(values)]));
        for (size_t i = 0; i < 6; i++)
            assert_true(y[i] == 1.0f); /* of 0 and its neighbours */
        for (size_t i = 6; i < COUNT(values); i++)
            assert_true(isnormal(y[i]));
        assert_true(y[10] == y[6] && y[12] == y[6] && y[14] == y[6]); /* clamped from above */
        assert_true(y[11] == y[7] && y[13] == y[7] && y[15] == y[7]); /* and from below */
    }
}

/* Any length at any alignment, not a byte beyond; the result does not depend on where in the array a value stands. */
static void test_lengths(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t count = 0; count <= 70; count++) {
        for (guard_side side = GUARD_BEHIND; side < GUARD_SIDES; side++) {
            FOR_TABLES(table) {
                guard values = guard_make(count, side);
                rng_fill(&r, values.floats, count, 50.0f);
                float before[70];
                memcpy(before, values.floats, count * sizeof *before);
                table->exponents(values.floats, count);
                assert_true(guard_intact(&values));
                for (size_t i = 0; i < count; i++) {
                    assert_true(ulps(values.floats[i], truth(before[i])) <= allowed);
                    table->exponents(&before[i], 1);
                }
                assert_true(same_bits(values.floats, before, count));
                guard_free(&values);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_magnitudes),
        cmocka_unit_test(test_whole_range),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Scores of keys and what is owed through them, of every table, against double: lanes and rows that are not whole, keys as
   they are and as exponents, the cap. */
#include "kernels.h"

enum { MOST_ROWS = 70, MOST_KEYS = 65 };

static float keys[MOST_ROWS * MOST_KEYS], query[MOST_KEYS], score[MOST_KEYS], de[MOST_ROWS];

static float draw(float size)
{
    static uint32_t seed = 1;
    seed = seed * 1664525u + 1013904223u;
    return size * ((float)(seed >> 8) / 8388608.0f - 1.0f);
}

static void fill(bool exponent)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        keys[i] = exponent ? expf(draw(4.0f)) : draw(2.0f);
    for (size_t j = 0; j < MOST_KEYS; j++) {
        query[j] = exponent ? expf(draw(4.0f)) : draw(2.0f);
        score[j] = draw(1.0f);
    }
    keys[0] = exponent ? 0x1p100f : keys[0]; /* its product is capped */
    query[0] = exponent ? 0x1p100f : query[0];
    for (size_t i = 0; i < MOST_ROWS; i++)
        de[i] = draw(1.0f);
}

/* tanh of the sum of the angles. */
static double unit(const arnn_keys *all, size_t row, size_t j)
{
    double key = all->keys[row * all->align + j], y = all->query[j];
    return all->exponent ? 1.0 - 2.0 / (1.0 + key * y) : tanh(key + y);
}

static void near(const arnn_kernels *table, const char *what, float got, double expected, double size)
{
    if (fabs((double)got - expected) <= 64.0 * U * (size + 1.0))
        return;
    fprintf(stderr, "%s: %s is %.9g, expected %.9g\n", table->name, what, (double)got, expected);
    fail();
}

static void check_scores(const arnn_kernels *table, const arnn_keys *all)
{
    float e[MOST_ROWS + 1] = {0};
    e[all->count] = 77.0f;
    table->key_scores(all, e);
    assert_true(e[all->count] == 77.0f);
    for (size_t i = 0; i < all->count; i++) {
        double sum = 0.0, size = 0.0;
        for (size_t j = 0; j < all->align; j++) {
            sum += (double)all->score[j] * unit(all, i, j);
            size += fabs((double)all->score[j]);
        }
        near(table, "a score", e[i], sum, size);
    }
}

/* All are added to, and nothing beyond them is touched. */
static void check_owed(const arnn_kernels *table, const arnn_keys *all, bool want_keys)
{
    size_t k = all->align;
    float dquery[MOST_KEYS + 1], dscore[MOST_KEYS + 1], dkeys[MOST_ROWS * MOST_KEYS + 1];
    for (size_t i = 0; i < COUNT(dkeys); i++)
        dkeys[i] = 2.0f;
    for (size_t j = 0; j < COUNT(dquery); j++)
        dquery[j] = dscore[j] = 3.0f;
    table->keys_owed(all, &(arnn_keys_owed){de, dquery, want_keys ? dkeys : NULL, dscore});
    for (size_t j = 0; j < k; j++) {
        double query_sum = 3.0, score_sum = 3.0;
        for (size_t i = 0; i < all->count; i++) {
            double t = unit(all, i, j), through = (double)de[i] * (double)all->score[j] * (1.0 - t * t);
            query_sum += through;
            score_sum += (double)de[i] * t;
            near(table, "a key's", dkeys[i * k + j], want_keys ? 2.0 + through : 2.0, 2.0);
        }
        near(table, "the query's", dquery[j], query_sum, (double)all->count);
        near(table, "v's", dscore[j], score_sum, (double)all->count);
    }
    assert_true(dquery[k] == 3.0f && dscore[k] == 3.0f && dkeys[all->count * k] == 2.0f);
}

static void check(bool exponent)
{
    const size_t aligns[] = {1, 7, 8, 9, 16, 17, 33, MOST_KEYS}, counts[] = {0, 1, 31, 32, 33, MOST_ROWS};
    fill(exponent);
    FOR_TABLES(table) {
        for (size_t a = 0; a < COUNT(aligns); a++) {
            for (size_t c = 0; c < COUNT(counts); c++) {
                const arnn_keys all = {keys, query, score, counts[c], aligns[a], exponent};
                check_scores(table, &all);
                check_owed(table, &all, true);
                check_owed(table, &all, false);
            }
        }
    }
}

static void test_tanh(void **unused)
{
    (void)unused;
    check(false);
}

static void test_exponents(void **unused)
{
    (void)unused;
    check(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tanh), cmocka_unit_test(test_exponents)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

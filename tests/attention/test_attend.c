/* Attention over a caller's rows, by every table, and the merge of parts, against double. */
#include "kernels.h"

#include "attention/attend.h"

enum { WIDTH = 19, STRIDE = 24, MOST = 1200 };

typedef struct past {
    float rows[MOST * STRIDE], query[WIDTH];
} past;

static void fill(rng *r, past *p)
{
    for (size_t i = 0; i < COUNT(p->rows); i++)
        p->rows[i] = NAN; /* between rows */
    rng_rows(r, p->rows, MOST, WIDTH, STRIDE, 1.0f);
    rng_fill(r, p->query, WIDTH, 1.0f);
}

static void attend(const arnn_kernels *table, const past *p, float *context, float *logsumexp, float *weights,
                   size_t first, size_t count)
{
    float query[WIDTH], run[WIDTH];
    const arnn_attending self = {
        .kernels = table, .query = query, .run = run, .scale = 2.5f, .width = WIDTH, .weight_stride = MOST};
    const arnn_rows rows = {.data = p->rows + first * STRIDE, .count = count, .stride = STRIDE};
    arnn_attend_one(&self, context, logsumexp, weights, p->query, &rows);
}

typedef struct truth {
    double context[WIDTH], weights[MOST], logsumexp;
} truth;

static void attend_in_double(truth *t, const past *p, size_t count)
{
    double sum = 0.0;
    *t = (truth){.logsumexp = -(double)INFINITY};
    for (size_t row = 0; row < count; row++) {
        double score = 0.0;
        for (size_t i = 0; i < WIDTH; i++)
            score += 2.5 * (double)p->query[i] * (double)p->rows[row * STRIDE + i];
        t->weights[row] = exp(score);
        sum += t->weights[row];
    }
    for (size_t row = 0; row < count; row++) {
        t->weights[row] /= sum;
        for (size_t i = 0; i < WIDTH; i++)
            t->context[i] += t->weights[row] * (double)p->rows[row * STRIDE + i];
    }
    if (count)
        t->logsumexp = log(sum);
}

/* Scores within 2.5 * 19: off by (19 + 2) U 48; means of rows within 1 by twice that and (4 rows + 16) U. */
static double bound_of(size_t count)
{
    return (2.0 * 21.0 * 48.0 + 4.0 * (double)count + 16.0) * U;
}

static void check_context(const float *context, float logsumexp, const truth *t, double bound)
{
    for (size_t i = 0; i < WIDTH; i++)
        assert_near((double)context[i], t->context[i], bound);
    assert_near((double)logsumexp, t->logsumexp, bound);
}

static const size_t counts[] = {1, 2, 8, 63, 511, 512, 513, 1024, 1025, MOST};

static void test_contexts(void **unused)
{
    (void)unused;
    static past p;
    static truth t;
    static float weights[MOST];
    rng r = RNG;
    fill(&r, &p);
    for (size_t c = 0; c < COUNT(counts); c++) {
        attend_in_double(&t, &p, counts[c]);
        FOR_TABLES(table) {
            float context[WIDTH], again[WIDTH], logsumexp;
            double sum = 0.0;
            attend(table, &p, context, &logsumexp, weights, 0, counts[c]);
            check_context(context, logsumexp, &t, bound_of(counts[c]));
            for (size_t row = 0; row < MOST; row++) {
                assert_near((double)weights[row], t.weights[row], row < counts[c] ? bound_of(counts[c]) : 0.0);
                sum += (double)weights[row];
            }
            assert_near(sum, 1.0, bound_of(counts[c]));
            attend(table, &p, again, NULL, NULL, 0, counts[c]);
            assert_true(same_bits(again, context, WIDTH));
        }
    }
}

/* Rows of one and the same score, however large it is, weigh the same, and all weights sum to 1. */
static void test_equal_rows(void **unused)
{
    (void)unused;
    static past p;
    static float weights[MOST];
    static const float scores[] = {0.0f, 1e4f, -1e4f, 1e20f, -1e20f};
    for (size_t s = 0; s < COUNT(scores); s++) {
        memset(&p, 0, sizeof p);
        p.query[3] = scores[s];
        for (size_t row = 0; row < MOST; row++)
            p.rows[row * STRIDE + 3] = 1.0f;
        FOR_TABLES(table) {
            for (size_t c = 0; c < COUNT(counts); c++) {
                float context[WIDTH];
                attend(table, &p, context, NULL, weights, 0, counts[c]);
                for (size_t row = 0; row < counts[c]; row++)
                    assert_true(weights[row] == 1.0f / (float)counts[c]);
                assert_true(context[3] == 1.0f && context[2] == 0.0f);
            }
        }
    }
}

static void test_no_rows(void **unused)
{
    (void)unused;
    static past p;
    static float weights[MOST];
    rng r = RNG;
    fill(&r, &p);
    FOR_TABLES(table) {
        float context[WIDTH], logsumexp = 0.0f;
        memset(context, 1, sizeof context);
        memset(weights, 1, sizeof weights);
        attend(table, &p, context, &logsumexp, weights, 0, 0);
        assert_true(logsumexp == -INFINITY);
        for (size_t i = 0; i < WIDTH; i++)
            assert_true(context[i] == 0.0f);
        for (size_t i = 0; i < MOST; i++)
            assert_true(weights[i] == 0.0f);
    }
}

/* Rows in pieces, merged one after another, are the rows together. */
static void test_merged_pieces(void **unused)
{
    (void)unused;
    static past p;
    static truth t;
    rng r = RNG;
    for (size_t round = 0; round < 30; round++) {
        fill(&r, &p);
        size_t count = counts[rng_below(&r, COUNT(counts))];
        attend_in_double(&t, &p, count);
        FOR_TABLES(table) {
            float context[WIDTH], other[WIDTH], logsumexp, other_logsumexp;
            size_t done = rng_below(&r, count + 1), pieces = 1;
            attend(table, &p, context, &logsumexp, NULL, 0, done);
            for (size_t next; done < count; done = next, pieces++) {
                next = done + 1 + rng_below(&r, count - done);
                attend(table, &p, other, &other_logsumexp, NULL, done, next - done);
                arnn_merge_one(context, &logsumexp, other, other_logsumexp, WIDTH);
            }
            /* a merge has two exponentials at rounded differences and four more roundings */
            check_context(context, logsumexp, &t, bound_of(count) + (double)pieces * 64.0 * U);
        }
    }
}

/* Empty parts change nothing, not a bit; two of them are an empty one. */
static void test_merging_with_nothing(void **unused)
{
    (void)unused;
    float some[WIDTH], empty[WIDTH] = {0}, context[WIDTH], logsumexp = 1.25f;
    rng r = RNG;
    rng_fill(&r, some, WIDTH, 1.0f);
    memcpy(context, some, sizeof some);
    arnn_merge_one(context, &logsumexp, empty, -INFINITY, WIDTH);
    assert_true(same_bits(context, some, WIDTH) && logsumexp == 1.25f);
    memcpy(context, empty, sizeof empty);
    logsumexp = -INFINITY;
    arnn_merge_one(context, &logsumexp, some, 1.25f, WIDTH);
    assert_true(same_bits(context, some, WIDTH) && logsumexp == 1.25f);
    memcpy(context, empty, sizeof empty);
    logsumexp = -INFINITY;
    arnn_merge_one(context, &logsumexp, empty, -INFINITY, WIDTH);
    assert_true(same_bits(context, empty, WIDTH) && logsumexp == -INFINITY);
}

/* A part that outweighs the other by more than floats tell is the whole; equal ones are averaged. */
static void test_uneven_and_even_parts(void **unused)
{
    (void)unused;
    float a[WIDTH], b[WIDTH], context[WIDTH];
    rng r = RNG;
    rng_fill(&r, a, WIDTH, 1.0f);
    rng_fill(&r, b, WIDTH, 1.0f);
    static const float far[] = {200.0f, 1e4f, 1e30f};
    for (size_t i = 0; i < COUNT(far); i++) {
        float logsumexp = far[i];
        memcpy(context, a, sizeof a);
        arnn_merge_one(context, &logsumexp, b, -far[i], WIDTH);
        assert_true(same_bits(context, a, WIDTH) && logsumexp == far[i]);
        logsumexp = -far[i];
        arnn_merge_one(context, &logsumexp, b, far[i], WIDTH);
        assert_true(same_bits(context, b, WIDTH) && logsumexp == far[i]);
    }
    float logsumexp = 80.0f;
    memcpy(context, a, sizeof a);
    arnn_merge_one(context, &logsumexp, b, 80.0f, WIDTH);
    assert_near((double)logsumexp, 80.0 + log(2.0), 80.0 * U);
    for (size_t i = 0; i < WIDTH; i++)
        assert_near((double)context[i], ((double)a[i] + (double)b[i]) / 2.0, 3.0 * U);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contexts),
        cmocka_unit_test(test_equal_rows),
        cmocka_unit_test(test_no_rows),
        cmocka_unit_test(test_merged_pieces),
        cmocka_unit_test(test_merging_with_nothing),
        cmocka_unit_test(test_uneven_and_even_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading a tape over its pages, by every table: against one softmax in double over the rows that the rule names. */
#include "kernels.h"

#include "attention/read.h"

enum { MOST_ROWS = 90 };

typedef struct world {
    arnn_read_kind kind;
    size_t n, k, rows, layer;
    arnn_page_shape shape;
    arnn_pool pool;
    arnn_tape tape;
    arnn_reader reader;
    arnn_query query;
    float *zeros, *zero_key, *vector, *score;
    float *h, *m, *key; /* every row ever written, in order */
} world;

static float *floats(size_t count)
{
    float *values = calloc(count + 1, sizeof *values);
    assert_non_null(values);
    return values;
}

/* Rows of one layer go to the tape; the other layer is left as NaN, so that reading it would show. */
static void append(world *w, size_t row)
{
    assert_ok(arnn_pool_provide_unused(&w->pool, arnn_tape_pages_needed(&w->tape, &w->shape, 1)));
    arnn_tape_reserve(&w->tape, &w->pool, 1);
    arnn_tape_open(&w->tape, &w->shape);
    arnn_tape_release(&w->tape, &w->pool);
    for (size_t layer = 0; layer < w->shape.layers; layer++) {
        if (layer != w->layer)
            *(float *)arnn_page_rows(w->tape.newest, &w->shape, layer, row).h = NAN;
        else
            arnn_tape_write(&w->tape, &w->shape, &arnn_kernels_ref, layer, row, w->h + row * w->n, w->m + row * w->n,
                            w->key + row * w->k, 1);
    }
    w->tape.length++;
}

static void make_query(rng *r, world *w)
{
    bool keys = w->kind != ARNN_READ_DOT;
    size_t width = keys ? w->k : w->n;
    w->vector = floats(width);
    w->score = floats(w->k);
    rng_fill(r, w->vector, width, 1.0f);
    rng_fill(r, w->score, w->k, 1.0f);
    w->query = (arnn_query){.query = w->vector, .score = w->score, .hidden = w->n, .align = w->k};
    w->query.recency = rng_below(r, 2) ? 0.1f : 0.0f;
    for (size_t j = 0; j < w->k; j++)
        w->query.score_sum += w->score[j];
    if (w->kind == ARNN_READ_EXPONENT)
        arnn_kernels_ref.exponents(w->vector, width);
}

static world world_of(rng *r)
{
    world w = {.kind = (arnn_read_kind)rng_below(r, ARNN_READS), .n = 1 + rng_below(r, 40), .layer = rng_below(r, 2)};
    bool keys = w.kind != ARNN_READ_DOT, memories = rng_below(r, 2);
    w.k = keys ? 1 + rng_below(r, 40) : 0;
    w.rows = rng_below(r, MOST_ROWS);
    w.shape = (arnn_page_shape){.layers = 2, .hidden = w.n, .align = w.k, .memories = memories};
    w.shape.rows = 1 + rng_below(r, 40);
    w.shape.window = rng_below(r, 3) ? 1 + rng_below(r, 30) : 0;
    w.shape.sinks = w.shape.window ? rng_below(r, 2) * rng_below(r, 30) : 0;
    assert_true(arnn_page_shape_complete(&w.shape));
    arnn_pool_create(&w.pool, &w.shape, SIZE_MAX);
    w.h = floats(MOST_ROWS * w.n);
    w.m = floats(MOST_ROWS * w.n);
    w.key = floats(MOST_ROWS * w.k);
    rng_fill(r, w.h, MOST_ROWS * w.n, 1.0f);
    rng_fill(r, w.m, MOST_ROWS * w.n, 1.0f);
    rng_fill(r, w.key, MOST_ROWS * w.k, 1.0f);
    w.zeros = floats(w.n);
    w.zero_key = floats(w.k);
    make_query(r, &w);
    if (w.kind == ARNN_READ_EXPONENT) {
        arnn_kernels_ref.exponents(w.key, MOST_ROWS * w.k);
        arnn_kernels_ref.exponents(w.zero_key, w.k);
    }
    w.reader = (arnn_reader){.start_zero = rng_below(r, 2), .zeros = w.zeros, .zero_key = w.zero_key};
    for (size_t row = 0; row < w.rows; row++)
        append(&w, row);
    return w;
}

static void world_end(world *w)
{
    float *const all[] = {w->zeros, w->zero_key, w->vector, w->score, w->h, w->m, w->key};
    arnn_tape_clear(&w->tape, &w->pool);
    arnn_pool_destroy(&w->pool);
    for (size_t i = 0; i < COUNT(all); i++)
        free(all[i]);
}

static double score_of(const world *w, const float *h, const float *key)
{
    double sum = 0.0;
    for (size_t i = 0; w->kind == ARNN_READ_DOT && i < w->n; i++)
        sum += (double)h[i] * (double)w->vector[i];
    for (size_t j = 0; j < w->k; j++) {
        double k = (double)key[j], q = (double)w->vector[j], v = (double)w->score[j];
        sum += v * (w->kind == ARNN_READ_TANH ? tanh(k + q) : 1.0 - 2.0 / (1.0 + k * q));
    }
    return sum;
}

static bool is_read(const world *w, size_t rows, size_t row)
{
    return w->shape.window == 0 || row + w->shape.window >= rows || row < w->shape.sinks;
}

typedef struct truth {
    double h[40], m[40], weights[MOST_ROWS], zero, logsumexp;
} truth;

static truth truth_of(const world *w, size_t rows)
{
    truth t = {.logsumexp = -(double)INFINITY};
    double sum = 0.0;
    for (size_t row = 0; row < rows; row++) {
        double past = (double)w->query.recency * (double)(rows - 1 - row);
        if (is_read(w, rows, row))
            t.weights[row] = exp(score_of(w, w->h + row * w->n, w->key + row * w->k) - past);
        sum += t.weights[row];
    }
    if (w->reader.start_zero)
        t.zero = exp(score_of(w, w->zeros, w->zero_key));
    sum += t.zero;
    if (sum == 0.0)
        return t;
    t.logsumexp = log(sum);
    t.zero /= sum;
    for (size_t row = 0; row < rows; row++) {
        t.weights[row] /= sum;
        for (size_t i = 0; i < w->n; i++) {
            t.h[i] += t.weights[row] * (double)w->h[row * w->n + i];
            t.m[i] += t.weights[row] * (double)w->m[row * w->n + i];
        }
    }
    return t;
}

/* Scores of up to 40 terms within 1 (sum |terms| <= 40) and recency up to 9: off by at most (40 + 14) U 80 + ..,
   weights and means of rows within 1 by twice that and (4 rows + 16) U: 1e4 U covers both with a factor of 1.1 (see
   kernels/reads.h). */
static const double bound = 1e4 * U;

static const float untouched = -7.0f;

static void check(const world *w, const arnn_kernels *table, size_t rows)
{
    float h[40], m[40], run_h[40], run_m[40], weights[MOST_ROWS];
    bool memories = w->shape.memories;
    arnn_reader reader = w->reader;
    arnn_query query = w->query;
    reader.kernel = table->read[w->kind];
    query.newest = rows ? rows - 1 : 0;
    for (size_t i = 0; i < MOST_ROWS; i++)
        weights[i] = untouched;
    arnn_reading reading = {.h = h, .m = memories ? m : NULL, .run_h = run_h, .weights = weights};
    reading.run_m = memories ? run_m : NULL;
    arnn_read_tape(&reading, &reader, &query, &w->tape, &w->shape, w->layer, rows);
    truth t = truth_of(w, rows);
    assert_true(t.logsumexp == -(double)INFINITY ? reading.logsumexp == -INFINITY
                                                 : fabs((double)reading.logsumexp - t.logsumexp) <= bound);
    assert_near((double)reading.zero_weight, t.zero, bound);
    for (size_t i = 0; i < w->n; i++) {
        assert_near((double)h[i], t.h[i], bound);
        assert_near(memories ? (double)m[i] : 0.0, memories ? t.m[i] : 0.0, bound);
    }
    for (size_t row = 0; row < MOST_ROWS; row++) {
        if (row < rows && is_read(w, rows, row))
            assert_near((double)weights[row], t.weights[row], bound);
        else
            assert_true(weights[row] == untouched);
    }
}

/* What stands on the tape now, and what stood there a row before: both are read in the order of a step. */
static void test_random_tapes(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 400; i++) {
        world w = world_of(&r);
        FOR_TABLES(table) {
            check(&w, table, w.rows);
            if (w.rows)
                check(&w, table, w.rows - 1);
        }
        world_end(&w);
    }
}

/* Weights wanted or not, the result has the same bits. */
static void test_weights_are_optional(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 50; i++) {
        world w = world_of(&r);
        FOR_TABLES(table) {
            float h[2][40], m[40], run_h[40], run_m[40], weights[MOST_ROWS];
            w.reader.kernel = table->read[w.kind];
            w.query.newest = w.rows ? w.rows - 1 : 0;
            for (size_t with = 0; with < 2; with++) {
                arnn_reading reading = {.h = h[with], .run_h = run_h, .weights = with ? weights : NULL};
                reading.m = w.shape.memories ? m : NULL;
                reading.run_m = w.shape.memories ? run_m : NULL;
                arnn_read_tape(&reading, &w.reader, &w.query, &w.tape, &w.shape, w.layer, w.rows);
            }
            assert_true(same_bits(h[0], h[1], w.n));
        }
        world_end(&w);
    }
}

static void test_scores_to_weights(void **unused)
{
    (void)unused;
    float scores[] = {0.0f, 1.0f, -1.0f, -INFINITY, 2.0f};
    const arnn_merged finished = {.all = {.max = 1.0f, .sum = 2.0f}}, empty = {.all = {.max = -FLT_MAX, .sum = 0.0f}};
    arnn_merged_weigh(&finished, scores, 4);
    assert_near((double)scores[0], exp(-1.0) / 2.0, U);
    assert_true(scores[1] == 0.5f && scores[3] == 0.0f && scores[4] == 2.0f);
    assert_near((double)scores[2], exp(-2.0) / 2.0, U);
    arnn_merged_weigh(&empty, scores, 5); /* nothing was read: no NaN */
    for (size_t i = 0; i < COUNT(scores); i++)
        assert_true(scores[i] == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_tapes),
        cmocka_unit_test(test_weights_are_optional),
        cmocka_unit_test(test_scores_to_weights),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

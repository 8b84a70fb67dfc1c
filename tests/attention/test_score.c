/* Scores: their folded matrices against double, and which kernel reads them. */
#include "kernels.h"

#include "attention/score.h"

enum { MOST = 40 };

static void test_names(void **unused)
{
    (void)unused;
    const struct {
        int32_t constant;
        const arnn_score *score;
        const char *name;
        bool keys;
    } scores[] = {
        {ARNN_SCORE_DOT, &arnn_score_dot, "dot", false},
        {ARNN_SCORE_GENERAL, &arnn_score_general, "general", false},
        {ARNN_SCORE_ADDITIVE, &arnn_score_additive, "additive", true},
    };
    for (size_t i = 0; i < COUNT(scores); i++) {
        assert_ptr_equal(arnn_score_of(scores[i].constant), scores[i].score);
        assert_string_equal(scores[i].score->name, scores[i].name);
        assert_int_equal(scores[i].score->has_keys, scores[i].keys);
    }
}

typedef struct weights {
    float key[MOST * MOST], query[MOST * MOST], score[MOST], general[MOST * MOST];
    arnn_score_weights form;
} weights;

static void fill(rng *r, weights *w)
{
    rng_fill(r, w->key, COUNT(w->key), 1.0f);
    rng_fill(r, w->query, COUNT(w->query), 1.0f);
    rng_fill(r, w->score, COUNT(w->score), 1.0f);
    rng_fill(r, w->general, COUNT(w->general), 1.0f);
    w->form = (arnn_score_weights){w->key, w->query, w->score, w->general, rng_float(r, 3.0f), 0, 0, 0};
    w->form.hidden = 1 + rng_below(r, MOST);
    w->form.align = 1 + rng_below(r, MOST);
    w->form.z = 1 + rng_below(r, MOST);
}

/* scale W_K' W_Q, rounded once: the double product is off by far less, so half an ulp and a little. */
static void test_dot_folds_its_matrices(void **unused)
{
    (void)unused;
    static weights w;
    float folded[MOST * MOST];
    rng r = RNG;
    for (size_t round = 0; round < 40; round++) {
        fill(&r, &w);
        assert_ok(arnn_score_dot.fold(folded, &w.form));
        for (size_t i = 0; i < w.form.hidden * w.form.z; i++) {
            double sum = 0.0, size = 0.0;
            for (size_t j = 0; j < w.form.align; j++) {
                float key = w.key[j * w.form.hidden + i / w.form.z], query = w.query[j * w.form.z + i % w.form.z];
                double term = (double)key * (double)query;
                sum += term;
                size += fabs(term);
            }
            double scale = (double)w.form.scale;
            assert_near((double)folded[i], scale * sum, U * fabs(scale * sum) + 1e-14 * fabs(scale) * size);
        }
    }
}

static void test_general_scales_its_matrix(void **unused)
{
    (void)unused;
    static weights w;
    float folded[MOST * MOST];
    rng r = RNG;
    fill(&r, &w);
    assert_ok(arnn_score_general.fold(folded, &w.form));
    for (size_t i = 0; i < w.form.hidden * w.form.z; i++)
        assert_true(folded[i] == w.form.scale * w.general[i]);
}

static void test_additive_takes_its_matrix(void **unused)
{
    (void)unused;
    static weights w;
    float folded[MOST * MOST];
    rng r = RNG;
    fill(&r, &w);
    assert_ok(arnn_score_additive.fold(folded, &w.form));
    assert_true(same_bits(folded, w.query, w.form.align * w.form.z));
}

/* The exponents are exact where no row of W_K has a 1-norm above 34 and states are within 1. */
static void test_which_kernel_reads(void **unused)
{
    (void)unused;
    static weights w;
    rng r = RNG;
    fill(&r, &w);
    w.form.hidden = 4;
    w.form.align = 3;
    assert_int_equal(arnn_score_dot.read(&w.form, true), ARNN_READ_DOT);
    assert_int_equal(arnn_score_dot.read(&w.form, false), ARNN_READ_DOT);
    assert_int_equal(arnn_score_general.read(&w.form, true), ARNN_READ_DOT);
    assert_int_equal(arnn_score_general.read(&w.form, false), ARNN_READ_DOT);
    for (size_t row = 0; row < 3; row++) {
        const float edge[] = {10.0f, -10.0f, 7.0f, -7.0f}; /* 34 in all */
        for (size_t i = 0; i < 12; i++)
            w.key[i] = 0.5f;
        memcpy(w.key + row * 4, edge, sizeof edge);
        assert_int_equal(arnn_score_additive.read(&w.form, true), ARNN_READ_EXPONENT);
        assert_int_equal(arnn_score_additive.read(&w.form, false), ARNN_READ_TANH);
        w.key[row * 4 + 1] = nextafterf(-10.0f, -11.0f);
        assert_int_equal(arnn_score_additive.read(&w.form, true), ARNN_READ_TANH);
        w.key[row * 4 + 1] = INFINITY;
        assert_int_equal(arnn_score_additive.read(&w.form, true), ARNN_READ_TANH);
    }
    for (size_t row = 0; row < 3; row++) { /* of which no norm is known, whatever rows stand before and after it */
        for (size_t i = 0; i < 12; i++)
            w.key[i] = 0.5f;
        w.key[row * 4] = NAN;
        assert_int_equal(arnn_score_additive.read(&w.form, true), ARNN_READ_TANH);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_dot_folds_its_matrices),
        cmocka_unit_test(test_general_scales_its_matrix),
        cmocka_unit_test(test_additive_takes_its_matrix),
        cmocka_unit_test(test_which_kernel_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Losses of rows and their gradients, against double. */
#include "kernels.h"
#include "train/loss.h"

enum { ROWS = 7, OUTPUTS = 11 };

typedef struct lesson {
    float outputs[ROWS * OUTPUTS], values[ROWS * OUTPUTS], weights[ROWS];
    int32_t tokens[ROWS];
} lesson;

static lesson made(float size)
{
    lesson l;
    rng r = RNG;
    rng_fill(&r, l.outputs, COUNT(l.outputs), size);
    rng_fill(&r, l.values, COUNT(l.values), size);
    for (size_t i = 0; i < ROWS; i++) {
        l.tokens[i] = (int32_t)rng_below(&r, OUTPUTS);
        l.weights[i] = (float)(i % 3) * 0.75f; /* the first, fourth and seventh are ignored */
    }
    l.tokens[4] = -100;
    return l;
}

/* l of a row in double, with output j moved by `by`. */
static double cross_entropy(const lesson *l, size_t row, size_t j, double by)
{
    double sum = 0.0, max = -1e300, y[OUTPUTS];
    for (size_t k = 0; k < OUTPUTS; k++) {
        y[k] = (double)l->outputs[row * OUTPUTS + k] + (k == j ? by : 0.0);
        max = fmax(max, y[k]);
    }
    for (size_t k = 0; k < OUTPUTS; k++)
        sum += exp(y[k] - max);
    return l->tokens[row] < 0 ? 0.0 : log(sum) + max - y[l->tokens[row]];
}

static double squared_error(const lesson *l, size_t row, size_t j, double by)
{
    double sum = 0.0;
    for (size_t k = 0; k < OUTPUTS; k++) {
        double off = (double)l->outputs[row * OUTPUTS + k] + (k == j ? by : 0.0) - (double)l->values[row * OUTPUTS + k];
        sum += off * off;
    }
    return sum / OUTPUTS;
}

typedef double truth(const lesson *l, size_t row, size_t j, double by);

static void check_loss(int32_t kind, truth *of, float size)
{
    lesson l = made(size);
    const arnn_loss *loss = arnn_loss_of(kind);
    arnn_wanted wanted = {.tokens = l.tokens, .values = l.values, .weights = l.weights};
    arnn_loss_sums sums = {.loss = 100.0};
    float gradients[ROWS * OUTPUTS], factor = 0.125f;
    double expected = 100.0;
    memcpy(gradients, l.outputs, sizeof gradients);
    loss->rows(&sums, gradients, &wanted, ROWS, OUTPUTS, factor);
    for (size_t i = 0; i < ROWS; i++) {
        expected += (double)l.weights[i] * of(&l, i, 0, 0.0);
        for (size_t j = 0; j < OUTPUTS; j++) {
            double slope = (of(&l, i, j, 1e-5) - of(&l, i, j, -1e-5)) / 2e-5;
            assert_near(gradients[i * OUTPUTS + j], (double)(l.weights[i] * factor) * slope,
                        1e-6 * (1.0 + (double)size));
        }
    }
    assert_near(sums.loss, expected, 1e-5 * expected);
}

static void test_cross_entropy(void **unused)
{
    (void)unused;
    check_loss(ARNN_LOSS_CROSS_ENTROPY, cross_entropy, 2.0f);
    check_loss(ARNN_LOSS_CROSS_ENTROPY, cross_entropy, 200.0f); /* beyond what exp can hold */
}

static void test_squared_error(void **unused)
{
    (void)unused;
    check_loss(ARNN_LOSS_SQUARED_ERROR, squared_error, 2.0f);
}

static void test_correct(void **unused)
{
    (void)unused;
    float outputs[] = {0, 2, 1, 5, 5, 1, 0, 0, 0}, weights[] = {1, 2, 4};
    int32_t tokens[] = {1, 1, 0}; /* right; the first of equals is another; right, the first of equals */
    arnn_loss_sums sums = {0};
    arnn_wanted wanted = {.tokens = tokens, .weights = weights};
    arnn_loss_of(ARNN_LOSS_CROSS_ENTROPY)->rows(&sums, outputs, &wanted, 3, 3, 1.0f);
    assert_true(sums.correct == 5.0);
}

/* What is ignored may be anything; what counts and is NaN shows. */
static void test_not_finite(void **unused)
{
    (void)unused;
    for (int32_t kind = ARNN_LOSS_CROSS_ENTROPY; kind <= ARNN_LOSS_SQUARED_ERROR; kind++) {
        lesson l = made(1.0f);
        arnn_wanted wanted = {.tokens = l.tokens, .values = l.values, .weights = l.weights};
        arnn_loss_sums sums = {0};
        l.outputs[0] = NAN;
        arnn_loss_of(kind)->rows(&sums, l.outputs, &wanted, ROWS, OUTPUTS, 1.0f);
        assert_true(isfinite(sums.loss) && l.outputs[0] == 0.0f);
        for (size_t j = 0; j < OUTPUTS; j++) {
            l = made(1.0f);
            l.outputs[OUTPUTS + j] = NAN;
            sums = (arnn_loss_sums){0};
            arnn_loss_of(kind)->rows(&sums, l.outputs, &wanted, ROWS, OUTPUTS, 1.0f);
            assert_true(isnan(sums.loss));
        }
    }
}

static void test_constants(void **unused)
{
    (void)unused;
    assert_null(arnn_loss_of(-1));
    assert_null(arnn_loss_of(ARNN_LOSS_SQUARED_ERROR + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_entropy), cmocka_unit_test(test_squared_error), cmocka_unit_test(test_correct),
        cmocka_unit_test(test_not_finite),    cmocka_unit_test(test_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

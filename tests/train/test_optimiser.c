/* Optimisers against their formulas in double. */
#include "kernels.h"
#include "train/optimiser.h"

enum { COUNT_OF = 37, UPDATES = 200 };

typedef struct twin {
    double w, first, second;
} twin;

static void sgd(twin *t, double g, double n, const arnn_update *u)
{
    (void)n;
    t->first = (double)u->momentum * t->first + g + (double)u->weight_decay * t->w;
    t->w -= (double)u->rate * t->first;
}

static void adaptive(twin *t, double g, double n, const arnn_update *u)
{
    double beta = (double)u->momentum, second = (double)u->second_momentum;
    t->first = beta * t->first + (1.0 - beta) * g;
    t->second = second * t->second + (1.0 - second) * g * g;
    t->w -= (double)u->rate * (t->first / (1.0 - pow(beta, n))) /
            (sqrt(t->second / (1.0 - pow(second, n))) + (double)u->epsilon);
}

static void adam(twin *t, double g, double n, const arnn_update *u)
{
    adaptive(t, g + (double)u->weight_decay * t->w, n, u);
}

static void adamw(twin *t, double g, double n, const arnn_update *u)
{
    t->w *= 1.0 - (double)u->rate * (double)u->weight_decay;
    adaptive(t, g, n, u);
}

/* A bowl whose slope is known: g = w - i. Both walk the same way to the bottom. */
static void check_walk(int32_t kind, size_t moments, void (*truth)(twin *, double, double, const arnn_update *))
{
    const arnn_optimiser *optimiser = arnn_optimiser_of(kind);
    float w[COUNT_OF], g[COUNT_OF], first[COUNT_OF] = {0}, second[COUNT_OF] = {0};
    twin twins[COUNT_OF] = {{0}};
    rng r = RNG;
    rng_fill(&r, w, COUNT_OF, 3.0f);
    for (size_t i = 0; i < COUNT_OF; i++)
        twins[i].w = (double)w[i];
    assert_int_equal(optimiser->moments, moments);
    arnn_update update = {
        .momentum = 0.9f, .second_momentum = 0.99f, .epsilon = 1e-8f, .weight_decay = 0.01f, .scale = 0.5f};
    for (update.count = 1; update.count <= UPDATES; update.count++) {
        update.rate = 0.02f / (1.0f + 0.01f * (float)update.count); /* the caller's, each time another */
        for (size_t i = 0; i < COUNT_OF; i++) {
            g[i] = 2.0f * (w[i] - (float)i * 0.1f);
            truth(&twins[i], (double)update.scale * 2.0 * (twins[i].w - (double)((float)i * 0.1f)),
                  (double)update.count, &update);
        }
        optimiser->apply(w, first, second, g, COUNT_OF, &update);
    }
    for (size_t i = 0; i < COUNT_OF; i++)
        assert_near(w[i], twins[i].w, 2e-5);
}

static void test_sgd(void **unused)
{
    (void)unused;
    check_walk(ARNN_OPTIMISER_SGD, 1, sgd);
}

static void test_adam(void **unused)
{
    (void)unused;
    check_walk(ARNN_OPTIMISER_ADAM, 2, adam);
}

static void test_adamw(void **unused)
{
    (void)unused;
    check_walk(ARNN_OPTIMISER_ADAMW, 2, adamw);
}

static void test_norm(void **unused)
{
    (void)unused;
    const float values[] = {3e30f, -4e30f, 0.0f}; /* whose squares no float holds */
    assert_near(arnn_norm(values, 3) / 1e30, 5.0, 1e-6);
    assert_true(arnn_norm(values, 0) == 0.0);
    assert_null(arnn_optimiser_of(-1));
    assert_null(arnn_optimiser_of(ARNN_OPTIMISER_ADAMW + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

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
    assert_near(arnn_norm(NULL, values, 3) / 1e30, 5.0, 1e-6);
    assert_true(arnn_norm(NULL, values, 0) == 0.0);
    assert_null(arnn_optimiser_of(-1));
    assert_null(arnn_optimiser_of(ARNN_OPTIMISER_ADAMW + 1));
}

/* Parts and threads: the same bits as all at once, and nothing left out; the norm as that of one thread. */
static void test_threads(void **unused)
{
    (void)unused;
    static const size_t counts[] = {1, 1000, 16384, 16385, 50000, 1 << 20, (1 << 20) + 77};
    arnn_threads *threads = arnn_threads_new(3);
    rng r = RNG;
    for (size_t c = 0; c < COUNT(counts); c++) {
        size_t count = counts[c];
        float *all[7]; /* values, moments and gradients; then the first three of another way */
        for (size_t i = 0; i < COUNT(all); i++) {
            all[i] = malloc(count * sizeof *all[i]);
            rng_fill(&r, all[i], count, 1.0f);
        }
        for (size_t i = 0; i < count; i++)
            all[2][i] = fabsf(all[2][i]);
        for (size_t i = 0; i < 3; i++)
            memcpy(all[4 + i], all[i], count * sizeof *all[i]);
        const arnn_update update = {.rate = 0.1f, .momentum = 0.9f, .second_momentum = 0.99f, .epsilon = 1e-8f,
                                    .weight_decay = 0.01f, .scale = 0.5f, .count = 3};
        for (int32_t kind = ARNN_OPTIMISER_SGD; kind <= ARNN_OPTIMISER_ADAMW; kind++) {
            const arnn_optimiser *optimiser = arnn_optimiser_of(kind);
            float *const moments[ARNN_MOMENTS] = {all[1], optimiser->moments > 1 ? all[2] : NULL};
            arnn_optimise(kind == ARNN_OPTIMISER_SGD ? NULL : threads, optimiser, all[0], moments, all[3], count, &update);
            optimiser->apply(all[4], all[5], all[6], all[3], count, &update);
            for (size_t i = 0; i < 3; i++)
                assert_true(same_bits(all[i], all[4 + i], count));
        }
        double norm = arnn_norm(NULL, all[3], count), sum = 0.0;
        for (size_t i = 0; i < count; i++)
            sum += (double)all[3][i] * (double)all[3][i];
        assert_near(norm, sqrt(sum), 1e-12 * norm);
        assert_true(arnn_norm(threads, all[3], count) == norm);
        for (size_t i = 0; i < COUNT(all); i++)
            free(all[i]);
    }
    arnn_threads_free(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sgd),
        cmocka_unit_test(test_adam),
        cmocka_unit_test(test_adamw),
        cmocka_unit_test(test_norm),
        cmocka_unit_test(test_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

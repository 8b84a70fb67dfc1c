/* Memory that fails at the n-th allocation, for every n, of everything around training: a clean error, nothing changed,
   nothing lost. */
#include <unistd.h>

#include "failing.h"
#include "../api/lessons.h"

typedef struct bench {
    lesson l;
    arnn_trainer *trainer; /* made by the operation */
} bench;

typedef arnn_status operation(bench *b);

/* What steps make of the parameters is kept, but for what failed to be made anew: first it is made. */
static long settled(bench *b)
{
    arnn_training training = {.struct_size = sizeof training};
    assert_ok(arnn_trainer_evaluate(b->l.trainer, &training, &b->l.examples));
    return failing_live();
}

static size_t exhaust(bench *b, operation *run)
{
    for (size_t n = 1;; n++) {
        size_t bytes;
        long live = settled(b);
        char *before = lesson_picture(&b->l, &bytes);
        failing_begin(n);
        arnn_status status = run(b);
        if (!failing_end()) {
            assert_ok(status);
            free(before);
            arnn_trainer_destroy(b->trainer);
            b->trainer = NULL;
            return n - 1;
        }
        check_error(ARNN_NO_MEMORY, "", status, "with memory failing", __FILE__, __LINE__);
        assert_null(b->trainer);
        lesson_unchanged(&b->l, before, bytes);
        assert_int_equal(settled(b), live);
    }
}

static arnn_status create(bench *b)
{
    return arnn_trainer_create(&b->trainer, b->l.model, &b->l.desc);
}

static arnn_status step(bench *b)
{
    return arnn_trainer_step(b->l.trainer, NULL, &b->l.examples, 0.1f);
}

static arnn_status gradients(bench *b)
{
    return arnn_trainer_gradients(b->l.trainer, NULL, &b->l.examples);
}

static arnn_status evaluate(bench *b)
{
    arnn_training training = {.struct_size = sizeof training};
    return arnn_trainer_evaluate(b->l.trainer, &training, &b->l.examples);
}

static arnn_status save(bench *b)
{
    return arnn_trainer_save(b->l.trainer, "arnn_test_checkpoint");
}

static arnn_status load(bench *b)
{
    return arnn_trainer_load(b->l.trainer, "arnn_test_checkpoint");
}

static arnn_status radius(bench *b)
{
    double radii[4];
    return arnn_model_spectral_radius(b->l.model, radii, 0);
}

static arnn_status fit(bench *b)
{
    static const float states[4 * 2 * WORLD_WIDTH], targets[4 * OUTPUTS];
    return arnn_model_fit_readout(b->l.model, states, targets, 4, 1.0);
}

static arnn_status lyapunov(bench *b)
{
    double exponents[2];
    arnn_input in = {.struct_size = sizeof in, .x = b->l.x};
    return arnn_model_lyapunov(b->l.model, exponents, 2, &in, STEPS, 0, 1);
}

static void test_training(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_NONE; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        bench b = {.trainer = NULL};
        lesson_make(&b.l, ARNN_CELL_LSTM, wiring, ARNN_LOSS_SQUARED_ERROR, ARNN_OVER_MEAN, ARNN_OPTIMISER_ADAM);
        assert_true(exhaust(&b, create) > 5);
        exhaust(&b, step);
        exhaust(&b, gradients);
        assert_true(exhaust(&b, evaluate) > 5);
        lesson_free(&b.l);
    }
}

static void test_checkpoint(void **unused)
{
    (void)unused;
    bench b = {.trainer = NULL};
    lesson_make(&b.l, ARNN_CELL_GRU, ARNN_WIRING_AFTER, ARNN_LOSS_CROSS_ENTROPY, ARNN_OVER_LAST, ARNN_OPTIMISER_SGD);
    exhaust(&b, save);
    assert_true(exhaust(&b, load) > 3);
    assert_int_equal(unlink("arnn_test_checkpoint"), 0);
    lesson_free(&b.l);
}

static void test_tools(void **unused)
{
    (void)unused;
    bench b = {.trainer = NULL};
    lesson_make(&b.l, ARNN_CELL_GRU, ARNN_WIRING_NONE, ARNN_LOSS_CROSS_ENTROPY, ARNN_OVER_LAST, ARNN_OPTIMISER_SGD);
    assert_true(exhaust(&b, radius) > 0);
    assert_true(exhaust(&b, lyapunov) > 0);
    assert_true(exhaust(&b, fit) > 0);
    lesson_free(&b.l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training),
        cmocka_unit_test(test_checkpoint),
        cmocka_unit_test(test_tools),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every error of sampling, of the readout in closed form, and of what is said of a recurrence. */
#include <math.h>

#include "check.h"
#include "world.h"

static void test_sample(void **unused)
{
    (void)unused;
    int32_t tokens[2] = {77, 77};
    float logits[6] = {0};
    assert_error(ARNN_INVALID_ARGUMENT, "tokens", arnn_sample(NULL, logits, 2, 3, 1.0f, 0, 1, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "logits", arnn_sample(tokens, NULL, 2, 3, 1.0f, 0, 1, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "width 0", arnn_sample(tokens, logits, 2, 0, 1.0f, 0, 1, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "-0.5", arnn_sample(tokens, logits, 2, 3, -0.5f, 0, 1, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "temperature", arnn_sample(tokens, logits, 2, 3, NAN, 0, 1, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "temperature", arnn_sample(tokens, logits, 2, 3, INFINITY, 0, 1, 0));
    logits[4] = NAN;
    assert_error(ARNN_INVALID_ARGUMENT, "row 1", arnn_sample(tokens, logits, 2, 3, 1.0f, 0, 1, 0));
    logits[4] = INFINITY;
    assert_error(ARNN_INVALID_ARGUMENT, "row 1", arnn_sample(tokens, logits, 2, 3, 1.0f, 0, 1, 0));
    logits[3] = logits[4] = logits[5] = -INFINITY;
    assert_error(ARNN_INVALID_ARGUMENT, "row 1", arnn_sample(tokens, logits, 2, 3, 1.0f, 0, 1, 0));
    assert_true(tokens[0] == 77 && tokens[1] == 77);
    assert_ok(arnn_sample(NULL, NULL, 0, 0, 1.0f, 0, 1, 0));
}

static arnn_model *model_of(int32_t cell, int32_t wiring, size_t outputs)
{
    arnn_model *model;
    arnn_model_desc desc = world_desc(cell, wiring);
    desc.outputs = outputs;
    assert_ok(arnn_model_create(&model, &desc));
    assert_ok(arnn_model_init(model, 1));
    return model;
}

static void test_fit(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_CELL_GRU, ARNN_WIRING_NONE, 2),
               *without = model_of(ARNN_CELL_GRU, ARNN_WIRING_NONE, 0);
    float states[8 * WORLD_WIDTH] = {0}, targets[8 * 2] = {0};
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_fit_readout(NULL, states, targets, 8, 1.0));
    assert_error(ARNN_INVALID_ARGUMENT, "states", arnn_model_fit_readout(model, NULL, targets, 8, 1.0));
    assert_error(ARNN_INVALID_ARGUMENT, "targets", arnn_model_fit_readout(model, states, NULL, 8, 1.0));
    assert_error(ARNN_INVALID_ARGUMENT, "-1", arnn_model_fit_readout(model, states, targets, 8, -1.0));
    assert_error(ARNN_INVALID_ARGUMENT, "penalty", arnn_model_fit_readout(model, states, targets, 8, (double)NAN));
    assert_error(ARNN_INVALID_ARGUMENT, "singular", arnn_model_fit_readout(model, states, targets, 8, 0.0));
    assert_error(ARNN_UNSUPPORTED, "readout", arnn_model_fit_readout(without, states, targets, 8, 1.0));
    arnn_state *state;
    assert_ok(arnn_state_create(&state, model, NULL, 1));
    assert_error(ARNN_BUSY, "1 state", arnn_model_fit_readout(model, states, targets, 8, 1.0));
    arnn_state_destroy(state);
    assert_ok(arnn_model_fit_readout(model, states, targets, 8, 1.0));
    arnn_model_destroy(model);
    arnn_model_destroy(without);
}

static void test_spectral_radius(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 0);
    double radii[3];
    float weights[3 * WORLD_WIDTH * WORLD_WIDTH] = {[40] = INFINITY};
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_spectral_radius(NULL, radii, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "radii", arnn_model_spectral_radius(model, NULL, 0));
    assert_error(ARNN_NOT_FOUND, "layer 1", arnn_model_spectral_radius(model, radii, 1));
    assert_ok(arnn_model_write(model, "weight_hh_l0", weights, COUNT(weights)));
    radii[0] = 77.0;
    assert_error(ARNN_INVALID_ARGUMENT, "infinity", arnn_model_spectral_radius(model, radii, 0));
    assert_true(radii[0] == 77.0);
    arnn_model_destroy(model);
}

static void test_lyapunov(void **unused)
{
    (void)unused;
    arnn_model *model = model_of(ARNN_CELL_LSTM, ARNN_WIRING_NONE, 0),
               *attends = model_of(ARNN_CELL_LSTM, ARNN_WIRING_AFTER, 0);
    double exponents[2 * WORLD_WIDTH + 1];
    float x[6 * WORLD_INPUTS] = {0};
    int32_t token = 0;
    arnn_input in = {.struct_size = sizeof in, .x = x}, tokens = {.struct_size = sizeof in, .tokens = &token};
    const arnn_input short_size = {.struct_size = 3};
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_lyapunov(NULL, exponents, 1, &in, 6, 0, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "exponents", arnn_model_lyapunov(model, NULL, 1, &in, 6, 0, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "in is NULL", arnn_model_lyapunov(model, exponents, 1, NULL, 6, 0, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_model_lyapunov(model, exponents, 1, &short_size, 6, 0, 1));
    assert_error(ARNN_UNSUPPORTED, "wiring none", arnn_model_lyapunov(attends, exponents, 1, &in, 6, 0, 1));
    assert_error(ARNN_SHAPE, "11 exponents", arnn_model_lyapunov(model, exponents, 2 * WORLD_WIDTH + 1, &in, 6, 0, 1));
    assert_error(ARNN_SHAPE, "skip is 6", arnn_model_lyapunov(model, exponents, 1, &in, 6, 6, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "dense", arnn_model_lyapunov(model, exponents, 1, &tokens, 1, 0, 1));
    assert_ok(arnn_model_lyapunov(model, exponents, 2 * WORLD_WIDTH, &in, 6, 5, 1));
    assert_ok(arnn_model_lyapunov(model, NULL, 0, &in, 6, 5, 1));
    arnn_model_destroy(model);
    arnn_model_destroy(attends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_fit),
        cmocka_unit_test(test_spectral_radius),
        cmocka_unit_test(test_lyapunov),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

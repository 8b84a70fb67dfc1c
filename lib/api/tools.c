#include "api/api.h"

#include <math.h>

#include "base/memory.h"
#include "train/dynamics.h"
#include "train/sample.h"

arnn_status arnn_sample(int32_t *tokens, const float *logits, size_t count, size_t width, float temperature, size_t top,
                        uint64_t seed, uint64_t draw)
{
    if (count == 0)
        return ARNN_OK;
    ARNN_REQUIRE(tokens);
    ARNN_REQUIRE(logits);
    if (width == 0 || width > INT32_MAX)
        return arnn_error(ARNN_INVALID_ARGUMENT, "logits of width %zu, expected 1 to %d", width, INT32_MAX);
    if (!(temperature >= 0.0f) || isinf(temperature))
        return arnn_error(ARNN_INVALID_ARGUMENT, "temperature is %g, expected a finite number of at least 0",
                          (double)temperature);
    for (size_t j = 0; j < count; j++) {
        if (!arnn_sample_possible(logits + j * width, width))
            return arnn_error(ARNN_INVALID_ARGUMENT,
                              "row %zu of the logits gives no probabilities: it has NaN or infinity", j);
    }
    for (size_t j = 0; j < count; j++)
        tokens[j] = (int32_t)arnn_sample_index(logits + j * width, width, temperature, top, seed, draw, j);
    return ARNN_OK;
}

static arnn_status check_penalty(double penalty)
{
    if (penalty >= 0.0 && !isinf(penalty))
        return ARNN_OK;
    return arnn_error(ARNN_INVALID_ARGUMENT, "penalty is %g, expected a finite number of at least 0", penalty);
}

arnn_status arnn_model_fit_readout(arnn_model *model, const float *states, const float *targets, size_t rows,
                                   double penalty)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(states || rows == 0);
    ARNN_REQUIRE(targets || rows == 0);
    arnn_status status = check_penalty(penalty);
    if (!status && model->desc.outputs == 0)
        status = arnn_error(ARNN_UNSUPPORTED, "the model has no readout: outputs is 0");
    return status ? status : arnn_dynamics_fit(model, states, targets, rows, penalty);
}

arnn_status arnn_model_spectral_radius(const arnn_model *model, double *radii, size_t layer)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(radii);
    if (layer >= model->desc.layers)
        return arnn_error(ARNN_NOT_FOUND, "layer %zu of %zu", layer, model->desc.layers);
    return arnn_dynamics_radii(model, radii, layer);
}

arnn_status arnn_model_lyapunov(const arnn_model *model, double *exponents, size_t count, const arnn_input *in,
                                size_t steps, size_t skip, uint64_t seed)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(exponents || count == 0);
    ARNN_REQUIRE(in);
    arnn_status status = arnn_check_struct("arnn_input", in->struct_size, sizeof *in);
    if (!status && arnn_desc_has_tape(&model->desc))
        status = arnn_error(ARNN_UNSUPPORTED,
                            "Lyapunov exponents are those of wiring none, which has no past beside its state");
    if (!status && count > arnn_dynamics_width(model))
        status =
            arnn_error(ARNN_SHAPE, "%zu exponents: the model carries %zu numbers", count, arnn_dynamics_width(model));
    if (!status && skip >= steps)
        status = arnn_error(ARNN_SHAPE, "skip is %zu, expected below %zu steps", skip, steps);
    arnn_sequence sequence = {.in = *in, .steps = steps, .count = 1};
    if (!status)
        status = arnn_check_input(&sequence, &model->desc);
    return status || count == 0 ? status
                                : arnn_dynamics_lyapunov(model, exponents, count, &sequence.in, steps, skip, seed);
}

#include "train/dynamics.h"

#include <string.h>

#include "base/memory.h"
#include "linalg/analysis.h"

arnn_status arnn_dynamics_radii(const arnn_model *model, double *radii, size_t layer)
{
    const arnn_parameter *recurrent = arnn_parameters_of(&model->parameters, ARNN_WEIGHT_HH, layer);
    size_t n = model->desc.hidden, gates = model->cell->gates;
    double *found = arnn_alloc(gates, sizeof *found);
    arnn_status status = found ? ARNN_OK : arnn_error_no_memory("spectral radii");
    for (size_t gate = 0; gate < gates && !status; gate++)
        status = arnn_spectral_radius(&found[gate], recurrent->values + gate * n * n, n);
    if (!status)
        memcpy(radii, found, gates * sizeof *radii);
    arnn_free(found);
    return status;
}

/* ---- the readout ---- */

static arnn_status solve(arnn_ridge *ridge, float *weight, float *bias, const float *states, const float *targets,
                         size_t rows, double penalty)
{
    for (size_t i = 0; i < rows; i++)
        arnn_ridge_add(ridge, states + i * ridge->inputs, targets + i * ridge->outputs);
    return arnn_ridge_solve(ridge, weight, bias, penalty);
}

static arnn_status put(arnn_model *model, const float *weight, const float *bias)
{
    const arnn_parameter *to = arnn_parameters_of(&model->parameters, ARNN_READOUT, 0);
    const arnn_parameter *to_bias = arnn_parameters_of(&model->parameters, ARNN_READOUT_BIAS, 0);
    arnn_status status = arnn_model_change(model);
    if (status)
        return status;
    memcpy(to->values, weight, to->count * sizeof *weight);
    memcpy(to_bias->values, bias, to_bias->count * sizeof *bias);
    return ARNN_OK;
}

arnn_status arnn_dynamics_fit(arnn_model *model, const float *states, const float *targets, size_t rows, double penalty)
{
    arnn_ridge ridge;
    size_t width = arnn_desc_source_width(&model->desc), outputs = model->desc.outputs;
    arnn_status status = arnn_model_change(model); /* asked before the work, so that a busy model costs nothing */
    if (status)
        return status;
    status = arnn_ridge_create(&ridge, width, outputs);
    if (status)
        return status;
    float *weight = arnn_alloc_floats((width + 1) * outputs);
    if (!weight)
        status = arnn_error_no_memory("a readout");
    if (!status)
        status = solve(&ridge, weight, weight + width * outputs, states, targets, rows, penalty);
    if (!status)
        status = put(model, weight, weight + width * outputs);
    arnn_free(weight);
    arnn_ridge_destroy(&ridge);
    return status;
}

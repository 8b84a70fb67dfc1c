#include "model/init.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/linalg.h"
#include "model/random.h"

/* One rule: writes `values`, the parameter's own. Rules that look at another parameter find it before their own in `all`. */
typedef arnn_status rule(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                         arnn_random *random);

static arnn_status normal(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                          arnn_random *random)
{
    (void)model;
    (void)all;
    arnn_random_normal(random, parameter->values, parameter->count);
    return ARNN_OK;
}

static arnn_status uniform(const arnn_parameter *parameter, arnn_random *random, size_t inputs)
{
    arnn_random_uniform(random, parameter->values, parameter->count, 1.0f / sqrtf((float)inputs));
    return ARNN_OK;
}

static arnn_status uniform_hidden(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                                  arnn_random *random)
{
    (void)all;
    return uniform(parameter, random, model->desc.hidden);
}

static arnn_status uniform_align(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                                 arnn_random *random)
{
    (void)all;
    return uniform(parameter, random, model->desc.align);
}

static arnn_status uniform_source(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                                  arnn_random *random)
{
    (void)all;
    return uniform(parameter, random, arnn_desc_source_width(&model->desc));
}

static arnn_status recency(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                           arnn_random *random)
{
    (void)all;
    (void)random;
    parameter->values[0] = model->desc.recency_start;
    return ARNN_OK;
}

static arnn_status orthogonal(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                              arnn_random *random)
{
    normal(model, parameter, all, random);
    return arnn_orthogonalise(parameter->values, parameter->shape[0], parameter->shape[1]);
}

/* W_hh: each gate's (n, n) block on its own. */
static arnn_status orthogonal_gates(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                                    arnn_random *random)
{
    size_t n = parameter->shape[1];
    arnn_status status = normal(model, parameter, all, random);
    for (size_t gate = 0; gate < parameter->shape[0] / n && !status; gate++)
        status = arnn_orthogonalise(parameter->values + gate * n * n, n, n);
    return status;
}

/* The part of a query matrix that stands over the state: its last n columns; the others become zero. */
static void write_state_half(const arnn_parameter *parameter, size_t hidden, const float *matrix)
{
    size_t width = parameter->shape[1], before = width - hidden;
    memset(parameter->values, 0, parameter->count * sizeof(float));
    for (size_t row = 0; row < parameter->shape[0]; row++)
        memcpy(parameter->values + row * width + before, matrix + row * hidden, hidden * sizeof(float));
}

static arnn_status query(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                         arnn_random *random)
{
    if (model->desc.attention_start == ARNN_ATTENTION_SPREAD)
        return orthogonal(model, parameter, all, random);
    const arnn_parameter *key = arnn_parameters_of(all, ARNN_ATTN_KEY, parameter->layer);
    write_state_half(parameter, model->desc.hidden, key->values);
    return ARNN_OK;
}

/* W stands for W_K' W_Q: with both the same orthogonal matrix, the identity. */
static arnn_status general(const arnn_model *model, const arnn_parameter *parameter, const arnn_parameters *all,
                           arnn_random *random)
{
    if (model->desc.attention_start == ARNN_ATTENTION_SPREAD)
        return orthogonal(model, parameter, all, random);
    size_t width = parameter->shape[1], before = width - model->desc.hidden;
    memset(parameter->values, 0, parameter->count * sizeof(float));
    for (size_t row = 0; row < parameter->shape[0]; row++)
        parameter->values[row * width + before + row] = 1.0f;
    return ARNN_OK;
}

static rule *const rules[ARNN_ROLES] = {
    [ARNN_EMBED] = normal,
    [ARNN_WEIGHT_IH] = uniform_hidden,
    [ARNN_WEIGHT_HH] = orthogonal_gates,
    [ARNN_BIAS_IH] = uniform_hidden,
    [ARNN_BIAS_HH] = uniform_hidden,
    [ARNN_ATTN_KEY] = orthogonal,
    [ARNN_ATTN_QUERY] = query,
    [ARNN_ATTN_SCORE] = uniform_align,
    [ARNN_ATTN_GENERAL] = general,
    [ARNN_ATTN_RECENCY] = recency,
    [ARNN_READOUT] = uniform_source,
    [ARNN_READOUT_BIAS] = uniform_source,
};

arnn_status arnn_model_initialise(arnn_model *model, uint64_t seed)
{
    arnn_parameters fresh;
    arnn_status status = arnn_parameters_create(&fresh, &model->desc);
    for (size_t i = 0; i < fresh.count && !status; i++) {
        const arnn_parameter *parameter = &fresh.list[i];
        arnn_random random = arnn_random_of(seed, (uint64_t)parameter->role, parameter->layer);
        status = rules[parameter->role](model, parameter, &fresh, &random);
    }
    if (!status)
        status = arnn_model_change(model);
    if (!status)
        memcpy(model->parameters.values, fresh.values, fresh.values_count * sizeof(float));
    arnn_parameters_destroy(&fresh);
    return status;
}

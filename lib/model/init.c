#include "model/init.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/linalg.h"
#include "model/random.h"

/* One parameter to fill. Rules that look at another parameter find it, filled before, in `all`. */
typedef struct fill {
    const arnn_model_desc *desc;
    const arnn_parameter *parameter;
    const arnn_parameters *all;
    arnn_random random;
} fill;

typedef arnn_status rule(fill *fill);

static arnn_status normal(fill *fill)
{
    arnn_random_normal(&fill->random, fill->parameter->values, fill->parameter->count);
    return ARNN_OK;
}

static arnn_status uniform(fill *fill, size_t inputs)
{
    arnn_random_uniform(&fill->random, fill->parameter->values, fill->parameter->count, 1.0f / sqrtf((float)inputs));
    return ARNN_OK;
}

static arnn_status uniform_hidden(fill *fill)
{
    return uniform(fill, fill->desc->hidden);
}

static arnn_status uniform_align(fill *fill)
{
    return uniform(fill, fill->desc->align);
}

static arnn_status uniform_source(fill *fill)
{
    return uniform(fill, arnn_desc_source_width(fill->desc));
}

static arnn_status recency(fill *fill)
{
    fill->parameter->values[0] = fill->desc->recency_start;
    return ARNN_OK;
}

static arnn_status orthogonal(fill *fill)
{
    normal(fill);
    return arnn_orthogonalise(fill->parameter->values, fill->parameter->shape[0], fill->parameter->shape[1]);
}

/* W_hh: each gate's (n, n) block on its own. */
static arnn_status orthogonal_gates(fill *fill)
{
    size_t n = fill->parameter->shape[1];
    arnn_status status = normal(fill);
    for (size_t gate = 0; gate < fill->parameter->shape[0] / n && !status; gate++)
        status = arnn_orthogonalise(fill->parameter->values + gate * n * n, n, n);
    return status;
}

/* Where the state's part of a row of a query matrix begins: it stands over z, of which the state is the last n. */
static float *state_part(const fill *fill, size_t row)
{
    size_t width = fill->parameter->shape[1];
    return fill->parameter->values + row * width + (width - fill->desc->hidden);
}

/* newest: W_Q = W_K over the state, 0 elsewhere. */
static arnn_status query(fill *fill)
{
    size_t n = fill->desc->hidden;
    if (fill->desc->attention_start == ARNN_ATTENTION_SPREAD)
        return orthogonal(fill);
    const arnn_parameter *key = arnn_parameters_of(fill->all, ARNN_ATTN_KEY, fill->parameter->layer);
    for (size_t row = 0; row < fill->parameter->shape[0]; row++)
        memcpy(state_part(fill, row), key->values + row * n, n * sizeof(float));
    return ARNN_OK;
}

/* W stands for W_K' W_Q: with both the same orthogonal matrix, the identity. */
static arnn_status general(fill *fill)
{
    if (fill->desc->attention_start == ARNN_ATTENTION_SPREAD)
        return orthogonal(fill);
    for (size_t row = 0; row < fill->parameter->shape[0]; row++)
        state_part(fill, row)[row] = 1.0f;
    return ARNN_OK;
}

static rule *const rules[ARNN_ROLES] = {
    [ARNN_EMBED] = normal,           [ARNN_WEIGHT_IH] = uniform_hidden, [ARNN_WEIGHT_HH] = orthogonal_gates,
    [ARNN_BIAS_IH] = uniform_hidden, [ARNN_BIAS_HH] = uniform_hidden,   [ARNN_ATTN_KEY] = orthogonal,
    [ARNN_ATTN_QUERY] = query,       [ARNN_ATTN_SCORE] = uniform_align, [ARNN_ATTN_GENERAL] = general,
    [ARNN_ATTN_RECENCY] = recency,   [ARNN_READOUT] = uniform_source,   [ARNN_READOUT_BIAS] = uniform_source,
};

arnn_status arnn_model_initialise(arnn_model *model, uint64_t seed)
{
    arnn_parameters fresh;
    arnn_status status = arnn_model_change(model); /* asked now, so that a busy model costs nothing, and once more in
                                                      the end */
    if (status)
        return status;
    status = arnn_parameters_create(&fresh, &model->desc);
    for (size_t i = 0; i < fresh.count && !status; i++) {
        const arnn_parameter *parameter = &fresh.list[i];
        fill one = {.desc = &model->desc, .parameter = parameter, .all = &fresh};
        one.random = arnn_random_of(seed, (uint64_t)parameter->role, parameter->layer);
        status = rules[parameter->role](&one);
    }
    if (!status)
        status = arnn_model_change(model);
    if (!status)
        memcpy(model->parameters.values, fresh.values, fresh.values_count * sizeof(float));
    arnn_parameters_destroy(&fresh);
    return status;
}

/* Additive scores e = v' tanh(p + y), backward: dy_j += v_j de (1 - t_j^2), dp_j likewise, dv_j += de t_j. Where the tape
   keeps E = exp(2 p) and the query is F = exp(2 y): t = 1 - 2 G and 1 - t^2 = 4 EF G^2 with G = 1 / (1 + EF), EF capped;
   not 4 G (1 - G), which cancels near G = 1. */
#include <math.h>

#include "train/pass.h"

/* A unit: its tanh and the derivative of that. */
typedef struct unit {
    float value, slope;
} unit;

static inline unit exponent_unit(float key, float query)
{
    const float cap = 0x1p60f;
    float product = key * query;
    product = product > cap ? cap : product;
    float g = 1.0f / (1.0f + product);
    return (unit){1.0f - 2.0f * g, 4.0f * product * g * g};
}

static inline unit tanh_unit(float key, float query)
{
    float t = tanhf(key + query);
    return (unit){t, 1.0f - t * t};
}

static inline unit unit_of(const arnn_pass *pass, float key, float query)
{
    return pass->read == ARNN_READ_EXPONENT ? exponent_unit(key, query) : tanh_unit(key, query);
}

float arnn_additive_score(const arnn_pass *pass, const float *key, const float *query)
{
    const float *v = pass->attn_score.values;
    float sum = 0.0f;
    for (size_t j = 0; j < pass->keys; j++)
        sum += v[j] * unit_of(pass, key[j], query[j]).value;
    return sum;
}

void arnn_additive_owed(const arnn_pass *pass, float *dq, float *dkey, float *dscore, const float *key,
                        const float *query, float de)
{
    const float *v = pass->attn_score.values;
    for (size_t j = 0; j < pass->keys; j++) {
        unit u = unit_of(pass, key[j], query[j]);
        float owed = v[j] * de * u.slope;
        dq[j] += owed;
        dscore[j] += de * u.value;
        if (dkey)
            dkey[j] += owed;
    }
}

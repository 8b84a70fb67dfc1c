/* The cells on vectors, one pass each. Tails take part of a vector through the same arithmetic. */
#include "kernels/vec_kernels.h"
#include "kernels/vec_math.h"

#define FOR_VECTORS(i, lanes, count) \
    for (size_t i = 0, lanes; i < (count) && (lanes = (count) - i < VF_LANES ? (count) - i : VF_LANES); i += lanes)

static size_t total(const arnn_cell_step *step)
{
    return step->streams * step->hidden;
}

/* input + recurrent of one gate */
ARNN_INLINE vf gate(const float *input, const float *recurrent, size_t i, size_t lanes)
{
    return vf_add(vf_load_n(input + i, lanes), vf_load_n(recurrent + i, lanes));
}

void ARNN_VEC(rnn_tanh)(const arnn_cell_step *step)
{
    FOR_VECTORS(i, lanes, total(step))
    vf_store_n(step->h + i, vf_tanh(gate(step->input, step->recurrent, i, lanes)), lanes);
}

void ARNN_VEC(rnn_relu)(const arnn_cell_step *step)
{
    FOR_VECTORS(i, lanes, total(step))
    vf_store_n(step->h + i, vf_max(vf_zero(), gate(step->input, step->recurrent, i, lanes)), lanes);
}

void ARNN_VEC(gru)(const arnn_cell_step *step)
{
    size_t n = step->hidden;
    vf one = vf_set(1.0f);
    for (size_t b = 0; b < step->streams; b++) {
        const float *input = step->input + b * 3 * n, *recurrent = step->recurrent + b * 3 * n;
        FOR_VECTORS(i, lanes, n)
        {
            vf r = vf_sigmoid(gate(input, recurrent, i, lanes));
            vf u = vf_sigmoid(gate(input + n, recurrent + n, i, lanes));
            vf from_input = vf_load_n(input + 2 * n + i, lanes), from_state = vf_load_n(recurrent + 2 * n + i, lanes);
            vf g = vf_tanh(vf_fma(r, from_state, from_input));
            vf s = vf_load_n(step->carried + b * n + i, lanes);
            vf_store_n(step->h + b * n + i, vf_fma(u, s, vf_mul(vf_sub(one, u), g)), lanes);
        }
    }
}

void ARNN_VEC(lstm)(const arnn_cell_step *step)
{
    size_t n = step->hidden;
    for (size_t b = 0; b < step->streams; b++) {
        const float *input = step->input + b * 4 * n, *recurrent = step->recurrent + b * 4 * n;
        FOR_VECTORS(j, lanes, n)
        {
            vf i = vf_sigmoid(gate(input, recurrent, j, lanes));
            vf f = vf_sigmoid(gate(input + n, recurrent + n, j, lanes));
            vf g = vf_tanh(gate(input + 2 * n, recurrent + 2 * n, j, lanes));
            vf o = vf_sigmoid(gate(input + 3 * n, recurrent + 3 * n, j, lanes));
            vf m = vf_fma(f, vf_load_n(step->memory + b * n + j, lanes), vf_mul(i, g));
            vf_store_n(step->m + b * n + j, m, lanes);
            vf_store_n(step->h + b * n + j, vf_mul(o, vf_tanh(m)), lanes);
        }
    }
}

void ARNN_VEC(exponents)(float *values, size_t count)
{
    const vf limit = vf_set(87.0f), least = vf_set(-87.0f);
    FOR_VECTORS(i, lanes, count)
    {
        vf x = vf_load_n(values + i, lanes);
        vf_store_n(values + i, vf_exp(vf_max(least, vf_min(limit, vf_add(x, x)))), lanes);
    }
}

void ARNN_VEC(sigmoid)(float *values, size_t count)
{
    FOR_VECTORS(i, lanes, count)
    vf_store_n(values + i, vf_sigmoid(vf_load_n(values + i, lanes)), lanes);
}

void ARNN_VEC(tanh)(float *values, size_t count)
{
    FOR_VECTORS(i, lanes, count)
    vf_store_n(values + i, vf_tanh(vf_load_n(values + i, lanes)), lanes);
}

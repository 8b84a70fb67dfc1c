/* The cells on vectors, forward and back. Tails take part of a vector through the same arithmetic. Gates are kept as
   fractions as long as they are only multiplied: divisions take longest. */
#include "kernels/vec_kernels.h"
#include "kernels/vec_math.h"

#define LEAST        (-89.0f) /* where 1 / sigmoid is infinite: sigmoid is 0 */
#define LEAST_FINITE (-87.0f)

/* Of `count` numbers, a vector's lanes from i on, or those that are left. */
typedef void some_lanes(const void *all, size_t i, size_t lanes);

ARNN_INLINE void for_vectors(const void *all, size_t count, some_lanes *make)
{
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        make(all, i, VF_LANES);
    if (i < count)
        make(all, i, count - i);
}

/* ---- forward: rows of one stream ---- */

typedef struct row {
    const float *input, *recurrent, *carried, *memory;
    float *h, *m;
    size_t n;
} row;

static row row_of(const arnn_cell_step *step, size_t gates, size_t b)
{
    size_t n = step->hidden;
    return (row){
        .input = step->input + b * gates * n,
        .recurrent = step->recurrent ? step->recurrent + b * gates * n : NULL,
        .carried = step->carried ? step->carried + b * n : NULL,
        .memory = step->memory ? step->memory + b * n : NULL,
        .h = step->h + b * n,
        .m = step->m ? step->m + b * n : NULL,
        .n = n,
    };
}

ARNN_INLINE vf gate(const row *at, size_t g, size_t i, size_t lanes)
{
    return vf_load_n(at->input + g * at->n + i, lanes);
}

/* The GRU's, of which both parts are there. */
ARNN_INLINE vf both_of_gate(const row *at, size_t g, size_t i, size_t lanes)
{
    return vf_add(gate(at, g, i, lanes), vf_load_n(at->recurrent + g * at->n + i, lanes));
}

ARNN_INLINE void tanh_lanes(const void *all, size_t i, size_t lanes)
{
    const row *at = all;
    vf_store_n(at->h + i, vf_tanh(gate(at, 0, i, lanes)), lanes);
}

void ARNN_VEC(rnn_tanh)(const arnn_cell_step *step)
{
    const row at = row_of(step, 1, 0);
    for_vectors(&at, step->streams * step->hidden, tanh_lanes);
}

ARNN_INLINE void relu_lanes(const void *all, size_t i, size_t lanes)
{
    const row *at = all;
    vf_store_n(at->h + i, vf_max(vf_zero(), gate(at, 0, i, lanes)), lanes);
}

void ARNN_VEC(rnn_relu)(const arnn_cell_step *step)
{
    const row at = row_of(step, 1, 0);
    for_vectors(&at, step->streams * step->hidden, relu_lanes);
}

ARNN_INLINE void gru_lanes(const void *all, size_t i, size_t lanes)
{
    const row *at = all;
    vf r = vf_sigmoid_under(both_of_gate(at, 0, i, lanes), LEAST), u = vf_sigmoid(both_of_gate(at, 1, i, lanes));
    vf from_state = vf_load_n(at->recurrent + 2 * at->n + i, lanes);
    vf g = vf_tanh(vf_add(gate(at, 2, i, lanes), vf_div(from_state, r)));
    vf fresh = vf_mul(vf_sub(vf_set(1.0f), u), g);
    vf_store_n(at->h + i, vf_fma(u, vf_load_n(at->carried + i, lanes), fresh), lanes);
}

void ARNN_VEC(gru)(const arnn_cell_step *step)
{
    for (size_t b = 0; b < step->streams; b++) {
        const row at = row_of(step, 3, b);
        for_vectors(&at, at.n, gru_lanes);
    }
}

ARNN_INLINE void memory_lanes(const void *all, size_t j, size_t lanes)
{
    const row *at = all;
    vf i = vf_sigmoid_under(gate(at, 0, j, lanes), LEAST), f = vf_sigmoid(gate(at, 1, j, lanes));
    vf pre = gate(at, 2, j, lanes);
    vf_fraction g = vf_tanh_fraction(pre);
    vf fresh = vf_sign(vf_div(g.over, vf_mul(i, g.under)), pre);
    vf_store_n(at->m + j, vf_fma(f, vf_load_n(at->memory + j, lanes), fresh), lanes);
}

ARNN_INLINE void output_lanes(const void *all, size_t j, size_t lanes)
{
    const row *at = all;
    vf o = vf_sigmoid_under(gate(at, 3, j, lanes), LEAST), m = vf_load_n(at->m + j, lanes);
    vf_fraction t = vf_tanh_fraction(m);
    vf_store_n(at->h + j, vf_sign(vf_div(t.over, vf_mul(o, t.under)), m), lanes);
}

/* All memories first: what one unit computes in turn is then half as long, and hides behind that of the next ones. */
void ARNN_VEC(lstm)(const arnn_cell_step *step)
{
    for (size_t b = 0; b < step->streams; b++) {
        const row at = row_of(step, 4, b);
        for_vectors(&at, at.n, memory_lanes);
        for_vectors(&at, at.n, output_lanes);
    }
}

/* ---- back ---- */

/* sigmoid(a) and tanh(b) by one division. */
typedef struct two_gates {
    vf sigmoid, tanh;
} two_gates;

ARNN_INLINE two_gates both(vf a, vf b)
{
    vf under = vf_sigmoid_under(a, LEAST_FINITE);
    vf_fraction t = vf_tanh_fraction(b);
    vf share = vf_div(vf_set(1.0f), vf_mul(under, t.under));
    return (two_gates){vf_mul(share, t.under), vf_sign(vf_mul(t.over, vf_mul(share, under)), b)};
}

/* 1 - v^2, and v (1 - v) */
ARNN_INLINE vf tanh_slope(vf v)
{
    return vf_nfma(v, v, vf_set(1.0f));
}

ARNN_INLINE vf sigmoid_slope(vf v)
{
    return vf_nfma(v, v, v);
}

ARNN_INLINE void gru_back_lanes(const void *all, size_t i, size_t lanes)
{
    const arnn_cell_owed *owed = all;
    float *input = owed->dp_input + i, *recurrent = owed->dp_recurrent + i;
    size_t n = owed->hidden;
    vf r = vf_sigmoid(vf_add(vf_load_n(input, lanes), vf_load_n(recurrent, lanes)));
    vf b = vf_load_n(recurrent + 2 * n, lanes), dh = vf_load_n(owed->dh + i, lanes);
    two_gates ug = both(vf_add(vf_load_n(input + n, lanes), vf_load_n(recurrent + n, lanes)),
                        vf_fma(r, b, vf_load_n(input + 2 * n, lanes)));
    vf u = ug.sigmoid, g = ug.tanh, through = vf_mul(dh, u);
    vf dg = vf_mul(vf_sub(dh, through), tanh_slope(g));
    vf du = vf_mul(vf_mul(dh, vf_sub(vf_load_n(owed->carried + i, lanes), g)), sigmoid_slope(u));
    vf dr = vf_mul(vf_mul(dg, b), sigmoid_slope(r));
    vf_store_n(input, dr, lanes);
    vf_store_n(recurrent, dr, lanes);
    vf_store_n(input + n, du, lanes);
    vf_store_n(recurrent + n, du, lanes);
    vf_store_n(input + 2 * n, dg, lanes);
    vf_store_n(recurrent + 2 * n, vf_mul(r, dg), lanes);
    vf_store_n(owed->dcarried + i, through, lanes);
}

void ARNN_VEC(gru_back)(const arnn_cell_owed *owed)
{
    for_vectors(owed, owed->hidden, gru_back_lanes);
}

/* dm = (from later) + dh o (1 - t^2), t = tanh(m) */
ARNN_INLINE void lstm_back_lanes(const void *all, size_t j, size_t lanes)
{
    const arnn_cell_owed *owed = all;
    float *p = owed->dp_input + j;
    size_t n = owed->hidden;
    two_gates ig = both(vf_load_n(p, lanes), vf_load_n(p + 2 * n, lanes));
    two_gates ot = both(vf_load_n(p + 3 * n, lanes), vf_load_n(owed->m + j, lanes));
    vf f = vf_sigmoid(vf_load_n(p + n, lanes)), dh = vf_load_n(owed->dh + j, lanes);
    vf through = vf_mul(dh, ot.sigmoid);
    vf dm = vf_fma(through, tanh_slope(ot.tanh), vf_load_n(owed->dm + j, lanes));
    vf_store_n(p, vf_mul(vf_mul(dm, ig.tanh), sigmoid_slope(ig.sigmoid)), lanes);
    vf_store_n(p + n, vf_mul(vf_mul(dm, vf_load_n(owed->m_prev + j, lanes)), sigmoid_slope(f)), lanes);
    vf_store_n(p + 2 * n, vf_mul(vf_mul(dm, ig.sigmoid), tanh_slope(ig.tanh)), lanes);
    vf_store_n(p + 3 * n, vf_mul(vf_mul(dh, ot.tanh), sigmoid_slope(ot.sigmoid)), lanes);
    vf_store_n(owed->dm_prev + j, vf_mul(dm, f), lanes);
    vf_store_n(owed->dcarried + j, vf_zero(), lanes);
}

void ARNN_VEC(lstm_back)(const arnn_cell_owed *owed)
{
    for_vectors(owed, owed->hidden, lstm_back_lanes);
}

/* ---- functions by themselves ---- */

ARNN_INLINE void exponent_lanes(const void *all, size_t i, size_t lanes)
{
    float *values = *(float *const *)all + i;
    const vf limit = vf_set(87.0f), least = vf_set(-87.0f);
    vf x = vf_load_n(values, lanes);
    vf_store_n(values, vf_exp(vf_max(least, vf_min(limit, vf_add(x, x)))), lanes);
}

void ARNN_VEC(exponents)(float *values, size_t count)
{
    for_vectors(&values, count, exponent_lanes);
}

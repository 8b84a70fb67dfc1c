/* Additive scores of keys as they are kept for training, and what is owed through them, on vectors (the formulas stand
   in ref_keys.c). Some rows at a time: within them, lane after lane of the key, so that sums stay in registers. */
#include "kernels/vec_block.h"
#include "kernels/vec_math.h"

#define KEY_ROWS 32

typedef struct unit {
    vf value, slope;
} unit;

ARNN_INLINE unit exponent_unit(vf key, vf query)
{
    vf product = vf_min(vf_set(0x1p60f), vf_mul(key, query));
    vf g = vf_div(vf_set(1.0f), vf_add(vf_set(1.0f), product));
    return (unit){vf_nfma(vf_set(2.0f), g, vf_set(1.0f)), vf_mul(vf_mul(vf_set(4.0f), product), vf_mul(g, g))};
}

ARNN_INLINE unit tanh_unit(vf key, vf query)
{
    vf t = vf_tanh(vf_add(key, query));
    return (unit){t, vf_nfma(t, t, vf_set(1.0f))};
}

typedef unit unit_kernel(vf key, vf query);

/* ---- scores ---- */

ARNN_INLINE void score_rows(const arnn_keys *all, float *scores, unit_kernel *make)
{
    for (size_t row = 0; row < all->count; row++) {
        const float *key = all->keys + row * all->align;
        vf sum = vf_zero();
        for (size_t j = 0; j < all->align; j += VF_LANES) {
            size_t left = all->align - j, lanes = left < VF_LANES ? left : VF_LANES;
            unit u = make(vf_load_n(key + j, lanes), vf_load_n(all->query + j, lanes));
            sum = vf_fma(vf_load_n(all->score + j, lanes), u.value, sum);
        }
        scores[row] = vf_sum(sum);
    }
}

void ARNN_VEC(key_scores)(const arnn_keys *all, float *scores)
{
    if (all->exponent)
        score_rows(all, scores, exponent_unit);
    else
        score_rows(all, scores, tanh_unit);
}

/* ---- owed ---- */

/* Lanes j .. of rows first .. last-1. */
ARNN_INLINE void owe_lanes(const arnn_keys *all, const arnn_keys_owed *owed, size_t first, size_t last, size_t j,
                           size_t lanes, unit_kernel *make)
{
    const vf query = vf_load_n(all->query + j, lanes), score = vf_load_n(all->score + j, lanes);
    vf dquery = vf_zero(), dscore = vf_zero();
    for (size_t row = first; row < last; row++) {
        size_t at = row * all->align + j;
        const vf de = vf_set(owed->de[row]);
        unit u = make(vf_load_n(all->keys + at, lanes), query);
        vf through = vf_mul(vf_mul(de, score), u.slope);
        dquery = vf_add(dquery, through);
        dscore = vf_fma(de, u.value, dscore);
        if (owed->dkeys)
            vf_store_n(owed->dkeys + at, vf_add(vf_load_n(owed->dkeys + at, lanes), through), lanes);
    }
    vf_store_n(owed->dquery + j, vf_add(vf_load_n(owed->dquery + j, lanes), dquery), lanes);
    vf_store_n(owed->dscore + j, vf_add(vf_load_n(owed->dscore + j, lanes), dscore), lanes);
}

ARNN_INLINE void owe_rows(const arnn_keys *all, const arnn_keys_owed *owed, unit_kernel *make)
{
    for (size_t first = 0; first < all->count; first += KEY_ROWS) {
        size_t last = all->count - first < KEY_ROWS ? all->count : first + KEY_ROWS, j = 0;
        for (; j + VF_LANES <= all->align; j += VF_LANES)
            owe_lanes(all, owed, first, last, j, VF_LANES, make);
        if (j < all->align)
            owe_lanes(all, owed, first, last, j, all->align - j, make);
    }
}

void ARNN_VEC(keys_owed)(const arnn_keys *all, const arnn_keys_owed *owed)
{
    if (all->exponent)
        owe_rows(all, owed, exponent_unit);
    else
        owe_rows(all, owed, tanh_unit);
}

/* Scores of a block of rows by their products with the query, on vectors. While they are read, half of the next block is
   fetched. */
#include "kernels/vec_bytes.h"
#include "kernels/vec_dot.h"

/* All columns of a row that is no whole vector. */
ARNN_INLINE void add_narrow(vf sums[VF_GROUP], const float *query, const group *h, size_t n, const int32_t type)
{
    const vf_part part = vf_part_of(n);
    vf q = vf_load_part(query, part);
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_fma(q, part_of_row(h->rows[r], part, type), sums[r]);
}

ARNN_INLINE vf score_dot(const arnn_query *query, const block *at, size_t lane, const int32_t type, const bool keep)
{
    const size_t n = query->hidden, bytes = element_bytes(type);
    const size_t half = VF_GROUP * PAIR * bytes / 2; /* of what the loop reads at a time */
    const group h = take_group(at->run->h, at->run->h_stride * bytes, at, lane);
    float *kept = keep ? at->kept + lane * PAIR : NULL; /* rows of at least a vector */
    ahead next = {.at = at->next_h + lane * n * bytes / 2, .far = at->far};
    size_t i = 0;
    vf sums[VF_GROUP];
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_zero();
    for (; i + PAIR <= n; i += PAIR, next.at += half) {
        vf2 q = pair_of_floats(query->query + i, type);
        fetch(next, half);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++) {
            vf2 row = pair_of_row(h.rows[r] + i * bytes, type);
            add_products(&sums[r], q, row);
            if (keep)
                store_pair(kept + r * PAIR, row, type);
        }
        if (keep)
            kept += at->rows * PAIR;
    }
    if (!keep && n < VF_LANES)
        add_narrow(sums, query->query, &h, n, type);
    else
        add_rest(sums, query->query, &h, i, n, type, kept, keep);
    return vf_sums(sums);
}

static vf score_f32(const arnn_query *query, const block *at, size_t lane)
{
    return score_dot(query, at, lane, ARNN_TYPE_F32, false);
}

static vf score_bf16(const arnn_query *query, const block *at, size_t lane)
{
    return score_dot(query, at, lane, ARNN_TYPE_BF16, false);
}

ARNN_INLINE vf score_kept(const arnn_query *query, const block *at, size_t lane, const int32_t type)
{
    if (VF_KEEPS(type) && at->kept)
        return score_dot(query, at, lane, type, true);
    return score_dot(query, at, lane, type, false);
}

static vf score_f16(const arnn_query *query, const block *at, size_t lane)
{
    return score_kept(query, at, lane, ARNN_TYPE_F16);
}

static vf score_i8(const arnn_query *query, const block *at, size_t lane)
{
#ifdef VB_LANES
    if (at->digits) {
        const group h = take_group(at->run->h, at->run->h_stride, at, lane);
        const ahead next = {.at = at->next_h + lane * query->hidden / 2, .far = at->far};
        return ARNN_VEC(score_bytes)(at->digits, h.rows, query->hidden, next);
    }
#endif
    return vf_mul(vf_set(1.0f / 127.0f), score_kept(query, at, lane, ARNN_TYPE_I8));
}

void ARNN_VEC(score_dot)(float *e, const arnn_query *query, const block *at)
{
    static group_score *const scores[ARNN_TYPES] = {score_f32, score_f16, score_bf16, score_i8};
    score_groups(e, query, at, scores[at->run->h_type]);
}

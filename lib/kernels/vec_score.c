/* Scores of a block of rows on vectors: VF_GROUP rows side by side, lane r of the result is row r's. While they are
   read, half of the next block is fetched. */
#include <math.h>

#include "kernels/vec_bytes.h"
#include "kernels/vec_math.h"
#include "kernels/vec_rows.h"

/* VF_GROUP lanes of a block: absent rows stand for a present one, so that all can be read. */
typedef struct group {
    const unsigned char *rows[VF_GROUP];
} group;

ARNN_INLINE group take_group(const void *rows, size_t stride_bytes, const block *at, size_t lane)
{
    group taken;
    bool whole = lane >= at->begin && lane + VF_GROUP <= at->end;
    for (size_t r = 0; r < VF_GROUP; r++) {
        size_t wanted = lane + r;
        if (!whole)
            wanted = wanted < at->begin ? at->begin : wanted >= at->end ? at->end - 1 : wanted;
        taken.rows[r] = (const unsigned char *)rows + row_of(at, wanted) * stride_bytes;
    }
    return taken;
}

typedef vf group_score(const arnn_query *query, const block *at, size_t lane);

/* Stored as whole vectors: what is loaded as it was stored need not wait for the cache. */
ARNN_INLINE void score_groups(float *e, const arnn_query *query, const block *at, group_score *score)
{
    for (size_t lane = 0; lane < at->rows; lane += VF_LANES) {
        vf groups[VF_LANES / VF_GROUP];
        for (size_t g = 0; g < VF_LANES / VF_GROUP; g++) {
            size_t first = lane + g * VF_GROUP;
            bool present = first < at->end && first + VF_GROUP > at->begin;
            groups[g] = present ? score(query, at, first) : vf_set(-INFINITY);
        }
        vf_store(e + lane, vf_join(groups));
    }
}

/* ---- dot ---- */

ARNN_INLINE void add_products(vf *sums, vf2 q, vf2 row)
{
    *sums = vf_fma(q.b, row.b, vf_fma(q.a, row.a, *sums));
}

/* What pairs leave over, from column i on: a vector, then the last vector of the row, of which only the columns count
   that are new. */
ARNN_INLINE void add_rest(vf sums[VF_GROUP], const float *query, const group *h, size_t i, size_t n, const int32_t type)
{
    const size_t bytes = element_bytes(type);
    if (i + VF_LANES <= n) {
        vf q = vf_load(query + i);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++)
            sums[r] = vf_fma(q, vector_of_row(h->rows[r] + i * bytes, type), sums[r]);
        i += VF_LANES;
    }
    if (i < n) {
        const size_t last = n - VF_LANES;
        vf q = vf_load(query + last);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++)
            sums[r] = vf_fma(q, vf_last(vector_of_row(h->rows[r] + last * bytes, type), n - i), sums[r]);
    }
}

/* All columns of a row that is no whole vector. */
ARNN_INLINE void add_narrow(vf sums[VF_GROUP], const float *query, const group *h, size_t n, const int32_t type)
{
    const vf_part part = vf_part_of(n);
    vf q = vf_load_part(query, part);
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_fma(q, part_of_row(h->rows[r], part, type), sums[r]);
}

ARNN_INLINE vf score_dot(const arnn_query *query, const block *at, size_t lane, const int32_t type)
{
    const size_t n = query->hidden, bytes = element_bytes(type);
    const size_t half = VF_GROUP * PAIR * bytes / 2; /* of what the loop reads at a time */
    const group h = take_group(at->run->h, at->run->h_stride * bytes, at, lane);
    uintptr_t next = at->next_h + lane * n * bytes / 2;
    size_t i = 0;
    vf sums[VF_GROUP];
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_zero();
    for (; i + PAIR <= n; i += PAIR, next += half) {
        vf2 q = pair_of_floats(query->query + i, type);
        for (size_t line = 0; line < half; line += LINE)
            fetch(next + line);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++)
            add_products(&sums[r], q, pair_of_row(h.rows[r] + i * bytes, type));
    }
    if (n < VF_LANES)
        add_narrow(sums, query->query, &h, n, type);
    else
        add_rest(sums, query->query, &h, i, n, type);
    return vf_sums(sums);
}

static vf score_f32(const arnn_query *query, const block *at, size_t lane)
{
    return score_dot(query, at, lane, ARNN_TYPE_F32);
}

static vf score_f16(const arnn_query *query, const block *at, size_t lane)
{
    return score_dot(query, at, lane, ARNN_TYPE_F16);
}

static vf score_bf16(const arnn_query *query, const block *at, size_t lane)
{
    return score_dot(query, at, lane, ARNN_TYPE_BF16);
}

static vf score_i8(const arnn_query *query, const block *at, size_t lane)
{
#ifdef VB_LANES
    if (at->digits) {
        const group h = take_group(at->run->h, at->run->h_stride, at, lane);
        return ARNN_VEC(score_bytes)(at->digits, h.rows, query->hidden, at->next_h + lane * query->hidden / 2);
    }
#endif
    return vf_mul(vf_set(1.0f / 127.0f), score_dot(query, at, lane, ARNN_TYPE_I8));
}

void ARNN_VEC(score_dot)(float *e, const arnn_query *query, const block *at)
{
    static group_score *const scores[ARNN_TYPES] = {score_f32, score_f16, score_bf16, score_i8};
    score_groups(e, query, at, scores[at->run->h_type]);
}

/* ---- additive ---- */

/* Keys are float32 or bfloat16. */
ARNN_INLINE vf key_of(const unsigned char *key, size_t j, const int32_t type)
{
    return type == ARNN_TYPE_BF16 ? vf_from_bf16((const uint16_t *)key + j) : vf_load((const float *)key + j);
}

ARNN_INLINE vf key_of_n(const unsigned char *key, size_t j, size_t count, const int32_t type)
{
    uint16_t room[VF_LANES] = {0};
    if (type == ARNN_TYPE_F32)
        return vf_load_n((const float *)key + j, count);
    memcpy(room, (const uint16_t *)key + j, count * sizeof *room);
    return vf_from_bf16(room);
}

/* A fraction of v over 1 + E F; fractions add by cross-multiplication, so that four share one division (spec 6.3). */
typedef struct fraction {
    vf over, under;
} fraction;

ARNN_INLINE fraction unit(vf score, vf key, vf query)
{
    const vf cap = vf_set(0x1p30f), one = vf_set(1.0f);
    return (fraction){score, vf_add(one, vf_min(cap, vf_mul(key, query)))};
}

ARNN_INLINE fraction unit_at(const arnn_query *query, const unsigned char *key, size_t j, const int32_t type)
{
    return unit(vf_load(query->score + j), key_of(key, j, type), vf_load(query->query + j));
}

ARNN_INLINE fraction both(fraction a, fraction b)
{
    return (fraction){vf_fma(a.over, b.under, vf_mul(b.over, a.under)), vf_mul(a.under, b.under)};
}

/* h: the address of the row's states, fetched for the sum while its key is read */
ARNN_INLINE vf score_exponent_row(const arnn_query *query, const unsigned char *key, uintptr_t h, const int32_t type)
{
    const size_t k = query->align;
    size_t j = 0;
    vf sum = vf_zero();
    for (; j + 4 * VF_LANES <= k; j += 4 * VF_LANES) {
        for (size_t line = 0; line < 4 * VF_LANES * sizeof(float); line += LINE)
            fetch(h + j * sizeof(float) + line);
        fraction low = both(unit_at(query, key, j, type), unit_at(query, key, j + VF_LANES, type));
        fraction high = both(unit_at(query, key, j + 2 * VF_LANES, type), unit_at(query, key, j + 3 * VF_LANES, type));
        fraction all = both(low, high);
        sum = vf_add(sum, vf_div(all.over, all.under));
    }
    for (; j < k; j += VF_LANES) {
        size_t left = k - j < VF_LANES ? k - j : VF_LANES; /* absent units are 0 / 1 */
        fraction last =
            unit(vf_load_n(query->score + j, left), key_of_n(key, j, left, type), vf_load_n(query->query + j, left));
        sum = vf_add(sum, vf_div(last.over, last.under));
    }
    return sum;
}

ARNN_INLINE vf score_tanh_row(const arnn_query *query, const unsigned char *key, uintptr_t h, const int32_t type)
{
    vf sum = vf_zero();
    (void)h;
    for (size_t j = 0; j < query->align; j += VF_LANES) {
        size_t left = query->align - j, lanes = left < VF_LANES ? left : VF_LANES;
        vf angle = vf_add(key_of_n(key, j, lanes, type), vf_load_n(query->query + j, lanes));
        sum = vf_fma(vf_load_n(query->score + j, lanes), vf_tanh(angle), sum);
    }
    return sum;
}

typedef vf row_score(const arnn_query *query, const unsigned char *key, uintptr_t h, const int32_t type);

ARNN_INLINE vf score_keys(const arnn_query *query, const block *at, size_t lane, row_score *score, const int32_t type)
{
    const arnn_run *run = at->run;
    const group key = take_group(run->key, query->align * element_bytes(type), at, lane);
    const group h = take_group(run->h, run->h_stride * element_bytes(run->h_type), at, lane);
    vf sums[VF_GROUP];
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = score(query, key.rows[r], (uintptr_t)h.rows[r], type);
    return vf_sums(sums);
}

static vf exponent_f32(const arnn_query *query, const block *at, size_t lane)
{
    vf sum = score_keys(query, at, lane, score_exponent_row, ARNN_TYPE_F32);
    return vf_nfma(vf_set(2.0f), sum, vf_set(query->score_sum));
}

static vf exponent_bf16(const arnn_query *query, const block *at, size_t lane)
{
    vf sum = score_keys(query, at, lane, score_exponent_row, ARNN_TYPE_BF16);
    return vf_nfma(vf_set(2.0f), sum, vf_set(query->score_sum));
}

void ARNN_VEC(score_exponent)(float *e, const arnn_query *query, const block *at)
{
    score_groups(e, query, at, at->run->key_type == ARNN_TYPE_BF16 ? exponent_bf16 : exponent_f32);
}

static vf tanh_f32(const arnn_query *query, const block *at, size_t lane)
{
    return score_keys(query, at, lane, score_tanh_row, ARNN_TYPE_F32);
}

static vf tanh_bf16(const arnn_query *query, const block *at, size_t lane)
{
    return score_keys(query, at, lane, score_tanh_row, ARNN_TYPE_BF16);
}

void ARNN_VEC(score_tanh)(float *e, const arnn_query *query, const block *at)
{
    score_groups(e, query, at, at->run->key_type == ARNN_TYPE_BF16 ? tanh_bf16 : tanh_f32);
}

/* Additive scores of a block of rows on vectors. While they are read, the keys of the next block are fetched, and half of
   its states. */
#include "kernels/vec_group.h"
#include "kernels/vec_math.h"
#include "kernels/vec_rows.h"
#include "kernels/vec_units.h"

#define STEP (2 * PAIR) /* units that share a division */

/* ---- the units of a query ---- */

/* In pairs, of the keys' type; then the vector that pairs leave over, then the last one, of which only those lanes count
   that are new. */
ARNN_INLINE void take_typed(float *to, const float *from, size_t count, const int32_t type)
{
    size_t i = 0;
    for (; i + PAIR <= count; i += PAIR) {
        vf2 pair = pair_of_floats(from + i, type);
        vf_store(to + i, pair.a);
        vf_store(to + i + VF_LANES, pair.b);
    }
    if (i + VF_LANES <= count) {
        vf_store(to + i, vf_load(from + i));
        i += VF_LANES;
    }
    if (i < count)
        vf_store(to + i,
                 count < VF_LANES ? vf_load_n(from, count) : vf_last(vf_load(from + count - VF_LANES), count - i));
}

ARNN_INLINE void take_arrays(units *to, const arnn_query *query, size_t first, const int32_t type)
{
    size_t left = query->align - first;
    to->count = left < MOST_UNITS ? left : MOST_UNITS;
    take_typed(to->query, query->query + first, to->count, type);
    take_typed(to->score, query->score + first, to->count, type);
}

void ARNN_VEC(take_units)(units *to, const arnn_query *query, size_t first, int32_t type)
{
    if (type == ARNN_TYPE_BF16)
        take_arrays(to, query, first, ARNN_TYPE_BF16);
    else
        take_arrays(to, query, first, ARNN_TYPE_F32);
}

/* ---- by exponents ---- */

/* A fraction of v over 1 + E F; fractions add by cross-multiplication, so that four share one division (spec 6.3). */
typedef struct fraction {
    vf over, under;
} fraction;

ARNN_INLINE fraction both(fraction a, fraction b)
{
    return (fraction){vf_fma(a.over, b.under, vf_mul(b.over, a.under)), vf_mul(a.under, b.under)};
}

/* What the units of a row add up to, and all denominators, whose sum is infinite where one is. */
typedef struct total {
    vf sum, under;
} total;

ARNN_INLINE void add_fraction(total *to, fraction f)
{
    to->sum = vf_add(to->sum, vf_div(f.over, f.under));
    to->under = vf_add(to->under, f.under);
}

ARNN_INLINE fraction unit_at(const units *u, size_t j, vf key, const bool capped)
{
    vf under = vf_fma(key, vf_load(u->query + j), vf_set(1.0f));
    return (fraction){vf_load(u->score + j), capped ? vf_min(vf_set(0x1p30f), under) : under};
}

ARNN_INLINE fraction pair_at(const units *u, size_t j, const unsigned char *key, const int32_t type, const bool capped)
{
    vf2 keys = pair_of_row(key + j * element_bytes(type), type);
    return both(unit_at(u, j, keys.a, capped), unit_at(u, j + VF_LANES, keys.b, capped));
}

/* The last vector of keys, from unit j on. */
ARNN_INLINE vf last_keys(const unsigned char *key, size_t j, size_t count, const int32_t type)
{
    if (count < VF_LANES)
        return part_of_row(key, vf_part_of(count), type);
    return vf_last(vector_of_row(key + (count - VF_LANES) * element_bytes(type), type), count - j);
}

/* From unit j on, fewer than STEP. */
ARNN_INLINE void add_rest(total *to, const units *u, size_t j, const unsigned char *key, const int32_t type,
                          const bool capped)
{
    if (j + PAIR <= u->count) {
        add_fraction(to, pair_at(u, j, key, type, capped));
        j += PAIR;
    }
    if (j + VF_LANES <= u->count) {
        add_fraction(to, unit_at(u, j, vector_of_row(key + j * element_bytes(type), type), capped));
        j += VF_LANES;
    }
    if (j < u->count)
        add_fraction(to, unit_at(u, j, last_keys(key, j, u->count, type), capped));
}

/* Addresses of what is fetched while a row is scored: a row of the next block's keys, and half of one of its states, so
   many bytes for every STEP. */
typedef struct rows_ahead {
    ahead key, h;
    size_t share;
} rows_ahead;

ARNN_INLINE void fetch_step(rows_ahead *next, const size_t key_bytes)
{
    fetch(next->key, key_bytes);
    for (size_t line = 0; line < next->share; line += LINE)
        fetch(ahead_by(next->h, line), LINE);
    next->key.at += key_bytes;
    next->h.at += next->share;
}

ARNN_INLINE void add_row(total *to, const units *u, const unsigned char *key, rows_ahead next, const int32_t type,
                         const bool capped)
{
    size_t j = 0;
    for (; j + STEP <= u->count; j += STEP) {
        fetch_step(&next, STEP * element_bytes(type));
        add_fraction(to, both(pair_at(u, j, key, type, capped), pair_at(u, j + PAIR, key, type, capped)));
    }
    add_rest(to, u, j, key, type, capped);
}

ARNN_INLINE rows_ahead fetch_ahead(const arnn_query *query, const block *at, size_t lane, size_t first,
                                   const int32_t type)
{
    const size_t k = query->align, half = query->hidden * element_bytes(at->run->h_type) / 2, steps = k / STEP;
    const size_t share = steps ? half / steps : 0;
    return (rows_ahead){
        .key = {.at = at->next_key + (lane * k + first) * element_bytes(type), .far = at->far},
        .h = {.at = at->next_h + lane * half + first / STEP * share, .far = at->far},
        .share = share,
    };
}

ARNN_INLINE total add_rows(const arnn_query *query, const block *at, size_t lane, const int32_t type, const bool capped)
{
    const size_t k = query->align, bytes = element_bytes(type);
    const group key = take_group(at->run->key, k * bytes, at, lane);
    vf sums[VF_GROUP], unders[VF_GROUP];
    for (size_t first = 0; first < k; first += MOST_UNITS) {
        if (k > MOST_UNITS)
            ARNN_VEC(take_units)(at->units, query, first, type);
        for (size_t r = 0; r < VF_GROUP; r++) {
            total row = {vf_zero(), vf_zero()};
            if (first > 0)
                row = (total){sums[r], unders[r]};
            add_row(&row, at->units, key.rows[r] + first * bytes, fetch_ahead(query, at, lane + r, first, type), type,
                    capped);
            sums[r] = row.sum;
            unders[r] = row.under;
        }
    }
    return (total){vf_sums(sums), vf_sums(unders)};
}

static __attribute__((noinline)) vf add_capped(const arnn_query *query, const block *at, size_t lane)
{
    if (at->run->key_type == ARNN_TYPE_BF16)
        return add_rows(query, at, lane, ARNN_TYPE_BF16, true).sum;
    return add_rows(query, at, lane, ARNN_TYPE_F32, true).sum;
}

/* Without a cap for E F four denominators may multiply to infinity, in rows of which some units are far from 0. Those,
   which show in the sums, are made again, and no others. */
ARNN_INLINE vf score_exponents(const arnn_query *query, const block *at, size_t lane, const int32_t type)
{
    const total plain = add_rows(query, at, lane, type, false);
    const vf faults = vf_mul(vf_zero(), vf_add(plain.sum, plain.under)); /* 0, or NaN */
    vf sum = plain.sum;
    if (vf_sum(faults) != 0.0f)
        sum = vf_below(faults, vf_set(1.0f), sum, add_capped(query, at, lane));
    return vf_nfma(vf_set(2.0f), sum, vf_set(query->score_sum));
}

static vf exponents_f32(const arnn_query *query, const block *at, size_t lane)
{
    return score_exponents(query, at, lane, ARNN_TYPE_F32);
}

static vf exponents_bf16(const arnn_query *query, const block *at, size_t lane)
{
    return score_exponents(query, at, lane, ARNN_TYPE_BF16);
}

void ARNN_VEC(score_exponent)(float *e, const arnn_query *query, const block *at)
{
    score_groups(e, query, at, at->run->key_type == ARNN_TYPE_BF16 ? exponents_bf16 : exponents_f32);
}

/* ---- as they are ---- */

ARNN_INLINE vf add_tanh(vf sum, const units *u, size_t j, vf key)
{
    return vf_fma(vf_load(u->score + j), vf_tanh(vf_add(key, vf_load(u->query + j))), sum);
}

ARNN_INLINE vf add_tanh_row(vf sum, const units *u, const unsigned char *key, const int32_t type)
{
    const size_t bytes = element_bytes(type);
    size_t j = 0;
    for (; j + PAIR <= u->count; j += PAIR) {
        vf2 keys = pair_of_row(key + j * bytes, type);
        sum = add_tanh(add_tanh(sum, u, j, keys.a), u, j + VF_LANES, keys.b);
    }
    if (j + VF_LANES <= u->count) {
        sum = add_tanh(sum, u, j, vector_of_row(key + j * bytes, type));
        j += VF_LANES;
    }
    return j < u->count ? add_tanh(sum, u, j, last_keys(key, j, u->count, type)) : sum;
}

ARNN_INLINE vf score_tanhs(const arnn_query *query, const block *at, size_t lane, const int32_t type)
{
    const size_t k = query->align, bytes = element_bytes(type);
    const group key = take_group(at->run->key, k * bytes, at, lane);
    vf sums[VF_GROUP];
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_zero();
    for (size_t first = 0; first < k; first += MOST_UNITS) {
        if (k > MOST_UNITS)
            ARNN_VEC(take_units)(at->units, query, first, type);
        for (size_t r = 0; r < VF_GROUP; r++)
            sums[r] = add_tanh_row(sums[r], at->units, key.rows[r] + first * bytes, type);
    }
    return vf_sums(sums);
}

static vf tanhs_f32(const arnn_query *query, const block *at, size_t lane)
{
    return score_tanhs(query, at, lane, ARNN_TYPE_F32);
}

static vf tanhs_bf16(const arnn_query *query, const block *at, size_t lane)
{
    return score_tanhs(query, at, lane, ARNN_TYPE_BF16);
}

void ARNN_VEC(score_tanh)(float *e, const arnn_query *query, const block *at)
{
    score_groups(e, query, at, at->run->key_type == ARNN_TYPE_BF16 ? tanhs_bf16 : tanhs_f32);
}

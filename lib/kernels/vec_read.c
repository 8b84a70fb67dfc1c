/* The read on vectors: one pass over the rows in blocks of VF_LANES, which stay in the first cache between their scores and
   their weighted sum; one vector of exponentials a block; sums are rescaled only when the maximum moves. Blocks begin at
   multiples of VF_LANES of the absolute row index, so that a row meets the same arithmetic wherever a run begins. */
#include <math.h>

#include "kernels/vec_kernels.h"
#include "kernels/vec_math.h"

#define COLUMNS 4 /* vectors of a row that are summed side by side */

typedef struct block {
    const float *h[VF_LANES], *m[VF_LANES], *key[VF_LANES]; /* absent rows stand for a present one, so that all can be read */
    size_t first;      /* absolute index of lane 0 */
    size_t begin, end; /* lanes that are there */
} block;

/* ---- scores: lane r is row r's ---- */

typedef vf block_score(const arnn_query *query, const block *rows);

ARNN_INLINE vf score_dot(const arnn_query *query, const block *rows)
{
    vf sums[VF_LANES];
    size_t i = 0, n = query->hidden;
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_LANES; r++)
        sums[r] = vf_zero();
    for (; i + VF_LANES <= n; i += VF_LANES) {
        vf q = vf_load(query->query + i);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_LANES; r++)
            sums[r] = vf_fma(q, vf_load(rows->h[r] + i), sums[r]);
    }
    if (i < n) {
        vf q = vf_load_n(query->query + i, n - i);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_LANES; r++)
            sums[r] = vf_fma(q, vf_load_n(rows->h[r] + i, n - i), sums[r]);
    }
    return vf_sums(sums);
}

/* A fraction of v over 1 + E F; fractions add by cross-multiplication, so that four share one division (spec 6.3). */
typedef struct fraction {
    vf over, under;
} fraction;

ARNN_INLINE fraction unit(const arnn_query *query, const float *key, size_t j, size_t lanes)
{
    const vf cap = vf_set(0x1p30f), one = vf_set(1.0f);
    vf product = vf_mul(vf_load_n(key + j, lanes), vf_load_n(query->query + j, lanes));
    return (fraction){vf_load_n(query->score + j, lanes), vf_add(one, vf_min(cap, product))};
}

ARNN_INLINE fraction both(fraction a, fraction b)
{
    return (fraction){vf_fma(a.over, b.under, vf_mul(b.over, a.under)), vf_mul(a.under, b.under)};
}

ARNN_INLINE vf score_exponent_row(const arnn_query *query, const float *key)
{
    const size_t k = query->align;
    size_t j = 0;
    vf sum = vf_zero();
    for (; j + 4 * VF_LANES <= k; j += 4 * VF_LANES) {
        fraction low = both(unit(query, key, j, VF_LANES), unit(query, key, j + VF_LANES, VF_LANES));
        fraction high = both(unit(query, key, j + 2 * VF_LANES, VF_LANES), unit(query, key, j + 3 * VF_LANES, VF_LANES));
        fraction all = both(low, high);
        sum = vf_add(sum, vf_div(all.over, all.under));
    }
    for (; j < k; j += VF_LANES) {
        fraction last = unit(query, key, j, k - j < VF_LANES ? k - j : VF_LANES); /* absent units are 0 / 1 */
        sum = vf_add(sum, vf_div(last.over, last.under));
    }
    return sum;
}

ARNN_INLINE vf score_exponent(const arnn_query *query, const block *rows)
{
    vf sums[VF_LANES];
    for (size_t r = 0; r < VF_LANES; r++)
        sums[r] = score_exponent_row(query, rows->key[r]);
    return vf_nfma(vf_set(2.0f), vf_sums(sums), vf_set(query->score_sum));
}

ARNN_INLINE vf score_tanh_row(const arnn_query *query, const float *key)
{
    vf sum = vf_zero();
    for (size_t j = 0; j < query->align; j += VF_LANES) {
        size_t left = query->align - j, lanes = left < VF_LANES ? left : VF_LANES;
        vf angle = vf_add(vf_load_n(key + j, lanes), vf_load_n(query->query + j, lanes));
        sum = vf_fma(vf_load_n(query->score + j, lanes), vf_tanh(angle), sum);
    }
    return sum;
}

ARNN_INLINE vf score_tanh(const arnn_query *query, const block *rows)
{
    vf sums[VF_LANES];
    for (size_t r = 0; r < VF_LANES; r++)
        sums[r] = score_tanh_row(query, rows->key[r]);
    return vf_sums(sums);
}

/* ---- the weighted sum ---- */

static void rescale(float *sums, float factor, size_t count)
{
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_store(sums + i, vf_mul(vf_load(sums + i), vf_set(factor)));
    vf_store_n(sums + i, vf_mul(vf_load_n(sums + i, count - i), vf_set(factor)), count - i);
}

/* `vectors` vectors of columns from i on, rows begin .. end-1 in their order. */
ARNN_INLINE void add_columns(float *sums, const float *const *rows, const float *weights, size_t begin, size_t end,
                             size_t i, const size_t vectors)
{
    vf columns[COLUMNS];
    for (size_t c = 0; c < vectors; c++)
        columns[c] = vf_load(sums + i + c * VF_LANES);
#pragma GCC unroll 16
    for (size_t r = begin; r < end; r++) {
        vf weight = vf_set(weights[r]);
        for (size_t c = 0; c < vectors; c++)
            columns[c] = vf_fma(weight, vf_load(rows[r] + i + c * VF_LANES), columns[c]);
    }
    for (size_t c = 0; c < vectors; c++)
        vf_store(sums + i + c * VF_LANES, columns[c]);
}

ARNN_INLINE void add_rows(float *sums, const float *const *rows, const float *weights, size_t begin, size_t end, size_t n)
{
    size_t i = 0;
    for (; i + COLUMNS * VF_LANES <= n; i += COLUMNS * VF_LANES)
        add_columns(sums, rows, weights, begin, end, i, COLUMNS);
    for (; i + VF_LANES <= n; i += VF_LANES)
        add_columns(sums, rows, weights, begin, end, i, 1);
    if (i == n)
        return;
    vf column = vf_load_n(sums + i, n - i);
    for (size_t r = begin; r < end; r++)
        column = vf_fma(vf_set(weights[r]), vf_load_n(rows[r] + i, n - i), column);
    vf_store_n(sums + i, column, n - i);
}

ARNN_INLINE void add_block(float *sums, const float *const *rows, const float *weights, const block *lanes, size_t n)
{
    if (lanes->begin == 0 && lanes->end == VF_LANES)
        add_rows(sums, rows, weights, 0, VF_LANES, n); /* the common case, unrolled */
    else
        add_rows(sums, rows, weights, lanes->begin, lanes->end, n);
}

/* ---- a block ---- */

static block take_block(const arnn_query *query, const arnn_run *run, size_t first)
{
    size_t end = run->first + run->count;
    block rows = {.first = first};
    rows.begin = run->first > first ? run->first - first : 0;
    rows.end = end - first < VF_LANES ? end - first : VF_LANES;
    for (size_t lane = 0; lane < VF_LANES; lane++) {
        size_t present = lane < rows.begin ? rows.begin : lane >= rows.end ? rows.end - 1 : lane;
        size_t row = first + present - run->first;
        rows.h[lane] = run->h + row * run->h_stride;
        rows.m[lane] = run->m ? run->m + row * query->hidden : NULL;
        rows.key[lane] = run->key ? run->key + row * query->align : NULL;
    }
    return rows;
}

/* Recency, absent rows to -inf, and the scores as the caller wants them. */
static void finish_scores(float *e, const arnn_query *query, const block *rows, float *scores)
{
    for (size_t lane = 0; lane < VF_LANES; lane++) {
        bool present = lane >= rows->begin && lane < rows->end;
        if (present && query->recency != 0.0f)
            e[lane] -= query->recency * (float)(query->newest - (rows->first + lane));
        if (!present)
            e[lane] = -INFINITY;
        if (present && scores)
            scores[lane - rows->begin] = e[lane];
    }
}

/* Scores become weights relative to the maximum, with which sums move if it does. */
static void softmax(arnn_partial *partial, float *e, size_t n)
{
    vf scores = vf_load(e);
    float top = vf_top(scores);
    if (top > partial->max) {
        float factor = vf_one(vf_exp(vf_set(partial->max - top)));
        rescale(partial->h, factor, n);
        if (partial->m)
            rescale(partial->m, factor, n);
        partial->sum *= factor;
        partial->max = top;
    }
    vf weights = vf_exp(vf_sub(scores, vf_set(partial->max)));
    partial->sum += vf_sum(weights);
    vf_store(e, weights);
}

ARNN_INLINE void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                           block_score *score)
{
    size_t end = run->first + run->count;
    for (size_t first = run->first / VF_LANES * VF_LANES; first < end; first += VF_LANES) {
        float e[VF_LANES];
        block rows = take_block(query, run, first);
        vf_store(e, score(query, &rows));
        finish_scores(e, query, &rows, scores ? scores + (first + rows.begin - run->first) : NULL);
        softmax(partial, e, query->hidden);
        add_block(partial->h, rows.h, e, &rows, query->hidden);
        if (run->m)
            add_block(partial->m, rows.m, e, &rows, query->hidden);
    }
}

void ARNN_VEC(read_dot)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, score_dot);
}

void ARNN_VEC(read_exponent)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, score_exponent);
}

void ARNN_VEC(read_tanh)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_rows(partial, query, run, scores, score_tanh);
}

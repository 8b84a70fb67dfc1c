/* The read on vectors: one pass over the rows in blocks, which stay in the first cache between their scores and their
   weighted sum; the exponentials of a block are made together; sums are rescaled only when the maximum moves. Blocks
   begin at multiples of their length in the absolute row index, and their length follows from the hidden width: so that
   a row meets the same arithmetic wherever a run begins.

   While a block is worked on the next one is fetched, one half during the scores and the other during the sum: memory
   then works all the time. A fetch in only one of the two gains nothing. */
#include <math.h>
#include <stdint.h>

#include "kernels/vec_kernels.h"
#include "kernels/vec_math.h"

#define BLOCK_FLOATS 4096 /* of states: 16 KiB, half of a first cache */
#define BLOCK_ROWS   64   /* at most; a divisor of ARNN_RUN_ROWS */
#define LINE         16   /* floats of a cache line */
#define COLUMNS      VF_COLUMNS
#define FEWER        (COLUMNS / 2)

/* Rows of one run that belong to one block. Lane i of a block is its i-th row; those from begin to end - 1 are
   there. */
typedef struct block {
    const arnn_run *run;
    size_t first; /* absolute index of lane 0 */
    size_t rows, begin, end;
    uintptr_t next_h, next_m; /* addresses of the next block's rows, or where there is none of this one's */
} block;

/* VF_GROUP lanes of a block, for scoring: absent rows stand for a present one, so that all can be read. */
typedef struct group {
    const float *rows[VF_GROUP];
} group;

static size_t block_rows(size_t hidden)
{
    size_t rows = VF_GROUP;
    while (rows < BLOCK_ROWS && 2 * rows * hidden <= BLOCK_FLOATS)
        rows *= 2;
    return rows;
}

/* Where a lane that is there stands in its run. */
ARNN_INLINE size_t row_of(const block *at, size_t lane)
{
    return at->first + lane - at->run->first;
}

ARNN_INLINE group take_group(const float *rows, size_t stride, const block *at, size_t lane)
{
    group taken;
    bool whole = lane >= at->begin && lane + VF_GROUP <= at->end;
    for (size_t r = 0; r < VF_GROUP; r++) {
        size_t wanted = lane + r;
        if (!whole)
            wanted = wanted < at->begin ? at->begin : wanted >= at->end ? at->end - 1 : wanted;
        taken.rows[r] = rows + row_of(at, wanted) * stride;
    }
    return taken;
}

/* Addresses and not pointers, as a fetch may go beyond what is there. */
ARNN_INLINE void fetch(uintptr_t floats, size_t index)
{
    __builtin_prefetch((const void *)(floats + index * sizeof(float)));
}

/* ---- scores: lane r is row r's ---- */

typedef vf group_score(const arnn_query *query, const block *at, size_t lane);

ARNN_INLINE vf score_dot(const arnn_query *query, const block *at, size_t lane)
{
    const group h = take_group(at->run->h, at->run->h_stride, at, lane);
    vf sums[VF_GROUP];
    size_t i = 0, n = query->hidden;
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = vf_zero();
    for (; i + VF_LANES <= n; i += VF_LANES) {
        vf q = vf_load(query->query + i);
        /* as many floats of the next block as half of those read here */
        size_t half = lane * n / 2 + i * (VF_GROUP / 2);
        for (size_t line = 0; line < VF_GROUP * VF_LANES / 2; line += LINE)
            fetch(at->next_h, half + line);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++)
            sums[r] = vf_fma(q, vf_load(h.rows[r] + i), sums[r]);
    }
    if (i < n) {
        vf q = vf_load_n(query->query + i, n - i);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++)
            sums[r] = vf_fma(q, vf_load_n(h.rows[r] + i, n - i), sums[r]);
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

/* h: the address of the row's states, fetched for the sum while its key is read */
ARNN_INLINE vf score_exponent_row(const arnn_query *query, const float *key, uintptr_t h)
{
    const size_t k = query->align;
    size_t j = 0;
    vf sum = vf_zero();
    for (; j + 4 * VF_LANES <= k; j += 4 * VF_LANES) {
        for (size_t line = 0; line < 4 * VF_LANES; line += LINE)
            fetch(h, j + line);
        fraction low = both(unit(query, key, j, VF_LANES), unit(query, key, j + VF_LANES, VF_LANES));
        fraction high =
            both(unit(query, key, j + 2 * VF_LANES, VF_LANES), unit(query, key, j + 3 * VF_LANES, VF_LANES));
        fraction all = both(low, high);
        sum = vf_add(sum, vf_div(all.over, all.under));
    }
    for (; j < k; j += VF_LANES) {
        fraction last = unit(query, key, j, k - j < VF_LANES ? k - j : VF_LANES); /* absent units are 0 / 1 */
        sum = vf_add(sum, vf_div(last.over, last.under));
    }
    return sum;
}

ARNN_INLINE vf score_exponent(const arnn_query *query, const block *at, size_t lane)
{
    const group key = take_group(at->run->key, query->align, at, lane);
    const group h = take_group(at->run->h, at->run->h_stride, at, lane);
    vf sums[VF_GROUP];
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = score_exponent_row(query, key.rows[r], (uintptr_t)h.rows[r]);
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

ARNN_INLINE vf score_tanh(const arnn_query *query, const block *at, size_t lane)
{
    const group key = take_group(at->run->key, query->align, at, lane);
    vf sums[VF_GROUP];
    for (size_t r = 0; r < VF_GROUP; r++)
        sums[r] = score_tanh_row(query, key.rows[r]);
    return vf_sums(sums);
}

/* Recency, absent rows to -inf, and the scores as the caller wants them. */
static void adjust_scores(float *e, const arnn_query *query, const block *at, float *scores)
{
    for (size_t lane = 0; lane < at->rows; lane++) {
        bool present = lane >= at->begin && lane < at->end;
        if (present && query->recency != 0.0f)
            e[lane] -= query->recency * (float)(query->newest - (at->first + lane));
        if (!present)
            e[lane] = -INFINITY;
        if (present && scores)
            scores[row_of(at, lane)] = e[lane];
    }
}

ARNN_INLINE void score_block(float *e, const arnn_query *query, const block *at, float *scores, group_score *score)
{
    for (size_t lane = 0; lane < at->rows; lane += VF_GROUP) {
        if (lane < at->end && lane + VF_GROUP > at->begin)
            vf_store_n(e + lane, score(query, at, lane), VF_GROUP);
    }
    if (at->end - at->begin < at->rows || query->recency != 0.0f || scores)
        adjust_scores(e, query, at, scores);
}

/* ---- the softmax, as it goes ---- */

static void rescale(float *sums, float factor, size_t count)
{
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_store(sums + i, vf_mul(vf_load(sums + i), vf_set(factor)));
    vf_store_n(sums + i, vf_mul(vf_load_n(sums + i, count - i), vf_set(factor)), count - i);
}

/* What was summed so far is put on a higher maximum. */
static void raise_maximum(arnn_partial *partial, float max, size_t n)
{
    float factor = vf_one(vf_exp(vf_set(partial->max - max)));
    rescale(partial->h, factor, n);
    if (partial->m)
        rescale(partial->m, factor, n);
    partial->sum *= factor;
    partial->max = max;
}

/* Scores of a block become its weights. A block of fewer rows than lanes is filled up with rows that are absent. */
static void weigh_block(arnn_partial *partial, float *e, size_t rows, size_t n)
{
    for (; rows < VF_LANES; rows++)
        e[rows] = -INFINITY;
    vf top = vf_load(e), sum = vf_zero();
    for (size_t lane = VF_LANES; lane < rows; lane += VF_LANES)
        top = vf_max(top, vf_load(e + lane));
    float max = vf_top(top);
    if (max > partial->max)
        raise_maximum(partial, max, n);
    for (size_t lane = 0; lane < rows; lane += VF_LANES) {
        vf weights = vf_exp(vf_sub(vf_load(e + lane), vf_set(partial->max)));
        vf_store(e + lane, weights);
        sum = vf_add(sum, weights);
    }
    partial->sum += vf_sum(sum);
}

/* ---- the weighted sum ---- */

/* What `vectors` vectors of columns fetch with every row: half of what they read. */
#define FETCHED(vectors) ((vectors) * VF_LANES / 2)

/* `vectors` vectors of columns, over `count` rows in their order. */
ARNN_INLINE void add_columns(float *sums, const float *rows, size_t stride, const float *weights, size_t count,
                             const size_t vectors, uintptr_t next)
{
    vf columns[COLUMNS];
    for (size_t c = 0; c < vectors; c++)
        columns[c] = vf_load(sums + c * VF_LANES);
#pragma GCC unroll 8
    for (size_t r = 0; r < count; r++) {
        vf weight = vf_set(weights[r]);
        for (size_t line = 0; line + LINE <= FETCHED(vectors); line += LINE)
            fetch(next, r * FETCHED(vectors) + line);
        for (size_t c = 0; c < vectors; c++)
            columns[c] = vf_fma(weight, vf_load(rows + r * stride + c * VF_LANES), columns[c]);
    }
    for (size_t c = 0; c < vectors; c++)
        vf_store(sums + c * VF_LANES, columns[c]);
}

/* next: the half of the next block that the scores did not fetch. */
static void add_rows(float *sums, const float *rows, size_t stride, const float *weights, size_t count, size_t n,
                     uintptr_t next)
{
    size_t i = 0;
    for (; i + COLUMNS * VF_LANES <= n; i += COLUMNS * VF_LANES, next += count * FETCHED(COLUMNS) * sizeof(float))
        add_columns(sums + i, rows + i, stride, weights, count, COLUMNS, next);
    for (; i + FEWER * VF_LANES <= n; i += FEWER * VF_LANES, next += count * FETCHED(FEWER) * sizeof(float))
        add_columns(sums + i, rows + i, stride, weights, count, FEWER, next);
    for (; i + VF_LANES <= n; i += VF_LANES)
        add_columns(sums + i, rows + i, stride, weights, count, 1, next);
    if (i == n)
        return;
    vf column = vf_load_n(sums + i, n - i);
    for (size_t r = 0; r < count; r++)
        column = vf_fma(vf_set(weights[r]), vf_load_n(rows + r * stride + i, n - i), column);
    vf_store_n(sums + i, column, n - i);
}

static void add_block(arnn_partial *partial, const block *at, const float *weights, size_t n)
{
    const arnn_run *run = at->run;
    size_t row = row_of(at, at->begin), count = at->end - at->begin, half = at->rows * n / 2 * sizeof(float);
    add_rows(partial->h, run->h + row * run->h_stride, run->h_stride, weights + at->begin, count, n, at->next_h + half);
    if (run->m)
        add_rows(partial->m, run->m + row * n, n, weights + at->begin, count, n, at->next_m + half);
}

/* ---- a run ---- */

/* Rows are fetched ahead within a run, and where they are dense. */
static uintptr_t next_rows(const float *rows, const block *at, size_t n)
{
    size_t row = row_of(at, at->begin), next = at->first + at->rows - at->run->first;
    bool there = next + at->rows <= at->run->count && at->run->h_stride == n;
    return rows ? (uintptr_t)(rows + (there ? next : row) * n) : 0;
}

static block take_block(const arnn_run *run, size_t first, size_t rows, size_t n)
{
    size_t end = run->first + run->count - first;
    block at = {
        .run = run,
        .first = first,
        .rows = rows,
        .begin = run->first > first ? run->first - first : 0,
        .end = end < rows ? end : rows,
    };
    at.next_h = next_rows(run->h, &at, n);
    at.next_m = next_rows(run->m, &at, n);
    return at;
}

ARNN_INLINE void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                           group_score *score)
{
    size_t rows = block_rows(query->hidden), end = run->first + run->count;
    for (size_t first = run->first / rows * rows; first < end; first += rows) {
        float e[BLOCK_ROWS];
        const block at = take_block(run, first, rows, query->hidden);
        score_block(e, query, &at, scores, score);
        weigh_block(partial, e, rows, query->hidden);
        add_block(partial, &at, e, query->hidden);
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

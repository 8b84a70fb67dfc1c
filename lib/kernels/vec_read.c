/* The read on vectors: one pass over the rows in blocks, which stay in the first cache between their scores and their
   weighted sum; the exponentials of a block are made together; sums are rescaled only when the maximum moves. Blocks
   begin at multiples of their length in the absolute row index, and their length follows from the hidden width: so that
   a row meets the same arithmetic wherever a run begins.

   While a block is worked on a later one is fetched, one half during the scores and the other during the sum: memory
   then works all the time. A fetch in only one of the two gains nothing. */
#include <math.h>

#include "base/cpu.h"
#include "kernels/vec_bytes.h"
#include "kernels/vec_math.h"
#include "kernels/vec_rows.h"
#include "kernels/vec_units.h"

static size_t block_rows(size_t row_bytes)
{
    size_t rows = VF_GROUP;
    while (rows < BLOCK_ROWS && 2 * rows * row_bytes <= BLOCK_BYTES)
        rows *= 2;
    return rows;
}

/* Recency, and absent rows to -inf. */
static void adjust_scores(float *e, const arnn_query *query, const block *at)
{
    static const float numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const vf begin = vf_set((float)at->begin), end = vf_set((float)at->end), absent = vf_set(-INFINITY);
    const vf beta = vf_set(query->recency), newest = vf_set((float)(query->newest - at->first));
    for (size_t lane = 0; lane < at->rows; lane += VF_LANES) {
        vf place = vf_add(vf_set((float)lane), vf_load(numbers));
        vf score = vf_sub(vf_load(e + lane), vf_mul(beta, vf_sub(newest, place)));
        vf_store(e + lane, vf_below(place, begin, absent, vf_below(place, end, score, absent)));
    }
}

static void score_block(float *e, const arnn_query *query, const block *at, float *scores, score_kernel *score)
{
    score(e, query, at);
    if (at->end - at->begin < at->rows || query->recency != 0.0f)
        adjust_scores(e, query, at);
    if (scores)
        memcpy(scores + row_of(at, at->begin), e + at->begin, (at->end - at->begin) * sizeof *scores);
}

/* ---- the softmax, as it goes ---- */

static void rescale(float *sums, float factor, size_t count)
{
    size_t i = 0;
    for (; i + VF_LANES <= count; i += VF_LANES)
        vf_store(sums + i, vf_mul(vf_load(sums + i), vf_set(factor)));
    vf_store_n(sums + i, vf_mul(vf_load_n(sums + i, count - i), vf_set(factor)), count - i);
}

/* What was summed so far, if anything was, is put on a higher maximum. */
static void raise_maximum(arnn_partial *partial, float max, size_t n)
{
    if (partial->sum == 0.0f) {
        partial->max = max;
        return;
    }
    float factor = vf_one(vf_exp(vf_set(partial->max - max)));
    rescale(partial->h, factor, n);
    if (partial->m)
        rescale(partial->m, factor, n);
    partial->sum *= factor;
    partial->max = max;
}

/* Scores of a block become its weights. */
static void weigh_block(arnn_partial *partial, float *e, size_t rows, size_t n)
{
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

ARNN_INLINE const unsigned char *row_at(const void *rows, size_t row, size_t row_bytes)
{
    return (const unsigned char *)rows + row * row_bytes;
}

static void add_block(arnn_partial *partial, const block *at, const float *weights, size_t n)
{
    const arnn_run *run = at->run;
    const size_t h_bytes = element_bytes(run->h_type), m_bytes = element_bytes(run->m_type), half = at->rows * n / 2;
    size_t row = row_of(at, at->begin), count = at->end - at->begin;
    const ahead next_h = {.at = at->next_h + half * h_bytes, .far = at->far};
    const ahead next_m = {.at = at->next_m + half * m_bytes, .far = at->far};
    if (at->kept)
        ARNN_VEC(add_kept)(partial->h, at, weights, n, next_h);
    else
        ARNN_VEC(add_rows)
    (partial->h, row_at(run->h, row, run->h_stride * h_bytes), run->h_type, run->h_stride, weights + at->begin, count,
     n, next_h);
    if (run->m)
        ARNN_VEC(add_rows)
    (partial->m, row_at(run->m, row, n * m_bytes), run->m_type, n, weights + at->begin, count, n, next_m);
}

/* ---- a run ---- */

/* Rows are fetched ahead where they are dense: those of a later block of this run, else those of the run that comes next;
   where neither is known, those at hand, which costs nothing. */
static uintptr_t next_rows(const void *rows, const void *next_run, const block *at, bool dense, size_t row_bytes)
{
    const arnn_run *run = at->run;
    const size_t end = at->first + at->rows - run->first, next = end + (blocks_ahead(at->far) - 1) * at->rows;
    if (!rows)
        return 0;
    if (dense && next < run->count)
        return (uintptr_t)rows + next * row_bytes;
    if (!next_run)
        return (uintptr_t)rows + row_of(at, at->begin) * row_bytes;
    const bool second = at->far && end >= run->count && at->first > run->first; /* the one before fetched its first */
    return (uintptr_t)next_run + (second ? at->rows * row_bytes : 0);
}

static block take_block(const arnn_run *run, const arnn_query *query, size_t first, size_t rows, bool far)
{
    const size_t end = run->first + run->count - first, n = query->hidden, k = query->align;
    const bool dense = run->h_stride == n;
    block at = {
        .run = run,
        .first = first,
        .rows = rows,
        .far = far,
        .begin = run->first > first ? run->first - first : 0,
        .end = end < rows ? end : rows,
    };
    at.next_h = next_rows(run->h, run->next_h, &at, dense, n * element_bytes(run->h_type));
    at.next_m = next_rows(run->m, run->next_m, &at, dense, n * element_bytes(run->m_type));
    at.next_key = next_rows(run->key, run->next_key, &at, true, k * element_bytes(run->key_type));
    return at;
}

/* What scores need of a query beyond itself; NULL where they do not. */
typedef struct prepared {
    const struct vb_digits *digits;
    units *units;
    float *kept; /* (KEPT_FLOATS) room for a block's rows */
} prepared;

static void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                      score_kernel *score, prepared with)
{
    const size_t bytes = with.kept ? sizeof *with.kept : element_bytes(run->h_type), end = run->first + run->count;
    const size_t rows = block_rows(query->hidden * bytes);
    const bool far = arnn_cpu_fetches_far();
    for (size_t first = run->first / rows * rows; first < end; first += rows) {
        float e[BLOCK_ROWS];
        block at = take_block(run, query, first, rows, far);
        at.digits = with.digits;
        at.units = with.units;
        at.kept = with.kept;
        score_block(e, query, &at, scores, score);
        weigh_block(partial, e, rows, query->hidden);
        add_block(partial, &at, e, query->hidden);
    }
}

void ARNN_VEC(read_dot)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
#ifdef VB_LANES
    vb_digits digits;
    if (run->h_type == ARNN_TYPE_I8 && ARNN_VEC(take_digits)(&digits, query->query, query->hidden)) {
        read_rows(partial, query, run, scores, ARNN_VEC(score_dot), (prepared){.digits = &digits});
        return;
    }
#endif
    _Alignas(LINE) float kept[KEPT_FLOATS];
    const size_t n = query->hidden;
    const bool keep = VF_KEEPS(run->h_type) && n >= VF_LANES && n <= KEPT_WIDTH;
    read_rows(partial, query, run, scores, ARNN_VEC(score_dot), (prepared){.kept = keep ? kept : NULL});
}

static void read_units(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                       score_kernel *score)
{
    units own;
    ARNN_VEC(take_units)(&own, query, 0, run->key_type);
    read_rows(partial, query, run, scores, score, (prepared){.units = &own});
}

void ARNN_VEC(read_exponent)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_units(partial, query, run, scores, ARNN_VEC(score_exponent));
}

void ARNN_VEC(read_tanh)(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores)
{
    read_units(partial, query, run, scores, ARNN_VEC(score_tanh));
}

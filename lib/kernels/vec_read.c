/* The read on vectors: one pass over the rows in blocks, which stay in the first cache between their scores and their
   weighted sum; the exponentials of a block are made together; sums are rescaled only when the maximum moves. Blocks
   begin at multiples of their length in the absolute row index, and their length follows from the hidden width: so that
   a row meets the same arithmetic wherever a run begins.

   While a block is worked on a later one is fetched, one half during the scores and the other during the sum: memory
   then works all the time. A fetch in only one of the two gains nothing. Where vec_fused.c has a kernel, the sum of a
   block and the scores of the next one are made in one loop, which loads that one evenly itself. */
#include <math.h>

#include "base/cpu.h"
#include "kernels/vec_bytes.h"
#include "kernels/vec_math.h"
#include "kernels/vec_rows.h"
#include "kernels/vec_units.h"

/* What a core gets of a last cache, no matter how large it is: rows in all that are more come from memory. The loop that
   adds and scores fetches at no cost, and does so before. */
#define MEMORY_BYTES       ((size_t)64 << 20)
#define FUSED_MEMORY_BYTES ((size_t)16 << 20)

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

/* Products become scores. */
static void finish_scores(float *e, const arnn_query *query, const block *at, float *scores)
{
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

static void add_h(arnn_partial *partial, const block *at, const float *weights, size_t n)
{
    const arnn_run *run = at->run;
    const size_t bytes = element_bytes(run->h_type), row = row_of(at, at->begin), count = at->end - at->begin;
    const ahead next = {.at = at->next_h + at->rows * n / 2 * bytes, .far = at->far};
    if (at->kept)
        ARNN_VEC(add_kept)(partial->h, at, weights, n, next);
    else
        ARNN_VEC(add_rows)
    (partial->h, row_at(run->h, row, run->h_stride * bytes), run->h_type, run->h_stride, weights + at->begin, count,
     n, next);
}

static void add_m(arnn_partial *partial, const block *at, const float *weights, size_t n)
{
    const arnn_run *run = at->run;
    const size_t bytes = element_bytes(run->m_type), row = row_of(at, at->begin), count = at->end - at->begin;
    const ahead next = {.at = at->next_m + at->rows * n / 2 * bytes, .far = at->far};
    ARNN_VEC(add_rows)(partial->m, row_at(run->m, row, n * bytes), run->m_type, n, weights + at->begin, count, n, next);
}

/* Of a block that another follows: and e becomes the products of the query with that one's rows. */
static void add_h_and_score(float *e, arnn_partial *partial, const arnn_query *query, const block *at,
                            const float *weights)
{
    const arnn_run *run = at->run;
    const float *rows = (const float *)run->h + row_of(at, 0) * run->h_stride;
    const fused blocks = {
        .sums = partial->h,
        .weights = weights,
        .added = rows,
        .query = query->query,
        .scored = rows + at->rows * run->h_stride,
        .stride = run->h_stride,
        .n = query->hidden,
        .far = query->bytes > FUSED_MEMORY_BYTES,
    };
    ARNN_VEC(add_and_score)(e, &blocks, at->rows);
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

/* In place: a copy of so many fields, which are read as one, would wait until all of them are stored, and the sums
   before them. */
static void place_block(block *at, const arnn_query *query, size_t first)
{
    const arnn_run *run = at->run;
    const size_t end = run->first + run->count - first, n = query->hidden, k = query->align;
    const bool dense = run->h_stride == n;
    at->first = first;
    at->begin = run->first > first ? run->first - first : 0;
    at->end = end < at->rows ? end : at->rows;
    at->next_h = next_rows(run->h, run->next_h, at, dense, n * element_bytes(run->h_type));
    at->next_m = next_rows(run->m, run->next_m, at, dense, n * element_bytes(run->m_type));
    at->next_key = next_rows(run->key, run->next_key, at, true, k * element_bytes(run->key_type));
}

/* What a read needs beyond its query; NULL where it does not. */
typedef struct prepared {
    const struct vb_digits *digits;
    units *units;
    float *kept; /* (KEPT_FLOATS) room for a block's rows */
    bool fuses;
} prepared;

/* Whether it is whole, and the one after it, too. */
static bool is_followed(const block *at)
{
    return at->begin == 0 && at->first + 2 * at->rows <= at->run->first + at->run->count;
}

/* Whether rows are fetched two blocks ahead into the second cache, and not one into the first: which has no room for
   keys and states of two blocks of additive scores. These read each only once, and need not have them there before. */
static bool fetches_far(const arnn_query *query, const arnn_run *run)
{
    return run->key || arnn_cpu_fetches_far() || query->bytes > MEMORY_BYTES;
}

static void read_rows(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores,
                      score_kernel *score, prepared with)
{
    const size_t bytes = with.kept ? sizeof *with.kept : element_bytes(run->h_type), n = query->hidden;
    const size_t rows = block_rows(n * bytes), end = run->first + run->count;
    float room[2][BLOCK_ROWS], *e = room[0], *next = room[1];
    bool scored = false; /* with the sum of the block before */
    block at = {
        .run = run,
        .rows = rows,
        .far = fetches_far(query, run),
        .digits = with.digits,
        .units = with.units,
        .kept = with.kept,
    };
    for (size_t first = run->first / rows * rows; first < end; first += rows) {
        place_block(&at, query, first);
        if (!scored)
            score(e, query, &at);
        finish_scores(e, query, &at, scores);
        weigh_block(partial, e, rows, n);
        scored = with.fuses && is_followed(&at);
        if (scored)
            add_h_and_score(next, partial, query, &at, e);
        else
            add_h(partial, &at, e, n);
        if (run->m)
            add_m(partial, &at, e, n);
        float *done = e;
        e = next;
        next = done;
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
    const prepared with = {
        .kept = keep ? kept : NULL,
        .fuses = ARNN_VEC(fuses)(run->h_type, n),
    };
    read_rows(partial, query, run, scores, ARNN_VEC(score_dot), with);
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

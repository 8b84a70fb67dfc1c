/* Blocks of rows: what the read, its scores and its weighted sums have in common. */
#ifndef ARNN_KERNELS_VEC_BLOCK_H
#define ARNN_KERNELS_VEC_BLOCK_H

#include <stdint.h>

#include "kernels/vec_kernels.h"

#define BLOCK_BYTES 16384 /* of states: half of a first cache */
#define BLOCK_ROWS  64    /* at most; a divisor of ARNN_RUN_ROWS */
#define LINE        64    /* bytes of a cache line */

/* Rows of one run that belong to one block. Lane i of a block is its i-th row; those from begin to end - 1 are
   there. */
typedef struct block {
    const arnn_run *run;
    size_t first; /* absolute index of lane 0 */
    size_t rows, begin, end;
    const struct vb_digits *digits; /* of the query, where rows are int8 and a set multiplies bytes; else NULL */
    float
        *kept; /* (rows, n), rows kept_stride apart: its states as floats, which scores leave for the sum; else NULL */
    struct units *units; /* of the query, where scores are additive; else NULL */
    /* addresses of the rows of the block that is fetched meanwhile, or where there is none of this one's */
    uintptr_t next_h, next_m, next_key;
    bool far; /* whether that is the one after the next, and fetched into the second cache */
} block;

/* Where a lane that is there stands in its run. */
ARNN_INLINE size_t row_of(const block *at, size_t lane)
{
    return at->first + lane - at->run->first;
}

/* How many blocks on the one is that is fetched. */
ARNN_INLINE size_t blocks_ahead(bool far)
{
    return far ? 2 : 1;
}

/* What is fetched next, and whether into the second cache. An address and not a pointer, as a fetch may go beyond what is
   there. */
typedef struct ahead {
    uintptr_t at;
    bool far;
} ahead;

ARNN_INLINE ahead ahead_by(ahead next, size_t bytes)
{
    next.at += bytes;
    return next;
}

/* The lines of the next `bytes`, known when it is compiled. One branch for all of them: each has a constant offset
   then, and needs no register of its own. */
ARNN_INLINE void fetch(ahead next, const size_t bytes)
{
    if (next.far) {
#pragma GCC unroll 32
        for (size_t line = 0; line < bytes; line += LINE)
            __builtin_prefetch((const char *)next.at + line, 0, 2);
    } else {
#pragma GCC unroll 32
        for (size_t line = 0; line < bytes; line += LINE)
            __builtin_prefetch((const char *)next.at + line);
    }
}

/* e (rows, and up to a whole vector): the scores of a block's rows, without recency; those of lanes that are not there
   are anything, beyond `rows` -inf. */
typedef void score_kernel(float *e, const arnn_query *query, const block *at);
score_kernel ARNN_VEC(score_dot), ARNN_VEC(score_exponent), ARNN_VEC(score_tanh);

/* Rows that are kept as floats: pair by pair of vectors, of each all rows of the block; then, where a row is no whole
   number of pairs, a vector and the last vector of the row side by side. The widest rows, and the room for a block. */
#define KEPT_WIDTH  1024
#define KEPT_FLOATS (VF_GROUP * (KEPT_WIDTH + 2 * VF_LANES))

/* sums (n) += weights (count) times rows (count, n) of a type, `stride` elements apart. next: the half of a
   block that the scores did not fetch. */
void ARNN_VEC(add_rows)(float *sums, const void *rows, int32_t type, size_t stride, const float *weights, size_t count,
                        size_t n, ahead next);

/* The same of a block's rows as they were kept; weights of all its lanes. */
void ARNN_VEC(add_kept)(float *sums, const block *at, const float *weights, size_t n, ahead next);

/* Two whole blocks of float32 rows, `stride` elements apart. */
typedef struct fused {
    float *sums;                 /* (n) += weights (rows) times the rows added */
    const float *weights, *added;
    const float *query, *scored; /* query (n); rows */
    size_t stride, n;
    bool far; /* rows come from far away: those further on are fetched */
} fused;

/* Whether there is a kernel for both, and the rows are better not done one block after the other. */
bool ARNN_VEC(fuses)(int32_t type, size_t n);

/* Adds the one block; e (rows, and up to a whole vector): the products of the query with the other's rows, beyond
   `rows` -inf. */
void ARNN_VEC(add_and_score)(float *e, const fused *blocks, size_t rows);

#endif

/* The weighted sum of a block of rows and, in the same loop, the scores of another. Each of the two alone leaves the
   processor waiting when it ends, for its last sums and for the softmax between them; together they keep its
   multipliers and its loads busy, and bytes are wanted from the caches at an even pace, which needs no fetching but from
   memory. The numbers are those of the two alone: every score is a chain over the columns, every column of the sum a
   chain over the rows. */
#include "base/cpu.h"
#include "kernels/vec_block.h"
#include "kernels/vec_dot.h"

#ifdef VF_FUSES

#define WIDE (2 * PAIR) /* columns at a time */
#define FAR  16384      /* bytes that are fetched ahead of the rows that are scored, if so */

bool ARNN_VEC(fuses)(int32_t type, size_t n)
{
    return type == ARNN_TYPE_F32 && n >= WIDE && !arnn_cpu_fetches_far();
}

/* The same columns of the next row. An address of one register and a constant goes through the processor as one with
   the multiplication; one of two registers does not, and compilers like to make two. */
ARNN_INLINE const float *next_row(const float *at, size_t stride)
{
    at += stride;
    __asm__("" : "+r"(at));
    return at;
}

/* Of the group of rows from `first` on, the columns that are no whole number of WIDE, from i on. */
static void finish(vf scores[VF_GROUP], const fused *blocks, size_t first, size_t i)
{
    const size_t n = blocks->n, stride = blocks->stride;
    const float *added = blocks->added + first * stride, *scored = blocks->scored + first * stride;
    group h;
    for (size_t r = 0; r < VF_GROUP; r++)
        h.rows[r] = (const unsigned char *)(scored + r * stride);
    ARNN_VEC(add_rows)
    (blocks->sums + i, added + i, ARNN_TYPE_F32, stride, blocks->weights + first, VF_GROUP, n - i,
     (ahead){.at = (uintptr_t)added});
    for (; i + PAIR <= n; i += PAIR) {
        const vf2 q = pair_of_floats(blocks->query + i, ARNN_TYPE_F32);
        for (size_t r = 0; r < VF_GROUP; r++)
            add_products(&scores[r], q, pair_of_row(h.rows[r] + i * sizeof(float), ARNN_TYPE_F32));
    }
    if (i < n)
        add_rest(scores, blocks->query, &h, i, n, ARNN_TYPE_F32, NULL, false);
}

/* What WIDE columns of a row want that lies FAR bytes further on, into the second cache. */
ARNN_INLINE void fetch_far(const float *scored)
{
    fetch((ahead){.at = (uintptr_t)scored + FAR, .far = true}, WIDE * sizeof *scored);
}

/* Of both blocks the group of rows from `first` on: lane i of the result is the product of the query with its row i.
   far: blocks->far, known when it is compiled */
ARNN_INLINE vf fuse_group(const fused *blocks, size_t first, const bool far)
{
    const size_t n = blocks->n, stride = blocks->stride;
    const float *added = blocks->added + first * stride, *scored = blocks->scored + first * stride;
    const float *query = blocks->query;
    float *sums = blocks->sums;
    vf scores[VF_GROUP], weights[VF_GROUP];
    size_t i = 0;
#pragma GCC unroll 16
    for (size_t r = 0; r < VF_GROUP; r++) {
        scores[r] = vf_zero();
        weights[r] = vf_set(blocks->weights[first + r]);
    }
    for (; i + WIDE <= n; i += WIDE, added += WIDE, scored += WIDE, query += WIDE, sums += WIDE) {
        vf q[WIDE / VF_LANES], sum[WIDE / VF_LANES];
#pragma GCC unroll 16
        for (size_t c = 0; c < WIDE / VF_LANES; c++) {
            q[c] = vf_load(query + c * VF_LANES);
            sum[c] = vf_load(sums + c * VF_LANES);
        }
        const float *from = scored, *to = added;
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++) {
            if (far)
                fetch_far(from);
#pragma GCC unroll 16
            for (size_t c = 0; c < WIDE / VF_LANES; c++) {
                scores[r] = vf_fma(q[c], vf_load(from + c * VF_LANES), scores[r]);
                sum[c] = vf_fma(weights[r], vf_load(to + c * VF_LANES), sum[c]);
            }
            if (r + 1 < VF_GROUP) {
                from = next_row(from, stride);
                to = next_row(to, stride);
            }
        }
#pragma GCC unroll 16
        for (size_t c = 0; c < WIDE / VF_LANES; c++)
            vf_store(sums + c * VF_LANES, sum[c]);
    }
    if (i < n)
        finish(scores, blocks, first, i);
    return vf_sums(scores);
}

static vf fuse_near(const fused *blocks, size_t first)
{
    return fuse_group(blocks, first, false);
}

static vf fuse_far(const fused *blocks, size_t first)
{
    return fuse_group(blocks, first, true);
}

void ARNN_VEC(add_and_score)(float *e, const fused *blocks, size_t rows)
{
    const vf absent = vf_set(-INFINITY);
    for (size_t lane = 0; lane < rows; lane += VF_LANES) {
        vf groups[VF_LANES / VF_GROUP];
        for (size_t g = 0; g < VF_LANES / VF_GROUP; g++) {
            const size_t first = lane + g * VF_GROUP;
            groups[g] = first >= rows ? absent : (blocks->far ? fuse_far : fuse_near)(blocks, first);
        }
        vf_store(e + lane, vf_join(groups));
    }
}

#else

bool ARNN_VEC(fuses)(int32_t type, size_t n)
{
    (void)type, (void)n;
    return false;
}

void ARNN_VEC(add_and_score)(float *e, const fused *blocks, size_t rows)
{
    (void)e, (void)blocks, (void)rows;
}

#endif

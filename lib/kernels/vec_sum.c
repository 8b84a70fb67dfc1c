/* The weighted sum of a block's rows on vectors: a strip of columns at a time, whose sums stay in registers. While it
   is made, the other half of the next block is fetched. */
#include "kernels/vec_bytes.h"
#include "kernels/vec_rows.h"

#define PAIRS (VF_COLUMNS / 2) /* of a strip */
#define FEWER (PAIRS / 2 > 0 ? PAIRS / 2 : 1)

/* Bytes of the next block that a row of a strip fetches: half of those it reads, which may be more or less than a
   line. */
ARNN_INLINE size_t share_of(const size_t pairs, const size_t bytes)
{
    return pairs * PAIR / 2 * bytes;
}

ARNN_INLINE void fetch_share(ahead next, size_t row, const size_t share)
{
    if (share < LINE && row % (LINE / (share < LINE ? share : LINE)) != 0)
        return;
    fetch(ahead_by(next, row * share), share);
}

/* Rows of a type: where they are, and how many bytes lie between rows and between pairs of their vectors. The last vector
   of a row stands at `last`. */
typedef struct matrix {
    const unsigned char *rows, *last;
    size_t stride, pair;
} matrix;

/* `pairs` pairs of columns, over `count` rows in their order. next_bytes: of an element of the next block */
ARNN_INLINE void add_strip(float *sums, const unsigned char *rows, const matrix *of, const float *weights, size_t count,
                           ahead next, const size_t next_bytes, const size_t pairs, const int32_t type)
{
    vf2 columns[PAIRS];
    for (size_t c = 0; c < pairs; c++)
        columns[c] = pair_of_floats(sums + c * PAIR, type);
#pragma GCC unroll 8
    for (size_t r = 0; r < count; r++) {
        vf weight = vf_set(weights[r]);
        fetch_share(next, r, share_of(pairs, next_bytes));
        for (size_t c = 0; c < pairs; c++) {
            vf2 row = pair_of_row(rows + r * of->stride + c * of->pair, type);
            columns[c].a = vf_fma(weight, row.a, columns[c].a);
            columns[c].b = vf_fma(weight, row.b, columns[c].b);
        }
    }
    for (size_t c = 0; c < pairs; c++)
        store_pair(sums + c * PAIR, columns[c], type);
}

/* A vector of columns. */
ARNN_INLINE vf add_vector(vf column, const unsigned char *rows, size_t stride_bytes, const float *weights, size_t count,
                          const int32_t type)
{
    for (size_t r = 0; r < count; r++)
        column = vf_fma(vf_set(weights[r]), vector_of_row(rows + r * stride_bytes, type), column);
    return column;
}

/* All columns of rows that are no whole vector. */
ARNN_INLINE void add_narrow(float *sums, const unsigned char *rows, size_t stride_bytes, const float *weights,
                            size_t count, size_t n, const int32_t type)
{
    const vf_part part = vf_part_of(n);
    vf column = vf_load_part(sums, part);
    for (size_t r = 0; r < count; r++)
        column = vf_fma(vf_set(weights[r]), part_of_row(rows + r * stride_bytes, part, type), column);
    vf_store_n(sums, column, n);
}

/* All columns in whole vectors. */
ARNN_INLINE void add_whole(float *sums, const matrix *of, const float *weights, size_t count, size_t n, ahead next,
                           const size_t next_bytes, const int32_t type)
{
    const unsigned char *rows = of->rows;
    size_t i = 0;
    for (; i + PAIRS * PAIR <= n; i += PAIRS * PAIR, rows += PAIRS * of->pair) {
        add_strip(sums + i, rows, of, weights, count, next, next_bytes, PAIRS, type);
        next.at += count * share_of(PAIRS, next_bytes);
    }
    for (; i + FEWER * PAIR <= n; i += FEWER * PAIR, rows += FEWER * of->pair) {
        add_strip(sums + i, rows, of, weights, count, next, next_bytes, FEWER, type);
        next.at += count * share_of(FEWER, next_bytes);
    }
    for (; i + PAIR <= n; i += PAIR, rows += of->pair) {
        add_strip(sums + i, rows, of, weights, count, next, next_bytes, 1, type);
        next.at += count * share_of(1, next_bytes);
    }
    if (i + VF_LANES <= n)
        vf_store(sums + i, add_vector(vf_load(sums + i), rows, of->stride, weights, count, type));
}

/* Rows of at least a vector. What whole vectors leave over comes as the last vector of the row. Some of its columns are
   summed twice, both times to the same number: a column is one chain of rows wherever it stands. */
ARNN_INLINE void add_wide(float *sums, const matrix *of, const float *weights, size_t count, size_t n, ahead next,
                          const size_t next_bytes, const int32_t type)
{
    const size_t last = n - VF_LANES;
    vf column = vf_zero();
    if (n % VF_LANES != 0)
        column = add_vector(vf_load(sums + last), of->last, of->stride, weights, count, type);
    add_whole(sums, of, weights, count, n, next, next_bytes, type);
    if (n % VF_LANES != 0)
        vf_store(sums + last, column);
}

ARNN_INLINE void add_typed(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                           ahead next, const int32_t type)
{
    const size_t bytes = element_bytes(type);
    if (n < VF_LANES) {
        add_narrow(sums, rows, stride * bytes, weights, count, n, type);
        return;
    }
    const matrix of = {
        .rows = rows,
        .last = (const unsigned char *)rows + (n - VF_LANES) * bytes,
        .stride = stride * bytes,
        .pair = PAIR * bytes,
    };
    add_wide(sums, &of, weights, count, n, next, bytes, type);
}

typedef void add_kernel(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                        ahead next);

static void add_f32(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                    ahead next)
{
    add_typed(sums, rows, stride, weights, count, n, next, ARNN_TYPE_F32);
}

static void add_f16(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                    ahead next)
{
    add_typed(sums, rows, stride, weights, count, n, next, ARNN_TYPE_F16);
}

static void add_bf16(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                     ahead next)
{
    add_typed(sums, rows, stride, weights, count, n, next, ARNN_TYPE_BF16);
}

/* Of bytes, which stand for 127ths. */
static void scale_weights(float *scaled, const float *weights, size_t count)
{
    for (size_t r = 0; r < count; r++)
        scaled[r] = weights[r] / 127.0f;
}

static void add_i8(float *sums, const void *rows, size_t stride, const float *weights, size_t count, size_t n,
                   ahead next)
{
#ifdef VB_LANES
    if (ARNN_VEC(add_bytes)(sums, rows, stride, weights, count, n, next))
        return;
#endif
    float scaled[BLOCK_ROWS];
    scale_weights(scaled, weights, count);
    add_typed(sums, rows, stride, scaled, count, n, next, ARNN_TYPE_I8);
}

void ARNN_VEC(add_rows)(float *sums, const void *rows, int32_t type, size_t stride, const float *weights, size_t count,
                        size_t n, ahead next)
{
    static add_kernel *const kernels[ARNN_TYPES] = {add_f32, add_f16, add_bf16, add_i8};
    kernels[type](sums, rows, stride, weights, count, n, next);
}

void ARNN_VEC(add_kept)(float *sums, const block *at, const float *weights, size_t n, ahead next)
{
    const float *kept = at->kept + at->begin * PAIR;
    const size_t count = at->end - at->begin;
    const matrix of = {
        .rows = (const unsigned char *)kept,
        .last = (const unsigned char *)(kept + n / PAIR * at->rows * PAIR + VF_LANES),
        .stride = PAIR * sizeof *kept,
        .pair = at->rows * PAIR * sizeof *kept,
    };
    float scaled[BLOCK_ROWS];
    if (at->run->h_type == ARNN_TYPE_F16) {
        add_wide(sums, &of, weights + at->begin, count, n, next, element_bytes(ARNN_TYPE_F16), ARNN_TYPE_F32);
        return;
    }
    scale_weights(scaled, weights + at->begin, count);
    add_wide(sums, &of, scaled, count, n, next, element_bytes(ARNN_TYPE_I8), ARNN_TYPE_F32);
}

/* Products of matrices on vectors, for gradients. What is multiplied is copied together first, a part of both matrices that
   the caches hold: columns of b in panels, PANEL side by side, and where rows of a lie across, TILE_ROWS of them side by
   side. Tiles of c are summed over both. An output is one chain of fused multiply-adds in the order of `inner`, whatever
   tile it is in. */
#include "kernels/vec_block.h"
#include "kernels/vec_panel.h"
#include "kernels/vec_rows.h"

#define DEPTH  128          /* of `inner` at once */
#define COPIED (64 * DEPTH) /* floats of each matrix that are copied at once: threads may have small stacks */
#define AHEAD  8            /* rows that are fetched before they are copied */
#define FEW    2            /* rows for which nothing is copied, .. */
#define WIDE   4            /* .. and panels that such a row takes at once */
#if VF_REGISTERS >= 32
#define TILE_ROWS 8 /* 8 x 2 sums hide the latency of one and leave room for weights */
#else
#define TILE_ROWS 4
#endif

/* Rows of c and of op(a), and the panel. */
typedef struct tile_at {
    float *c;
    const float *a;
    size_t stride, a_stride, depth, width; /* width: columns that are there */
    const float *panel;                    /* (depth, PANEL) */
} tile_at;

/* The line `count` floats further on, which may not be there at all. */
ARNN_INLINE void fetch_ahead(const float *p, size_t count)
{
    fetch((ahead){.at = (uintptr_t)p + count * sizeof *p}, LINE);
}

ARNN_INLINE vf2 load_columns(const float *c, size_t width)
{
    return width == PANEL ? pair_of_floats(c, ARNN_TYPE_F32) : pair_of_floats_n(c, width, ARNN_TYPE_F32);
}

ARNN_INLINE void store_columns(float *c, vf2 v, size_t width)
{
    if (width == PANEL)
        store_pair(c, v, ARNN_TYPE_F32);
    else
        store_pair_n(c, v, width, ARNN_TYPE_F32);
}

/* `rows` and `turned` (a was copied, see copy_rows) are known when it is compiled. */
ARNN_INLINE void tile(const tile_at *at, const size_t rows, const bool turned)
{
    vf2 sums[TILE_ROWS];
    const float *a = at->a, *b = at->panel;
    const size_t row = turned ? 1 : at->a_stride, next = turned ? TILE_ROWS : 1;
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++) {
        sums[r] = load_columns(at->c + r * at->stride, at->width);
        fetch_ahead(at->c, (rows + r) * at->stride);
    }
    for (size_t k = 0; k < at->depth; k++, a += next, b += PANEL) {
        const vf first = vf_load(b), second = vf_load(b + VF_LANES);
#pragma GCC unroll 8
        for (size_t r = 0; r < rows; r++) {
            const vf factor = vf_set(a[r * row]);
            sums[r].a = vf_fma(first, factor, sums[r].a);
            sums[r].b = vf_fma(second, factor, sums[r].b);
        }
    }
#pragma GCC unroll 8
    for (size_t r = 0; r < rows; r++)
        store_columns(at->c + r * at->stride, sums[r], at->width);
}

typedef void tile_kernel(const tile_at *at);

#define TILE(rows)                                    \
    static void tile_##rows(const tile_at *at)        \
    {                                                 \
        tile(at, rows, false);                        \
    }                                                 \
    static void tile_turned_##rows(const tile_at *at) \
    {                                                 \
        tile(at, rows, true);                         \
    }

TILE(1)
TILE(4)
#if TILE_ROWS > 4
TILE(8)
#endif

/* The largest first. */
static const struct {
    size_t rows;
    tile_kernel *plain, *turned;
} tiles[] = {
#if TILE_ROWS > 4
    {8, tile_8, tile_turned_8},
#endif
    {4, tile_4, tile_turned_4},
    {1, tile_1, tile_turned_1},
};

/* `columns` columns of op(b) from `column` on, rows first .. first+depth-1, as panels one after the other. What is beyond
   the last column is 0. */
static void copy_columns(float *panels, size_t depth, arnn_operand b, size_t first, size_t column, size_t columns)
{
    const float *from = b.values + first * b.stride + column;
    for (size_t k = 0; k < depth; k++, from += b.stride) {
        float *to = panels + k * PANEL;
        size_t j = 0;
        for (; j + PANEL <= columns; j += PANEL, to += depth * PANEL) {
            fetch_ahead(from + j, AHEAD * b.stride);
            store_pair(to, pair_of_floats(from + j, ARNN_TYPE_F32), ARNN_TYPE_F32);
        }
        if (j < columns)
            store_pair(to, pair_of_floats_n(from + j, columns - j, ARNN_TYPE_F32), ARNN_TYPE_F32);
    }
}

/* The same where b is transposed. */
static void turn_columns(float *panels, size_t depth, arnn_operand b, size_t first, size_t column, size_t columns)
{
    for (size_t j = 0; j < (columns + PANEL - 1) / PANEL * PANEL; j++) {
        const float *from = b.values + (column + j) * b.stride + first;
        float *to = panels + j / PANEL * PANEL * depth + j % PANEL;
        for (size_t k = 0; k < depth; k++)
            to[k * PANEL] = j < columns ? from[k] : 0.0f;
    }
}

/* Where row r of the copied ones begins: TILE_ROWS of them lie side by side, (depth, TILE_ROWS). */
ARNN_INLINE size_t place(size_t r, size_t depth)
{
    return r / TILE_ROWS * TILE_ROWS * depth + r % TILE_ROWS;
}

/* `rows` rows of a transposed a from `row` on. */
static void copy_rows(float *copied, size_t depth, arnn_operand a, size_t first, size_t row, size_t rows)
{
    const float *from = a.values + first * a.stride + row;
    for (size_t k = 0; k < depth; k++, from += a.stride) {
        size_t r = 0;
        for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
            if (r % (LINE / sizeof *from) == 0)
                fetch_ahead(from + r, AHEAD * a.stride);
            memcpy(copied + place(r, depth) + k * TILE_ROWS, from + r, TILE_ROWS * sizeof *from);
        }
        for (; r < rows; r++)
            copied[place(r, depth) + k * TILE_ROWS] = from[r];
    }
}

static void multiply_panel(const tile_at *all, bool turned, size_t rows)
{
    tile_at at = *all;
    for (size_t r = 0, size = 0; r < rows; r += tiles[size].rows) {
        while (tiles[size].rows > rows - r)
            size++;
        at.c = all->c + r * at.stride;
        at.a = all->a + (turned ? place(r, at.depth) : r * at.a_stride);
        (turned ? tiles[size].turned : tiles[size].plain)(&at);
    }
}

/* Rows row .. row+rows-1 of c, from rows first .. of op(b). */
static void multiply_rows(tile_at at, arnn_operand a, arnn_operand b, size_t row, size_t rows, size_t columns,
                          size_t first)
{
    _Alignas(64) float panels[COPIED], copied[COPIED];
    float *c = at.c + row * at.stride;
    size_t most = COPIED / at.depth / PANEL * PANEL;
    at.a = a.transposed ? copied : a.values + row * a.stride + first;
    if (a.transposed)
        copy_rows(copied, at.depth, a, first, row, rows);
    for (size_t column = 0; column < columns; column += most) {
        size_t some = columns - column < most ? columns - column : most;
        (b.transposed ? turn_columns : copy_columns)(panels, at.depth, b, first, column, some);
        for (size_t j = 0; j < some; j += PANEL) {
            at.c = c + column + j;
            at.panel = panels + j * at.depth;
            at.width = some - j < PANEL ? some - j : PANEL;
            multiply_panel(&at, a.transposed, rows);
        }
    }
}

/* ---- few rows: b is read where it lies ---- */

/* One row of c, `panels` panels of it (known when it is compiled), and of a, elements `next` apart. */
ARNN_INLINE void row_tile(float *c, const float *a, size_t next, arnn_operand b, size_t inner, const size_t panels)
{
    vf2 sums[WIDE];
    const float *row = b.values;
#pragma GCC unroll 4
    for (size_t p = 0; p < panels; p++)
        sums[p] = pair_of_floats(c + p * PANEL, ARNN_TYPE_F32);
    for (size_t k = 0; k < inner; k++, a += next, row += b.stride) {
        const vf factor = vf_set(*a);
#pragma GCC unroll 4
        for (size_t p = 0; p < panels; p++) {
            const vf2 columns = pair_of_floats(row + p * PANEL, ARNN_TYPE_F32);
            sums[p].a = vf_fma(columns.a, factor, sums[p].a);
            sums[p].b = vf_fma(columns.b, factor, sums[p].b);
        }
    }
#pragma GCC unroll 4
    for (size_t p = 0; p < panels; p++)
        store_pair(c + p * PANEL, sums[p], ARNN_TYPE_F32);
}

/* The last columns, fewer than a panel. */
static void row_rest(float *c, const float *a, size_t next, arnn_operand b, size_t inner, size_t width)
{
    vf2 sum = load_columns(c, width);
    for (size_t k = 0; k < inner; k++) {
        const vf factor = vf_set(a[k * next]);
        const vf2 columns = load_columns(b.values + k * b.stride, width);
        sum = (vf2){vf_fma(columns.a, factor, sum.a), vf_fma(columns.b, factor, sum.b)};
    }
    store_columns(c, sum, width);
}

static void multiply_row(float *c, const float *a, size_t next, arnn_operand b, size_t columns, size_t inner)
{
    const float *first = b.values;
    size_t j = 0;
    for (; j + WIDE * PANEL <= columns; j += WIDE * PANEL, b.values = first + j)
        row_tile(c + j, a, next, b, inner, WIDE);
    for (; j + PANEL <= columns; j += PANEL, b.values = first + j)
        row_tile(c + j, a, next, b, inner, 1);
    if (j < columns)
        row_rest(c + j, a, next, b, inner, columns - j);
}

static void multiply_few(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns,
                         size_t inner)
{
    const size_t row = a.transposed ? 1 : a.stride, next = a.transposed ? a.stride : 1;
    for (size_t r = 0; r < rows; r++)
        multiply_row(c + r * stride, a.values + r * row, next, b, columns, inner);
}

void ARNN_VEC(multiply)(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns,
                        size_t inner)
{
    tile_at at = {.c = c, .stride = stride, .a_stride = a.stride, .depth = inner < DEPTH ? inner : DEPTH};
    if (rows <= FEW && !b.transposed) {
        multiply_few(c, stride, a, b, rows, columns, inner);
        return;
    }
    if (inner == 0)
        return;
    size_t most = a.transposed ? COPIED / at.depth / TILE_ROWS * TILE_ROWS : rows; /* at once */
    for (size_t row = 0; row < rows; row += most) {
        for (size_t first = 0; first < inner; first += DEPTH) {
            at.depth = inner - first < DEPTH ? inner - first : DEPTH;
            multiply_rows(at, a, b, row, rows - row < most ? rows - row : most, columns, first);
        }
    }
}

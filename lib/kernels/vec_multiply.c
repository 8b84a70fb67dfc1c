/* Products of matrices on vectors, for gradients. A panel of b, PANEL columns by as many of its rows as stay in the first
   cache, is copied together, and so are rows of a where they lie across; tiles of c are summed over both, a few rows at
   a time. An output is one chain of fused multiply-adds in the order of `inner`, whatever tile it is in. */
#include "kernels/vec_kernels.h"
#include "kernels/vec_panel.h"
#include "kernels/vec_rows.h"

#define DEPTH 256 /* of a panel: 32 KiB where a vector has 16 floats */
#define ROWS  64  /* of a that are copied at once */
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
    for (size_t r = 0; r < rows; r++)
        sums[r] = load_columns(at->c + r * at->stride, at->width);
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

#define TILE(rows)                                     \
    static void tile_##rows(const tile_at *at)         \
    {                                                  \
        tile(at, rows, false);                         \
    }                                                  \
    static void tile_turned_##rows(const tile_at *at)  \
    {                                                  \
        tile(at, rows, true);                          \
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

/* Rows first .. of op(b), columns column .. . What is beyond the last column is 0. */
static void copy_panel(float *panel, const tile_at *at, arnn_operand b, size_t first, size_t column)
{
    if (!b.transposed) {
        const float *from = b.values + first * b.stride + column;
        for (size_t k = 0; k < at->depth; k++, from += b.stride)
            store_pair(panel + k * PANEL, load_columns(from, at->width), ARNN_TYPE_F32);
        return;
    }
    for (size_t j = 0; j < PANEL; j++) {
        const float *from = b.values + (column + j) * b.stride + first;
        for (size_t k = 0; k < at->depth; k++)
            panel[k * PANEL + j] = j < at->width ? from[k] : 0.0f;
    }
}

/* Where row r of the copied ones begins: TILE_ROWS of them lie side by side, (DEPTH, TILE_ROWS). */
ARNN_INLINE size_t place(size_t r)
{
    return r / TILE_ROWS * TILE_ROWS * DEPTH + r % TILE_ROWS;
}

/* `rows` rows of a transposed a from `row` on. Where they are they lie a stride apart, on few lines of the cache. */
static void copy_rows(float *copied, size_t depth, arnn_operand a, size_t first, size_t row, size_t rows)
{
    const float *from = a.values + first * a.stride + row;
    for (size_t k = 0; k < depth; k++, from += a.stride) {
        size_t r = 0;
        for (; r + TILE_ROWS <= rows; r += TILE_ROWS)
            memcpy(copied + place(r) + k * TILE_ROWS, from + r, TILE_ROWS * sizeof *from);
        for (; r < rows; r++)
            copied[place(r) + k * TILE_ROWS] = from[r];
    }
}

static void multiply_panel(const tile_at *all, bool turned, size_t rows)
{
    tile_at at = *all;
    for (size_t r = 0, size = 0; r < rows; r += tiles[size].rows) {
        while (tiles[size].rows > rows - r)
            size++;
        at.c = all->c + r * at.stride;
        at.a = all->a + (turned ? place(r) : r * at.a_stride);
        (turned ? tiles[size].turned : tiles[size].plain)(&at);
    }
}

/* Rows row .. row+rows-1 of c, from rows first .. of op(b). */
static void multiply_rows(tile_at at, arnn_operand a, arnn_operand b, size_t row, size_t rows, size_t columns,
                          size_t first)
{
    _Alignas(64) float panel[DEPTH * PANEL], copied[ROWS * DEPTH];
    float *c = at.c + row * at.stride;
    at.panel = panel;
    at.a = a.transposed ? copied : a.values + row * a.stride + first;
    if (a.transposed)
        copy_rows(copied, at.depth, a, first, row, rows);
    for (size_t column = 0; column < columns; column += PANEL) {
        at.c = c + column;
        at.width = columns - column < PANEL ? columns - column : PANEL;
        copy_panel(panel, &at, b, first, column);
        multiply_panel(&at, a.transposed, rows);
    }
}

void ARNN_VEC(multiply)(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns,
                        size_t inner)
{
    size_t most = a.transposed ? ROWS : rows; /* at once */
    tile_at at = {.c = c, .stride = stride, .a_stride = a.stride};
    for (size_t row = 0; row < rows; row += most) {
        for (size_t first = 0; first < inner; first += DEPTH) {
            at.depth = inner - first < DEPTH ? inner - first : DEPTH;
            multiply_rows(at, a, b, row, rows - row < most ? rows - row : most, columns, first);
        }
    }
}

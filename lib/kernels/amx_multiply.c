/* Products of matrices on tiles (AMX), for gradients. Tiles multiply numbers of 16 bits (bfloat16: the first 8 digits
   of a float) and sum in float32. So every number is cut into three parts, which give it back exactly, its first digits,
   the next ones and the last ones, and six of the nine products of parts are summed:

     (a0 + a1 + a2) (b0 + b1 + b2) = a0 b0 + a0 b1 + a1 b0 + a0 b2 + a1 b1 + a2 b0 + about 2^-23 |a b| at most

   which costs about what float32's roundings do, and is several times as fast. What is summed follows from where it
   stands in `inner`, 32 at a time, and in no way from the tile it is in.

   Tiles take what is below 2^-126 for 0, numbers and parts of them: a number below 2^-102 loses digits. The first part
   of a number from 3.3962e38 on is infinite, and an infinite number's second part is NaN. */
#include <immintrin.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/vec_kernels.h"

#define LINE       64 /* bytes of a row of a tile */
#define TILE       16 /* rows of a tile, and words of 32 bits in one: a float, or a pair of parts */
#define DEEP       32 /* of `inner`: a row of a tile */
#define PARTS      3
#define PART_WORDS (TILE * TILE)
#define STRIP      (PARTS * PART_WORDS) /* words of TILE rows or columns */
#define BLOCK      (2 * TILE)           /* rows and columns of c that are summed together: four tiles */
#define ROWS       64                   /* of op(a) that are copied at once, .. */
#define COLUMNS    256                  /* .. and of op(b): 60 KiB, as threads may have small stacks */

/* ---- copying ---- */

/* Rounded to the nearest. */
ARNN_INLINE __m512i parts_of(__m512 low, __m512 high)
{
    const __m512bh rounded = _mm512_cvtne2ps_pbh(high, low);
    __m512i parts;
    memcpy(&parts, &rounded, sizeof parts);
    return parts;
}

ARNN_INLINE __m512 rest_of(__m512 v, __m256i parts)
{
    return _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(parts), 16)));
}

/* DEEP numbers become a row of each part's tile. What is left after a part is exact. */
ARNN_INLINE void split(uint32_t *row, __m512 low, __m512 high)
{
#pragma GCC unroll 3
    for (size_t part = 0; part < PARTS; part++) {
        const __m512i parts = parts_of(low, high);
        _mm512_storeu_si512(row + part * PART_WORDS, parts);
        low = rest_of(low, _mm512_castsi512_si256(parts));
        high = rest_of(high, _mm512_extracti64x4_epi64(parts, 1));
    }
}

/* A matrix from its first row and number that a strip wants on: `width` of the strip's rows or columns and `depth`
   along `inner` are there. */
typedef struct strip {
    const float *from;
    size_t stride, width, depth;
} strip;

typedef void copy_kernel(uint32_t *to, const strip *s);

/* Rows that lie along `inner`. */
static void copy_along(uint32_t *to, const strip *s)
{
    const size_t low = s->depth < TILE ? s->depth : TILE, high = s->depth - low;
    for (size_t r = 0; r < TILE; r++) {
        const bool there = r < s->width;
        const float *row = there ? s->from + r * s->stride : s->from;
        split(to + r * TILE, vf_load_n(row, there ? low : 0), vf_load_n(high ? row + TILE : row, there ? high : 0));
    }
}

/* Row k of a matrix that lies across `inner`. */
ARNN_INLINE __m512 load_across(const strip *s, size_t k)
{
    return k < s->depth ? vf_load_n(s->from + k * s->stride, s->width) : vf_zero();
}

/* Columns, of which a tile wants pairs of rows. */
static void copy_pairs(uint32_t *to, const strip *s)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    for (size_t pair = 0; pair < TILE; pair++) {
        const __m512 one = load_across(s, 2 * pair), other = load_across(s, 2 * pair + 1);
        split(to + pair * TILE, _mm512_permutex2var_ps(one, low, other), _mm512_permutex2var_ps(one, high, other));
    }
}

/* Of two rows, those halves of their blocks of `size` change places that a transpose wants changed. */
ARNN_INLINE void swap_blocks(__m512 *upper, __m512 *lower, const int size)
{
    int from_upper[TILE], from_lower[TILE];
#pragma GCC unroll 16
    for (int j = 0; j < TILE; j++) {
        from_upper[j] = j & size ? TILE + (j ^ size) : j;
        from_lower[j] = j & size ? TILE + j : j ^ size;
    }
    const __m512 a = *upper, b = *lower;
    *upper = _mm512_permutex2var_ps(a, _mm512_loadu_si512(from_upper), b);
    *lower = _mm512_permutex2var_ps(a, _mm512_loadu_si512(from_lower), b);
}

ARNN_INLINE void turn_by(__m512 rows[TILE], const int size)
{
#pragma GCC unroll 16
    for (int i = 0; i < TILE; i++) {
        if (!(i & size))
            swap_blocks(&rows[i], &rows[i + size], size);
    }
}

/* TILE rows from k on, turned: rows along `inner`. */
ARNN_INLINE void load_turned(__m512 rows[TILE], const strip *s, size_t k)
{
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE; i++)
        rows[i] = load_across(s, k + i);
    turn_by(rows, 8);
    turn_by(rows, 4);
    turn_by(rows, 2);
    turn_by(rows, 1);
}

/* Rows that lie across `inner`. */
static void copy_turned(uint32_t *to, const strip *s)
{
    _Alignas(LINE) float room[TILE][TILE];
    __m512 rows[TILE];
    load_turned(rows, s, 0);
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE; i++)
        _mm512_storeu_ps(room[i], rows[i]);
    load_turned(rows, s, TILE);
#pragma GCC unroll 16
    for (size_t i = 0; i < TILE; i++)
        split(to + i * TILE, _mm512_loadu_ps(room[i]), rows[i]);
}

/* Columns that lie along `inner`: turned, their pairs of rows are pairs of columns. */
static void copy_turned_pairs(uint32_t *to, const strip *s)
{
    _Alignas(LINE) float room[DEEP][TILE];
    for (size_t i = 0; i < DEEP; i++) {
        for (size_t j = 0; j < TILE; j++)
            room[i][j] = i < s->depth && j < s->width ? s->from[j * s->stride + i] : 0.0f;
    }
    copy_pairs(to, &(strip){&room[0][0], TILE, TILE, DEEP});
}

/* All strips of some rows of op(a), or columns of op(b), of which `first` has the first; `next`: from one row or column
   to the next. */
static void copy_strips(uint32_t *to, const strip *first, size_t next, copy_kernel *copy)
{
    strip s = *first;
    for (size_t done = 0; done < first->width; done += TILE, to += STRIP) {
        s.from = first->from + done * next;
        s.width = first->width - done;
        copy(to, &s);
    }
}

/* ---- multiplying ---- */

/* Tiles 0 to 3: c; 4 and 5: rows of a; 6 and 7: columns of b. */
#define LOAD_A(part)                               \
    _tile_loadd(4, a + (part) * PART_WORDS, LINE); \
    _tile_loadd(5, a + STRIP + (part) * PART_WORDS, LINE)
#define LOAD_B(part)                               \
    _tile_loadd(6, b + (part) * PART_WORDS, LINE); \
    _tile_loadd(7, b + STRIP + (part) * PART_WORDS, LINE)
#define ADD_PRODUCTS()       \
    _tile_dpbf16ps(0, 4, 6); \
    _tile_dpbf16ps(1, 4, 7); \
    _tile_dpbf16ps(2, 5, 6); \
    _tile_dpbf16ps(3, 5, 7)

/* A compiler may not know that tiles read and write memory. */
#define SETTLE() __asm__ volatile("" ::: "memory")

/* c (BLOCK, BLOCK), rows `stride` apart. The order of parts spares loads. */
static void multiply_block(float *c, size_t stride, const uint32_t *a, const uint32_t *b)
{
    const size_t row = stride * sizeof *c;
    SETTLE();
    _tile_loadd(0, c, row);
    _tile_loadd(1, c + TILE, row);
    _tile_loadd(2, c + TILE * stride, row);
    _tile_loadd(3, c + TILE * stride + TILE, row);
    LOAD_A(2);
    LOAD_B(0);
    ADD_PRODUCTS();
    LOAD_A(1);
    ADD_PRODUCTS();
    LOAD_B(1);
    ADD_PRODUCTS();
    LOAD_A(0);
    ADD_PRODUCTS();
    LOAD_B(2);
    ADD_PRODUCTS();
    LOAD_B(0);
    ADD_PRODUCTS();
    _tile_stored(0, c, row);
    _tile_stored(1, c + TILE, row);
    _tile_stored(2, c + TILE * stride, row);
    _tile_stored(3, c + TILE * stride + TILE, row);
    SETTLE();
}

static void copy_rows(float *to, size_t to_stride, const float *from, size_t stride, size_t rows, size_t columns)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * to_stride, from + r * stride, columns * sizeof *to);
}

/* A block at the edge of c, in a room of its own. What lies beyond it may be anything, and is what comes of it. */
static void multiply_edge(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t rows, size_t columns)
{
    _Alignas(LINE) float room[BLOCK * BLOCK];
    copy_rows(room, BLOCK, c, stride, rows, columns);
    multiply_block(room, BLOCK, a, b);
    copy_rows(c, stride, room, BLOCK, rows, columns);
}

/* What was copied: c (rows, columns) of it. */
static void multiply_copied(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t rows, size_t columns)
{
    for (size_t y = 0; y < rows; y += BLOCK) {
        for (size_t x = 0; x < columns; x += BLOCK) {
            const uint32_t *of_a = a + y / TILE * STRIP, *of_b = b + x / TILE * STRIP;
            const size_t height = at_most(rows - y, BLOCK), width = at_most(columns - x, BLOCK);
            if (height == BLOCK && width == BLOCK)
                multiply_block(c + y * stride + x, stride, of_a, of_b);
            else
                multiply_edge(c + y * stride + x, stride, of_a, of_b, height, width);
        }
    }
}

/* Not inlined: who goes another way needs no room for copies. */
__attribute__((noinline)) static void multiply_tiles(float *c, size_t stride, arnn_operand a, arnn_operand b,
                                                     size_t rows, size_t columns, size_t inner)
{
    _Alignas(LINE) uint32_t of_a[ROWS / TILE * STRIP], of_b[COLUMNS / TILE * STRIP];
    const size_t a_row = a.transposed ? 1 : a.stride, a_deep = a.transposed ? a.stride : 1;
    const size_t b_column = b.transposed ? b.stride : 1, b_deep = b.transposed ? 1 : b.stride;
    for (size_t k = 0; k < inner; k += DEEP) {
        strip of = {.depth = at_most(inner - k, DEEP)};
        for (size_t j = 0; j < columns; j += COLUMNS) {
            const size_t width = of.width = at_most(columns - j, COLUMNS);
            of.from = b.values + k * b_deep + j * b_column;
            of.stride = b.stride;
            copy_strips(of_b, &of, b_column, b.transposed ? copy_turned_pairs : copy_pairs);
            for (size_t i = 0; i < rows; i += ROWS) {
                of.width = at_most(rows - i, ROWS);
                of.from = a.values + k * a_deep + i * a_row;
                of.stride = a.stride;
                copy_strips(of_a, &of, a_row, a.transposed ? copy_turned : copy_along);
                multiply_copied(c + i * stride + j, stride, of_a, of_b, of.width, width);
            }
        }
    }
}

/* Eight tiles of 16 rows of 64 bytes. */
static const struct {
    _Alignas(LINE) uint8_t palette;
    uint8_t start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} shapes = {
    .palette = 1,
    .row_bytes = {LINE, LINE, LINE, LINE, LINE, LINE, LINE, LINE},
    .rows = {TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE},
};

/* Products that fill no tile, and all of them where the operating system gives none, are those of the table that this
   one goes on from. */
void ARNN_JOIN(arnn_, ARNN_DERIVED, multiply)(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows,
                                              size_t columns, size_t inner)
{
    if (rows < TILE || columns < TILE || inner < TILE || !arnn_cpu_gives_tiles()) {
        ARNN_VEC(multiply)(c, stride, a, b, rows, columns, inner);
        return;
    }
    _tile_loadconfig(&shapes);
    multiply_tiles(c, stride, a, b, rows, columns, inner);
    _tile_release();
}

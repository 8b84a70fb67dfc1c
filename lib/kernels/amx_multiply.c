/* Products of matrices on tiles (AMX), for gradients. Tiles multiply numbers of 16 bits (bfloat16: the first 8 digits of a
   float) and sum in float32. So every number is cut into three parts, which give it back exactly, its first digits, the
   next ones and the last ones, and six of the nine products of parts are summed:

     (a0 + a1 + a2) (b0 + b1 + b2) = a0 b0 + a0 b1 + a1 b0 + a0 b2 + a1 b1 + a2 b0 + about 2^-23 |a b| at most

   which costs about what float32's roundings do, and is several times as fast. Parts below 2^-126 are 0. What is summed
   follows from where it stands in `inner`, 32 at a time, and in no way from the tile it is in. */
#include <immintrin.h>
#include <string.h>

#include "base/cpu.h"
#include "kernels/vec_kernels.h"

#define LINE       64 /* bytes of a row of a tile */
#define TILE       16 /* rows of a tile, and words of 32 bits in one: a float, or a pair of parts */
#define DEEP       32 /* of `inner`: a row of a tile */
#define PARTS      3
#define PART_WORDS (TILE * TILE)
#define TILE_WORDS (PARTS * PART_WORDS)
#define STEPS      2 /* tiles along `inner` that are copied at once, .. */
#define DEPTH      (STEPS * DEEP)
#define ROWS       64  /* .. with so many rows of op(a) .. */
#define COLUMNS    256 /* .. and columns of op(b): both fit into a second cache */
#define STRIP      (STEPS * TILE_WORDS) /* words of TILE rows or columns */
#define BLOCK      (2 * TILE)           /* rows and columns of c that are summed together: four tiles */

/* ---- copying ---- */

/* What is not there is 0. */
static __mmask16 first_lanes(size_t count)
{
    return count >= TILE ? 0xffff : (__mmask16)((1u << count) - 1);
}

static size_t left_after(size_t all, size_t done)
{
    return all > done ? all - done : 0;
}

ARNN_INLINE __m512 rest_of(__m512 v, __m256i parts)
{
    return _mm512_sub_ps(v, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(parts), 16)));
}

/* Rounded to the nearest. */
ARNN_INLINE __m512i parts_of(__m512 low, __m512 high)
{
    const __m512bh rounded = _mm512_cvtne2ps_pbh(high, low);
    __m512i parts;
    memcpy(&parts, &rounded, sizeof parts);
    return parts;
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

/* A matrix from its first row and number that a strip wants on: `width` of the strip's rows or columns and `depth` along
   `inner` are there. */
typedef struct strip {
    const float *from;
    size_t stride, width, depth;
} strip;

typedef void copy_kernel(uint32_t *to, const strip *s);

/* Rows that lie along `inner`. */
static void copy_along(uint32_t *to, const strip *s)
{
    for (size_t k = 0; k < s->depth; k += DEEP, to += TILE_WORDS) {
        const __mmask16 low = first_lanes(s->depth - k), high = first_lanes(left_after(s->depth, k + TILE));
        for (size_t r = 0; r < TILE; r++) {
            const float *row = s->from + (r < s->width ? r * s->stride : 0) + k;
            const bool there = r < s->width;
            split(to + r * TILE, _mm512_maskz_loadu_ps(there ? low : 0, row),
                  _mm512_maskz_loadu_ps(there ? high : 0, row + TILE));
        }
    }
}

/* TILE numbers, or as many as there are, of row k of a matrix that lies across `inner`. */
ARNN_INLINE __m512 load_across(const strip *s, size_t k)
{
    return k < s->depth ? _mm512_maskz_loadu_ps(first_lanes(s->width), s->from + k * s->stride) : _mm512_setzero_ps();
}

/* Columns, of which a tile wants pairs of rows. */
static void copy_pairs(uint32_t *to, const strip *s)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    for (size_t k = 0; k < s->depth; k += DEEP, to += TILE_WORDS) {
        for (size_t pair = 0; pair < TILE; pair++) {
            const __m512 one = load_across(s, k + 2 * pair), other = load_across(s, k + 2 * pair + 1);
            split(to + pair * TILE, _mm512_permutex2var_ps(one, low, other), _mm512_permutex2var_ps(one, high, other));
        }
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
    _Alignas(64) float room[TILE][TILE];
    for (size_t k = 0; k < s->depth; k += DEEP, to += TILE_WORDS) {
        __m512 rows[TILE];
        load_turned(rows, s, k);
#pragma GCC unroll 16
        for (size_t i = 0; i < TILE; i++)
            _mm512_storeu_ps(room[i], rows[i]);
        load_turned(rows, s, k + TILE);
#pragma GCC unroll 16
        for (size_t i = 0; i < TILE; i++)
            split(to + i * TILE, _mm512_loadu_ps(room[i]), rows[i]);
    }
}

/* Columns that lie along `inner`: turned, their pairs of rows are pairs of columns. */
static void copy_turned_pairs(uint32_t *to, const strip *s)
{
    _Alignas(64) float room[DEEP][TILE];
    for (size_t k = 0; k < s->depth; k += DEEP, to += TILE_WORDS) {
        const size_t depth = s->depth - k < DEEP ? s->depth - k : DEEP;
        for (size_t i = 0; i < DEEP; i++) {
            for (size_t j = 0; j < TILE; j++)
                room[i][j] = i < depth && j < s->width ? s->from[j * s->stride + k + i] : 0.0f;
        }
        copy_pairs(to, &(strip){&room[0][0], TILE, TILE, DEEP});
    }
}

/* All strips of some rows of op(a), or columns of op(b), whose first number is at `from`; `next`: from one to the next. */
static void copy_strips(uint32_t *to, strip s, size_t next, copy_kernel *copy)
{
    const size_t width = s.width;
    for (size_t done = 0; done < width; done += TILE, to += STRIP, s.from += TILE * next) {
        s.width = width - done;
        copy(to, &s);
    }
}

/* ---- multiplying ---- */

/* Tiles 0 to 3: c; 4 and 5: rows of a; 6 and 7: columns of b. */
#define LOAD_A(part)                                  \
    _tile_loadd(4, a + (part) * PART_WORDS, LINE);    \
    _tile_loadd(5, a + STRIP + (part) * PART_WORDS, LINE)
#define LOAD_B(part)                                  \
    _tile_loadd(6, b + (part) * PART_WORDS, LINE);    \
    _tile_loadd(7, b + STRIP + (part) * PART_WORDS, LINE)
#define ADD_PRODUCTS()       \
    _tile_dpbf16ps(0, 4, 6); \
    _tile_dpbf16ps(1, 4, 7); \
    _tile_dpbf16ps(2, 5, 6); \
    _tile_dpbf16ps(3, 5, 7)

/* A compiler may not know that tiles read and write memory. */
#define SETTLE() __asm__ volatile("" ::: "memory")

/* c (BLOCK, BLOCK), rows `stride` apart. The order of parts spares loads. */
static void multiply_block(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t steps)
{
    const size_t row = stride * sizeof *c;
    SETTLE();
    _tile_loadd(0, c, row);
    _tile_loadd(1, c + TILE, row);
    _tile_loadd(2, c + TILE * stride, row);
    _tile_loadd(3, c + TILE * stride + TILE, row);
    for (size_t s = 0; s < steps; s++, a += TILE_WORDS, b += TILE_WORDS) {
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
    }
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
static void multiply_edge(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t steps, size_t rows,
                          size_t columns)
{
    _Alignas(64) float room[BLOCK * BLOCK];
    copy_rows(room, BLOCK, c, stride, rows, columns);
    multiply_block(room, BLOCK, a, b, steps);
    copy_rows(c, stride, room, BLOCK, rows, columns);
}

/* What was copied: c (rows, columns) of it. */
static void multiply_copied(float *c, size_t stride, const uint32_t *a, const uint32_t *b, size_t steps, size_t rows,
                            size_t columns)
{
    for (size_t y = 0; y < rows; y += BLOCK) {
        for (size_t x = 0; x < columns; x += BLOCK) {
            const uint32_t *at_a = a + y / TILE * STRIP, *at_b = b + x / TILE * STRIP;
            float *at = c + y * stride + x;
            if (rows - y >= BLOCK && columns - x >= BLOCK)
                multiply_block(at, stride, at_a, at_b, steps);
            else
                multiply_edge(at, stride, at_a, at_b, steps, rows - y < BLOCK ? rows - y : BLOCK,
                              columns - x < BLOCK ? columns - x : BLOCK);
        }
    }
}

static void multiply_tiles(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns,
                           size_t inner)
{
    _Alignas(64) uint32_t of_a[ROWS / TILE * STRIP], of_b[COLUMNS / TILE * STRIP];
    const size_t a_row = a.transposed ? 1 : a.stride, a_deep = a.transposed ? a.stride : 1;
    const size_t b_deep = b.transposed ? 1 : b.stride, b_column = b.transposed ? b.stride : 1;
    for (size_t k = 0; k < inner; k += DEPTH) {
        const size_t depth = inner - k < DEPTH ? inner - k : DEPTH, steps = (depth + DEEP - 1) / DEEP;
        for (size_t j = 0; j < columns; j += COLUMNS) {
            strip s = {b.values + k * b_deep + j * b_column, b.stride, columns - j < COLUMNS ? columns - j : COLUMNS, depth};
            const size_t width = s.width;
            copy_strips(of_b, s, b_column, b.transposed ? copy_turned_pairs : copy_pairs);
            for (size_t i = 0; i < rows; i += ROWS) {
                s = (strip){a.values + k * a_deep + i * a_row, a.stride, rows - i < ROWS ? rows - i : ROWS, depth};
                copy_strips(of_a, s, a_row, a.transposed ? copy_turned : copy_along);
                multiply_copied(c + i * stride + j, stride, of_a, of_b, steps, s.width, width);
            }
        }
    }
}

/* Eight tiles of 16 rows of 64 bytes. */
static const struct {
    _Alignas(64) uint8_t palette;
    uint8_t start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} shapes = {
    .palette = 1,
    .row_bytes = {LINE, LINE, LINE, LINE, LINE, LINE, LINE, LINE},
    .rows = {TILE, TILE, TILE, TILE, TILE, TILE, TILE, TILE},
};

/* Products that fill no tile, and all of them where the operating system gives none, are those of the table that this one
   goes on from. */
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

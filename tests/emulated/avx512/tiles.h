/* AVX512-BF16 and AMX for bfloat16 in plain C: what kernels/amx_multiply.c uses. Both take numbers below 2^-126 for 0,
   what they are given and what they sum. */
#ifndef ARNN_TESTS_EMULATED_TILES_H
#define ARNN_TESTS_EMULATED_TILES_H

typedef struct {
    uint16_t lane[32];
} __m512bh;

static uint8_t emulated_tiles[8][16][64];

EMULATED float emulated_normal(float a)
{
    return fabsf(a) < 0x1p-126f ? 0.0f * a : a;
}

EMULATED float emulated_wide(uint32_t half)
{
    return emulated_normal(emulated_float(half << 16));
}

/* To the nearest, ties to even; NaN stays NaN. */
EMULATED uint16_t emulated_half(float a)
{
    uint32_t bits = emulated_bits(emulated_normal(a));
    return isnan(a) ? (uint16_t)(bits >> 16 | 0x40) : (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

EMULATED __m512bh _mm512_cvtne2ps_pbh(__m512 high, __m512 low)
{
    LANES(__m512bh, 32, emulated_half(i < 16 ? low.lane[i] : high.lane[i - 16]));
}

EMULATED __m256i _mm512_castsi512_si256(__m512i a)
{
    __m256i r;
    memcpy(&r, &a, sizeof r);
    return r;
}

EMULATED __m256i _mm512_extracti64x4_epi64(__m512i a, int half)
{
    __m256i r;
    memcpy(&r, a.lane + 8 * half, sizeof r);
    return r;
}

EMULATED void _tile_loadconfig(const void *config) { (void)config; }
EMULATED void _tile_release(void) { }

EMULATED void _tile_loadd(int tile, const void *from, size_t stride)
{
    for (size_t row = 0; row < 16; row++)
        memcpy(emulated_tiles[tile][row], (const uint8_t *)from + row * stride, 64);
}

EMULATED void _tile_stored(int tile, void *to, size_t stride)
{
    for (size_t row = 0; row < 16; row++)
        memcpy((uint8_t *)to + row * stride, emulated_tiles[tile][row], 64);
}

EMULATED uint32_t emulated_word(int tile, int row, int word)
{
    uint32_t w;
    memcpy(&w, emulated_tiles[tile][row] + 4 * word, sizeof w);
    return w;
}

/* Of the pairs of a row and a column the first and the second numbers are summed apart. */
EMULATED float emulated_pairs(int a, int row, int b, int column)
{
    float first = 0.0f, second = 0.0f;
    for (int k = 0; k < 16; k++) {
        uint32_t x = emulated_word(a, row, k), y = emulated_word(b, k, column);
        first = emulated_normal(fmaf(emulated_wide(x & 0xffff), emulated_wide(y & 0xffff), first));
        second = emulated_normal(fmaf(emulated_wide(x >> 16), emulated_wide(y >> 16), second));
    }
    return emulated_normal(first + second);
}

EMULATED void _tile_dpbf16ps(int c, int a, int b)
{
    for (int row = 0; row < 16; row++) {
        for (int column = 0; column < 16; column++) {
            float sum = emulated_normal(emulated_float(emulated_word(c, row, column)));
            sum = emulated_normal(sum + emulated_pairs(a, row, b, column));
            memcpy(emulated_tiles[c][row] + 4 * column, &sum, sizeof sum);
        }
    }
}

#endif

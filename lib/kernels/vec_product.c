/* The recurrent product on vectors, over packed panels (vec_pack.c). Every output is one chain of fused multiply-adds
   over the inputs: from y on, or, of int8, from zero on, then scaled and added to y. It is the same chain whatever
   number of streams a tile holds. Tiles differ only in how many chains run side by side, enough of them to hide the
   latency of one. */
#include "kernels/vec_block.h"
#include "kernels/vec_panel.h"
#include "kernels/vec_rows.h"

#if VF_REGISTERS >= 32
#define TILE_STREAMS 12 /* 12 x 2 sums, 2 weights and an input: what 32 registers hold */
#else
#define TILE_STREAMS 6
#endif
#define TILE_PAIRS (TILE_STREAMS > 8 ? TILE_STREAMS : 8)

/* Weights are fetched so many bytes ahead into the first cache: those from beyond the second one then come while
   others are multiplied. On a Xeon of 2023, 4 MiB of them take 8 to 12 streams 0.9 of the time; less of them, and those
   of bytes, take as long as before. Few streams wait for their weights in any case. */
#define AHEAD       2048
#define FEW_STREAMS 2

/* Where a tile begins. */
typedef struct operand {
    float *y;
    const float *x, *scales; /* scales: int8 */
    const unsigned char *weights;
    size_t y_stride, x_stride, inputs;
} operand;

/* Panel p of `outputs` outputs that are there, in the order of the type. */
ARNN_INLINE vf2 panel_of(const float *values, size_t p, size_t outputs, const int32_t type)
{
    size_t first = p * PANEL;
    return outputs >= first + PANEL ? pair_of_floats(values + first, type)
                                    : pair_of_floats_n(values + first, outputs - first, type);
}

ARNN_INLINE void store_panel(float *values, size_t p, vf2 v, size_t outputs, const int32_t type)
{
    size_t first = p * PANEL;
    if (outputs >= first + PANEL)
        store_pair(values + first, v, type);
    else
        store_pair_n(values + first, v, outputs - first, type);
}

ARNN_INLINE vf2 scaled_sum(vf2 sum, vf2 scale, vf2 y)
{
    return (vf2){vf_fma(scale.a, sum.a, y.a), vf_fma(scale.b, sum.b, y.b)};
}

/* `panels` panels by `streams` streams, both known when it is compiled; `outputs` of them are there. */
ARNN_INLINE void tile(const operand *at, const size_t panels, const size_t streams, size_t outputs, const int32_t type)
{
    vf2 sums[TILE_PAIRS];
    const size_t row_bytes = PANEL * element_bytes(type), panel_bytes = at->inputs * row_bytes;
    const bool scaled = type == ARNN_TYPE_I8;
#pragma GCC unroll 12
    for (size_t k = 0; k < panels * streams; k++)
        sums[k] = scaled ? (vf2){vf_zero(), vf_zero()}
                         : panel_of(at->y + k % streams * at->y_stride, k / streams, outputs, type);
    for (size_t i = 0; i < at->inputs; i++) {
        vf2 weights[4];
#pragma GCC unroll 4
        for (size_t p = 0; p < panels; p++) {
            const unsigned char *row = at->weights + p * panel_bytes + i * row_bytes;
            if (streams > FEW_STREAMS && (row_bytes >= LINE || i * row_bytes % LINE == 0))
                fetch((ahead){.at = (uintptr_t)row + AHEAD}, row_bytes);
            weights[p] = pair_of_row(row, type);
            if (streams > 1) {
                vf_keep(&weights[p].a);
                vf_keep(&weights[p].b);
            }
        }
#pragma GCC unroll 12
        for (size_t k = 0; k < panels * streams; k++) {
            vf input = vf_set(at->x[k % streams * at->x_stride + i]);
            sums[k].a = vf_fma(weights[k / streams].a, input, sums[k].a);
            sums[k].b = vf_fma(weights[k / streams].b, input, sums[k].b);
        }
    }
#pragma GCC unroll 12
    for (size_t k = 0; k < panels * streams; k++) {
        float *y = at->y + k % streams * at->y_stride;
        if (scaled)
            sums[k] = scaled_sum(sums[k], panel_of(at->scales, k / streams, outputs, type),
                                 panel_of(y, k / streams, outputs, type));
        store_panel(y, k / streams, sums[k], outputs, type);
    }
}

#define TILE(type, panels, streams)                                                   \
    static void tile_##type##_##panels##x##streams(const operand *at, size_t outputs) \
    {                                                                                 \
        tile(at, panels, streams, outputs, ARNN_TYPE_##type);                         \
    }

typedef void tile_kernel(const operand *at, size_t outputs);

/* For so many streams: as many panels at once as wide, one panel at a time narrow. */
typedef struct choice {
    size_t panels;
    tile_kernel *wide, *narrow;
} choice;

#define WIDE(type, panels, streams) {panels, tile_##type##_##panels##x##streams, tile_##type##_1x##streams}

#if TILE_STREAMS > 6
#define TILES(type)                                                                                              \
    TILE(type, 1, 1)                                                                                             \
    TILE(type, 1, 2) TILE(type, 1, 3) TILE(type, 1, 4) TILE(type, 1, 5) TILE(type, 1, 6) TILE(type, 1, 7)        \
        TILE(type, 1, 8) TILE(type, 1, 9) TILE(type, 1, 10) TILE(type, 1, 11) TILE(type, 1, 12) TILE(type, 4, 1) \
            TILE(type, 2, 2) TILE(type, 2, 3) TILE(type, 2, 4)
#define CHOICES(type)                                                                \
    {[1] = WIDE(type, 4, 1), WIDE(type, 2, 2),  WIDE(type, 2, 3),  WIDE(type, 2, 4), \
     WIDE(type, 1, 5),       WIDE(type, 1, 6),  WIDE(type, 1, 7),  WIDE(type, 1, 8), \
     WIDE(type, 1, 9),       WIDE(type, 1, 10), WIDE(type, 1, 11), WIDE(type, 1, 12)}
#else
#define TILES(type)                                                                                       \
    TILE(type, 1, 1)                                                                                      \
    TILE(type, 1, 2) TILE(type, 1, 3) TILE(type, 1, 4) TILE(type, 1, 5) TILE(type, 1, 6) TILE(type, 4, 1) \
        TILE(type, 2, 2)
#define CHOICES(type) \
    {[1] = WIDE(type, 4, 1), WIDE(type, 2, 2), WIDE(type, 1, 3), WIDE(type, 1, 4), WIDE(type, 1, 5), WIDE(type, 1, 6)}
#endif

TILES(F32)
TILES(F16)
TILES(BF16)
TILES(I8)

static const choice tiles[ARNN_TYPES][TILE_STREAMS + 1] = {
    [ARNN_TYPE_F32] = CHOICES(F32),
    [ARNN_TYPE_F16] = CHOICES(F16),
    [ARNN_TYPE_BF16] = CHOICES(BF16),
    [ARNN_TYPE_I8] = CHOICES(I8),
};

/* All streams over the panels from output `first` on: the panel stays in the first cache. Streams are shared out
   evenly. */
static void panel_rows(operand at, const arnn_packed *packed, size_t first, bool wide, size_t streams)
{
    const choice *choices = tiles[packed->type];
    size_t groups = (streams + TILE_STREAMS - 1) / TILE_STREAMS, outputs = packed->outputs - first;
    at.weights = (const unsigned char *)packed->values + first * packed->inputs * element_bytes(packed->type);
    at.scales = packed->scales ? packed->scales + first : NULL;
    at.y += first;
    for (; groups > 0; groups--) {
        size_t group = streams / groups;
        (wide ? choices[group].wide : choices[group].narrow)(&at, outputs);
        at.y += group * at.y_stride;
        at.x += group * at.x_stride;
        streams -= group;
    }
}

void ARNN_VEC(product)(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                       size_t streams)
{
    const operand at = {.y = y, .x = x, .y_stride = y_stride, .x_stride = x_stride, .inputs = packed->inputs};
    if (streams == 0)
        return;
    size_t panels = streams <= TILE_STREAMS ? tiles[packed->type][streams].panels : 1;
    for (size_t first = 0; first < packed->outputs;) {
        bool wide = packed->outputs - first >= panels * PANEL;
        panel_rows(at, packed, first, wide, streams);
        first += (wide ? panels : 1) * PANEL;
    }
}

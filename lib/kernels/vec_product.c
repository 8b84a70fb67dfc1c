/* The recurrent product on vectors. Weights are packed in panels of PANEL outputs: [outputs / PANEL][inputs][PANEL],
   the last panel filled up with zeros. Every output is one chain of fused multiply-adds over the inputs, from y on: the
   same chain whatever number of streams a tile holds. Tiles differ only in how many chains run side by side, enough of
   them to hide the latency of one. */
#include <string.h>

#include "kernels/vec_kernels.h"

#define PANEL_VECTORS 2
#define PANEL         (PANEL_VECTORS * VF_LANES)
#if VF_REGISTERS >= 32
#define TILE_STREAMS 12 /* 12 x 2 sums, 2 weights and an input: what 32 registers hold */
#else
#define TILE_STREAMS 6
#endif

typedef struct operand {
    float *y;
    const float *x, *weights;
    size_t y_stride, x_stride, inputs;
} operand;

static size_t panels_of(size_t outputs)
{
    return (outputs + PANEL - 1) / PANEL;
}

size_t ARNN_VEC(packed_count)(size_t outputs, size_t inputs)
{
    return panels_of(outputs) * PANEL * inputs;
}

void ARNN_VEC(pack)(const arnn_packed *packed, const float *weights, size_t stride)
{
    float *to = packed->values;
    for (size_t first = 0; first < packed->outputs; first += PANEL) {
        for (size_t i = 0; i < packed->inputs; i++) {
            for (size_t o = first; o < first + PANEL; o++)
                *to++ = o < packed->outputs ? weights[o * stride + i] : 0.0f;
        }
    }
}

/* Outputs of one vector that are there. */
ARNN_INLINE size_t lanes_of(size_t vector, size_t outputs)
{
    size_t first = vector * VF_LANES, left = outputs > first ? outputs - first : 0;
    return left < VF_LANES ? left : VF_LANES;
}

/* `panels` panels by `streams` streams, both known when it is compiled; `outputs` of them are there. */
ARNN_INLINE void tile(const operand *at, const size_t panels, const size_t streams, size_t outputs)
{
    vf sums[PANEL_VECTORS * TILE_STREAMS];
    const size_t vectors = panels * PANEL_VECTORS;
    const float *x = at->x, *weights = at->weights;
    const size_t panel_floats = at->inputs * PANEL;
#pragma GCC unroll 24
    for (size_t k = 0; k < vectors * streams; k++)
        sums[k] =
            vf_load_n(at->y + k % streams * at->y_stride + k / streams * VF_LANES, lanes_of(k / streams, outputs));
    for (size_t i = 0; i < at->inputs; i++) {
#pragma GCC unroll 12
        for (size_t b = 0; b < streams; b++) {
            vf input = vf_set(x[b * at->x_stride + i]);
#pragma GCC unroll 8
            for (size_t v = 0; v < vectors; v++) {
                vf w = vf_load(weights + v / PANEL_VECTORS * panel_floats + i * PANEL + v % PANEL_VECTORS * VF_LANES);
                sums[v * streams + b] = vf_fma(w, input, sums[v * streams + b]);
            }
        }
    }
#pragma GCC unroll 24
    for (size_t k = 0; k < vectors * streams; k++)
        vf_store_n(at->y + k % streams * at->y_stride + k / streams * VF_LANES, sums[k],
                   lanes_of(k / streams, outputs));
}

#define TILE(panels, streams)                                                \
    static void tile_##panels##x##streams(const operand *at, size_t outputs) \
    {                                                                        \
        tile(at, panels, streams, outputs);                                  \
    }

TILE(1, 1)
TILE(1, 2)
TILE(1, 3)
TILE(1, 4)
TILE(1, 5)
TILE(1, 6)
TILE(2, 2)
TILE(4, 1)
#if TILE_STREAMS > 6
TILE(1, 7)
TILE(1, 8)
TILE(1, 9)
TILE(1, 10)
TILE(1, 11)
TILE(1, 12)
TILE(2, 3)
TILE(2, 4)
#endif

typedef void tile_kernel(const operand *at, size_t outputs);

/* For so many streams: as many panels at once as wide, one panel at a time narrow. */
static const struct {
    size_t panels;
    tile_kernel *wide, *narrow;
} tiles[TILE_STREAMS + 1] = {
    [1] = {4, tile_4x1, tile_1x1},   [2] = {2, tile_2x2, tile_1x2},
#if TILE_STREAMS > 6
    [3] = {2, tile_2x3, tile_1x3},   [4] = {2, tile_2x4, tile_1x4},   [5] = {1, tile_1x5, tile_1x5},
    [6] = {1, tile_1x6, tile_1x6},   [7] = {1, tile_1x7, tile_1x7},   [8] = {1, tile_1x8, tile_1x8},
    [9] = {1, tile_1x9, tile_1x9},   [10] = {1, tile_1x10, tile_1x10}, [11] = {1, tile_1x11, tile_1x11},
    [12] = {1, tile_1x12, tile_1x12},
#else
    [3] = {1, tile_1x3, tile_1x3},   [4] = {1, tile_1x4, tile_1x4},   [5] = {1, tile_1x5, tile_1x5},
    [6] = {1, tile_1x6, tile_1x6},
#endif
};

/* All streams over the panels from output `first` on: the panel stays in the first cache. Streams are shared out
   evenly. */
static void panel_rows(operand at, const arnn_packed *packed, size_t first, bool wide, size_t streams)
{
    size_t groups = (streams + TILE_STREAMS - 1) / TILE_STREAMS, outputs = packed->outputs - first;
    at.weights = packed->values + first * packed->inputs;
    at.y += first;
    for (; groups > 0; groups--) {
        size_t group = streams / groups;
        (wide ? tiles[group].wide : tiles[group].narrow)(&at, outputs);
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
    size_t panels = streams <= TILE_STREAMS ? tiles[streams].panels : 1;
    for (size_t first = 0; first < packed->outputs;) {
        bool wide = packed->outputs - first >= panels * PANEL;
        panel_rows(at, packed, first, wide, streams);
        first += (wide ? panels : 1) * PANEL;
    }
}

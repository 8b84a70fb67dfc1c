/* Weights into panels. */
#include <string.h>

#include "base/memory.h"
#include "kernels/vec_kernels.h"
#include "kernels/vec_panel.h"

size_t ARNN_VEC(packed_bytes)(size_t outputs, size_t inputs, int32_t type)
{
    size_t bytes = outputs / PANEL + (outputs % PANEL > 0);
    arnn_size_mul(&bytes, bytes, PANEL * arnn_element_of(type)->bytes);
    arnn_size_mul(&bytes, bytes, inputs);
    return bytes;
}

static void pack_f32(float *to, const arnn_packed *packed, const float *weights, size_t stride)
{
    for (size_t first = 0; first < packed->outputs; first += PANEL) {
        for (size_t i = 0; i < packed->inputs; i++) {
            for (size_t o = first; o < first + PANEL; o++)
                *to++ = o < packed->outputs ? weights[o * stride + i] : 0.0f;
        }
    }
}

/* Row o goes to lane o % PANEL of its panel. */
static void pack_row(const arnn_packed *packed, const float *row, size_t o)
{
    const arnn_element *element = arnn_element_of(packed->type);
    float unit = arnn_weights_unit(row, packed->inputs, packed->type);
    size_t first = o / PANEL * PANEL * packed->inputs + o % PANEL;
    for (size_t i = 0; i < packed->inputs; i++)
        element->encode(packed->values, first + i * PANEL, arnn_weights_divide(row[i], unit));
    if (packed->scales)
        packed->scales[o] = unit / 127.0f;
}

void ARNN_VEC(pack)(const arnn_packed *packed, const float *weights, size_t stride)
{
    if (packed->type == ARNN_TYPE_F32) {
        pack_f32(packed->values, packed, weights, stride);
        return;
    }
    memset(packed->values, 0, ARNN_VEC(packed_bytes)(packed->outputs, packed->inputs, packed->type));
    for (size_t o = 0; o < packed->outputs; o++)
        pack_row(packed, weights + o * stride, o);
}

void ARNN_VEC(pack_turned)(const arnn_packed *packed, const float *weights, size_t stride)
{
    float *to = packed->values;
    for (size_t first = 0; first < packed->outputs; first += PANEL, weights += PANEL) {
        size_t left = packed->outputs - first, width = left < PANEL ? left : PANEL;
        for (size_t i = 0; i < packed->inputs; i++, to += PANEL) {
            memcpy(to, weights + i * stride, width * sizeof *to);
            memset(to + width, 0, (PANEL - width) * sizeof *to);
        }
    }
}

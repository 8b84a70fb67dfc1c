/* The product in plain C: weights row-major as they come, every sum from its first input to its last. */
#include <string.h>

#include "kernels/kernels.h"

bool arnn_ref_supported(void)
{
    return true;
}

size_t arnn_ref_packed_count(size_t outputs, size_t inputs)
{
    return outputs * inputs;
}

void arnn_ref_pack(const arnn_packed *packed, const float *weights, size_t stride)
{
    for (size_t o = 0; o < packed->outputs; o++)
        memcpy(packed->values + o * packed->inputs, weights + o * stride, packed->inputs * sizeof(float));
}

void arnn_ref_product(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                      size_t streams)
{
    for (size_t b = 0; b < streams; b++) {
        for (size_t o = 0; o < packed->outputs; o++) {
            const float *weights = packed->values + o * packed->inputs;
            float sum = y[b * y_stride + o];
            for (size_t i = 0; i < packed->inputs; i++)
                sum += weights[i] * x[b * x_stride + i];
            y[b * y_stride + o] = sum;
        }
    }
}

/* The product in plain C: weights row-major as float32, rounded as their type says, every sum from its first input to
   its last. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "kernels/kernels.h"

bool arnn_ref_supported(void)
{
    return true;
}

/* NaN is taken as the largest, so that it shows. */
static float largest(const float *weights, size_t count)
{
    float most = 0.0f;
    for (size_t i = 0; i < count; i++) {
        if (!(fabsf(weights[i]) <= most))
            most = fabsf(weights[i]);
    }
    return most;
}

float arnn_weights_unit(const float *weights, size_t count, int32_t type)
{
    return type == ARNN_TYPE_I8 ? largest(weights, count) : 1.0f;
}

float arnn_weights_divide(float weight, float unit)
{
    return unit == 0.0f ? 0.0f : weight / unit;
}

size_t arnn_ref_packed_bytes(size_t outputs, size_t inputs, int32_t type)
{
    size_t bytes;
    (void)type;
    arnn_size_mul(&bytes, outputs, inputs);
    arnn_size_mul(&bytes, bytes, sizeof(float));
    return bytes;
}

void arnn_ref_pack(const arnn_packed *packed, const float *weights, size_t stride)
{
    const arnn_element *element = arnn_element_of(packed->type);
    for (size_t o = 0; o < packed->outputs; o++) {
        float *row = (float *)packed->values + o * packed->inputs, rounded;
        float unit = arnn_weights_unit(weights + o * stride, packed->inputs, packed->type);
        for (size_t i = 0; i < packed->inputs; i++) {
            element->encode(&rounded, 0, arnn_weights_divide(weights[o * stride + i], unit));
            row[i] = unit * element->decode(&rounded, 0);
        }
        if (packed->scales)
            packed->scales[o] = unit / 127.0f;
    }
}

void arnn_ref_product(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                      size_t streams)
{
    for (size_t b = 0; b < streams; b++) {
        for (size_t o = 0; o < packed->outputs; o++) {
            const float *weights = (const float *)packed->values + o * packed->inputs;
            float sum = y[b * y_stride + o];
            for (size_t i = 0; i < packed->inputs; i++)
                sum += weights[i] * x[b * x_stride + i];
            y[b * y_stride + o] = sum;
        }
    }
}

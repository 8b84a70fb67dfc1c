/* Products of matrices in plain C. */
#include "kernels/kernels.h"

void arnn_ref_pack_turned(const arnn_packed *packed, const float *weights, size_t stride)
{
    float *to = packed->values;
    for (size_t o = 0; o < packed->outputs; o++) {
        for (size_t i = 0; i < packed->inputs; i++)
            *to++ = weights[i * stride + o];
    }
}

static float element(arnn_operand a, size_t row, size_t column)
{
    return a.transposed ? a.values[column * a.stride + row] : a.values[row * a.stride + column];
}

void arnn_ref_multiply(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns, size_t inner)
{
    for (size_t i = 0; i < rows; i++) {
        for (size_t k = 0; k < inner; k++) {
            for (size_t j = 0; j < columns; j++)
                c[i * stride + j] += element(a, i, k) * element(b, k, j);
        }
    }
}

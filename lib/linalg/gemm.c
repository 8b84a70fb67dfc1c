#include <cblas.h>

#include "linalg/linalg.h"

void arnn_gemm(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns, size_t inner)
{
    if (rows == 0 || columns == 0 || inner == 0) /* OpenBLAS takes that for an error, and prints it */
        return;
    cblas_sgemm(CblasRowMajor, a.transposed ? CblasTrans : CblasNoTrans, b.transposed ? CblasTrans : CblasNoTrans,
                (int)rows, (int)columns, (int)inner, 1.0f, a.values, (int)a.stride, b.values, (int)b.stride, 1.0f, c,
                (int)stride);
}

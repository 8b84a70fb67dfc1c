/* What the library asks of BLAS and LAPACK. Only this room includes their headers. */
#ifndef ARNN_LINALG_LINALG_H
#define ARNN_LINALG_LINALG_H

#include "base/status.h"
#include "kernels/kernels.h"

/* The portable table: products and reads through OpenBLAS, the rest as `ref`. */
extern const arnn_kernels arnn_kernels_blas;

/* c (rows, columns) = factor * a' b, with a (inner, rows), b (inner, columns), in double; all row-major, dense. */
void arnn_fold(double *c, double factor, const double *a, const double *b, size_t rows, size_t columns, size_t inner);

/* arnn_multiply_kernel through OpenBLAS. */
arnn_multiply_kernel arnn_gemm;

/* Replaces matrix (rows, columns), row-major, by its nearest relative with orthonormal columns (or rows, whichever are
   fewer): Q of a QR factorisation whose R has a positive diagonal, so that it is unique. */
arnn_status arnn_orthogonalise(float *matrix, size_t rows, size_t columns);

/* "OpenBLAS 0.3.21 ..., core Zen, threads pthread" into text. */
void arnn_linalg_info(char *text, size_t bytes);

#endif

/* What LAPACK says of matrices: eigenvalues, factors along a trajectory, least squares. In double. */
#ifndef ARNN_LINALG_ANALYSIS_H
#define ARNN_LINALG_ANALYSIS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

/* The largest modulus of the eigenvalues of matrix (n, n). */
arnn_status arnn_spectral_radius(double *radius, const float *matrix, size_t n);

/* How much a map stretched `count` vectors of length n, which lie one after another: the logarithms of the diagonal of
   R in their QR factorisation; the vectors become Q. `work` holds arnn_stretch_work(count) doubles. */
size_t arnn_stretch_work(size_t count);
bool arnn_stretch(double *logarithms, double *vectors, double *work, size_t n, size_t count);

/* y (count, outputs) = beta y + x (count, inputs) weights', weights (outputs, inputs); rows of y and x a stride apart.
   */
void arnn_product_double(double *y, const double *weights, const double *x, size_t outputs, size_t inputs, size_t count,
                         size_t y_stride, size_t x_stride, double beta);

/* Least squares with a bias: weight (outputs, inputs) and bias (outputs) that make
   sum |y - weight x - bias|^2 + penalty |weight|^2 smallest. */
typedef struct arnn_ridge {
    size_t inputs, outputs;
    double *gram;   /* (inputs + 1, inputs + 1), the upper triangle */
    double *moment; /* (inputs + 1, outputs) */
    double *rows;   /* that wait to be added */
    size_t waiting;
} arnn_ridge;

arnn_status arnn_ridge_create(arnn_ridge *ridge, size_t inputs, size_t outputs);
void arnn_ridge_destroy(arnn_ridge *ridge);
void arnn_ridge_add(arnn_ridge *ridge, const float *x, const float *y);
/* Once. Errors: ARNN_INVALID_ARGUMENT where no one solution stands out. */
arnn_status arnn_ridge_solve(arnn_ridge *ridge, float *weight, float *bias, double penalty);

#endif

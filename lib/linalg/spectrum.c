/* Eigenvalues, and what is left of volumes: QR along a trajectory. In double; the work arrays are the caller's or ours.
   */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include "base/memory.h"
#include "linalg/analysis.h"

/* doubles for eigenvalues of an n x n matrix; LAPACK needs 3 n. */
#define WORK(n) (8 * (n) + 64)

static bool eigenvalues(double *real, double *imaginary, double *matrix, double *work, size_t n)
{
    double none;
    return LAPACKE_dgeev_work(LAPACK_COL_MAJOR, 'N', 'N', (lapack_int)n, matrix, (lapack_int)n, real, imaginary, &none,
                              1, &none, 1, work, (lapack_int)WORK(n)) == 0;
}

static double largest(const double *real, const double *imaginary, size_t n)
{
    double radius = 0.0;
    for (size_t i = 0; i < n; i++)
        radius = fmax(radius, hypot(real[i], imaginary[i]));
    return radius;
}

static bool all_finite(const float *values, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(values[i]))
        i++;
    return i == count;
}

/* A matrix and its transpose have the same eigenvalues: row-major is as good as column-major. */
arnn_status arnn_spectral_radius(double *radius, const float *matrix, size_t n)
{
    if (!all_finite(matrix, n * n))
        return arnn_error(ARNN_INVALID_ARGUMENT, "a (%zu, %zu) matrix with NaN or infinity has no spectral radius", n,
                          n);
    double *values = arnn_alloc(n * n + 2 * n + WORK(n), sizeof *values);
    if (!values)
        return arnn_error_no_memory("eigenvalues");
    double *real = values + n * n, *imaginary = real + n, *work = imaginary + n;
    for (size_t i = 0; i < n * n; i++)
        values[i] = (double)matrix[i];
    bool found = eigenvalues(real, imaginary, values, work, n);
    if (found)
        *radius = largest(real, imaginary, n);
    arnn_free(values);
    return found ? ARNN_OK
                 : arnn_error(ARNN_INVALID_ARGUMENT, "LAPACK found no eigenvalues of a (%zu, %zu) matrix", n, n);
}

size_t arnn_stretch_work(size_t count)
{
    return count + 64 * count;
}

/* Vectors one after another are the columns of a column-major matrix. */
bool arnn_stretch(double *logarithms, double *vectors, double *work, size_t n, size_t count)
{
    double *tau = work, *rest = work + count;
    lapack_int rows = (lapack_int)n, many = (lapack_int)count, rest_count = (lapack_int)(64 * count);
    if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, rows, many, vectors, rows, tau, rest, rest_count))
        return false;
    for (size_t j = 0; j < count; j++)
        logarithms[j] = log(fabs(vectors[j * n + j]));
    return LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, rows, many, many, vectors, rows, tau, rest, rest_count) == 0;
}

void arnn_product_double(double *y, const double *weights, const double *x, size_t outputs, size_t inputs, size_t count,
                         size_t y_stride, size_t x_stride, double beta)
{
    if (outputs && inputs && count)
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)count, (int)outputs, (int)inputs, 1.0, x,
                    (int)x_stride, weights, (int)inputs, beta, y, (int)y_stride);
}

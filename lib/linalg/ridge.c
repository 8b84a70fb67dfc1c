/* Ridge least squares through the normal equations, gathered in double a block of rows at a time. */
#include <cblas.h>
#include <lapacke.h>
#include <math.h>

#include "base/memory.h"
#include "linalg/analysis.h"

#define BLOCK 64 /* rows gathered at once */

arnn_status arnn_ridge_create(arnn_ridge *ridge, size_t inputs, size_t outputs)
{
    size_t width = inputs + 1, gram, moment;
    *ridge = (arnn_ridge){.inputs = inputs, .outputs = outputs};
    if (arnn_size_mul(&gram, width, width) && arnn_size_mul(&moment, width, outputs)) {
        ridge->gram = arnn_alloc(gram, sizeof(double));
        ridge->moment = arnn_alloc(moment, sizeof(double));
        ridge->rows = arnn_alloc(BLOCK * (width + outputs), sizeof(double));
    }
    if (ridge->gram && ridge->moment && ridge->rows)
        return ARNN_OK;
    arnn_ridge_destroy(ridge);
    return arnn_error_no_memory("the normal equations of a readout");
}

void arnn_ridge_destroy(arnn_ridge *ridge)
{
    arnn_free(ridge->gram);
    arnn_free(ridge->moment);
    arnn_free(ridge->rows);
    *ridge = (arnn_ridge){0};
}

static void gather(arnn_ridge *ridge, size_t count)
{
    int width = (int)ridge->inputs + 1, outputs = (int)ridge->outputs;
    const double *x = ridge->rows, *y = x + BLOCK * (ridge->inputs + 1);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, width, (int)count, 1.0, x, width, 1.0, ridge->gram, width);
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, width, outputs, (int)count, 1.0, x, width, y, outputs, 1.0,
                ridge->moment, outputs);
    ridge->waiting = 0;
}

/* The last column of x is 1: its weight is the bias. */
void arnn_ridge_add(arnn_ridge *ridge, const float *x, const float *y)
{
    double *row = ridge->rows + ridge->waiting * (ridge->inputs + 1);
    double *target = ridge->rows + BLOCK * (ridge->inputs + 1) + ridge->waiting * ridge->outputs;
    for (size_t i = 0; i < ridge->inputs; i++)
        row[i] = (double)x[i];
    row[ridge->inputs] = 1.0;
    for (size_t j = 0; j < ridge->outputs; j++)
        target[j] = (double)y[j];
    if (++ridge->waiting == BLOCK)
        gather(ridge, BLOCK);
}

static bool all_finite(const double *values, size_t count)
{
    size_t i = 0;
    while (i < count && isfinite(values[i]))
        i++;
    return i == count;
}

/* The bias is not held back by the penalty. The upper triangle, row-major, is LAPACK's lower one. */
arnn_status arnn_ridge_solve(arnn_ridge *ridge, float *weight, float *bias, double penalty)
{
    size_t width = ridge->inputs + 1;
    if (ridge->waiting)
        gather(ridge, ridge->waiting);
    for (size_t i = 0; i < ridge->inputs; i++)
        ridge->gram[i * width + i] += penalty;
    if (LAPACKE_dpotrf_work(LAPACK_COL_MAJOR, 'L', (lapack_int)width, ridge->gram, (lapack_int)width))
        return arnn_error(ARNN_INVALID_ARGUMENT,
                          "the normal equations are singular, or not finite: a larger penalty than %g, or more rows",
                          penalty);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasTrans, CblasNonUnit, (int)width, (int)ridge->outputs, 1.0,
                ridge->gram, (int)width, ridge->moment, (int)ridge->outputs);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasUpper, CblasNoTrans, CblasNonUnit, (int)width, (int)ridge->outputs, 1.0,
                ridge->gram, (int)width, ridge->moment, (int)ridge->outputs);
    if (!all_finite(ridge->moment, width * ridge->outputs))
        return arnn_error(ARNN_INVALID_ARGUMENT, "the least squares solution is not finite: states or targets are not");
    for (size_t j = 0; j < ridge->outputs; j++) {
        for (size_t i = 0; i < ridge->inputs; i++)
            weight[j * ridge->inputs + i] = (float)ridge->moment[i * ridge->outputs + j];
        bias[j] = (float)ridge->moment[ridge->inputs * ridge->outputs + j];
    }
    return ARNN_OK;
}

/* Folding and orthogonal factors, in double. The work arrays are ours: LAPACKE's own allocations and checks are not
   used. */
#include <cblas.h>
#include <lapacke.h>

#include "base/memory.h"
#include "linalg/linalg.h"

void arnn_fold(double *c, double factor, const double *a, const double *b, size_t rows, size_t columns, size_t inner)
{
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)columns, (int)inner, factor, a, (int)rows, b,
                (int)columns, 0.0, c, (int)columns);
}

typedef struct tall {
    lapack_int rows, columns; /* rows >= columns; column-major */
    double *values, *tau, *diagonal, *work;
    lapack_int work_count;
} tall;

static void tall_destroy(tall *matrix)
{
    arnn_free(matrix->values);
    arnn_free(matrix->tau);
    arnn_free(matrix->diagonal);
    arnn_free(matrix->work);
}

static double *alloc_doubles(size_t count)
{
    return arnn_alloc(count, sizeof(double));
}

static arnn_status tall_create(tall *matrix, size_t rows, size_t columns)
{
    size_t count;
    *matrix = (tall){.rows = (lapack_int)rows,
                     .columns = (lapack_int)columns,
                     .work_count = (lapack_int)(columns < 1 << 24 ? 64 * columns : columns)};
    if (arnn_size_mul(&count, rows, columns)) {
        matrix->values = alloc_doubles(count);
        matrix->tau = alloc_doubles(columns);
        matrix->diagonal = alloc_doubles(columns);
        matrix->work = alloc_doubles((size_t)matrix->work_count);
    }
    if (matrix->values && matrix->tau && matrix->diagonal && matrix->work)
        return ARNN_OK;
    tall_destroy(matrix);
    return arnn_error_no_memory("a QR factorisation");
}

/* values = Q of its QR factorisation, with the signs that make the diagonal of R positive. */
static bool tall_factorise(tall *q)
{
    size_t rows = (size_t)q->rows, columns = (size_t)q->columns;
    if (LAPACKE_dgeqrf_work(LAPACK_COL_MAJOR, q->rows, q->columns, q->values, q->rows, q->tau, q->work, q->work_count))
        return false;
    for (size_t j = 0; j < columns; j++)
        q->diagonal[j] = q->values[j * rows + j];
    if (LAPACKE_dorgqr_work(LAPACK_COL_MAJOR, q->rows, q->columns, q->columns, q->values, q->rows, q->tau, q->work,
                            q->work_count))
        return false;
    for (size_t j = 0; j < columns; j++) {
        for (size_t i = 0; i < rows && q->diagonal[j] < 0.0; i++)
            q->values[j * rows + i] = -q->values[j * rows + i];
    }
    return true;
}

arnn_status arnn_orthogonalise(float *matrix, size_t rows, size_t columns)
{
    tall q;
    bool wide = rows < columns; /* then its rows are the columns of the tall one */
    size_t length = wide ? columns : rows, count = wide ? rows : columns;
    arnn_status status = tall_create(&q, length, count);
    if (status)
        return status;
    for (size_t j = 0; j < count; j++) {
        for (size_t i = 0; i < length; i++)
            q.values[j * length + i] = wide ? matrix[j * columns + i] : matrix[i * columns + j];
    }
    if (!tall_factorise(&q))
        status = arnn_error(ARNN_INVALID_ARGUMENT, "LAPACK could not factorise a (%zu, %zu) matrix", rows, columns);
    for (size_t j = 0; j < count && !status; j++) {
        for (size_t i = 0; i < length; i++)
            matrix[wide ? j * columns + i : i * columns + j] = (float)q.values[j * length + i];
    }
    tall_destroy(&q);
    return status;
}

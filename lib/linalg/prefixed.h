/*
 * Included before every source where OpenBLAS is that of the Python package scipy-openblas32, whose symbols begin with
 * scipy_. Its headers declare the prefixed names: what the library calls is renamed to those.
 */
#ifndef ARNN_LINALG_PREFIXED_H
#define ARNN_LINALG_PREFIXED_H

#define cblas_dgemm           scipy_cblas_dgemm
#define cblas_dsyrk           scipy_cblas_dsyrk
#define cblas_dtrsm           scipy_cblas_dtrsm
#define cblas_sdot            scipy_cblas_sdot
#define cblas_sgemm           scipy_cblas_sgemm
#define cblas_sgemv           scipy_cblas_sgemv
#define LAPACKE_dgeev_work    scipy_LAPACKE_dgeev_work
#define LAPACKE_dgeqrf_work   scipy_LAPACKE_dgeqrf_work
#define LAPACKE_dorgqr_work   scipy_LAPACKE_dorgqr_work
#define LAPACKE_dpotrf_work   scipy_LAPACKE_dpotrf_work
#define LAPACKE_sgeqrf_work   scipy_LAPACKE_sgeqrf_work
#define openblas_get_config   scipy_openblas_get_config
#define openblas_get_corename scipy_openblas_get_corename
#define openblas_get_parallel scipy_openblas_get_parallel

#endif

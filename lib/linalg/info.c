/* What BLAS is this? OpenBLAS can be asked. */
#include <cblas.h>
#include <stdio.h>

#include "linalg/linalg.h"

void arnn_linalg_info(char *text, size_t bytes)
{
    static const char *const threading[] = {"sequential", "pthread", "OpenMP"};
    int parallel = openblas_get_parallel();
    const char *flavour = parallel >= 0 && parallel < 3 ? threading[parallel] : "unknown";
    snprintf(text, bytes, "%s, core %s, threading %s", openblas_get_config(), openblas_get_corename(), flavour);
}

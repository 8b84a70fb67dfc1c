/* Which kernels a model uses. */
#ifndef ARNN_MODEL_TABLES_H
#define ARNN_MODEL_TABLES_H

#include "base/status.h"
#include "kernels/kernels.h"

/* The table that the environment variable ARNN_ISA names, else the best for this processor. */
const arnn_kernels *arnn_tables_find(void); /* NULL: it names none of this machine */
arnn_status arnn_tables_choose(const arnn_kernels **out);

/* The names of all tables of this machine: "avx2 blas ref". */
void arnn_tables_list(char *text, size_t bytes);

#endif

/* The units of an additive query, in the order in which rows of keys meet them: see vec_additive.c. */
#ifndef ARNN_KERNELS_VEC_UNITS_H
#define ARNN_KERNELS_VEC_UNITS_H

#include "kernels/vec_block.h"

#define MOST_UNITS 2048 /* of a piece; a wider query comes in several */

typedef struct units {
    float query[MOST_UNITS], score[MOST_UNITS];
    size_t count;
} units;

/* Those from `first` on, for keys of a type. */
void ARNN_VEC(take_units)(units *to, const arnn_query *query, size_t first, int32_t type);

#endif

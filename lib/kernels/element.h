/* Element types of the rows on a tape, a line each in element.c. Their numbers are the ARNN_TYPE_.. constants.
     float32    as it is
     float16    rounded to the nearest, ties to even; beyond 65504, infinity
     bfloat16   the upper half of a float32, rounded likewise
     int8       round(127 x), saturated at +-127: one fixed scale, as cells keep |h| <= 1; -128 stands for NaN */
#ifndef ARNN_KERNELS_ELEMENT_H
#define ARNN_KERNELS_ELEMENT_H

#include "base/status.h"

#define ARNN_TYPES (ARNN_TYPE_I8 + 1)

typedef struct arnn_element {
    const char *name;
    size_t bytes;
    float (*decode)(const void *row, size_t i);
    void (*encode)(void *row, size_t i, float value);
} arnn_element;

/* The element of an ARNN_TYPE_.. constant, which must be one. */
const arnn_element *arnn_element_of(int32_t type);

/* ARNN_INVALID_ARGUMENT, with the argument's name, if the type is none; ARNN_UNSUPPORTED if it is not among those of
   the mask `allowed`, in which bit ARNN_TYPE_.. stands for a type. */
arnn_status arnn_element_check(const char *argument, int32_t type, unsigned allowed);

#endif

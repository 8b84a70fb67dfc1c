/* Element types of the states on a tape, a line each. To add one: its line, its constant in arnn.h, its reads in
   kernels.h (arnn_run.h and the table get a type), and offsets in bytes in arnn_page_shape: pages count in float32
   until then. */
#ifndef ARNN_ATTENTION_ELEMENT_H
#define ARNN_ATTENTION_ELEMENT_H

#include "base/status.h"

typedef struct arnn_element {
    const char *name;
    size_t bytes;
} arnn_element;

/* The element of an ARNN_TYPE_.. constant, which must be one: ARNN_INVALID_ARGUMENT, with the argument's name, if it is
   not. */
const arnn_element *arnn_element_of(int32_t type);
arnn_status arnn_element_check(const char *argument, int32_t type);

#endif

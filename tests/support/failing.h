/* An allocator that fails at a chosen call. A program that links failing.c with -Wl,--wrap=.. for malloc, calloc, realloc,
   aligned_alloc, posix_memalign and free has every allocation of the static library counted here. */
#ifndef ARNN_TESTS_FAILING_H
#define ARNN_TESTS_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the n-th allocation (from 1) fails, and all after it; SIZE_MAX: none. */
void failing_begin(size_t n);

/* Ends that; true if an allocation failed. */
bool failing_end(void);

/* Bytes that were asked for since failing_begin; what was freed again is not taken off. */
size_t failing_bytes(void);

/* Blocks allocated and not freed since the program began. */
long failing_live(void);

#endif

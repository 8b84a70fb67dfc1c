/* Checked sizes and aligned memory. All memory of the library's own is had here. */
#ifndef ARNN_BASE_MEMORY_H
#define ARNN_BASE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

#define ARNN_ALIGNMENT 64 /* bytes: a cache line, and the widest vector */

/* *out = a * b, or a + b. False where it overflows; *out is then SIZE_MAX, so that checks may be chained and made
   once. */
bool arnn_size_mul(size_t *out, size_t a, size_t b);
bool arnn_size_add(size_t *out, size_t a, size_t b);

/* `count` elements of `bytes` bytes, zeroed, aligned to ARNN_ALIGNMENT. NULL on overflow or without memory; a count of
   0 gives memory that may be freed. Freed by arnn_free. */
void *arnn_alloc(size_t count, size_t bytes);
float *arnn_alloc_floats(size_t count);
/* The same for much memory that is read in long stretches: in huge pages, where the system has them. */
void *arnn_alloc_stretch(size_t bytes);
void arnn_free(void *memory);

#endif

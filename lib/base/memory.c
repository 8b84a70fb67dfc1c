#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>

bool arnn_size_mul(size_t *out, size_t a, size_t b)
{
    bool fits = b == 0 || a <= SIZE_MAX / b;
    *out = fits ? a * b : SIZE_MAX;
    return fits;
}

bool arnn_size_add(size_t *out, size_t a, size_t b)
{
    bool fits = a <= SIZE_MAX - b;
    *out = fits ? a + b : SIZE_MAX;
    return fits;
}

/* calloc and not aligned_alloc: memory that the system hands out zeroed stays untouched until it is used, so that a
   description far too large for the machine is refused, or costs nothing, instead of driving it out of memory here. The
   address that calloc gave stands just before the aligned one. */
void *arnn_alloc(size_t count, size_t bytes)
{
    size_t total;
    if (!arnn_size_mul(&total, count, bytes) || !arnn_size_add(&total, total, ARNN_ALIGNMENT + sizeof(void *)) ||
        total > PTRDIFF_MAX)
        return NULL;
    char *whole = calloc(total, 1);
    if (!whole)
        return NULL;
    uintptr_t first = (uintptr_t)whole + sizeof(void *);
    uintptr_t aligned = (first + ARNN_ALIGNMENT - 1) / ARNN_ALIGNMENT * ARNN_ALIGNMENT;
    void **memory = (void **)(whole + (aligned - (uintptr_t)whole));
    memory[-1] = whole;
    return memory;
}

float *arnn_alloc_floats(size_t count)
{
    return arnn_alloc(count, sizeof(float));
}

void arnn_free(void *memory)
{
    if (memory)
        free(((void **)memory)[-1]);
}

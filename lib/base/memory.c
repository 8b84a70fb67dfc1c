#include "base/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define HUGE_PAGE ((size_t)1 << 21) /* bytes, on most systems; elsewhere only an alignment */

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
static void *alloc_aligned(size_t count, size_t bytes, size_t alignment)
{
    size_t total;
    if (!arnn_size_mul(&total, count, bytes) || !arnn_size_add(&total, total, alignment + sizeof(void *)) ||
        total > PTRDIFF_MAX)
        return NULL;
    char *whole = calloc(total, 1);
    if (!whole)
        return NULL;
    uintptr_t first = (uintptr_t)whole + sizeof(void *);
    uintptr_t aligned = (first + alignment - 1) / alignment * alignment;
    void **memory = (void **)(whole + (aligned - (uintptr_t)whole));
    memory[-1] = whole;
    return memory;
}

void *arnn_alloc(size_t count, size_t bytes)
{
    return alloc_aligned(count, bytes, ARNN_ALIGNMENT);
}

float *arnn_alloc_floats(size_t count)
{
    return arnn_alloc(count, sizeof(float));
}

/* Advice costs nothing where it is not taken, and errors of it mean only that. */
void *arnn_alloc_stretch(size_t bytes)
{
    if (bytes < HUGE_PAGE)
        return arnn_alloc(bytes, 1);
    void *memory = alloc_aligned(bytes, 1, HUGE_PAGE);
#ifdef MADV_HUGEPAGE
    if (memory)
        (void)madvise(memory, bytes / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
#endif
    return memory;
}

void arnn_free(void *memory)
{
    if (memory)
        free(((void **)memory)[-1]);
}

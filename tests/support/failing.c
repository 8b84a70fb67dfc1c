#include "failing.h"

#include <stdint.h>
#include <stdlib.h>

/* The linker gives the C library's functions these names, and our functions theirs. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t count, size_t bytes);
void *__real_realloc(void *memory, size_t bytes);
void *__real_aligned_alloc(size_t alignment, size_t bytes);
int __real_posix_memalign(void **memory, size_t alignment, size_t bytes);
void __real_free(void *memory);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);
void *__wrap_realloc(void *memory, size_t bytes);
void *__wrap_aligned_alloc(size_t alignment, size_t bytes);
int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes);
void __wrap_free(void *memory);

static size_t left = SIZE_MAX; /* allocations before the one that fails */
static bool failed;
static long live;
static size_t asked;

static bool refuse(size_t bytes)
{
    asked += bytes;
    if (left == SIZE_MAX)
        return false;
    failed = failed || left == 0;
    left -= left > 0;
    return failed;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void failing_begin(size_t n)
{
    left = n == SIZE_MAX ? n : n - 1;
    failed = false;
    asked = 0;
}

bool failing_end(void)
{
    left = SIZE_MAX;
    return failed;
}

size_t failing_bytes(void)
{
    return asked;
}

long failing_live(void)
{
    return live;
}

void *__wrap_malloc(size_t bytes)
{
    return refuse(bytes) ? NULL : counted(__real_malloc(bytes));
}

void *__wrap_calloc(size_t count, size_t bytes)
{
    return refuse(count * bytes) ? NULL : counted(__real_calloc(count, bytes));
}

void *__wrap_realloc(void *memory, size_t bytes)
{
    if (refuse(bytes))
        return NULL;
    void *moved = __real_realloc(memory, bytes);
    live += !memory && moved;
    return moved;
}

void *__wrap_aligned_alloc(size_t alignment, size_t bytes)
{
    return refuse(bytes) ? NULL : counted(__real_aligned_alloc(alignment, bytes));
}

int __wrap_posix_memalign(void **memory, size_t alignment, size_t bytes)
{
    if (refuse(bytes))
        return 12; /* ENOMEM */
    int error = __real_posix_memalign(memory, alignment, bytes);
    live += error == 0;
    return error;
}

void __wrap_free(void *memory)
{
    live -= memory != NULL;
    __real_free(memory);
}

#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#endif
#include "guard.h"

#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CANARY = 0xa5 };

static size_t page_bytes(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

guard guard_make_bytes(size_t bytes, guard_side side)
{
    size_t page = page_bytes();
    guard array = {.bytes = bytes, .inside = (bytes + page - 1) / page * page};
    array.map = mmap(NULL, array.inside + 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (array.map == MAP_FAILED || mprotect(array.map, page, PROT_NONE) ||
        mprotect(array.map + page + array.inside, page, PROT_NONE))
        abort();
    unsigned char *inside = array.map + page;
    for (size_t i = 0; i < array.inside; i++)
        inside[i] = CANARY;
    array.floats = (float *)(void *)(inside + (side == GUARD_BEHIND ? array.inside - bytes : 0));
    return array;
}

guard guard_make(size_t count, guard_side side)
{
    guard array = guard_make_bytes(count * sizeof(float), side);
    array.count = count;
    for (size_t i = 0; i < count; i++)
        array.floats[i] = NAN;
    return array;
}

void guard_freeze(const guard *array)
{
    if (array->inside && mprotect(array->map + page_bytes(), array->inside, PROT_READ))
        abort();
}

bool guard_intact(const guard *array)
{
    const unsigned char *inside = array->map + page_bytes(), *own = (const unsigned char *)array->floats;
    for (size_t i = 0; i < array->inside; i++) {
        const unsigned char *byte = inside + i;
        if ((byte < own || byte >= own + array->bytes) && *byte != CANARY)
            return false;
    }
    return true;
}

void guard_free(guard *array)
{
    munmap(array->map, array->inside + 2 * page_bytes());
    *array = (guard){0};
}

/* Arrays of floats that end where memory ends, or begin where it begins: a kernel that reads or writes one float too
   many at that side is killed, one that writes at the other side is found out. */
#ifndef ARNN_TESTS_GUARD_H
#define ARNN_TESTS_GUARD_H

#include <stdbool.h>
#include <stddef.h>

typedef enum { GUARD_BEHIND, GUARD_BEFORE, GUARD_SIDES } guard_side;

typedef struct guard {
    float *floats;        /* (count), or bytes of any kind */
    size_t count, bytes;
    unsigned char *map; /* a forbidden page, `inside` bytes, a forbidden page */
    size_t inside;
} guard;

/* `count` floats, all NaN. Flush behind, they begin at any multiple of 4 bytes. */
guard guard_make(size_t count, guard_side side);

/* Bytes, for elements of another type. */
guard guard_make_bytes(size_t bytes, guard_side side);

/* From now on writing kills. */
void guard_freeze(const guard *array);

/* Whether the bytes of the array's pages that are not its own are as they were. */
bool guard_intact(const guard *array);

void guard_free(guard *array);

#endif

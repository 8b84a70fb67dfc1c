#include <arnn.h>
#include <stdbool.h>

#include "guard.h"

bool guard_take(bool *busy)
{
    return !__atomic_test_and_set(busy, __ATOMIC_ACQUIRE);
}

void guard_give(bool *busy)
{
    __atomic_clear(busy, __ATOMIC_RELEASE);
}

int32_t guard_step(const guarded_step *step)
{
    if (!guard_take(step->busy))
        return GUARD_BUSY;
    int32_t status = arnn_step(*step->state, step->out, step->in, step->streams, step->count);
    guard_give(step->busy);
    return status;
}

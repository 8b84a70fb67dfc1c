#include "base/processor.h"

#ifdef __linux__
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BITS (8 * sizeof(unsigned long))

/* By number and not by the functions of the C library, which are beyond POSIX and would change what others mean. */
int arnn_processor(void)
{
    unsigned processor = 0;
    return syscall(SYS_getcpu, &processor, NULL, NULL) == 0 ? (int)processor : ARNN_PROCESSOR_UNKNOWN;
}

int arnn_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

static bool set_affinity(int thread, const unsigned long *mask, size_t bytes)
{
    return syscall(SYS_sched_setaffinity, thread, bytes, mask) == 0;
}

static bool any(const unsigned long *mask, size_t count)
{
    unsigned long all = 0;
    for (size_t i = 0; i < count; i++)
        all |= mask[i];
    return all != 0;
}

void arnn_keep_off(arnn_kept_off *who, int processor)
{
    unsigned long others[ARNN_PROCESSORS_MOST / BITS];
    if (who->kept || processor < 0 || processor >= ARNN_PROCESSORS_MOST ||
        syscall(SYS_sched_getaffinity, who->thread, sizeof who->allowed, who->allowed) < 0)
        return;
    memcpy(others, who->allowed, sizeof others);
    others[(size_t)processor / BITS] &= ~(1ul << (size_t)processor % BITS);
    who->kept = any(others, ARNN_PROCESSORS_MOST / BITS) && set_affinity(who->thread, others, sizeof others);
}

void arnn_let_back(arnn_kept_off *who)
{
    if (who->kept)
        (void)set_affinity(who->thread, who->allowed, sizeof who->allowed);
    who->kept = false;
}
#else
int arnn_processor(void)
{
    return ARNN_PROCESSOR_UNKNOWN;
}

int arnn_thread_id(void)
{
    return 0;
}

void arnn_keep_off(arnn_kept_off *who, int processor)
{
    (void)who;
    (void)processor;
}

void arnn_let_back(arnn_kept_off *who)
{
    (void)who;
}
#endif

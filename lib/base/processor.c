#include "base/processor.h"

#ifdef __linux__
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BITS (8 * sizeof(unsigned long))

/* <sched.h> declares it for _GNU_SOURCE alone, which changes what other functions are (strerror_r). It takes no system
   call where the system tells the C library (rseq, vdso). */
int sched_getcpu(void);

int arnn_processor(void)
{
    int processor = sched_getcpu();
    return processor >= 0 ? processor : ARNN_PROCESSOR_UNKNOWN;
}

int arnn_thread_id(void)
{
    return (int)syscall(SYS_gettid);
}

static bool set_affinity(int thread, const unsigned long *mask, size_t bytes)
{
    return syscall(SYS_sched_setaffinity, thread, bytes, mask) == 0;
}

/* The system writes as many bytes as it has processors for. */
static bool get_affinity(int thread, unsigned long *mask, size_t bytes)
{
    memset(mask, 0, bytes);
    return syscall(SYS_sched_getaffinity, thread, bytes, mask) > 0;
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
    if (processor < 0 || processor >= ARNN_PROCESSORS_MOST)
        return;
    if (!who->kept && !get_affinity(who->thread, who->allowed, sizeof who->allowed))
        return;
    memcpy(others, who->allowed, sizeof others);
    others[(size_t)processor / BITS] &= ~(1ul << (size_t)processor % BITS);
    if (any(others, ARNN_PROCESSORS_MOST / BITS) && set_affinity(who->thread, others, sizeof others))
        who->kept = true;
}

void arnn_let_back(arnn_kept_off *who)
{
    if (who->kept)
        who->kept = !set_affinity(who->thread, who->allowed, sizeof who->allowed);
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

#include "base/cpu.h"

#include <stdatomic.h>
#include <unistd.h>

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

/* A bit that not every compiler's builtin knows by name. Asked for once: in a virtual machine the question leaves it, and
   takes as long as reading hundreds of rows. */
static bool has_f16c(void)
{
    enum { UNKNOWN, NO, YES };
    static atomic_int known = UNKNOWN;
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        unsigned eax, ebx, ecx, edx;
        answer = __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) != 0 ? YES : NO;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer == YES;
}
#endif

bool arnn_cpu_has_avx2(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c();
#else
    return false;
#endif
}

bool arnn_cpu_has_avx512(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return arnn_cpu_has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#else
    return false;
#endif
}

bool arnn_cpu_has_avx512_vnni(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return arnn_cpu_has_avx512() && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

bool arnn_cpu_has_neon(void)
{
#if defined(__aarch64__)
    return true;
#else
    return false;
#endif
}

bool arnn_cpu_fetches_far(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    return __builtin_cpu_is("amd");
#else
    return false;
#endif
}

/* A C library may ask the processor at every call, which in a virtual machine takes long. */
static size_t cache_of(atomic_size_t *known, int name, size_t common)
{
    size_t size = atomic_load_explicit(known, memory_order_relaxed);
    if (size > 0)
        return size;
    long told = name >= 0 ? sysconf(name) : 0;
    size = told > 0 ? (size_t)told : common;
    atomic_store_explicit(known, size, memory_order_relaxed);
    return size;
}

size_t arnn_cpu_cache(int level)
{
    static atomic_size_t second, last;
#if defined(_SC_LEVEL2_CACHE_SIZE) && defined(_SC_LEVEL3_CACHE_SIZE)
    const int names[] = {_SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
#else
    const int names[] = {-1, -1};
#endif
    return level == 2 ? cache_of(&second, names[0], (size_t)1 << 20) : cache_of(&last, names[1], (size_t)8 << 20);
}

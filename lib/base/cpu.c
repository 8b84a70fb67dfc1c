#include "base/cpu.h"

#include <stdatomic.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#endif

#if defined(__x86_64__) && defined(__GNUC__)
#include <cpuid.h>

/* The answer to a question that is asked once: in a virtual machine cpuid leaves it, and takes as long as reading
   hundreds of rows. The first answer stands for all threads. */
static bool ask_once(atomic_int *known, bool (*ask)(void))
{
    enum { UNKNOWN, NO, YES };
    int answer = atomic_load_explicit(known, memory_order_relaxed);
    if (answer == UNKNOWN) {
        const int own = ask() ? YES : NO;
        if (atomic_compare_exchange_strong(known, &answer, own))
            answer = own;
    }
    return answer == YES;
}

/* Bits that not every compiler's builtin knows by name. */
static bool ask_f16c(void)
{
    unsigned eax, ebx, ecx, edx;
    return __get_cpuid(1, &eax, &ebx, &ecx, &edx) && (ecx & bit_F16C) != 0;
}

/* AMX-TILE, AMX-BF16 and AVX512-BF16, and an operating system that saves tiles. */
static bool ask_amx(void)
{
    const unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24, avx512_bf16 = 1u << 5, saved = 3u << 17;
    unsigned eax, ebx, ecx, edx, low, high;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & amx_bf16) == 0 || (edx & amx_tile) == 0)
        return false;
    if (!__get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) || (eax & avx512_bf16) == 0)
        return false;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0)); /* who has AVX-512 has it */
    return (low & saved) == saved;
}

/* Linux gives tiles to a process that asks for them, and then to all of its threads. */
static bool ask_for_tiles(void)
{
#if defined(__linux__) && defined(SYS_arch_prctl)
    enum { REQUEST_PERMISSION = 0x1023, TILES = 18 };
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILES) == 0;
#else
    return false;
#endif
}
#endif

bool arnn_cpu_has_avx2(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static atomic_int known;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && ask_once(&known, ask_f16c);
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

bool arnn_cpu_has_avx512_vnni_amx(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static atomic_int known;
    return arnn_cpu_has_avx512_vnni() && ask_once(&known, ask_amx);
#else
    return false;
#endif
}

bool arnn_cpu_gives_tiles(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static atomic_int known;
    return ask_once(&known, ask_for_tiles);
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

/* What the processor can do. Kernels are chosen by these bits, never by family or model. How far ahead they fetch, and with
   that how streams are shared out, follows from who made it: no result depends on either. */
#ifndef ARNN_BASE_CPU_H
#define ARNN_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>

/* AVX2 and FMA, and an operating system that saves their registers. */
bool arnn_cpu_has_avx2(void);

/* AVX-512 F, BW, DQ and VL beside those, and an operating system that saves the wide registers. */
bool arnn_cpu_has_avx512(void);

/* VNNI beside those: products of bytes. */
bool arnn_cpu_has_avx512_vnni(void);

/* AMX for bfloat16 beside those, and AVX512-BF16: products of tiles. */
bool arnn_cpu_has_avx512_vnni_amx(void);

/* Where that is so: whether the operating system lets this process use tiles, for which it is asked once, when they are
   first wanted. It refuses where a thread's signal stack is too small for what it would then save there. */
bool arnn_cpu_gives_tiles(void);

/* Every aarch64 has it. */
bool arnn_cpu_has_neon(void);

/* Whether what is to be read is best fetched far ahead into the second cache, and not shortly before into the first. So
   it is on AMD's (measured on a Zen 4): few fetches into the first cache can be on their way at once, and those that
   wait hold up loads. What is fetched so comes from the last cache about as fast as from the second. On Intel's both
   ways take one of the same few places. */
bool arnn_cpu_fetches_far(void);

/* Bytes of a core's second cache (2), or of the last one (3), which cores share; where they are not told, what is common. */
size_t arnn_cpu_cache(int level);

#endif

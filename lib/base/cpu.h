/* What the processor can do. Kernels are chosen by these bits, never by family or model. */
#ifndef ARNN_BASE_CPU_H
#define ARNN_BASE_CPU_H

#include <stdbool.h>

/* AVX2 and FMA, and an operating system that saves their registers. */
bool arnn_cpu_has_avx2(void);

/* AVX-512 F, BW, DQ and VL beside those, and an operating system that saves the wide registers. */
bool arnn_cpu_has_avx512(void);

/* VNNI beside those: products of bytes. */
bool arnn_cpu_has_avx512_vnni(void);

/* Every aarch64 has it. */
bool arnn_cpu_has_neon(void);

#endif

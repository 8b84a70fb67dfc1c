/* The vector kernels on emulated instructions: tables that every processor has. */
#ifndef ARNN_TESTS_EMULATED_H
#define ARNN_TESTS_EMULATED_H

#include "base/cpu.h"

bool arnn_cpu_has_avx512_emulated(void);
bool arnn_cpu_has_avx512_emulated_amx(void);

/* Emulated tiles need no leave. */
#define arnn_cpu_gives_tiles() true

#endif

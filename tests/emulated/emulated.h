/* The vector kernels on emulated instructions: tables that every processor has. */
#ifndef ARNN_TESTS_EMULATED_H
#define ARNN_TESTS_EMULATED_H

#include "base/cpu.h"

bool arnn_cpu_has_avx512_emulated(void);
bool arnn_cpu_has_avx512_emulated_amx(void);

/* Emulated tiles need no leave, and the loop that adds and scores is tried whoever made the processor. */
#define arnn_cpu_gives_tiles()  true
#define arnn_cpu_fetches_far()  false

#endif

/* The vector kernels on emulated instructions: tables that every processor has. */
#ifndef ARNN_TESTS_EMULATED_H
#define ARNN_TESTS_EMULATED_H

#include <stdbool.h>

bool arnn_cpu_has_avx512_emulated(void);

#endif

#include "emulated.h"

bool arnn_cpu_has_avx512_emulated(void)
{
    return true;
}

bool arnn_cpu_has_avx512_emulated_amx(void)
{
    return true;
}

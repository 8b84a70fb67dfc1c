/*
 * Included before every source of the library by the build. The library is compiled with hidden visibility; the
 * functions declared in arnn.h, and no others, leave the shared object.
 */
#ifndef ARNN_BASE_EXPORT_H
#define ARNN_BASE_EXPORT_H

#pragma GCC visibility push(default)
#include "arnn.h"
#pragma GCC visibility pop

/* Before a loop whose iterations do not touch each other's memory: several may go at once. clang is not told: it takes
   the wish for an order, and complains where it cannot follow. */
#if defined(__clang__)
#define ARNN_APART
#else
#define ARNN_APART _Pragma("GCC ivdep")
#endif

#endif

#ifndef ARNN_BASE_LOOPS_H
#define ARNN_BASE_LOOPS_H

/* Before a loop whose iterations do not touch each other's memory: several may go at once. clang is not told: it takes
   the wish for an order, and complains where it cannot follow. */
#if defined(__clang__)
#define ARNN_APART
#else
#define ARNN_APART _Pragma("GCC ivdep")
#endif

#endif

/*
 * Included before every source of the library by the build. The library is compiled with hidden visibility; the
 * functions declared in arnn.h, and no others, leave the shared object.
 */
#ifndef ARNN_BASE_EXPORT_H
#define ARNN_BASE_EXPORT_H

#pragma GCC visibility push(default)
#include "arnn.h"
#pragma GCC visibility pop

#endif

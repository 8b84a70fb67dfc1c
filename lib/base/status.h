/* Statuses and the sentence of the last error. */
#ifndef ARNN_BASE_STATUS_H
#define ARNN_BASE_STATUS_H

#include "arnn.h"

#if defined(__GNUC__)
#define ARNN_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define ARNN_PRINTF(text, first)
#endif

/* Keeps the sentence for the calling thread and returns `status`, so that an error is one line: return
   arnn_error(...). */
arnn_status arnn_error(arnn_status status, const char *format, ...) ARNN_PRINTF(2, 3);

/* The commonest two. */
arnn_status arnn_error_null(const char *argument);
arnn_status arnn_error_no_memory(const char *what);

#endif

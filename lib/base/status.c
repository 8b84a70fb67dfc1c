#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE_BYTES 512

static _Thread_local char sentence[SENTENCE_BYTES];

static const char *const names[] = {
    [ARNN_OK] = "success",
    [ARNN_INVALID_ARGUMENT] = "invalid argument",
    [ARNN_SHAPE] = "shapes do not match",
    [ARNN_UNSUPPORTED] = "unsupported combination",
    [ARNN_NOT_FOUND] = "not found",
    [ARNN_BUSY] = "busy",
    [ARNN_FULL] = "cache is full",
    [ARNN_NO_MEMORY] = "no memory",
    [ARNN_IO] = "input or output failed",
    [ARNN_FORMAT] = "malformed file",
};

const char *arnn_status_string(arnn_status status)
{
    if (status < 0 || (size_t)status >= sizeof names / sizeof *names)
        return "unknown status";
    return names[status];
}

const char *arnn_last_error(void)
{
    return sentence;
}

arnn_status arnn_error(arnn_status status, const char *format, ...)
{
    char fresh[SENTENCE_BYTES]; /* arguments may point into the old sentence */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fresh, sizeof fresh, format, arguments);
    va_end(arguments);
    memcpy(sentence, fresh, sizeof sentence);
    return status;
}

arnn_status arnn_error_null(const char *argument)
{
    return arnn_error(ARNN_INVALID_ARGUMENT, "%s is NULL", argument);
}

arnn_status arnn_error_no_memory(const char *what)
{
    return arnn_error(ARNN_NO_MEMORY, "no memory for %s", what);
}

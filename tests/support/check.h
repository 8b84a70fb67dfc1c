/* What C tests share: cmocka with what it needs, and the form of an expected error. */
#ifndef ARNN_TESTS_CHECK_H
#define ARNN_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arnn.h"

/* The call succeeds; where it does not, its sentence is shown. */
#define assert_ok(call) check_ok((call), #call, __FILE__, __LINE__)

/* The call fails with `status`, and the last sentence is one of its own that names `word`. */
#define assert_error(expected, word, call) \
    (check_forget(), check_error((expected), (word), (call), #call, __FILE__, __LINE__))

static inline void check_ok(arnn_status status, const char *call, const char *file, int line)
{
    if (status == ARNN_OK)
        return;
    fprintf(stderr, "%s: %s: %s\n", call, arnn_status_string(status), arnn_last_error());
    _fail(file, line);
}

/* Leaves a sentence that no call under test gives, so that a call that forgets its own is seen. */
static inline void check_forget(void)
{
    int32_t value;
    (void)arnn_constant("ARNN_NO_SUCH_CONSTANT", &value);
}

static inline void check_error(arnn_status expected, const char *word, arnn_status status, const char *call,
                               const char *file, int line)
{
    const char *sentence = arnn_last_error();
    if (status == expected && strlen(sentence) > 8 && !strstr(sentence, "NO_SUCH_CONSTANT") && strstr(sentence, word))
        return;
    fprintf(stderr, "%s: %s, expected %s and a sentence with '%s'; it is '%s'\n", call, arnn_status_string(status),
            arnn_status_string(expected), word, sentence);
    _fail(file, line);
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

#endif

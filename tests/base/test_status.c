/* Statuses, and the sentence of the last error. */
#include "check.h"

#include <pthread.h>

#include "base/status.h"

static void test_every_status_has_words(void **unused)
{
    (void)unused;
    for (arnn_status a = ARNN_OK; a <= ARNN_FORMAT; a++) {
        assert_true(strlen(arnn_status_string(a)) > 3);
        assert_string_not_equal(arnn_status_string(a), "unknown status");
        for (arnn_status b = ARNN_OK; b < a; b++)
            assert_string_not_equal(arnn_status_string(a), arnn_status_string(b));
    }
    static const arnn_status unknown[] = {-1, ARNN_FORMAT + 1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT(unknown); i++)
        assert_string_equal(arnn_status_string(unknown[i]), "unknown status");
}

static void test_sentences(void **unused)
{
    (void)unused;
    assert_int_equal(arnn_error(ARNN_SHAPE, "%s has %d rows", "w", 3), ARNN_SHAPE);
    assert_string_equal(arnn_last_error(), "w has 3 rows");
    assert_int_equal(arnn_error_null("model"), ARNN_INVALID_ARGUMENT);
    assert_string_equal(arnn_last_error(), "model is NULL");
    assert_int_equal(arnn_error_no_memory("a state"), ARNN_NO_MEMORY);
    assert_string_equal(arnn_last_error(), "no memory for a state");
}

/* However long names are, a sentence ends. */
static void test_long_sentences(void **unused)
{
    (void)unused;
    char name[4000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    arnn_error(ARNN_FORMAT, "tensor %s", name);
    assert_true(strlen(arnn_last_error()) >= 200 && strlen(arnn_last_error()) < 1000);
    assert_memory_equal(arnn_last_error(), "tensor xxx", 10);
}

static void *err_elsewhere(void *unused)
{
    (void)unused;
    static const char *before;
    before = arnn_last_error()[0] == '\0' ? "empty" : "not empty"; /* none yet on this thread */
    arnn_error(ARNN_IO, "elsewhere");
    return (void *)(uintptr_t)before;
}

static void test_every_thread_has_its_own(void **unused)
{
    (void)unused;
    pthread_t thread;
    void *before = NULL;
    arnn_error(ARNN_SHAPE, "here");
    assert_int_equal(pthread_create(&thread, NULL, err_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, &before), 0);
    assert_string_equal(arnn_last_error(), "here");
    assert_string_equal((const char *)before, "empty");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_status_has_words),
        cmocka_unit_test(test_sentences),
        cmocka_unit_test(test_long_sentences),
        cmocka_unit_test(test_every_thread_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

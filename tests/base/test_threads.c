/* Threads: every item once, whoever takes it; forward and back; awake and asleep; after a fork; and where no thread can
   be had. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

#include "base/threads.h"

enum { MOST = 1000 };

static bool refused; /* no more threads */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    return refused ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

typedef struct counts {
    atomic_int items[MOST];
    atomic_size_t highest; /* worker */
} counts;

static void count_item(void *context, size_t item, size_t worker)
{
    counts *self = context;
    atomic_fetch_add(&self->items[item], 1);
    size_t seen = atomic_load(&self->highest);
    while (worker > seen && !atomic_compare_exchange_weak(&self->highest, &seen, worker))
        ;
}

static bool run_once(arnn_threads *threads, size_t items, size_t count)
{
    static counts all;
    static bool back;
    memset(&all, 0, sizeof all);
    back = !back;
    arnn_threads_run(threads, count_item, &all, items, back);
    for (size_t i = 0; i < MOST; i++) {
        if (atomic_load(&all.items[i]) != (i < items))
            return false;
    }
    return atomic_load(&all.highest) < count;
}

static void test_every_item_once(void **unused)
{
    (void)unused;
    static const size_t counts[] = {1, 2, 3, 7}, items[] = {0, 1, 2, 3, 7, 8, 100, MOST};
    for (size_t c = 0; c < COUNT(counts); c++) {
        arnn_threads *threads = arnn_threads_new(counts[c]);
        assert_non_null(threads);
        assert_int_equal(arnn_threads_count(threads), counts[c]);
        for (size_t turn = 0; turn < 300; turn++)
            assert_true(run_once(threads, items[turn % COUNT(items)], counts[c]));
        arnn_threads_free(threads);
    }
    assert_int_equal(arnn_threads_count(NULL), 1);
    assert_true(run_once(NULL, 10, 1));
    arnn_threads_free(NULL);
}

/* Between turns workers fall asleep. */
static void test_sleepers_wake(void **unused)
{
    (void)unused;
    arnn_threads *threads = arnn_threads_new(3);
    for (size_t turn = 0; turn < 40; turn++) {
        const struct timespec rest = {.tv_nsec = (long)(turn % 4) * 1000000};
        nanosleep(&rest, NULL);
        assert_true(run_once(threads, 50, 3));
    }
    arnn_threads_free(threads);
}

static void test_never_started(void **unused)
{
    (void)unused;
    arnn_threads_free(arnn_threads_new(5));
}

#ifndef __SANITIZE_THREAD__ /* which knows of no threads in a child */
static void test_fork(void **unused)
{
    (void)unused;
    arnn_threads *threads = arnn_threads_new(4);
    assert_true(run_once(threads, 100, 4));
    for (size_t i = 0; i < 5; i++) {
        pid_t child = fork();
        assert_true(child >= 0);
        bool good = run_once(threads, 100, 4) && run_once(threads, 7, 4);
        if (child == 0) {
            arnn_threads_free(threads);
            _exit(good ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(good && WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    arnn_threads_free(threads);
}

#endif

static void test_no_threads_to_be_had(void **unused)
{
    (void)unused;
    arnn_threads *threads = arnn_threads_new(4);
    refused = true;
    assert_true(run_once(threads, 100, 1));
    assert_true(run_once(threads, 100, 1));
    refused = false;
    arnn_threads_free(threads);
}

/* The order in which one thread, which is left alone with them, comes to the items. */
static void note_item(void *context, size_t item, size_t worker)
{
    size_t *next = context;
    assert_int_equal(worker, 0);
    next[1 + next[0]++] = item;
}

static void check_order(arnn_threads *threads, bool back, const size_t *expected, size_t items)
{
    size_t order[1 + 8] = {0};
    arnn_threads_run(threads, note_item, order, items, back);
    assert_int_equal(order[0], items);
    assert_memory_equal(order + 1, expected, items * sizeof *order);
}

static void test_forward_and_back(void **unused)
{
    (void)unused;
    static const size_t forward[] = {0, 1, 2, 3, 4}, back[] = {4, 3, 2, 1, 0}, parts_back[] = {1, 0, 4, 3, 2};
    arnn_threads *threads = arnn_threads_new(2);
    refused = true;
    check_order(NULL, false, forward, 5);
    check_order(NULL, true, back, 5);
    check_order(threads, false, forward, 5);
    check_order(threads, true, parts_back, 5); /* its own part, then the other's */
    refused = false;
    arnn_threads_free(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_item_once),
        cmocka_unit_test(test_sleepers_wake),
        cmocka_unit_test(test_never_started),
        cmocka_unit_test(test_no_threads_to_be_had),
        cmocka_unit_test(test_forward_and_back),
#ifndef __SANITIZE_THREAD__
        cmocka_unit_test(test_fork),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

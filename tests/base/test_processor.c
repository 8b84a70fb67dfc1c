/* Processors of threads: a thread kept from one and let back, and workers, which do not stay where their caller works and
   keep the affinity that they were given. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include "check.h"

#include "base/processor.h"
#include "base/threads.h"

#if defined(__linux__)
static cpu_set_t affinity(void)
{
    cpu_set_t set;
    assert_return_code(sched_getaffinity(0, sizeof set, &set), 0);
    return set;
}

/* Not so in some sandboxes. */
static bool may_be_set(const cpu_set_t *set)
{
    return arnn_processor() >= 0 && sched_setaffinity(0, sizeof *set, set) == 0;
}

static bool same(const cpu_set_t *a, const cpu_set_t *b)
{
    return CPU_EQUAL(a, b) != 0;
}

static void test_kept_off_and_back(void **unused)
{
    (void)unused;
    const cpu_set_t before = affinity();
    if (!may_be_set(&before))
        skip();
    const int here = arnn_processor();
    arnn_kept_off self = {.thread = arnn_thread_id()};
    assert_true(CPU_ISSET((size_t)here, &before));
    arnn_keep_off(&self, here);
    cpu_set_t others = affinity();
    assert_int_equal(self.kept, CPU_COUNT(&before) > 1);
    assert_int_equal(CPU_COUNT(&others), CPU_COUNT(&before) > 1 ? CPU_COUNT(&before) - 1 : 1);
    if (self.kept) {
        assert_false(CPU_ISSET((size_t)here, &others));
        assert_int_not_equal(arnn_processor(), here);
    }
    arnn_keep_off(&self, arnn_processor()); /* kept already: off this one alone */
    others = affinity();
    assert_int_equal(CPU_COUNT(&others), CPU_COUNT(&before) > 1 ? CPU_COUNT(&before) - 1 : 1);
    arnn_let_back(&self);
    others = affinity();
    assert_true(same(&others, &before) && !self.kept);
    arnn_let_back(&self);
}

/* Nothing changes without another processor, for one that is not known or not there, for no such thread. */
static void test_not_kept(void **unused)
{
    (void)unused;
    const cpu_set_t before = affinity();
    if (!may_be_set(&before))
        skip();
    cpu_set_t one;
    arnn_kept_off self = {.thread = arnn_thread_id()}, nobody = {.thread = 0x7ffffff0};
    static const int odd[] = {ARNN_PROCESSOR_UNKNOWN, -7, ARNN_PROCESSORS_MOST, 0x7fffffff};
    for (size_t i = 0; i < COUNT(odd); i++) {
        arnn_keep_off(&self, odd[i]);
        assert_false(self.kept);
    }
    arnn_keep_off(&nobody, 0);
    assert_false(nobody.kept);
    CPU_ZERO(&one);
    CPU_SET((size_t)arnn_processor(), &one);
    assert_return_code(sched_setaffinity(0, sizeof one, &one), 0);
    arnn_keep_off(&self, arnn_processor());
    cpu_set_t after = affinity();
    assert_true(!self.kept && same(&after, &one));
    assert_return_code(sched_setaffinity(0, sizeof before, &before), 0);
}

/* ---- workers ---- */

typedef struct seen {
    atomic_int processors[2]; /* of caller and worker; -1: it had no item */
    atomic_int strange;       /* affinities */
    cpu_set_t allowed;
} seen;

static void rest(long microseconds)
{
    const struct timespec time = {.tv_nsec = microseconds * 1000};
    nanosleep(&time, NULL);
}

/* Long enough for the other to come. */
static void look(void *context, size_t item, size_t worker)
{
    seen *self = context;
    const cpu_set_t mine = affinity();
    (void)item;
    atomic_store(&self->processors[worker], arnn_processor());
    atomic_fetch_add(&self->strange, !same(&mine, &self->allowed));
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000000 + (now.tv_nsec - begin.tv_nsec) / 1000 < 500);
}

/* How often, of `turns` before which the worker fell asleep, both had their own processor. */
static size_t count_apart(size_t turns)
{
    arnn_threads *threads = arnn_threads_new(2);
    size_t apart = 0;
    for (size_t turn = 0; turn < turns; turn++) {
        seen all = {.processors = {-1, -1}, .allowed = affinity()};
        arnn_threads_run(threads, look, &all, 2, false);
        assert_int_equal(atomic_load(&all.strange), 0);
        int caller = atomic_load(&all.processors[0]), worker = atomic_load(&all.processors[1]);
        apart += caller >= 0 && worker >= 0 && caller != worker;
        rest(2000);
    }
    arnn_threads_free(threads);
    return apart;
}

static void test_workers_part_from_their_caller(void **unused)
{
    (void)unused;
    const cpu_set_t before = affinity();
    bool often = false;
    if (!may_be_set(&before))
        skip();
    for (size_t round = 0; round < 5 && !often; round++) /* others may want the processors, too */
        often = count_apart(40) > 20;
    cpu_set_t after = affinity(), one;
    assert_true(same(&before, &after));
    if (CPU_COUNT(&before) > 1)
        assert_true(often);
    CPU_ZERO(&one);
    CPU_SET((size_t)arnn_processor(), &one);
    assert_return_code(sched_setaffinity(0, sizeof one, &one), 0);
    assert_int_equal(count_apart(3), 0);
    assert_return_code(sched_setaffinity(0, sizeof before, &before), 0);
}
/* Who is woken in vain, as the items are done before it comes, sleeps on with the affinity that it had. */
static atomic_int worker_thread;

static void note_worker(void *context, size_t item, size_t worker)
{
    (void)item;
    if (worker == 1)
        atomic_store(&worker_thread, arnn_thread_id());
    rest(*(long *)context);
}

static void look_away(void *context, size_t item, size_t worker)
{
    (void)context, (void)item, (void)worker;
}

static bool soon_as(pid_t thread, const cpu_set_t *expected)
{
    cpu_set_t set;
    bool good = false;
    for (size_t look = 0; look < 1000 && !good; look++, rest(1000))
        good = sched_getaffinity(thread, sizeof set, &set) == 0 && same(&set, expected);
    return good;
}

static void test_woken_in_vain(void **unused)
{
    (void)unused;
    const cpu_set_t before = affinity();
    long time = 2000;
    if (!may_be_set(&before))
        skip();
    arnn_threads *threads = arnn_threads_new(2);
    for (size_t turn = 0; turn < 100 && atomic_load(&worker_thread) == 0; turn++)
        arnn_threads_run(threads, note_worker, &time, 2, false);
    assert_int_not_equal(atomic_load(&worker_thread), 0);
    for (size_t turn = 0; turn < 100; turn++) {
        rest(1000);
        arnn_threads_run(threads, look_away, NULL, 2, false);
        assert_true(soon_as(atomic_load(&worker_thread), &before));
    }
    arnn_threads_free(threads);
}
#else
static void test_kept_off_and_back(void **unused)
{
    (void)unused;
    arnn_kept_off self = {.thread = arnn_thread_id()};
    arnn_keep_off(&self, 0);
    assert_false(self.kept);
    arnn_let_back(&self);
    assert_int_equal(arnn_processor(), ARNN_PROCESSOR_UNKNOWN);
}
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kept_off_and_back),
#if defined(__linux__)
        cmocka_unit_test(test_not_kept),
        cmocka_unit_test(test_workers_part_from_their_caller),
        cmocka_unit_test(test_woken_in_vain),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/processor.h"

#define AWAKE_US    100 /* how long who waits stays awake: about what waking up takes */
#define LOOKS       100
#define FEW_WORKERS 3
#define MOST_ITEMS  ((size_t)1 << 30)

/* A worker's own share of the items of a turn, on a cache line that no other worker's is on: how many, and in the lower
   half how many of them are taken. Who takes one learns at once whether it was there: so a worker that comes late can do
   no harm, and nobody waits for it. */
typedef struct worker {
    _Alignas(ARNN_ALIGNMENT) _Atomic uint64_t share;
    size_t first; /* of its items */
    arnn_threads *threads;
    size_t index;
    pthread_t handle;
    bool asleep;            /* under the mutex */
    arnn_kept_off kept_off; /* the caller's while it is asleep, under the mutex; else its own */
} worker;

struct arnn_threads {
    size_t count;
    worker *workers; /* (count): 0 is the caller, which is never started */

    size_t started; /* workers 1 .. started run */
    pid_t owner;    /* the process in which they do; 0: not started */

    arnn_task *task; /* of this turn, as all up to `items`: written while nobody has an item, read by who has one */
    void *context;
    bool back;
    atomic_size_t items;
    atomic_size_t done;     /* of them */
    atomic_int caller;      /* the processor of who gave them out; not known between turns */
    atomic_size_t sleeping; /* workers that must be woken */
    atomic_bool waiting;    /* the caller must be woken */
    atomic_bool stop;
    pthread_mutex_t mutex;
    pthread_cond_t wake, finished;
};

static void pause_briefly(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

arnn_threads *arnn_threads_new(size_t count)
{
    arnn_threads *threads = arnn_alloc(1, sizeof *threads);
    if (!threads)
        return NULL;
    threads->count = count;
    threads->workers = arnn_alloc(count, sizeof *threads->workers);
    if (threads->workers)
        return threads;
    arnn_free(threads);
    return NULL;
}

size_t arnn_threads_count(const arnn_threads *threads)
{
    return threads ? threads->count : 1;
}

/* ---- items ---- */

static bool any_left(uint64_t share)
{
    return (uint32_t)share < share >> 32;
}

/* Does what is left of a worker's share; returns how many items that were. */
static size_t work_off(arnn_threads *threads, worker *whose, size_t index)
{
    size_t made = 0;
    for (; any_left(atomic_load(&whose->share)); made++) {
        uint64_t taken = atomic_fetch_add(&whose->share, 1);
        size_t item = (uint32_t)taken;
        if (!any_left(taken))
            break;
        threads->task(threads->context, whose->first + (threads->back ? (taken >> 32) - 1 - item : item), index);
    }
    return made;
}

/* Its own items first, then those that others have not come to. */
static void work(arnn_threads *threads, size_t index)
{
    size_t made = 0;
    for (size_t i = 0; i < threads->count; i++)
        made += work_off(threads, &threads->workers[(index + i) % threads->count], index);
    if (made == 0 || atomic_fetch_add(&threads->done, made) + made < atomic_load(&threads->items) ||
        !atomic_load(&threads->waiting))
        return;
    pthread_mutex_lock(&threads->mutex);
    pthread_cond_signal(&threads->finished);
    pthread_mutex_unlock(&threads->mutex);
}

/* ---- waiting: awake for a while, then asleep ---- */

typedef bool condition(arnn_threads *threads);

static uint64_t microseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Where few processors share a cache, Linux likes to wake a thread on the very one on which its caller is at work, though
   another is idle, and leaves both there for milliseconds. Who is woken is therefore kept off it (wake_workers), and who is
   awake and finds nothing to do there moves away. */
static void part_from_caller(worker *self)
{
    const int here = arnn_processor();
    if (here != atomic_load(&self->threads->caller))
        return;
    arnn_keep_off(&self->kept_off, here);
    arnn_let_back(&self->kept_off);
}

/* Whether it came true. Lets others have the processor, who may be the very ones that are waited for. self: the worker;
   NULL: the caller. */
static bool watch(arnn_threads *threads, condition *is_true, worker *self)
{
    for (uint64_t end = microseconds() + AWAKE_US; microseconds() < end; sched_yield()) {
        for (size_t i = 0; i < LOOKS; i++) {
            if (is_true(threads))
                return true;
            pause_briefly();
        }
        if (self)
            part_from_caller(self);
    }
    return is_true(threads);
}

static bool wanted(arnn_threads *threads)
{
    bool left = atomic_load(&threads->stop);
    for (size_t i = 0; i < threads->count && !left; i++)
        left = any_left(atomic_load(&threads->workers[i].share));
    return left;
}

/* Who gives out new shares looks for sleepers afterwards, and a sleeper looks at the shares after it has said that it
   sleeps: one of them sees the other. */
static void wait_for_items(worker *self)
{
    arnn_threads *threads = self->threads;
    if (watch(threads, wanted, self))
        return;
    pthread_mutex_lock(&threads->mutex);
    atomic_fetch_add(&threads->sleeping, 1);
    self->asleep = true;
    while (!wanted(threads)) {
        arnn_let_back(&self->kept_off); /* where it was woken in vain */
        pthread_cond_wait(&threads->wake, &threads->mutex);
    }
    self->asleep = false;
    atomic_fetch_sub(&threads->sleeping, 1);
    pthread_mutex_unlock(&threads->mutex);
    arnn_let_back(&self->kept_off);
}

static bool all_done(arnn_threads *threads)
{
    return atomic_load(&threads->done) == atomic_load(&threads->items);
}

static void wait_for_workers(arnn_threads *threads)
{
    if (all_done(threads) || watch(threads, all_done, NULL))
        return;
    pthread_mutex_lock(&threads->mutex);
    atomic_store(&threads->waiting, true);
    while (!all_done(threads))
        pthread_cond_wait(&threads->finished, &threads->mutex);
    atomic_store(&threads->waiting, false);
    pthread_mutex_unlock(&threads->mutex);
}

/* See part_from_caller. Where there are many workers there are many processors, and this is not worth its calls. */
static void keep_sleepers_off(arnn_threads *threads)
{
    const int caller = atomic_load(&threads->caller);
    if (threads->started > FEW_WORKERS)
        return;
    for (size_t index = 1; index <= threads->started; index++)
        if (threads->workers[index].asleep)
            arnn_keep_off(&threads->workers[index].kept_off, caller);
}

static void wake_workers(arnn_threads *threads)
{
    if (atomic_load(&threads->sleeping) == 0)
        return;
    pthread_mutex_lock(&threads->mutex);
    keep_sleepers_off(threads);
    pthread_cond_broadcast(&threads->wake);
    pthread_mutex_unlock(&threads->mutex);
}

static void *run_worker(void *argument)
{
    worker *self = argument;
    self->kept_off.thread = arnn_thread_id();
    while (!atomic_load(&self->threads->stop)) {
        wait_for_items(self);
        work(self->threads, self->index);
    }
    return NULL;
}

/* ---- the caller ---- */

/* Signals are for the program's own threads. */
static void start_worker(arnn_threads *threads, size_t index)
{
    worker *self = &threads->workers[index];
    sigset_t all, before;
    self->threads = threads;
    self->index = index;
    self->asleep = false;
    self->kept_off = (arnn_kept_off){0};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    if (pthread_create(&self->handle, NULL, run_worker, self) == 0)
        threads->started = index;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* What a parent process left in here belongs to threads that are not: everything begins anew. */
static void start(arnn_threads *threads)
{
    threads->owner = getpid();
    threads->started = 0;
    for (size_t i = 0; i < threads->count; i++)
        atomic_init(&threads->workers[i].share, 0);
    atomic_init(&threads->items, 0);
    atomic_init(&threads->done, 0);
    atomic_init(&threads->caller, ARNN_PROCESSOR_UNKNOWN);
    atomic_init(&threads->sleeping, 0);
    atomic_init(&threads->waiting, false);
    atomic_init(&threads->stop, false);
    if (pthread_mutex_init(&threads->mutex, NULL) || pthread_cond_init(&threads->wake, NULL) ||
        pthread_cond_init(&threads->finished, NULL))
        return;
    for (size_t index = 1; index < threads->count && threads->started == index - 1; index++)
        start_worker(threads, index);
}

/* Every worker the same part of the row of items in every turn, as far as their number allows. */
static void give_shares(arnn_threads *threads, size_t items)
{
    size_t first = 0;
    atomic_store(&threads->done, 0);
    atomic_store(&threads->items, items);
    for (size_t i = 0; i < threads->count; i++) {
        size_t end = (i + 1) * items / threads->count;
        threads->workers[i].first = first;
        atomic_store(&threads->workers[i].share, (uint64_t)(end - first) << 32);
        first = end;
    }
}

void arnn_threads_run(arnn_threads *threads, arnn_task *task, void *context, size_t items, bool back)
{
    if (!threads || threads->count < 2 || items < 2 || items > MOST_ITEMS) {
        for (size_t item = 0; item < items; item++)
            task(context, back ? items - 1 - item : item, 0);
        return;
    }
    if (threads->owner != getpid())
        start(threads);
    threads->task = task;
    threads->context = context;
    threads->back = back;
    atomic_store(&threads->caller, arnn_processor());
    give_shares(threads, items);
    wake_workers(threads);
    work(threads, 0);
    wait_for_workers(threads);
    atomic_store(&threads->caller, ARNN_PROCESSOR_UNKNOWN);
}

void arnn_threads_free(arnn_threads *threads)
{
    if (!threads)
        return;
    if (threads->owner && threads->owner == getpid()) {
        atomic_store(&threads->stop, true);
        wake_workers(threads);
        for (size_t index = 1; index <= threads->started; index++)
            pthread_join(threads->workers[index].handle, NULL);
        pthread_cond_destroy(&threads->finished);
        pthread_cond_destroy(&threads->wake);
        pthread_mutex_destroy(&threads->mutex);
    }
    arnn_free(threads->workers);
    arnn_free(threads);
}

#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/memory.h"

#define SPINS 4000 /* looks at a flag before sleeping: some tens of microseconds, less than waking up takes */

typedef struct worker {
    arnn_threads *threads;
    size_t index;
    unsigned seen; /* the turn that it has worked on */
    pthread_t handle;
} worker;

struct arnn_threads {
    size_t count;
    worker *workers; /* (count): 0 is the caller, which is never started */

    size_t started; /* workers 1 .. started run */
    pid_t owner;    /* the process in which they do; 0: not started */
    bool stop;

    arnn_task *task; /* of this turn: written before `turn` moves on, while nobody works */
    void *context;
    size_t items;

    atomic_uint turn;
    atomic_size_t next;     /* item */
    atomic_size_t busy;     /* workers that have not finished this turn */
    atomic_size_t sleeping; /* workers that must be woken */
    atomic_bool waiting;    /* the caller must be woken */
    pthread_mutex_t mutex;
    pthread_cond_t wake, done;
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

/* ---- a worker ---- */

static void work(arnn_threads *threads, size_t index)
{
    size_t item;
    while ((item = atomic_fetch_add(&threads->next, 1)) < threads->items)
        threads->task(threads->context, item, index);
}

/* Awake for a while, then asleep. Who moves the turn on looks for sleepers afterwards, and a sleeper looks at the turn
   after it has said that it sleeps: one of them sees the other. */
static void wait_for_turn(arnn_threads *threads, unsigned seen)
{
    for (size_t i = 0; i < SPINS; i++) {
        if (atomic_load(&threads->turn) != seen)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&threads->mutex);
    atomic_fetch_add(&threads->sleeping, 1);
    while (atomic_load(&threads->turn) == seen)
        pthread_cond_wait(&threads->wake, &threads->mutex);
    atomic_fetch_sub(&threads->sleeping, 1);
    pthread_mutex_unlock(&threads->mutex);
}

static void *run_worker(void *argument)
{
    worker *self = argument;
    arnn_threads *threads = self->threads;
    for (;;) {
        wait_for_turn(threads, self->seen);
        self->seen++;
        if (threads->stop)
            return NULL;
        work(threads, self->index);
        if (atomic_fetch_sub(&threads->busy, 1) == 1 && atomic_load(&threads->waiting)) {
            pthread_mutex_lock(&threads->mutex);
            pthread_cond_signal(&threads->done);
            pthread_mutex_unlock(&threads->mutex);
        }
    }
}

/* ---- the caller ---- */

static void next_turn(arnn_threads *threads)
{
    atomic_fetch_add(&threads->turn, 1);
    if (atomic_load(&threads->sleeping) == 0)
        return;
    pthread_mutex_lock(&threads->mutex);
    pthread_cond_broadcast(&threads->wake);
    pthread_mutex_unlock(&threads->mutex);
}

static void wait_for_workers(arnn_threads *threads)
{
    for (size_t i = 0; i < SPINS; i++) {
        if (atomic_load(&threads->busy) == 0)
            return;
        pause_briefly();
    }
    pthread_mutex_lock(&threads->mutex);
    atomic_store(&threads->waiting, true);
    while (atomic_load(&threads->busy) > 0)
        pthread_cond_wait(&threads->done, &threads->mutex);
    atomic_store(&threads->waiting, false);
    pthread_mutex_unlock(&threads->mutex);
}

/* Signals are for the program's own threads. */
static void start_worker(arnn_threads *threads, size_t index)
{
    worker *self = &threads->workers[index];
    sigset_t all, before;
    *self = (worker){.threads = threads, .index = index, .seen = atomic_load(&threads->turn)};
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
    atomic_init(&threads->turn, 0);
    atomic_init(&threads->busy, 0);
    atomic_init(&threads->sleeping, 0);
    atomic_init(&threads->waiting, false);
    if (pthread_mutex_init(&threads->mutex, NULL) || pthread_cond_init(&threads->wake, NULL) ||
        pthread_cond_init(&threads->done, NULL))
        return;
    for (size_t index = 1; index < threads->count && threads->started == index - 1; index++)
        start_worker(threads, index);
}

void arnn_threads_run(arnn_threads *threads, arnn_task *task, void *context, size_t items)
{
    if (!threads || threads->count < 2 || items < 2) {
        for (size_t item = 0; item < items; item++)
            task(context, item, 0);
        return;
    }
    if (threads->owner != getpid())
        start(threads);
    threads->task = task;
    threads->context = context;
    threads->items = items;
    atomic_store(&threads->next, 0);
    atomic_store(&threads->busy, threads->started);
    next_turn(threads);
    work(threads, 0);
    wait_for_workers(threads);
}

void arnn_threads_free(arnn_threads *threads)
{
    if (!threads)
        return;
    if (threads->owner && threads->owner == getpid()) {
        threads->stop = true;
        next_turn(threads);
        for (size_t index = 1; index <= threads->started; index++)
            pthread_join(threads->workers[index].handle, NULL);
        pthread_cond_destroy(&threads->done);
        pthread_cond_destroy(&threads->wake);
        pthread_mutex_destroy(&threads->mutex);
    }
    arnn_free(threads->workers);
    arnn_free(threads);
}

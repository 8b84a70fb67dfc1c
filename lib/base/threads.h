/* A few threads that share out the items of a task. Ours, and not a library's: the pool that distributions have
   (pthreadpool) does not look at what pthread_create returns and waits for ever for a thread that could not be had.

   Threads are started by the first task, and wait: for a tenth of a millisecond awake, then asleep. Nobody waits for a
   thread that has no item, so that one which comes late, where processors are busy, costs nothing. A process that was
   forked finds none of its parent's and starts its own. */
#ifndef ARNN_BASE_THREADS_H
#define ARNN_BASE_THREADS_H

#include <stdbool.h>
#include <stddef.h>

#define ARNN_THREADS_MOST 256

typedef struct arnn_threads arnn_threads;

/* One item; worker: 0 .. count-1, which of the threads it is, for memory of its own. */
typedef void arnn_task(void *context, size_t item, size_t worker);

/* For `count` threads, the caller's among them. NULL: no memory. Nothing is started yet. */
arnn_threads *arnn_threads_new(size_t count);
void arnn_threads_free(arnn_threads *threads);

/* How many there are to be; 1 for NULL. */
size_t arnn_threads_count(const arnn_threads *threads);

/* What is shared out some at a time, `most` to an item: how many items that makes, and what one of them is. */
typedef struct arnn_piece {
    size_t first, count;
} arnn_piece;

static inline size_t arnn_pieces(size_t count, size_t most)
{
    return count / most + (count % most > 0);
}

static inline arnn_piece arnn_piece_of(size_t count, size_t most, size_t item)
{
    size_t first = item * most, left = first < count ? count - first : 0;
    return (arnn_piece){first, left < most ? left : most};
}

/* Runs every item once, on the calling thread too, and returns when all are done. Each thread goes first through a part
   of the items that is its own, the same in every call, so that it finds in its core's caches what it left there; then
   it helps the others. `back`: through each part from its last item to its first. Who goes through the same things
   again and again, and they are more than a cache holds, goes forward and back in turn: then the end of one way is the
   beginning of the next, and is still there. NULL, or where no thread can be had: on the calling thread alone. */
void arnn_threads_run(arnn_threads *threads, arnn_task *task, void *context, size_t items, bool back);

#endif

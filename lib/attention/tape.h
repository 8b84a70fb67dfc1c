/* The past of one stream: its rows, in pages of a pool. */
#ifndef ARNN_ATTENTION_TAPE_H
#define ARNN_ATTENTION_TAPE_H

#include "attention/pool.h"
#include "kernels/kernels.h"

typedef struct arnn_tape {
    size_t length;     /* rows ever written: the stream's time. Counted without pages where the wiring is none */
    size_t pages;      /* held */
    arnn_page *oldest; /* in the order of their rows */
    arnn_page *newest;
    arnn_page *last_sink; /* the newest of those kept for sinks; NULL: none yet */
    arnn_page *spare;     /* reserved by the running step or sequence */
    bool lost;            /* it was given a NaN, which its type cannot hold: whatever is read from it is NaN */
} arnn_tape;

/* Rows of one layer in one page, beginning at absolute row `first`. */
typedef struct arnn_tape_rows {
    void *h, *m, *key; /* of the types of the page; m, key: NULL where there are none */
    size_t first, count;
} arnn_tape_rows;

/* Pages that a stream of `length` rows must have free beyond its own, to write `steps` more, one after another. */
size_t arnn_tape_pages_needed(const arnn_tape *tape, const arnn_page_shape *shape, size_t steps);

/* Pages that a stream needs, at most, on its way from 0 to `rows` rows. */
size_t arnn_page_shape_pages(const arnn_page_shape *shape, size_t rows);

/* Moves needed pages, which the pool has, to the tape's spare ones; gives unused ones back. */
void arnn_tape_reserve(arnn_tape *tape, arnn_pool *pool, size_t steps);
void arnn_tape_release(arnn_tape *tape, arnn_pool *pool);

/* Makes place for row `length`: drops the page that window and sinks have left behind, begins a page. The caller writes
   the row in every layer, then counts it by length++. */
void arnn_tape_open(arnn_tape *tape, const arnn_page_shape *shape);

/* Writes rows row .. row+rows-1 of one layer, all on the newest page: h (rows, n); m (rows, n), key (rows, k), not read
   where the tape has none. */
void arnn_tape_write(arnn_tape *tape, const arnn_page_shape *shape, const arnn_kernels *kernels, size_t layer,
                     size_t row, const float *h, const float *m, const float *key, size_t rows);

/* Gives all pages back and begins anew. */
void arnn_tape_clear(arnn_tape *tape, arnn_pool *pool);

/* Where absolute row `row`, on one of the pages, stands in a layer: pointers to the row itself. False: not on the
   tape. */
bool arnn_tape_find(const arnn_tape *tape, const arnn_page_shape *shape, size_t layer, size_t row,
                    arnn_tape_rows *found);

/* As arnn_tape_find, of a page at hand. */
arnn_tape_rows arnn_page_rows(const arnn_page *page, const arnn_page_shape *shape, size_t layer, size_t row);

/* The rows read when `rows` are on the tape: 0 .. sinks-1 and first .. rows-1 (spec 2). */
typedef struct arnn_span {
    size_t sinks, first, rows;
} arnn_span;
arnn_span arnn_tape_span(const arnn_page_shape *shape, size_t rows);

#endif

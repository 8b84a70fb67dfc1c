/* Pages of past states: made up to a limit, taken by tapes, given back. */
#ifndef ARNN_ATTENTION_POOL_H
#define ARNN_ATTENTION_POOL_H

#include <stdbool.h>

#include "kernels/element.h"

/* What the rows of a page are. A page holds `rows` consecutive steps of one stream: for each layer h (rows, n), then,
   where there are any, m (rows, n) and key (rows, k), each of its own ARNN_TYPE_.. and beginning at a cache line. Which
   rows stay readable is the same for every tape of the pool. */
typedef struct arnn_page_shape {
    int32_t h_type, m_type, key_type;
    size_t layers, hidden;
    size_t align;                /* 0: no keys */
    bool memories;               /* m rows */
    size_t rows;                 /* a multiple of every kernel's block */
    size_t m_offset, key_offset; /* bytes, within a layer */
    size_t layer_bytes, page_bytes;
    size_t window, sinks; /* window 0: every row stays */
} arnn_page_shape;

typedef struct arnn_page {
    struct arnn_page *next;   /* in a tape or in the list of free ones */
    struct arnn_page *before; /* in a tape */
    size_t index;             /* in its tape: row i of a stream is in page i / rows */
    unsigned char *bytes;
} arnn_page;

/* Pages made together, in one stretch of memory. */
typedef struct arnn_batch {
    struct arnn_batch *next;
    arnn_page *pages;
    unsigned char *bytes;
} arnn_batch;

typedef struct arnn_pool {
    arnn_page_shape shape;
    size_t limit; /* pages */
    size_t made, unused;
    arnn_batch *batches;
    arnn_page *free;
} arnn_pool;

/* Completes rows (if 0), offsets and bytes of a shape from its other members. False where they overflow. */
bool arnn_page_shape_complete(arnn_page_shape *shape);

void arnn_pool_create(arnn_pool *pool, const arnn_page_shape *shape, size_t limit);
void arnn_pool_destroy(arnn_pool *pool);

/* Sees to it that `unused` pages are free, or that `made` pages are there in all; touches what it makes.
   ARNN_FULL or ARNN_NO_MEMORY, and then nothing has changed. */
arnn_status arnn_pool_provide_unused(arnn_pool *pool, size_t unused);
arnn_status arnn_pool_provide_made(arnn_pool *pool, size_t made);

/* Of provided pages only: never fails. */
arnn_page *arnn_pool_take(arnn_pool *pool);
void arnn_pool_give(arnn_pool *pool, arnn_page *page);

#endif

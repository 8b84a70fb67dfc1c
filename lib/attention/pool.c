#include "attention/pool.h"

#include <assert.h>

#include "base/memory.h"
#include "kernels/kernels.h"

/* A page is a good stretch for the memory system, and not so long that many short streams waste much: about 256 KiB of
   states a layer, a power of two of rows from 16 to ARNN_RUN_ROWS. It follows from the width alone, so that results do
   too. */
static size_t rows_for(size_t hidden)
{
    const size_t floats = 65536, least = 16;
    size_t rows = ARNN_RUN_ROWS;
    while (rows > least && rows * hidden > floats)
        rows /= 2;
    return rows;
}

/* Puts (rows, width) elements at the end of a layer, which then ends with a whole cache line. */
static bool add_part(arnn_page_shape *shape, size_t width, int32_t type)
{
    size_t bytes;
    bool fits = arnn_size_mul(&bytes, width, shape->rows) &&
                arnn_size_mul(&bytes, bytes, arnn_element_of(type)->bytes) &&
                arnn_size_add(&bytes, bytes, ARNN_ALIGNMENT - 1);
    return fits && arnn_size_add(&shape->layer_bytes, shape->layer_bytes, bytes / ARNN_ALIGNMENT * ARNN_ALIGNMENT);
}

bool arnn_page_shape_complete(arnn_page_shape *shape)
{
    if (shape->rows == 0)
        shape->rows = rows_for(shape->hidden);
    shape->layer_bytes = 0;
    bool fits = add_part(shape, shape->hidden, shape->h_type);
    shape->m_offset = shape->layer_bytes;
    fits = fits && add_part(shape, shape->memories ? shape->hidden : 0, shape->m_type);
    shape->key_offset = shape->layer_bytes;
    return fits && add_part(shape, shape->align, shape->key_type) &&
           arnn_size_mul(&shape->page_bytes, shape->layer_bytes, shape->layers);
}

void arnn_pool_create(arnn_pool *pool, const arnn_page_shape *shape, size_t limit)
{
    *pool = (arnn_pool){.shape = *shape, .limit = limit};
}

static void destroy_batch(arnn_batch *batch)
{
    if (!batch)
        return;
    arnn_free(batch->bytes);
    arnn_free(batch->pages);
    arnn_free(batch);
}

void arnn_pool_destroy(arnn_pool *pool)
{
    while (pool->batches) {
        arnn_batch *batch = pool->batches;
        pool->batches = batch->next;
        destroy_batch(batch);
    }
    *pool = (arnn_pool){0};
}

void arnn_pool_give(arnn_pool *pool, arnn_page *page)
{
    page->next = pool->free;
    pool->free = page;
    pool->unused++;
}

arnn_page *arnn_pool_take(arnn_pool *pool)
{
    arnn_page *page = pool->free;
    assert(page);
    pool->free = page->next;
    pool->unused--;
    page->next = NULL;
    return page;
}

static arnn_batch *create_batch(const arnn_page_shape *shape, size_t count)
{
    size_t bytes;
    arnn_batch *batch = arnn_alloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->pages = arnn_alloc(count, sizeof *batch->pages);
    batch->bytes = arnn_size_mul(&bytes, shape->page_bytes, count) ? arnn_alloc_stretch(bytes) : NULL;
    if (!batch->pages || !batch->bytes) {
        destroy_batch(batch);
        return NULL;
    }
    return batch;
}

/* One write to every 4 KiB has the system find the memory now. */
static void touch(unsigned char *bytes, size_t count)
{
    const size_t stride = 4096;
    for (size_t i = 0; i < count; i += stride)
        ((volatile unsigned char *)bytes)[i] = 0;
}

static arnn_status make(arnn_pool *pool, size_t count)
{
    size_t page_bytes = pool->shape.page_bytes;
    arnn_batch *batch = create_batch(&pool->shape, count);
    if (!batch)
        return arnn_error(ARNN_NO_MEMORY, "no memory for %zu more pages of the cache, of %zu bytes each", count,
                          page_bytes);
    for (size_t i = count; i-- > 0;) { /* backwards, so that they are taken in the order of their addresses */
        batch->pages[i].bytes = batch->bytes + i * page_bytes;
        touch(batch->pages[i].bytes, page_bytes);
        arnn_pool_give(pool, &batch->pages[i]);
    }
    batch->next = pool->batches;
    pool->batches = batch;
    pool->made += count;
    return ARNN_OK;
}

arnn_status arnn_pool_provide_made(arnn_pool *pool, size_t made)
{
    if (made <= pool->made)
        return ARNN_OK;
    if (made > pool->limit)
        return arnn_error(ARNN_FULL, "the cache may have %zu pages of %zu rows, %zu in use, and needs %zu", pool->limit,
                          pool->shape.rows, pool->made - pool->unused, made);
    return make(pool, made - pool->made);
}

arnn_status arnn_pool_provide_unused(arnn_pool *pool, size_t unused)
{
    size_t made;
    arnn_size_add(&made, pool->made - pool->unused, unused);
    return unused <= pool->unused ? ARNN_OK : arnn_pool_provide_made(pool, made);
}

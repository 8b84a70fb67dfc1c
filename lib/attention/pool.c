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

bool arnn_page_shape_complete(arnn_page_shape *shape)
{
    size_t width, bytes;
    if (shape->rows == 0)
        shape->rows = rows_for(shape->hidden);
    return arnn_size_mul(&width, shape->hidden, shape->memories ? 2 : 1) &&
           arnn_size_add(&width, width, shape->align) && arnn_size_mul(&shape->layer_floats, width, shape->rows) &&
           arnn_size_mul(&shape->page_floats, shape->layer_floats, shape->layers) &&
           arnn_size_mul(&bytes, shape->page_floats, arnn_element_of(shape->type)->bytes);
}

size_t arnn_page_bytes(const arnn_page_shape *shape)
{
    return shape->page_floats * arnn_element_of(shape->type)->bytes;
}

void arnn_pool_create(arnn_pool *pool, const arnn_page_shape *shape, size_t limit)
{
    *pool = (arnn_pool){.shape = *shape, .limit = limit};
}

static void destroy_batch(arnn_batch *batch)
{
    if (!batch)
        return;
    arnn_free(batch->floats);
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
    size_t floats;
    arnn_batch *batch = arnn_alloc(1, sizeof *batch);
    if (!batch)
        return NULL;
    batch->pages = arnn_alloc(count, sizeof *batch->pages);
    batch->floats = arnn_size_mul(&floats, shape->page_floats, count) ? arnn_alloc_stretch(floats) : NULL;
    if (!batch->pages || !batch->floats) {
        destroy_batch(batch);
        return NULL;
    }
    return batch;
}

/* One write to every 4 KiB has the system find the memory now. */
static void touch(float *floats, size_t count)
{
    const size_t stride = 1024;
    for (size_t i = 0; i < count; i += stride)
        ((volatile float *)floats)[i] = 0.0f;
}

static arnn_status make(arnn_pool *pool, size_t count)
{
    size_t page_floats = pool->shape.page_floats;
    arnn_batch *batch = create_batch(&pool->shape, count);
    if (!batch)
        return arnn_error(ARNN_NO_MEMORY, "no memory for %zu more pages of the cache, of %zu bytes each", count,
                          arnn_page_bytes(&pool->shape));
    for (size_t i = count; i-- > 0;) { /* backwards, so that they are taken in the order of their addresses */
        batch->pages[i].floats = batch->floats + i * page_floats;
        touch(batch->pages[i].floats, page_floats);
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

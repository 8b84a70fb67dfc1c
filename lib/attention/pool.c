#include "attention/pool.h"

#include <assert.h>

#include "base/memory.h"
#include "kernels/kernels.h"

/* A page is a good stretch for the memory system, and not so long that many short streams waste much: about 256 KiB of
   states a layer, a power of two of rows from 16 to ARNN_RUN_ROWS. Rows depend on the shape alone, so that results do too. */
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
    shape->rows = rows_for(shape->hidden);
    return arnn_size_mul(&width, shape->hidden, shape->memories ? 2 : 1) &&
           arnn_size_add(&width, width, shape->align) &&
           arnn_size_mul(&shape->layer_floats, width, shape->rows) &&
           arnn_size_mul(&shape->page_floats, shape->layer_floats, shape->layers) &&
           arnn_size_mul(&bytes, shape->page_floats, sizeof(float));
}

void arnn_pool_create(arnn_pool *pool, const arnn_page_shape *shape, size_t limit)
{
    *pool = (arnn_pool){.shape = *shape, .limit = limit};
}

/* The page made last, which nobody has taken yet, is the first of both lists. */
static void unmake(arnn_pool *pool)
{
    arnn_page *page = arnn_pool_take(pool);
    assert(page == pool->all);
    pool->all = page->made;
    pool->made--;
    arnn_free(page->floats);
    arnn_free(page);
}

void arnn_pool_destroy(arnn_pool *pool)
{
    while (pool->all) {
        arnn_page *page = pool->all;
        pool->all = page->made;
        arnn_free(page->floats);
        arnn_free(page);
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

static arnn_status make(arnn_pool *pool)
{
    const size_t stride = 1024; /* floats: one write to every 4 KiB touches all memory */
    arnn_page *page = arnn_alloc(1, sizeof *page);
    float *floats = arnn_alloc_floats(pool->shape.page_floats);
    if (!page || !floats) {
        arnn_free(page);
        arnn_free(floats);
        return arnn_error(ARNN_NO_MEMORY, "no memory for page %zu of the cache, of %zu bytes", pool->made + 1,
                          pool->shape.page_floats * sizeof(float));
    }
    for (size_t i = 0; i < pool->shape.page_floats; i += stride)
        ((volatile float *)floats)[i] = 0.0f;
    page->floats = floats;
    page->made = pool->all;
    pool->all = page;
    pool->made++;
    arnn_pool_give(pool, page);
    return ARNN_OK;
}

arnn_status arnn_pool_provide_made(arnn_pool *pool, size_t made)
{
    if (made > pool->limit)
        return arnn_error(ARNN_FULL, "the cache may have %zu pages of %zu rows, %zu in use, and needs %zu",
                          pool->limit, pool->shape.rows, pool->made - pool->unused, made);
    arnn_status status = ARNN_OK;
    size_t before = pool->made;
    while (pool->made < made && !status)
        status = make(pool);
    while (status && pool->made > before)
        unmake(pool);
    return status;
}

arnn_status arnn_pool_provide_unused(arnn_pool *pool, size_t unused)
{
    size_t made;
    arnn_size_add(&made, pool->made - pool->unused, unused);
    return unused <= pool->unused ? ARNN_OK : arnn_pool_provide_made(pool, made);
}

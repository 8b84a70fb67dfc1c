#include "run/cache.h"

#include "attention/tape.h"
#include "base/memory.h"

arnn_status arnn_cache_shape(arnn_page_shape *shape, const arnn_model_desc *desc, const arnn_cache_desc *cache)
{
    *shape = (arnn_page_shape){0};
    if (!arnn_desc_has_tape(desc))
        return ARNN_OK;
    *shape = (arnn_page_shape){
        .h_type = cache->tape_type,
        .m_type = cache->memory_type,
        .key_type = cache->key_type,
        .rows = cache->page_rows,
        .layers = desc->layers,
        .hidden = desc->hidden,
        .align = arnn_score_of(desc->score)->has_keys ? desc->align : 0,
        .memories = arnn_desc_has_memory_rows(desc),
        .window = desc->window,
        .sinks = desc->sinks,
    };
    if (!arnn_page_shape_complete(shape))
        return arnn_error(ARNN_INVALID_ARGUMENT, "a page of this model overflows the address space");
    return ARNN_OK;
}

/* A model without a tape has a cache without pages. */
static arnn_status pages_for(size_t *pages, const arnn_page_shape *shape, size_t streams, size_t rows)
{
    *pages = 0;
    if (shape->layers > 0 && !arnn_size_mul(pages, arnn_page_shape_pages(shape, rows), streams))
        return arnn_error(ARNN_INVALID_ARGUMENT, "%zu streams of %zu rows overflow the address space", streams, rows);
    return ARNN_OK;
}

arnn_status arnn_cache_new(arnn_cache **out, arnn_model *model, const arnn_cache_desc *desc)
{
    arnn_page_shape shape;
    size_t pages = 0;
    *out = NULL;
    arnn_status status = arnn_cache_shape(&shape, &model->desc, desc);
    if (!status)
        status = pages_for(&pages, &shape, desc->streams, desc->rows);
    if (status)
        return status;
    arnn_cache *cache = arnn_alloc(1, sizeof *cache);
    if (!cache)
        return arnn_error_no_memory("a cache");
    size_t page = shape.page_bytes, limit = page ? desc->max_bytes / page : 0;
    atomic_init(&cache->references, 1);
    cache->model = model;
    arnn_model_retain(model);
    arnn_pool_create(&cache->pool, &shape, desc->max_bytes ? limit : pages);
    status = arnn_pool_provide_made(&cache->pool, pages);
    if (!status && desc->threads > 1 && !(cache->threads = arnn_threads_new((size_t)desc->threads)))
        status = arnn_error_no_memory("threads");
    if (status)
        arnn_cache_release(cache);
    else
        *out = cache;
    return status;
}

void arnn_cache_retain(arnn_cache *cache)
{
    atomic_fetch_add(&cache->references, 1);
}

void arnn_cache_release(arnn_cache *cache)
{
    if (!cache || atomic_fetch_sub(&cache->references, 1) != 1)
        return;
    arnn_threads_free(cache->threads);
    arnn_pool_destroy(&cache->pool);
    arnn_model_release(cache->model);
    arnn_free(cache);
}

arnn_status arnn_cache_provide(arnn_cache *cache, size_t streams, size_t rows)
{
    size_t pages = 0;
    arnn_status status = pages_for(&pages, &cache->pool.shape, streams, rows);
    return status ? status : arnn_pool_provide_made(&cache->pool, pages);
}

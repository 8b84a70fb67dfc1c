#include "api/api.h"

#include "cells/cell.h"
#include "run/cache.h"

static const arnn_cache_desc defaults = {.struct_size = sizeof defaults, .threads = 1, .max_bytes = SIZE_MAX};

arnn_status arnn_cache_desc_default(arnn_cache_desc *desc, size_t struct_size)
{
    ARNN_REQUIRE(desc);
    arnn_status status = arnn_check_struct("arnn_cache_desc", struct_size, sizeof *desc);
    if (!status)
        *desc = defaults;
    return status;
}

#define ANY_TYPE   (~0u)
#define WIDE_RANGE (1u << ARNN_TYPE_F32 | 1u << ARNN_TYPE_BF16) /* what is not bounded by 1 fits no other type */

static arnn_status check_types(const arnn_cache_desc *desc, const arnn_model *model)
{
    bool any = model->cell->bounded || !arnn_desc_has_tape(&model->desc);
    arnn_status status =
        arnn_element_check(any ? "tape_type" : "tape_type, with relu,", desc->tape_type, any ? ANY_TYPE : WIDE_RANGE);
    if (!status)
        status = arnn_element_check("memory_type", desc->memory_type, WIDE_RANGE);
    if (!status)
        status = arnn_element_check("key_type", desc->key_type, WIDE_RANGE);
    return status;
}

static arnn_status check(const arnn_cache_desc *desc, const arnn_model *model)
{
    arnn_status status = arnn_check_struct("arnn_cache_desc", desc->struct_size, sizeof *desc);
    if (!status)
        status = check_types(desc, model);
    if (status)
        return status;
    if (desc->page_rows &&
        (desc->page_rows < 16 || desc->page_rows > ARNN_RUN_ROWS || desc->page_rows & (desc->page_rows - 1)))
        return arnn_error(ARNN_INVALID_ARGUMENT, "page_rows is %zu, expected a power of two from 16 to %d",
                          desc->page_rows, ARNN_RUN_ROWS);
    return arnn_check_threads(desc->threads);
}

arnn_status arnn_cache_create(arnn_cache **out, arnn_model *model, const arnn_cache_desc *desc)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(model);
    if (!desc)
        desc = &defaults;
    arnn_status status = check(desc, model);
    if (status)
        return status;
    return arnn_cache_new(out, model, desc);
}

void arnn_cache_destroy(arnn_cache *cache)
{
    arnn_cache_release(cache);
}

arnn_status arnn_cache_reserve(arnn_cache *cache, size_t streams, size_t rows)
{
    ARNN_REQUIRE(cache);
    return arnn_cache_provide(cache, streams, rows);
}

arnn_status arnn_cache_bytes(const arnn_cache *cache, size_t *allocated, size_t *used)
{
    ARNN_REQUIRE(cache);
    size_t page = cache->pool.shape.page_bytes;
    if (allocated)
        *allocated = cache->pool.made * page;
    if (used)
        *used = (cache->pool.made - cache->pool.unused) * page;
    return ARNN_OK;
}

arnn_status arnn_cache_page(const arnn_cache *cache, size_t *rows, size_t *bytes)
{
    ARNN_REQUIRE(cache);
    ARNN_REQUIRE(rows);
    ARNN_REQUIRE(bytes);
    *rows = cache->pool.shape.rows;
    *bytes = cache->pool.shape.page_bytes;
    return ARNN_OK;
}

/* The cache: the pages that all states on it share. */
#ifndef ARNN_RUN_CACHE_H
#define ARNN_RUN_CACHE_H

#include "attention/pool.h"
#include "base/threads.h"
#include "model/model.h"

struct arnn_cache {
    atomic_size_t references; /* the caller's, states */
    arnn_model *model;
    arnn_pool pool;
    arnn_threads *threads; /* NULL: steps run on the calling thread alone */
};

/* The shape of its pages; zero where the model has no tape. */
arnn_status arnn_cache_shape(arnn_page_shape *shape, const arnn_model_desc *desc, const arnn_cache_desc *cache);

/* desc: checked. */
arnn_status arnn_cache_new(arnn_cache **out, arnn_model *model, const arnn_cache_desc *desc);
void arnn_cache_retain(arnn_cache *cache);
void arnn_cache_release(arnn_cache *cache);

/* Room for so many streams of so many rows. */
arnn_status arnn_cache_provide(arnn_cache *cache, size_t streams, size_t rows);

#endif

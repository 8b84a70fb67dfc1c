/* Small models with states to run, and a picture of all that a state holds. */
#ifndef ARNN_TESTS_WORLD_H
#define ARNN_TESTS_WORLD_H

#include "check.h"

enum { WORLD_STREAMS = 3, WORLD_WIDTH = 5, WORLD_INPUTS = 4 };

typedef struct world {
    arnn_model_desc desc;
    arnn_model *model;
    arnn_cache *cache; /* NULL for wiring none */
    arnn_state *state; /* WORLD_STREAMS streams */
} world;

/* Defaults, but inputs 4 and hidden 5. */
arnn_model_desc world_desc(int32_t cell, int32_t wiring);

/* Model (initialised), cache and state. cache: NULL for the defaults. */
void world_make(world *w, const arnn_model_desc *desc, const arnn_cache_desc *cache);
void world_free(world *w);

/* `steps` steps of every stream, on inputs that differ by stream and by the stream's time. */
void world_run(world *w, size_t steps);

/* All that can be read of a state: lengths, values, rows, and the bytes of its cache. The caller frees `bytes`. */
typedef struct picture {
    char *bytes;
    size_t size;
} picture;

picture world_picture(const world *w);

/* Asserts that the state still looks like that, and frees the picture. */
void world_unchanged(const world *w, picture *before);

#endif

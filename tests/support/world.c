#include "world.h"

arnn_model_desc world_desc(int32_t cell, int32_t wiring)
{
    arnn_model_desc desc;
    assert_ok(arnn_model_desc_default(&desc, sizeof desc));
    desc.cell = cell;
    desc.wiring = wiring;
    desc.inputs = WORLD_INPUTS;
    desc.hidden = WORLD_WIDTH;
    return desc;
}

void world_make(world *w, const arnn_model_desc *desc, const arnn_cache_desc *cache)
{
    *w = (world){.desc = *desc};
    assert_ok(arnn_model_create(&w->model, desc));
    assert_ok(arnn_model_init(w->model, 1));
    if (desc->wiring != ARNN_WIRING_NONE)
        assert_ok(arnn_cache_create(&w->cache, w->model, cache));
    assert_ok(arnn_state_create(&w->state, w->model, w->cache, WORLD_STREAMS));
}

void world_free(world *w)
{
    arnn_state_destroy(w->state);
    arnn_cache_destroy(w->cache);
    arnn_model_destroy(w->model);
}

void world_run(world *w, size_t steps)
{
    float x[WORLD_STREAMS * WORLD_INPUTS];
    for (size_t t = 0; t < steps; t++) {
        size_t length;
        assert_ok(arnn_state_length(w->state, &length, 0));
        for (size_t i = 0; i < COUNT(x); i++)
            x[i] = (float)((i * 7 + length * 3) % 11) / 11.0f - 0.4f;
        arnn_input in = {.struct_size = sizeof in, .x = x};
        assert_ok(arnn_step(w->state, NULL, &in, NULL, WORLD_STREAMS));
    }
}

static void add(picture *p, const void *bytes, size_t size)
{
    p->bytes = realloc(p->bytes, p->size + size);
    assert_non_null(p->bytes);
    memcpy(p->bytes + p->size, bytes, size);
    p->size += size;
}

/* Rows that were recycled cannot be read; that they cannot is part of the picture. */
static void add_layer(picture *p, const world *w, size_t stream, size_t layer, size_t length)
{
    float row[WORLD_WIDTH];
    for (int32_t which = ARNN_VALUE_S; which <= ARNN_VALUE_H; which++) {
        if (arnn_state_get(w->state, row, which, layer, stream) == ARNN_OK)
            add(p, row, sizeof row);
    }
    for (size_t t = 0; t < length; t++) {
        arnn_status status = arnn_state_rows(w->state, row, NULL, layer, stream, t, 1);
        add(p, &status, sizeof status);
        if (status == ARNN_OK)
            add(p, row, sizeof row);
    }
}

picture world_picture(const world *w)
{
    picture p = {NULL, 0};
    size_t bytes[2] = {0, 0};
    if (w->cache)
        assert_ok(arnn_cache_bytes(w->cache, &bytes[0], &bytes[1]));
    add(&p, bytes, sizeof bytes);
    for (size_t stream = 0; stream < WORLD_STREAMS; stream++) {
        size_t length;
        assert_ok(arnn_state_length(w->state, &length, stream));
        add(&p, &length, sizeof length);
        for (size_t layer = 0; layer < w->desc.layers; layer++)
            add_layer(&p, w, stream, layer, length);
    }
    return p;
}

void world_unchanged(const world *w, picture *before)
{
    picture after = world_picture(w);
    assert_int_equal(after.size, before->size);
    assert_memory_equal(after.bytes, before->bytes, before->size);
    free(after.bytes);
    free(before->bytes);
    before->bytes = NULL;
}

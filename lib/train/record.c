#include "train/record.h"

#include <string.h>

#include "base/memory.h"
#include "train/layout.h"

/* ---- life ---- */

static arnn_status create_state(arnn_record *record, int32_t threads)
{
    bool tape = arnn_desc_has_tape(&record->model->desc);
    const arnn_cache_desc desc = {
        .threads = threads,
        .streams = tape ? record->streams : 0,
        .rows = tape ? record->past + record->steps : 0,
        .max_bytes = SIZE_MAX,
    };
    arnn_status status = arnn_cache_new(&record->cache, record->model, &desc);
    if (!status)
        status = arnn_state_new(&record->state, record->model, record->cache, record->streams);
    if (!status)
        arnn_state_yield(record->state);
    return status;
}

static arnn_status create_lists(arnn_record *record)
{
    record->kept = arnn_alloc(record->model->desc.layers, sizeof *record->kept);
    record->lengths = arnn_alloc(record->streams, sizeof *record->lengths);
    record->before = arnn_alloc(record->streams, sizeof *record->before);
    record->work = arnn_alloc(1, sizeof *record->work);
    if (record->work)
        record->work->streams = arnn_alloc(record->streams, sizeof *record->work->streams);
    bool work = record->work && record->work->streams;
    return record->kept && record->lengths && record->before && work ? ARNN_OK : arnn_error_no_memory("a record");
}

static bool allocate(void *context, float **pointer, size_t count)
{
    (void)context;
    *pointer = arnn_alloc_floats(count);
    return *pointer != NULL;
}

static bool release(void *context, float **pointer, size_t count)
{
    (void)context;
    (void)count;
    arnn_free(*pointer);
    return true;
}

static bool add_bytes(void *context, float **pointer, size_t count)
{
    size_t *total = context, bytes;
    (void)pointer;
    return arnn_size_mul(&bytes, count, sizeof(float)) && arnn_size_add(total, *total, bytes);
}

/* The tapes' pages. */
static bool add_pages(size_t *total, const arnn_model *model, const arnn_record_desc *desc)
{
    arnn_page_shape shape;
    size_t rows, bytes;
    if (!arnn_desc_has_tape(&model->desc))
        return true;
    return arnn_size_add(&rows, desc->past, desc->steps) &&
           arnn_cache_shape(&shape, &model->desc, &(arnn_cache_desc){0}) == ARNN_OK &&
           arnn_size_mul(&bytes, shape.page_bytes, arnn_page_shape_pages(&shape, rows)) &&
           arnn_size_mul(&bytes, bytes, desc->streams) && arnn_size_add(total, *total, bytes);
}

/* The ids of tokens, which the layout of floats does not have. */
static bool add_tokens(size_t *total, const arnn_model *model, const arnn_record *record)
{
    size_t bytes;
    return model->desc.vocab == 0 ||
           (arnn_size_mul(&bytes, record->streams, record->steps) &&
            arnn_size_mul(&bytes, bytes, sizeof *record->tokens) && arnn_size_add(total, *total, bytes));
}

size_t arnn_record_count_bytes(const arnn_model *model, const arnn_record_desc *desc)
{
    size_t total = 0;
    arnn_record record = {.streams = desc->streams, .steps = desc->steps, .past = desc->past};
    arnn_layout layout = {.model = model, .record = &record, .visit = add_bytes, .context = &total};
    bool fits = arnn_layout_visit(&layout) && add_tokens(&total, model, &record) && add_pages(&total, model, desc);
    return fits ? total : SIZE_MAX;
}

arnn_status arnn_record_new(arnn_record **out, arnn_model *model, const arnn_record_desc *desc)
{
    *out = NULL;
    if (arnn_record_count_bytes(model, desc) > PTRDIFF_MAX)
        return arnn_error(ARNN_NO_MEMORY, "no memory for a record of %zu streams, %zu steps and %zu past rows",
                          desc->streams, desc->steps, desc->past);
    arnn_record *record = arnn_alloc(1, sizeof *record);
    if (!record)
        return arnn_error_no_memory("a record");
    record->model = model;
    arnn_model_retain(model);
    record->streams = desc->streams;
    record->steps = desc->steps;
    record->past = desc->past;
    arnn_record_listen(record);
    arnn_layout layout = {.model = model, .record = record, .visit = allocate};
    arnn_status status = create_lists(record);
    if (!status && !arnn_layout_visit(&layout))
        status = arnn_error_no_memory("a record");
    if (!status && model->desc.vocab) {
        record->tokens = arnn_alloc(desc->streams * desc->steps, sizeof *record->tokens);
        status = record->tokens ? ARNN_OK : arnn_error_no_memory("a record");
    }
    if (!status)
        status = create_state(record, desc->threads);
    if (status)
        arnn_record_release(record);
    else
        *out = record;
    return status;
}

static void release_work(arnn_record *record)
{
    arnn_layout layout = {.model = record->model, .record = record, .visit = release};
    if (record->work && record->work->streams && record->kept)
        arnn_layout_visit(&layout);
    if (record->work)
        arnn_free(record->work->streams);
    arnn_free(record->work);
}

void arnn_record_release(arnn_record *record)
{
    if (!record)
        return;
    if (record->state)
        record->state->tap = NULL;
    arnn_state_release(record->state);
    arnn_cache_release(record->cache);
    release_work(record);
    arnn_free(record->tokens);
    arnn_free(record->before);
    arnn_free(record->lengths);
    arnn_free(record->kept);
    arnn_model_release(record->model);
    arnn_free(record);
}

/* ---- rows ---- */

static size_t taped(const arnn_record *record)
{
    return record->past + record->steps;
}

const float *arnn_record_taped_h(const arnn_record *record, size_t layer, size_t stream)
{
    return record->kept[layer].h + stream * taped(record) * record->model->desc.hidden;
}

const float *arnn_record_h(const arnn_record *record, size_t layer, size_t stream)
{
    size_t n = record->model->desc.hidden;
    if (!record->kept[layer].h) /* wiring none: h is s */
        return record->kept[layer].s + (stream * (record->steps + 1) + 1) * n;
    return arnn_record_taped_h(record, layer, stream) + record->before[stream] * n;
}

const float *arnn_record_top_h(const arnn_record *record, size_t stream)
{
    return arnn_record_h(record, record->model->desc.layers - 1, stream);
}

const float *arnn_record_top_s(const arnn_record *record, size_t stream)
{
    const arnn_kept *kept = &record->kept[record->model->desc.layers - 1];
    return kept->s + (stream * (record->steps + 1) + 1) * record->model->desc.hidden;
}

float *arnn_record_top_dh(const arnn_record *record, size_t stream)
{
    return record->top_dh + stream * record->steps * record->model->desc.hidden;
}

float *arnn_record_top_ds(const arnn_record *record, size_t stream)
{
    if (!record->top_ds)
        return arnn_record_top_dh(record, stream);
    return record->top_ds + stream * record->steps * record->model->desc.hidden;
}

static void clear_stream(void *context, size_t stream, size_t worker)
{
    const arnn_record *record = context;
    size_t bytes = record->steps * record->model->desc.hidden * sizeof(float);
    (void)worker;
    memset(arnn_record_top_dh(record, stream), 0, bytes);
    if (record->top_ds)
        memset(arnn_record_top_ds(record, stream), 0, bytes);
}

void arnn_record_clear(arnn_record *record)
{
    arnn_threads_run(record->state->threads, clear_stream, record, record->streams, false);
}

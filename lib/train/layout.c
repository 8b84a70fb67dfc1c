#include "train/layout.h"

#include "base/memory.h"

size_t arnn_query_width(const arnn_model_desc *desc)
{
    if (!arnn_desc_has_tape(desc))
        return 0;
    return arnn_score_of(desc->score)->has_keys ? desc->align : desc->hidden;
}

size_t arnn_widest_input(const arnn_model_desc *desc)
{
    size_t widest = 0;
    for (size_t layer = 0; layer < desc->layers; layer++) {
        size_t width = arnn_desc_input_width(desc, layer);
        widest = width > widest ? width : widest;
    }
    return widest;
}

typedef struct counts {
    size_t n, gates, query, keys, z; /* widths; z: the widest */
    size_t rows, late, taped;        /* of all streams */
    size_t columns;                  /* past + steps */
    bool attends, before, beside, memory;
} counts;

static bool count_up(counts *all, const arnn_layout *layout)
{
    const arnn_model_desc *desc = &layout->model->desc;
    const arnn_record *record = layout->record;
    size_t late;
    *all = (counts){
        .n = desc->hidden,
        .gates = layout->model->cell->gates * desc->hidden,
        .query = arnn_query_width(desc),
        .attends = arnn_desc_has_tape(desc),
        .before = arnn_wiring_of(desc)->reads_first,
        .beside = arnn_wiring_of(desc)->carries_h,
        .memory = layout->model->cell->has_memory,
    };
    all->keys = all->attends && arnn_score_of(desc->score)->has_keys ? desc->align : 0;
    all->z = desc->hidden + (all->before ? arnn_widest_input(desc) : 0);
    return arnn_size_add(&all->columns, record->past, record->steps) && arnn_size_add(&late, record->steps, 1) &&
           arnn_size_mul(&all->rows, record->steps, record->streams) &&
           arnn_size_mul(&all->late, late, record->streams) &&
           arnn_size_mul(&all->taped, all->columns, record->streams);
}

/* One array of `rows` rows; a width of 0 is none. */
static bool visit(const arnn_layout *layout, float **pointer, size_t width, size_t rows)
{
    size_t count;
    if (width == 0)
        return true;
    return arnn_size_mul(&count, width, rows) && layout->visit(layout->context, pointer, count);
}

typedef struct array {
    float **pointer;
    size_t width, rows;
} array;

static bool visit_all(const arnn_layout *layout, const array *arrays, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!visit(layout, arrays[i].pointer, arrays[i].width, arrays[i].rows))
            return false;
    }
    return true;
}

#define VISIT(layout, arrays) visit_all(layout, arrays, sizeof(arrays) / sizeof *(arrays))

static bool visit_layer(const arnn_layout *layout, const counts *all, arnn_kept *kept, size_t layer)
{
    size_t n = all->n, m_rows = all->before ? all->taped : all->late;
    const array arrays[] = {
        {&kept->x, arnn_desc_input_width(&layout->model->desc, layer), all->rows},
        {&kept->h, all->attends ? n : 0, all->taped},
        {&kept->s, n, all->late},
        {&kept->m, all->memory ? n : 0, m_rows},
        {&kept->memory, all->memory && all->before ? n : 0, all->rows},
        {&kept->first_h, all->beside ? n : 0, layout->record->streams},
        {&kept->logsumexp, all->attends ? 1 : 0, all->rows},
        {&kept->dp, layout->model->cell->has_gates ? all->gates : 0, all->rows},
        {&kept->dp_recurrent, layout->model->cell->splits ? all->gates : 0, all->rows},
    };
    return VISIT(layout, arrays);
}

static size_t packed_floats(const arnn_layout *layout, size_t outputs, size_t inputs)
{
    size_t bytes = layout->model->kernels->packed_bytes(outputs, inputs, ARNN_TYPE_F32);
    return bytes / sizeof(float) + (bytes % sizeof(float) > 0);
}

static bool visit_stream(const arnn_layout *layout, const counts *all, arnn_stream_work *work)
{
    const size_t block = ARNN_BLOCK_STEPS, n = all->n;
    const array arrays[] = {
        {&work->weights, all->attends ? 2 * block : 0, all->columns},
        {&work->owing, all->attends ? n + all->query : 0, block},
        {&work->queries, all->attends && !all->keys ? packed_floats(layout, block, n) : 0, 1},
        {&work->dm_read, all->memory && all->before ? n : 0, block},
        {&work->zero, all->attends ? block : 0, 1},
        {&work->dscore, all->keys, 1},
    };
    return VISIT(layout, arrays);
}

static bool visit_products(const arnn_layout *layout, const counts *all, arnn_layer_work *work)
{
    size_t n = all->n;
    const array arrays[] = {
        {&work->packed[0], packed_floats(layout, n, all->gates), 1},
        {&work->packed[1], all->beside ? packed_floats(layout, n, all->gates) : 0, 1},
        {&work->packed[2], all->attends ? packed_floats(layout, n, all->query) : 0, 1},
        {&work->packed[3], all->keys ? packed_floats(layout, n, all->keys) : 0, 1},
        {&work->folded, all->query, all->z},
    };
    return VISIT(layout, arrays);
}

static bool visit_rows(const arnn_layout *layout, const counts *all, arnn_backward_work *work)
{
    const arnn_model_desc *desc = &layout->model->desc;
    size_t n = all->n;
    arnn_record *record = layout->record;
    size_t every = record->streams * desc->layers; /* no more than the rows of some array */
    const array arrays[] = {
        {&record->top_dh, n, all->rows},
        {&record->top_ds, all->attends ? n : 0, all->rows},
        {&record->dx, arnn_widest_input(desc), all->rows},
        {&record->d_s, n, every},
        {&record->d_m, all->memory && !all->before ? n : 0, every},
        {&record->d_h, all->beside ? n : 0, every},
        {&work->carry_s, n, record->streams},
        {&work->carry_m, n, record->streams},
        {&work->carry_h, n, record->streams},
        {&work->back, n, record->streams},
        {&work->dz, n, record->streams},
        {&work->dp, layout->model->cell->has_gates ? 0 : all->gates, all->rows},
        {&work->dq, all->query, all->rows},
        {&work->dm, all->memory && all->before ? n : 0, all->rows},
        {&work->key, all->keys, all->taped},
        {&work->dkey, all->keys, all->taped},
        {&work->dskip, desc->skip && desc->layers > 1 ? desc->inputs : 0, all->rows},
        {&work->dfolded, all->query, all->z},
    };
    return VISIT(layout, arrays);
}

bool arnn_layout_visit(const arnn_layout *layout)
{
    counts all;
    arnn_kept no_kept = {0};
    arnn_stream_work no_stream = {0};
    arnn_backward_work no_work = {.streams = &no_stream};
    arnn_record *record = layout->record;
    bool counting = record->kept == NULL;
    arnn_backward_work *work = counting ? &no_work : record->work;
    if (!count_up(&all, layout) || !visit_rows(layout, &all, work) || !visit_products(layout, &all, &work->layer))
        return false;
    for (size_t layer = 0; layer < layout->model->desc.layers; layer++) {
        if (!visit_layer(layout, &all, counting ? &no_kept : &record->kept[layer], layer))
            return false;
    }
    for (size_t stream = 0; stream < record->streams; stream++) {
        if (!visit_stream(layout, &all, counting ? &no_stream : &work->streams[stream]))
            return false;
    }
    return true;
}

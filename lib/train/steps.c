/* The recurrence, backward: the steps of some streams, from the last to the first, in blocks. What is not in the
   recurrence is a matrix product before or after a block; what is, one product of all streams. */
#include <string.h>

#include "run/product.h"
#include "train/pass.h"

static void clear(float *values, size_t count)
{
    if (values)
        memset(values, 0, count * sizeof *values);
}

static const arnn_ready_layer *ready_of(const arnn_pass *pass)
{
    return &pass->record->model->ready->layers[pass->layer];
}

/* Of an array of one row a stream. */
static float *vector(const arnn_pass *pass, float *rows, size_t stream)
{
    return rows ? rows + stream * pass->n : NULL;
}

/* ---- before the steps of a block ---- */

arnn_inputs arnn_step_inputs(const arnn_pass *pass, size_t stream, size_t t)
{
    const arnn_kept *kept = pass->kept;
    size_t n = pass->n, x = pass->inputs, below = pass->layer > 0 ? n : x;
    const float *row = arnn_row(pass, kept->x, x, stream, t);
    return (arnn_inputs){
        .values = {[ARNN_FROM_BELOW] = row,
                   [ARNN_FROM_INPUT] = row + below,
                   [ARNN_FROM_HIDDEN] = arnn_record_h(pass->record, pass->layer, stream) + t * n,
                   [ARNN_FROM_SUMMARY] = arnn_late(pass, kept->s, n, stream, t)},
        .strides = {x, x, n, n},
    };
}

/* ---- one step of all streams ---- */

/* A step of those streams of a group that have it. */
typedef struct moment {
    const arnn_pass *pass;
    const arnn_group *group;
    size_t t;
} moment;

static bool has_step(const moment *now, size_t stream)
{
    return now->pass->record->lengths[stream] > now->t;
}

static size_t end_of(const moment *now)
{
    return now->group->first + now->group->count;
}

/* y (streams, n) += W' rows at t, for all streams that have the step: streams side by side are one product. */
static void add_product(const moment *now, float *y, const arnn_affine *turned, float *rows, size_t width)
{
    const arnn_pass *pass = now->pass;
    const arnn_order order = {.threads = now->group->threads, .back = now->t % 2};
    for (size_t stream = now->group->first, count; stream < end_of(now); stream += count) {
        bool there = has_step(now, stream);
        count = 1;
        while (stream + count < end_of(now) && has_step(now, stream + count) == there)
            count++;
        const arnn_inputs inputs = {.values[ARNN_FROM_BELOW] = arnn_row(pass, rows, width, stream, now->t),
                                    .strides[ARNN_FROM_BELOW] = pass->record->steps * width};
        if (there)
            arnn_product_add(&order, turned, pass->kernels, vector(pass, y, stream), &inputs, count);
    }
}

static void add_recurrent_debt(const moment *now, float *y)
{
    const arnn_pass *pass = now->pass;
    add_product(now, y, &pass->work->layer.recurrent, pass->dp_recurrent, pass->gates);
}

/* m that a step made, and what it had in place of m_{t-1}. */
static void take_memories(const arnn_pass *pass, arnn_cell_owed *owed, size_t stream, size_t t)
{
    const arnn_kept *kept = pass->kept;
    size_t n = pass->n;
    if (kept->memory) {
        owed->m = arnn_taped(pass, kept->m, n, stream, pass->record->before[stream] + t);
        owed->m_prev = arnn_row(pass, kept->memory, n, stream, t);
    } else if (kept->m) {
        owed->m = arnn_late(pass, kept->m, n, stream, t + 1);
        owed->m_prev = arnn_late(pass, kept->m, n, stream, t);
    }
}

/* dh and, for the LSTM, dm of a step are complete: through the cell. To dcarried comes what goes past the product. */
static void cell_step(const moment *now, size_t stream, const float *dm, float *dm_prev, float *dcarried)
{
    const arnn_pass *pass = now->pass;
    size_t n = pass->n, t = now->t;
    arnn_cell_owed owed = {.dcarried = dcarried, .hidden = n, .dm = dm, .dm_prev = dm_prev};
    owed.dh = arnn_row(pass, pass->dh, n, stream, t);
    owed.dp_input = arnn_row(pass, pass->dp, pass->gates, stream, t);
    owed.dp_recurrent = arnn_row(pass, pass->dp_recurrent, pass->gates, stream, t);
    owed.h = arnn_record_h(pass->record, pass->layer, stream) + t * n;
    arnn_carried(pass, &owed.carried, stream, t, 1);
    take_memories(pass, &owed, stream, t);
    pass->cell->backward(pass->kernels, &owed);
}

/* What later reads left to the row's key. */
static void add_key_debt(const moment *now, size_t stream, float *dh)
{
    const arnn_pass *pass = now->pass;
    size_t row = pass->record->before[stream] + now->t;
    if (!pass->keys)
        return;
    const arnn_inputs inputs = {
        .values[ARNN_FROM_BELOW] = arnn_taped(pass, pass->work->dkey, pass->keys, stream, row),
        .strides[ARNN_FROM_BELOW] = pass->keys};
    const arnn_order order = {.threads = now->group->threads, .back = now->t % 2};
    arnn_product_add(&order, &pass->work->layer.key, pass->kernels, dh, &inputs, 1);
}

/* dz = W' dq, of `before` the s half. */
static void make_dz(const moment *now)
{
    const arnn_pass *pass = now->pass;
    clear(vector(pass, pass->work->dz, now->group->first), now->group->count * pass->n);
    add_product(now, pass->work->dz, &pass->work->layer.query, pass->work->dq, pass->query);
}

/* A stream of a group, without attention. */
static void none_stream(void *context, size_t item, size_t worker)
{
    const moment *now = context;
    const arnn_pass *pass = now->pass;
    size_t n = pass->n, stream = now->group->first + item;
    (void)worker;
    if (!has_step(now, stream))
        return;
    float *dh = arnn_row(pass, pass->dh, n, stream, now->t), *carry = vector(pass, pass->work->carry_s, stream);
    float *carry_m = vector(pass, pass->work->carry_m, stream);
    arnn_add_scaled(dh, 1.0f, carry, n);
    cell_step(now, stream, carry_m, carry_m, carry);
}

static void step_none(const moment *now)
{
    moment own = *now;
    bool shared = ARNN_WORK_CELL(now->pass->gates, now->group->count) >= ARNN_WORK_SHARED;
    arnn_threads_run(shared ? now->group->threads : NULL, none_stream, &own, now->group->count, false);
    add_recurrent_debt(now, now->pass->work->carry_s);
}

/* `after` and `beside`: the attention first, then the cell. */
static void step_last(const moment *now)
{
    const arnn_pass *pass = now->pass;
    arnn_backward_work *work = pass->work;
    size_t n = pass->n, block = now->t / ARNN_BLOCK_STEPS * ARNN_BLOCK_STEPS;
    bool beside = pass->wiring->carries_h;
    float *carries = beside ? work->carry_h : work->carry_s; /* of what stands for h_{t-1} */
    for (size_t stream = now->group->first; stream < end_of(now); stream++) {
        if (!has_step(now, stream))
            continue;
        const arnn_steps steps = arnn_block_of(pass, stream, block);
        float *ds = arnn_row(pass, pass->ds, n, stream, now->t);
        arnn_add_scaled(ds, 1.0f, vector(pass, work->carry_s, stream), n);
        arnn_attention_step(pass, &steps, now->t, ds, NULL);
    }
    make_dz(now);
    for (size_t stream = now->group->first; stream < end_of(now); stream++) {
        if (!has_step(now, stream))
            continue;
        float *dh = arnn_row(pass, pass->dh, n, stream, now->t), *carry_m = vector(pass, work->carry_m, stream);
        arnn_add_scaled(dh, 1.0f, vector(pass, work->dz, stream), n);
        add_key_debt(now, stream, dh);
        if (beside) {
            arnn_add_scaled(dh, 1.0f, vector(pass, work->carry_h, stream), n);
            clear(vector(pass, work->carry_s, stream), n);
        }
        cell_step(now, stream, carry_m, carry_m, vector(pass, carries, stream));
    }
    add_recurrent_debt(now, carries);
    if (beside)
        add_product(now, work->carry_s, &work->layer.summary, pass->dp, pass->gates);
}

/* `before`: the cell first, then the attention that it read from. */
static void step_first(const moment *now)
{
    const arnn_pass *pass = now->pass;
    arnn_backward_work *work = pass->work;
    size_t n = pass->n, block = now->t / ARNN_BLOCK_STEPS * ARNN_BLOCK_STEPS;
    for (size_t stream = now->group->first; stream < end_of(now); stream++) {
        if (!has_step(now, stream))
            continue;
        float *dm_read = work->streams[stream].dm_read;
        add_key_debt(now, stream, arnn_row(pass, pass->dh, n, stream, now->t));
        cell_step(now, stream, work->dm ? arnn_row(pass, work->dm, n, stream, now->t) : NULL,
                  dm_read ? dm_read + (now->t - block) * n : NULL, vector(pass, work->back, stream));
    }
    add_recurrent_debt(now, work->back);
    for (size_t stream = now->group->first; stream < end_of(now); stream++) {
        if (!has_step(now, stream))
            continue;
        const arnn_steps steps = arnn_block_of(pass, stream, block);
        float *ds = arnn_row(pass, pass->ds, n, stream, now->t), *dm_read = work->streams[stream].dm_read;
        arnn_add_scaled(ds, 1.0f, vector(pass, work->back, stream), n);
        arnn_add_scaled(ds, 1.0f, vector(pass, work->carry_s, stream), n);
        arnn_attention_step(pass, &steps, now->t, ds, dm_read ? dm_read + (now->t - block) * n : NULL);
        clear(vector(pass, work->carry_s, stream), n);
    }
    add_product(now, work->carry_s, &work->layer.query, work->dq, pass->query);
}

static void step(const moment *now)
{
    if (now->pass->wiring->reads_first)
        step_first(now);
    else if (now->pass->wiring->reads_last)
        step_last(now);
    else
        step_none(now);
}

/* ---- all steps ---- */

static void begin_stream(const arnn_pass *pass, size_t stream)
{
    const arnn_record *record = pass->record;
    arnn_backward_work *work = pass->work;
    size_t n = pass->n, rows = record->before[stream] + record->lengths[stream];
    clear(vector(pass, work->carry_s, stream), n);
    clear(vector(pass, work->carry_m, stream), n);
    clear(vector(pass, work->carry_h, stream), n);
    clear(work->streams[stream].dscore, pass->keys);
    work->streams[stream].drecency = 0.0;
    if (work->dm)
        clear(arnn_row(pass, work->dm, n, stream, 0), record->lengths[stream] * n);
    if (!pass->keys)
        return;
    clear(arnn_taped(pass, work->dkey, pass->keys, stream, 0), rows * pass->keys);
    const arnn_inputs states = {.values[ARNN_FROM_HIDDEN] = arnn_taped(pass, pass->kept->h, n, stream, 0),
                                .strides[ARNN_FROM_HIDDEN] = n};
    arnn_ready_align(ready_of(pass), &ready_of(pass)->key, pass->kernels,
                     arnn_taped(pass, work->key, pass->keys, stream, 0), &states, rows);
}

/* What the initial values are owed. */
static void end_stream(const arnn_pass *pass, size_t stream)
{
    arnn_record *record = pass->record;
    const arnn_backward_work *work = pass->work;
    size_t n = pass->n, at = (pass->layer * record->streams + stream) * n, bytes = n * sizeof(float);
    memcpy(record->d_s + at, vector(pass, work->carry_s, stream), bytes);
    if (record->d_m)
        memcpy(record->d_m + at, vector(pass, work->carry_m, stream), bytes);
    if (record->d_h)
        memcpy(record->d_h + at, vector(pass, work->carry_h, stream), bytes);
}

static void return_block(const arnn_pass *pass, const arnn_group *group, size_t first)
{
    size_t end = group->first + group->count, most = 0;
    for (size_t stream = group->first; stream < end; stream++) {
        const arnn_steps block = arnn_block_of(pass, stream, first);
        most = block.count > most ? block.count : most;
        if (block.count && pass->query)
            arnn_attention_prepare(pass, &block);
    }
    for (size_t i = most; i-- > 0;)
        step(&(moment){pass, group, first + i});
    for (size_t stream = group->first; stream < end && pass->query; stream++) {
        const arnn_steps block = arnn_block_of(pass, stream, first);
        if (block.count)
            arnn_attention_finish(pass, &block);
    }
}

void arnn_steps_return(const arnn_pass *pass, const arnn_group *group)
{
    size_t longest = 0;
    for (size_t stream = group->first; stream < group->first + group->count; stream++) {
        size_t length = pass->record->lengths[stream];
        longest = length > longest ? length : longest;
        begin_stream(pass, stream);
    }
    for (size_t left = (longest + ARNN_BLOCK_STEPS - 1) / ARNN_BLOCK_STEPS; left > 0; left--)
        return_block(pass, group, (left - 1) * ARNN_BLOCK_STEPS);
    for (size_t stream = group->first; stream < group->first + group->count; stream++)
        end_stream(pass, stream);
}

#include "attention/read.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void clear(arnn_partial *partial, size_t hidden)
{
    memset(partial->h, 0, hidden * sizeof *partial->h);
    if (partial->m)
        memset(partial->m, 0, hidden * sizeof *partial->m);
    partial->max = -FLT_MAX;
    partial->sum = 0.0f;
}

arnn_merged arnn_merged_begin(float *h, float *m, float *run_h, float *run_m, size_t hidden)
{
    arnn_merged merged = {.all = {.h = h, .m = m}, .run = {.h = run_h, .m = run_m}, .hidden = hidden};
    clear(&merged.all, hidden);
    return merged;
}

static void add_scaled(float *sums, float own, const float *others, float other, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] = own * sums[i] + other * others[i];
}

/* Two partials over disjoint rows are one (spec 6.2). */
static void merge(arnn_partial *into, const arnn_partial *from, size_t hidden)
{
    float max = from->max > into->max ? from->max : into->max;
    float own = expf(into->max - max), other = expf(from->max - max);
    add_scaled(into->h, own, from->h, other, hidden);
    if (into->m)
        add_scaled(into->m, own, from->m, other, hidden);
    into->sum = own * into->sum + other * from->sum;
    into->max = max;
}

void arnn_merged_read(arnn_merged *merged, arnn_read_kernel *kernel, const arnn_query *query, const arnn_run *run,
                      float *scores)
{
    if (merged->all.sum == 0.0f) { /* nothing to merge with: the first run is summed in place */
        kernel(&merged->all, query, run, scores);
        return;
    }
    clear(&merged->run, merged->hidden);
    kernel(&merged->run, query, run, scores);
    merge(&merged->all, &merged->run, merged->hidden);
}

static void divide(float *values, float sum, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] /= sum;
}

float arnn_merged_finish(arnn_merged *merged)
{
    arnn_partial *all = &merged->all;
    if (all->sum == 0.0f)
        return -INFINITY;
    divide(all->h, all->sum, merged->hidden);
    if (all->m)
        divide(all->m, all->sum, merged->hidden);
    return all->max + logf(all->sum);
}

void arnn_merged_weigh(const arnn_merged *merged, float *scores, size_t count)
{
    const arnn_partial *all = &merged->all;
    for (size_t i = 0; i < count; i++)
        scores[i] = all->sum == 0.0f ? 0.0f : expf(scores[i] - all->max) / all->sum;
}

static float read_zero_row(arnn_merged *merged, const arnn_reader *reader, const arnn_query *query)
{
    float score;
    arnn_query own = *query;
    own.newest = 0; /* no row lies between it and the newest: it gets no recency */
    arnn_run run = {
        .h = reader->zeros,
        .m = merged->all.m ? reader->zeros : NULL,
        .key = reader->zero_key,
        .h_stride = query->hidden,
        .count = 1,
    };
    arnn_merged_read(merged, reader->kernel, &own, &run, &score);
    return score;
}

typedef struct range {
    size_t begin, end;
} range;

static range intersect(range a, range b)
{
    return (range){a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

static range page_range(const arnn_page *page, const arnn_page_shape *shape)
{
    return (range){page->index * shape->rows, (page->index + 1) * shape->rows};
}

static arnn_run run_of(const arnn_page *page, const arnn_page *then, const arnn_page_shape *shape, size_t layer,
                       range rows)
{
    arnn_tape_rows found = arnn_page_rows(page, shape, layer, rows.begin), next = {0};
    if (then)
        next = arnn_page_rows(then, shape, layer, then->index * shape->rows);
    return (arnn_run){
        .h = found.h,
        .m = found.m,
        .key = found.key,
        .h_type = shape->h_type,
        .m_type = shape->m_type,
        .key_type = shape->key_type,
        .h_stride = shape->hidden,
        .first = rows.begin,
        .count = rows.end - rows.begin,
        .next_h = next.h,
        .next_m = next.m,
        .next_key = next.key,
    };
}

/* Runs on their way to be read: at once, or by several threads when there are enough of them. */
typedef struct batch {
    arnn_merged *merged;
    const arnn_reader *reader;
    const arnn_query *query;
    const arnn_share *share;
    float *scores; /* by absolute row; NULL if not wanted */
    bool back;     /* from the newest page to the oldest */
    size_t count;
} batch;

static float *scores_of(const batch *self, const arnn_run *run)
{
    return self->scores ? self->scores + run->first : NULL;
}

static void read_shared(void *context, size_t item, size_t worker)
{
    batch *self = context;
    size_t n = self->query->hidden, i = self->back ? self->count - 1 - item : item; /* items: as they are on the tape */
    const arnn_run *run = &self->share->runs[i];
    arnn_partial *partial = &self->share->partials[i];
    (void)worker;
    *partial = (arnn_partial){.h = self->share->h + i * n, .m = run->m ? self->share->m + i * n : NULL};
    clear(partial, n);
    self->reader->kernel(partial, self->query, run, scores_of(self, run));
}

/* In the order of the runs, as one thread would. */
static void flush(batch *self)
{
    arnn_partial *all = &self->merged->all;
    arnn_threads_run(self->share->threads, read_shared, self, self->count, self->back);
    for (size_t i = 0; i < self->count; i++) {
        const arnn_partial *partial = &self->share->partials[i];
        if (all->sum != 0.0f) {
            merge(all, partial, self->query->hidden);
            continue;
        }
        memcpy(all->h, partial->h, self->query->hidden * sizeof *all->h);
        if (all->m)
            memcpy(all->m, partial->m, self->query->hidden * sizeof *all->m);
        all->max = partial->max;
        all->sum = partial->sum;
    }
    self->count = 0;
}

static void take_run(batch *self, const arnn_run *run)
{
    if (!self->share) {
        arnn_merged_read(self->merged, self->reader->kernel, self->query, run, scores_of(self, run));
        return;
    }
    self->share->runs[self->count++] = *run;
    if (self->count == self->share->most)
        flush(self);
}

/* What is read of a page, and which page comes then. */
static void take_page(batch *self, const arnn_page *page, const arnn_page *then, const arnn_page_shape *shape,
                      size_t layer, const range spans[2])
{
    for (size_t i = 0; i < 2; i++) {
        range rows = intersect(page_range(page, shape), spans[self->back ? 1 - i : i]);
        if (rows.begin >= rows.end)
            continue;
        const arnn_run run = run_of(page, then, shape, layer, rows);
        take_run(self, &run);
    }
}

static void take_tape(batch *self, const arnn_tape *tape, const arnn_page_shape *shape, size_t layer, arnn_span span)
{
    const range spans[] = {{0, span.sinks}, {span.first, span.rows}};
    const arnn_page *page = self->back ? tape->newest : tape->oldest;
    for (const arnn_page *then; tape->pages > 0 && page; page = then) {
        then = self->back ? page->before : page->next;
        take_page(self, page, then, shape, layer, spans);
    }
    if (self->count)
        flush(self);
}

static void fill(float *values, float value, size_t count)
{
    for (size_t i = 0; values && i < count; i++)
        values[i] = value;
}

/* What a tape would give that could hold the NaN. */
static void lose(arnn_reading *reading, arnn_span span, bool start_zero, size_t hidden)
{
    fill(reading->h, NAN, hidden);
    fill(reading->m, NAN, hidden);
    fill(reading->weights, NAN, span.sinks);
    fill(reading->weights ? reading->weights + span.first : NULL, NAN, span.rows - span.first);
    reading->logsumexp = NAN;
    reading->zero_weight = start_zero ? NAN : 0.0f;
}

static void weigh(const arnn_merged *merged, float *scores, arnn_span span)
{
    if (!scores)
        return;
    arnn_merged_weigh(merged, scores, span.sinks);
    arnn_merged_weigh(merged, scores + span.first, span.rows - span.first);
}

void arnn_read_tape(arnn_reading *reading, const arnn_reader *reader, const arnn_query *query, const arnn_tape *tape,
                    const arnn_page_shape *shape, size_t layer, size_t rows)
{
    arnn_span span = arnn_tape_span(shape, rows);
    if (tape->lost) {
        lose(reading, span, reader->start_zero, query->hidden);
        return;
    }
    arnn_merged merged = arnn_merged_begin(reading->h, reading->m, reading->run_h, reading->run_m, query->hidden);
    float zero_score = reader->start_zero ? read_zero_row(&merged, reader, query) : 0.0f;
    batch runs = {
        .merged = &merged,
        .reader = reader,
        .query = query,
        .share = reading->share,
        .scores = reading->weights,
        .back = rows % 2,
    };
    take_tape(&runs, tape, shape, layer, span);
    reading->logsumexp = arnn_merged_finish(&merged);
    arnn_merged_weigh(&merged, &zero_score, reader->start_zero);
    reading->zero_weight = zero_score;
    weigh(&merged, reading->weights, span);
}

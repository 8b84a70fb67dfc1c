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

static void read_page(arnn_merged *merged, const arnn_reader *reader, const arnn_query *query, const arnn_page *page,
                      const arnn_page_shape *shape, size_t layer, range rows, float *scores)
{
    if (rows.begin >= rows.end)
        return;
    arnn_tape_rows found = arnn_page_rows(page, shape, layer, rows.begin), next = {0};
    if (page->next)
        next = arnn_page_rows(page->next, shape, layer, page->next->index * shape->rows);
    arnn_run run = {
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
    };
    arnn_merged_read(merged, reader->kernel, query, &run, scores ? scores + rows.begin : NULL);
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
    range sinks = {0, span.sinks}, window = {span.first, span.rows};
    if (tape->lost) {
        lose(reading, span, reader->start_zero, query->hidden);
        return;
    }
    arnn_merged merged = arnn_merged_begin(reading->h, reading->m, reading->run_h, reading->run_m, query->hidden);
    float zero_score = reader->start_zero ? read_zero_row(&merged, reader, query) : 0.0f;
    for (const arnn_page *page = tape->oldest; page; page = page->next) {
        range here = page_range(page, shape);
        read_page(&merged, reader, query, page, shape, layer, intersect(here, sinks), reading->weights);
        read_page(&merged, reader, query, page, shape, layer, intersect(here, window), reading->weights);
    }
    reading->logsumexp = arnn_merged_finish(&merged);
    arnn_merged_weigh(&merged, &zero_score, reader->start_zero);
    reading->zero_weight = zero_score;
    weigh(&merged, reading->weights, span);
}

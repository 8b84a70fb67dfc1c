#include "attention/read.h"

#include <float.h>
#include <math.h>
#include <string.h>

arnn_partial arnn_partial_begin(float *h, float *m, size_t hidden)
{
    memset(h, 0, hidden * sizeof *h);
    if (m)
        memset(m, 0, hidden * sizeof *m);
    return (arnn_partial){.h = h, .m = m, .max = -FLT_MAX, .sum = 0.0f};
}

static void divide(float *values, float sum, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] /= sum;
}

float arnn_partial_finish(arnn_partial *partial, size_t hidden)
{
    if (partial->sum == 0.0f)
        return -INFINITY;
    divide(partial->h, partial->sum, hidden);
    if (partial->m)
        divide(partial->m, partial->sum, hidden);
    return partial->max + logf(partial->sum);
}

void arnn_scores_to_weights(float *scores, size_t count, float logsumexp)
{
    for (size_t i = 0; i < count; i++)
        scores[i] = logsumexp == -INFINITY ? 0.0f : expf(scores[i] - logsumexp);
}

static float read_zero_row(arnn_partial *partial, const arnn_reader *reader, const arnn_query *query)
{
    float score;
    arnn_query own = *query;
    own.newest = 0; /* no row lies between it and the newest: it gets no recency */
    arnn_run run = {
        .h = reader->zeros,
        .m = partial->m ? reader->zeros : NULL,
        .key = reader->zero_key,
        .h_stride = query->hidden,
        .count = 1,
    };
    reader->kernel(partial, &own, &run, &score);
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

static void read_page(arnn_partial *partial, const arnn_reader *reader, const arnn_query *query, const arnn_page *page,
                      const arnn_page_shape *shape, size_t layer, range rows, float *scores)
{
    if (rows.begin >= rows.end)
        return;
    arnn_tape_rows found = arnn_page_rows(page, shape, layer, rows.begin);
    arnn_run run = {
        .h = found.h,
        .m = found.m,
        .key = found.key,
        .h_stride = shape->hidden,
        .first = rows.begin,
        .count = rows.end - rows.begin,
    };
    reader->kernel(partial, query, &run, scores ? scores + rows.begin : NULL);
}

static void weigh(float *scores, arnn_span span, float logsumexp)
{
    if (!scores)
        return;
    arnn_scores_to_weights(scores, span.sinks, logsumexp);
    arnn_scores_to_weights(scores + span.first, span.rows - span.first, logsumexp);
}

void arnn_read_tape(arnn_reading *reading, const arnn_reader *reader, const arnn_query *query, const arnn_tape *tape,
                    const arnn_page_shape *shape, size_t layer, size_t rows)
{
    arnn_span span = arnn_tape_span(shape, rows);
    range sinks = {0, span.sinks}, window = {span.first, span.rows};
    arnn_partial partial = arnn_partial_begin(reading->h, reading->m, query->hidden);
    float zero_score = reader->start_zero ? read_zero_row(&partial, reader, query) : 0.0f;
    for (const arnn_page *page = tape->oldest; page; page = page->next) {
        range here = page_range(page, shape);
        read_page(&partial, reader, query, page, shape, layer, intersect(here, sinks), reading->weights);
        read_page(&partial, reader, query, page, shape, layer, intersect(here, window), reading->weights);
    }
    reading->logsumexp = arnn_partial_finish(&partial, query->hidden);
    arnn_scores_to_weights(&zero_score, reader->start_zero, reading->logsumexp);
    reading->zero_weight = zero_score;
    weigh(reading->weights, span, reading->logsumexp);
}

/* Reads of a tape: rows in guarded memory, and the same read in double. */
#ifndef ARNN_TESTS_READS_H
#define ARNN_TESTS_READS_H

#include "kernels.h"

/* A run, a query, and the partial that the run extends. */
typedef struct reading {
    arnn_read_kind kind;
    size_t n, k, count, stride;
    guard h, m, key, query, score;  /* in float32: the rows as their types have rounded them */
    guard h_rows, m_rows, key_rows; /* the rows as elements of their types; empty where that is float32 */
    guard sum_h, sum_m; /* of the partial before the run */
    float max, sum;     /* likewise */
    arnn_query form;
    arnn_run run;
} reading;

/* A result: sums, scores, and the rest of the partial. */
typedef struct result {
    guard h, m, scores;
    arnn_partial partial;
} result;

typedef struct shape {
    arnn_read_kind kind;
    size_t n, k, count, stride, first;
    bool memories;
    float recency;
    int32_t h_type, m_type, key_type;
} shape;

/* Rows as elements of a type; the floats become what those stand for. Of float32 they are the rows themselves. */
static inline guard encoded(const guard *floats, int32_t type, guard_side side)
{
    const arnn_element *element = arnn_element_of(type);
    guard rows = guard_make_bytes(type == ARNN_TYPE_F32 ? 0 : floats->count * element->bytes, side);
    for (size_t i = 0; i < floats->count && rows.bytes; i++) {
        element->encode(rows.floats, i, floats->floats[i]);
        floats->floats[i] = element->decode(rows.floats, i);
    }
    return rows;
}

static inline const void *rows_from(const guard *floats, const guard *rows, int32_t type, size_t elements)
{
    const guard *from = type == ARNN_TYPE_F32 ? floats : rows;
    return (const unsigned char *)from->floats + elements * arnn_element_of(type)->bytes;
}

/* Keys and queries within `size`; of the exponent kind what is kept is exp(2 ..) of them. */
static inline void fill_keys(rng *r, guard *values, arnn_read_kind kind, float size)
{
    rng_fill(r, values->floats, values->count, size);
    if (kind == ARNN_READ_EXPONENT)
        arnn_kernels_ref.exponents(values->floats, values->count);
}

/* Random content; the partial is the empty one. What lies between rows stays NaN. */
static inline reading reading_make(rng *r, const shape *s, guard_side side)
{
    bool keys = s->kind != ARNN_READ_DOT;
    reading a = {.kind = s->kind, .n = s->n, .k = keys ? s->k : 0, .count = s->count, .stride = s->stride};
    a.h = guard_make(strided(s->count, s->n, s->stride), side);
    a.m = guard_make(s->memories ? s->count * s->n : 0, side);
    a.key = guard_make(s->count * a.k, side);
    a.query = guard_make(keys ? s->k : s->n, side);
    a.score = guard_make(a.k, side);
    a.sum_h = guard_make(s->n, side);
    a.sum_m = guard_make(s->memories ? s->n : 0, side);
    rng_rows(r, a.h.floats, s->count, s->n, s->stride, 1.0f);
    rng_fill(r, a.m.floats, a.m.count, 3.0f);
    fill_keys(r, &a.key, s->kind, 3.0f);
    fill_keys(r, &a.query, s->kind, 2.0f);
    rng_fill(r, a.score.floats, a.score.count, 1.0f);
    memset(a.sum_h.floats, 0, a.sum_h.count * sizeof(float));
    memset(a.sum_m.floats, 0, a.sum_m.count * sizeof(float));
    a.max = -FLT_MAX;
    a.form = (arnn_query){
        .query = a.query.floats,
        .score = keys ? a.score.floats : NULL,
        .recency = s->recency,
        .newest = s->first + s->count - 1 + rng_below(r, 3),
        .hidden = s->n,
        .align = a.k,
        .bytes = rng_below(r, 2) ? SIZE_MAX : 0, /* fetched from further ahead, which no result may show */
    };
    for (size_t j = 0; j < a.k; j++)
        a.form.score_sum += a.score.floats[j];
    a.h_rows = encoded(&a.h, s->h_type, side);
    a.m_rows = encoded(&a.m, s->m_type, side);
    a.key_rows = encoded(&a.key, s->key_type, side);
    a.run = (arnn_run){
        .h = rows_from(&a.h, &a.h_rows, s->h_type, 0),
        .m = s->memories ? rows_from(&a.m, &a.m_rows, s->m_type, 0) : NULL,
        .key = keys ? rows_from(&a.key, &a.key_rows, s->key_type, 0) : NULL,
        .h_type = s->h_type,
        .m_type = s->m_type,
        .key_type = s->key_type,
        .h_stride = s->stride,
        .first = s->first,
        .count = s->count,
    };
    return a;
}

static inline void reading_freeze(const reading *a)
{
    const guard *const inputs[] = {&a->h,     &a->m,     &a->key,    &a->query,  &a->score,
                                   &a->sum_h, &a->sum_m, &a->h_rows, &a->m_rows, &a->key_rows};
    for (size_t i = 0; i < COUNT(inputs); i++)
        guard_freeze(inputs[i]);
}

static inline void reading_free(reading *a)
{
    guard *const all[] = {&a->h,     &a->m,     &a->key,    &a->query,  &a->score,
                          &a->sum_h, &a->sum_m, &a->h_rows, &a->m_rows, &a->key_rows};
    for (size_t i = 0; i < COUNT(all); i++)
        guard_free(all[i]);
}

static inline result result_begin(const reading *a, guard_side side)
{
    result to = {.h = guard_make(a->n, side), .m = guard_make(a->m.count ? a->n : 0, side)};
    to.scores = guard_make(a->count, side);
    memcpy(to.h.floats, a->sum_h.floats, a->n * sizeof(float));
    memcpy(to.m.floats, a->sum_m.floats, to.m.count * sizeof(float));
    to.partial = (arnn_partial){to.h.floats, to.m.count ? to.m.floats : NULL, a->max, a->sum};
    return to;
}

/* Rows from .. to-1 of the run join. */
static inline void result_extend(result *to, const reading *a, const arnn_kernels *table, size_t from, size_t end)
{
    arnn_run run = a->run;
    run.h = rows_from(&a->h, &a->h_rows, run.h_type, from * a->stride);
    run.m = run.m ? rows_from(&a->m, &a->m_rows, run.m_type, from * a->n) : NULL;
    run.key = run.key ? rows_from(&a->key, &a->key_rows, run.key_type, from * a->k) : NULL;
    run.first += from;
    run.count = end - from;
    if (run.count)
        table->read[a->kind](&to->partial, &a->form, &run, to->scores.floats + from);
}

static inline result result_of(const reading *a, const arnn_kernels *table, guard_side side)
{
    result to = result_begin(a, side);
    result_extend(&to, a, table, 0, a->count);
    assert_true(guard_intact(&to.h) && guard_intact(&to.m) && guard_intact(&to.scores));
    return to;
}

static inline void result_free(result *to)
{
    guard_free(&to->h);
    guard_free(&to->m);
    guard_free(&to->scores);
}

/* ---- in double ---- */

/* One row's score without recency, and how far a float score may be off. */
static inline double true_score(const reading *a, size_t row, double *bound)
{
    const float *h = a->h.floats + row * a->stride, *key = a->key.floats + row * a->k, *query = a->query.floats;
    double sum = 0.0, size = 0.0, v_size = 0.0;
    size_t count = a->kind == ARNN_READ_DOT ? a->n : a->k;
    for (size_t j = 0; j < count; j++) {
        double v = a->kind == ARNN_READ_DOT ? 0.0 : (double)a->score.floats[j];
        double term = a->kind == ARNN_READ_DOT      ? (double)h[j] * (double)query[j]
                      : a->kind == ARNN_READ_EXPONENT ? v / (1.0 + (double)key[j] * (double)query[j])
                                                    : v * tanh((double)key[j] + (double)query[j]);
        sum += term;
        size += fabs(term);
        v_size += fabs(v);
    }
    if (a->kind == ARNN_READ_DOT) {
        *bound = (double)(count + 1) * U * size; /* each term: `count` roundings; one more for higher orders */
        return sum;
    }
    if (a->kind == ARNN_READ_TANH) {
        /* tanh of a rounded sum: 4 U (see cells.h); then as many roundings as terms */
        *bound = (4.0 + (double)count + 1.0) * U * v_size;
        return sum;
    }
    /* E F, 1 + E F, and with four units to a division 3 products, 2 fused sums of two roundings and the division: 12
       U each; then the sum; E F capped at 2^30; score_sum, of k terms, is given; 2 sum and the difference: 2 U. */
    *bound = (12.0 + (double)count) * U * 2.0 * size + 2.0 * 0x1p-30 * v_size +
             2.0 * U * (fabs((double)a->form.score_sum) + 2.0 * size);
    return (double)a->form.score_sum - 2.0 * sum;
}

typedef struct truth {
    double *scores, *h, *m; /* (count), (n): means */
    double logsumexp;
    double score_bound, mean_bound, memory_bound, log_bound;
} truth;

/* Means of the partial and the run's rows. Bounds: scores off by d change each weight by a factor within e^(2 d), so
   means of rows within H by at most 2 d H (d small); a sum of `count` weighted rows has count + 1
   roundings, weights are exponentials of 1.1 ulp (2.2 U) at a rounded argument (|x| e^x U < U), and a maximum that
   moves, at most once a row, scales by another: (4 count + 16) U H in all. */
static inline truth truth_make(const reading *a)
{
    truth t = {.scores = malloc((a->count + 1) * sizeof(double)), .h = calloc(a->n, sizeof(double))};
    t.m = calloc(a->n, sizeof(double));
    double top = a->sum > 0.0f ? (double)a->max : -INFINITY, h_size = 0.0, m_size = 0.0;
    for (size_t i = 0; i < a->count; i++) {
        double bound, delta = (double)a->form.recency * (double)(a->form.newest - a->run.first - i);
        t.scores[i] = true_score(a, i, &bound) - delta;
        bound += 2.0 * U * fabs(delta) + U * fabs(t.scores[i]);
        t.score_bound = fmax(t.score_bound, bound);
        top = fmax(top, t.scores[i]);
    }
    double before = a->sum > 0.0f ? exp((double)a->max - top) : 0.0, sum = (double)a->sum * before;
    for (size_t j = 0; j < a->n; j++) {
        t.h[j] = (double)a->sum_h.floats[j] * before;
        t.m[j] = a->m.count ? (double)a->sum_m.floats[j] * before : 0.0;
        h_size = fmax(h_size, a->sum > 0.0f ? fabs((double)a->sum_h.floats[j] / (double)a->sum) : 0.0);
        m_size = fmax(m_size, a->sum > 0.0f && a->m.count ? fabs((double)a->sum_m.floats[j] / (double)a->sum) : 0.0);
    }
    for (size_t i = 0; i < a->count; i++) {
        double weight = exp(t.scores[i] - top);
        sum += weight;
        for (size_t j = 0; j < a->n; j++) {
            double h = (double)a->h.floats[i * a->stride + j], m = a->m.count ? (double)a->m.floats[i * a->n + j] : 0.0;
            t.h[j] += weight * h;
            t.m[j] += weight * m;
            h_size = fmax(h_size, fabs(h));
            m_size = fmax(m_size, fabs(m));
        }
    }
    for (size_t j = 0; j < a->n; j++) {
        t.h[j] /= sum;
        t.m[j] /= sum;
    }
    t.logsumexp = top + log(sum);
    double relative = 2.0 * t.score_bound + (double)(4 * a->count + 16) * U;
    t.mean_bound = relative * h_size;
    t.memory_bound = relative * m_size;
    t.log_bound = t.score_bound + (double)(4 * a->count + 16) * U + 2.0 * U * fabs(t.logsumexp);
    return t;
}

static inline void truth_free(truth *t)
{
    free(t->scores);
    free(t->h);
    free(t->m);
}

static inline void check_truth(const reading *a, const truth *t, const result *got)
{
    double sum = (double)got->partial.sum;
    for (size_t i = 0; i < a->count; i++)
        assert_near((double)got->scores.floats[i], t->scores[i], t->score_bound);
    assert_near((double)got->partial.max + log(sum), t->logsumexp, t->log_bound);
    for (size_t j = 0; j < a->n; j++) {
        assert_near((double)got->h.floats[j] / sum, t->h[j], t->mean_bound);
        if (a->m.count)
            assert_near((double)got->m.floats[j] / sum, t->m[j], t->memory_bound);
    }
}

/* Two tables, or two ways of cutting, are both near the truth: at most twice as far from each other. */
static inline void check_like(const reading *a, const truth *t, const result *got, const result *ref)
{
    double sum = (double)got->partial.sum, ref_sum = (double)ref->partial.sum;
    for (size_t i = 0; i < a->count; i++)
        assert_near((double)got->scores.floats[i], (double)ref->scores.floats[i], 2.0 * t->score_bound);
    for (size_t j = 0; j < a->n; j++) {
        assert_near((double)got->h.floats[j] / sum, (double)ref->h.floats[j] / ref_sum, 2.0 * t->mean_bound);
        if (a->m.count)
            assert_near((double)got->m.floats[j] / sum, (double)ref->m.floats[j] / ref_sum, 2.0 * t->memory_bound);
    }
}

static inline bool same_result(const result *a, const result *b)
{
    return same_bits(a->h.floats, b->h.floats, a->h.count) && same_bits(a->m.floats, b->m.floats, a->m.count) &&
           same_bits(&a->partial.max, &b->partial.max, 1) && same_bits(&a->partial.sum, &b->partial.sum, 1);
}

#endif

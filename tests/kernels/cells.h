/* A cell's step in guarded memory, and the cells in double. */
#ifndef ARNN_TESTS_CELLS_H
#define ARNN_TESTS_CELLS_H

#include "kernels.h"

typedef struct truth_cell {
    const char *name;
    size_t gates;
    bool memory, carried;
    size_t kernel; /* offset in the table */
    double bound;  /* of h and m: see below */
    /* h (and m) of one unit from its gates, n floats apart */
    void (*unit)(double *h, double *m, const float *input, const float *recurrent, size_t n, float s, float m_prev);
} truth_cell;

static inline arnn_cell_kernel *kernel_of(const arnn_kernels *table, const truth_cell *cell)
{
    arnn_cell_kernel *kernel;
    memcpy(&kernel, (const char *)table + cell->kernel, sizeof kernel);
    return kernel;
}

static inline double true_sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static inline double both(const float *input, const float *recurrent, size_t i)
{
    return (double)input[i] + (double)recurrent[i];
}

static inline void unit_tanh(double *h, double *m, const float *a, const float *b, size_t n, float s, float m_prev)
{
    (void)m, (void)b, (void)n, (void)s, (void)m_prev;
    *h = tanh((double)a[0]);
}

static inline void unit_relu(double *h, double *m, const float *a, const float *b, size_t n, float s, float m_prev)
{
    (void)m, (void)b, (void)n, (void)s, (void)m_prev;
    *h = fmax(0.0, (double)a[0]);
}

static inline void unit_gru(double *h, double *m, const float *a, const float *b, size_t n, float s, float m_prev)
{
    (void)m, (void)m_prev;
    double r = true_sigmoid(both(a, b, 0)), u = true_sigmoid(both(a, b, n));
    double g = tanh((double)a[2 * n] + r * (double)b[2 * n]);
    *h = (1.0 - u) * g + u * (double)s;
}

static inline void unit_lstm(double *h, double *m, const float *a, const float *b, size_t n, float s, float m_prev)
{
    (void)b, (void)s;
    double i = true_sigmoid((double)a[0]), f = true_sigmoid((double)a[n]), g = tanh((double)a[2 * n]);
    *m = f * (double)m_prev + i * g;
    *h = true_sigmoid((double)a[3 * n]) * tanh(*m);
}

/* Bounds, in units of U, where gates are within 8, the GRU's two parts of them, m_prev and s within 4. A tanh or a
   sigmoid is off by at most 3 ulp (1 ulp is U below 1). A sum x of two parts is rounded by at most U |x|; tanh scales
   that by 1 - tanh(x)^2, at most 0.45 / |x|, sigmoid by at most 0.23 / |x|: the GRU's are off by 4 U.
     relu  exact
     tanh  3
     gru   r 4; r b: 16, and 4 + 2 roundings, g: 22 + 3; u 4, 1-u 4.5; h = 4.5 + 25 + 16 (|s| <= 4) + 4 roundings: 50
     lstm  i, f, g, o 3; m: 12 + 3 + 3, its products and their sum 2 + 0.5 + 4: 24.5; tanh m: 27.5; h: 3 + 27.5 + 1 */
static const truth_cell cells[] = {
    {"rnn_tanh", 1, false, false, offsetof(arnn_kernels, rnn_tanh), 3.0 * U, unit_tanh},
    {"rnn_relu", 1, false, false, offsetof(arnn_kernels, rnn_relu), 0.0, unit_relu},
    {"gru", 3, false, true, offsetof(arnn_kernels, gru), 50.0 * U, unit_gru},
    {"lstm", 4, true, false, offsetof(arnn_kernels, lstm), 32.0 * U, unit_lstm},
};

typedef struct batch {
    const truth_cell *cell;
    size_t streams, n;
    guard input, recurrent, carried, memory, h, m;
} batch;

static inline batch batch_make(rng *r, const truth_cell *cell, size_t streams, size_t n, guard_side side)
{
    size_t units = streams * n, gates = units * cell->gates;
    batch b = {.cell = cell, .streams = streams, .n = n};
    b.input = guard_make(gates, side);
    b.recurrent = guard_make(cell->carried ? gates : 0, side);
    b.carried = guard_make(cell->carried ? units : 0, side);
    b.memory = guard_make(cell->memory ? units : 0, side);
    b.h = guard_make(units, side);
    b.m = guard_make(cell->memory ? units : 0, side);
    guard *const rest[] = {&b.recurrent, &b.carried, &b.memory};
    rng_fill(r, b.input.floats, b.input.count, cell->carried ? 4.0f : 8.0f);
    for (size_t i = 0; i < COUNT(rest); i++)
        rng_fill(r, rest[i]->floats, rest[i]->count, 4.0f);
    return b;
}

static inline void batch_free(batch *b)
{
    guard *const all[] = {&b->input, &b->recurrent, &b->carried, &b->memory, &b->h, &b->m};
    for (size_t i = 0; i < COUNT(all); i++)
        guard_free(all[i]);
}

/* The streams from .. to-1, into h and m. */
static inline void batch_run(const batch *b, const arnn_kernels *table, size_t from, size_t to)
{
    size_t gates = from * b->cell->gates * b->n, units = from * b->n;
    const arnn_cell_step step = {
        .h = b->h.floats + units,
        .m = b->cell->memory ? b->m.floats + units : NULL,
        .input = b->input.floats + gates,
        .recurrent = b->cell->carried ? b->recurrent.floats + gates : NULL,
        .carried = b->cell->carried ? b->carried.floats + units : NULL,
        .memory = b->cell->memory ? b->memory.floats + units : NULL,
        .streams = to - from,
        .hidden = b->n,
    };
    kernel_of(table, b->cell)(&step);
}

#endif

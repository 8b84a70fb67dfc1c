/* The cells backward, of every table: against double, in guarded memory, over tails and far beyond the gates' range. */
#include "cells.h"

static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65};

enum { INPUT, RECURRENT, DH, DM, M, M_PREV, CARRIED, GIVEN };

/* Bounds, in units of U, where gates are within 8, parts of their sums within 4, dh and dm within 1, m_prev within 2 and
   s within 1. A sigmoid or a tanh is off by 3 ulp, by 2 for the rounding of a sum (cells.h), and by 3 roundings more
   where two share a division: 8. So v (1 - v) is off by 8 and a rounding, 9, and 1 - v^2 by 18.
     lstm  dh o: 9; dm (at most 2): 9 + 18 + 3 = 30
           i: 30/4 + 2 x 8/4 + 2 x 9 + 2 = 32; f: 2 x 30/4 + 4 x 9 + 2 = 53; g: 30 + 2 x 8 + 2 x 18 + 4 = 86
           o: 8/4 + 9 + 1 = 12; dm_prev: 30 + 2 x 8 + 2 = 48
     gru   g: r b is off by 4 x 8, its sum by 2 roundings of 8: 48 + 8 = 56
           dg: 8 + 2 + 2 x 56 + 2 + 2 = 126; du: (56 + 2) / 4 + 2 x 9 + 1 = 34; dr: 4 x 126/4 + 4 x 9 + 3 = 165
           r dg: 126 + 8 + 1 = 135; u dh: 9 */
typedef struct owing_cell {
    const char *name;
    size_t gates, recurrent; /* blocks of dp_recurrent that are arrays of their own */
    bool memory;
    size_t kernel;
    double bound;
} owing_cell;

static const owing_cell owing[] = {
    {"gru", 3, 3, false, offsetof(arnn_kernels, gru_back), 170.0 * U},
    {"lstm", 4, 0, true, offsetof(arnn_kernels, lstm_back), 90.0 * U},
};

static void run(const arnn_kernels *table, const owing_cell *cell, const arnn_cell_owed *owed)
{
    arnn_cell_back_kernel *kernel;
    memcpy(&kernel, (const char *)table + cell->kernel, sizeof kernel);
    kernel(owed);
}

typedef struct problem {
    const owing_cell *cell;
    size_t n;
    guard given[GIVEN];
} problem;

static problem make(rng *r, const owing_cell *cell, size_t n, guard_side side)
{
    static const float largest[GIVEN] = {4.0f, 4.0f, 1.0f, 1.0f, 4.0f, 2.0f, 1.0f};
    const size_t widths[GIVEN] = {cell->gates,  cell->recurrent, 1, cell->memory, cell->memory,
                                  cell->memory, !cell->memory};
    problem p = {.cell = cell, .n = n};
    for (size_t i = 0; i < GIVEN; i++) {
        p.given[i] = guard_make(widths[i] * n, side);
        rng_fill(r, p.given[i].floats, p.given[i].count, largest[i] * (i == INPUT && cell->memory ? 2.0f : 1.0f));
    }
    return p;
}

static void freeze(const problem *p)
{
    for (size_t i = 0; i < GIVEN; i++)
        guard_freeze(&p->given[i]);
}

static void forget(problem *p)
{
    for (size_t i = 0; i < GIVEN; i++)
        guard_free(&p->given[i]);
}

/* What it makes: dp_input, dp_recurrent, dm_prev, dcarried, one after the other. */
enum { MOST = 8 };

static void truth(double made[MOST], const problem *p, size_t j)
{
    size_t n = p->n;
    const float *a = p->given[INPUT].floats + j, *b = p->given[RECURRENT].floats + j;
    double dh = (double)p->given[DH].floats[j];
    if (p->cell->memory) {
        double i = true_sigmoid((double)a[0]), f = true_sigmoid((double)a[n]), g = tanh((double)a[2 * n]);
        double o = true_sigmoid((double)a[3 * n]), t = tanh((double)p->given[M].floats[j]);
        double dm = (double)p->given[DM].floats[j] + dh * o * (1.0 - t * t);
        const double all[MOST] = {dm * g * i * (1.0 - i),
                                  dm * (double)p->given[M_PREV].floats[j] * f * (1.0 - f),
                                  dm * i * (1.0 - g * g),
                                  dh * t * o * (1.0 - o),
                                  dm * f,
                                  0.0};
        memcpy(made, all, sizeof all);
        return;
    }
    double r = true_sigmoid(both(a, b, 0)), u = true_sigmoid(both(a, b, n)), back = (double)b[2 * n];
    double g = tanh((double)a[2 * n] + r * back), dg = dh * (1.0 - u) * (1.0 - g * g);
    double du = dh * ((double)p->given[CARRIED].floats[j] - g) * u * (1.0 - u), dr = dg * back * r * (1.0 - r);
    const double all[MOST] = {dr, du, dg, dr, du, r * dg, u * dh};
    memcpy(made, all, sizeof all);
}

/* Into `made`, guarded: as many rows of n as the cell makes; its inputs stay as they are. */
static void owe(const problem *p, const arnn_kernels *table, guard *made)
{
    const owing_cell *cell = p->cell;
    size_t n = p->n;
    float *at = made->floats;
    for (size_t i = 0; i < made->count; i++)
        at[i] = NAN;
    memcpy(at, p->given[INPUT].floats, cell->gates * n * sizeof *at);
    if (cell->recurrent)
        memcpy(at + cell->gates * n, p->given[RECURRENT].floats, cell->recurrent * n * sizeof *at);
    float *rest = at + (cell->gates + cell->recurrent) * n;
    if (cell->memory)
        memcpy(rest, p->given[DM].floats, n * sizeof *rest); /* dm_prev over dm */
    const arnn_cell_owed owed = {
        .dp_input = at,
        .dp_recurrent = cell->recurrent ? at + cell->gates * n : at,
        .dm_prev = cell->memory ? rest : NULL,
        .dcarried = rest + (cell->memory ? n : 0),
        .dh = p->given[DH].floats,
        .dm = cell->memory ? rest : NULL,
        .m = cell->memory ? p->given[M].floats : NULL,
        .m_prev = cell->memory ? p->given[M_PREV].floats : NULL,
        .carried = cell->memory ? NULL : p->given[CARRIED].floats,
        .hidden = n,
    };
    run(table, cell, &owed);
    assert_true(guard_intact(made));
}

static size_t rows_made(const owing_cell *cell)
{
    return cell->gates + cell->recurrent + cell->memory + 1;
}

static void check(const problem *p, const arnn_kernels *table, const float *made)
{
    for (size_t j = 0; j < p->n; j++) {
        double expected[MOST];
        truth(expected, p, j);
        for (size_t row = 0; row < rows_made(p->cell); row++) {
            double got = (double)made[row * p->n + j];
            if (!(fabs(got - expected[row]) <= p->cell->bound)) {
                fprintf(stderr, "%s, %s: row %zu is %g, expected %g\n", table->name, p->cell->name, row, got,
                        expected[row]);
                fail();
            }
        }
    }
}

static void check_tables(const problem *p, guard *made)
{
    FOR_TABLES(table) {
        owe(p, table, made);
        check(p, table, made->floats);
    }
}

static void test_steps(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 300; i++) {
        guard_side side = i / 2 % GUARD_SIDES;
        problem p = make(&r, &owing[i % COUNT(owing)], sizes[rng_below(&r, COUNT(sizes))], side);
        guard made = guard_make(rows_made(p.cell) * p.n, side);
        freeze(&p);
        check_tables(&p, &made);
        guard_free(&made);
        forget(&p);
    }
}

/* Gates far away, in all pairs: what is owed through them is 0, or as near to it as the others allow. */
static void test_saturated_gates(void **unused)
{
    (void)unused;
    static const float far[] = {20.0f,   -20.0f,  87.0f, -87.0f,  88.5f,   -88.5f,   89.0f,    -89.0f,
                                -103.0f, 1000.0f, 1e4f,  -1e4f,   FLT_MAX, -FLT_MAX, INFINITY, -INFINITY,
                                0.0f,    1e-40f,  0.5f,  -1e-30f, 9.1f,    -10.0f};
    enum { N = COUNT(far) * COUNT(far) };
    rng r = RNG;
    for (size_t i = 0; i < 4 * COUNT(owing); i++) {
        const owing_cell *cell = &owing[i % COUNT(owing)];
        problem p = make(&r, cell, N, GUARD_BEHIND);
        guard made = guard_make(rows_made(cell) * N, GUARD_BEHIND);
        for (size_t j = 0; j < cell->gates * N; j++) { /* the GRU's tanh keeps the other half of its sum */
            size_t own = j % N, pair[] = {own / COUNT(far), own % COUNT(far)};
            p.given[INPUT].floats[j] = far[pair[j / N % 2 ^ i / COUNT(owing) % 2]];
            if (cell->recurrent && j < 2 * N)
                p.given[RECURRENT].floats[j] = 0.0f;
        }
        for (size_t j = 0; j < N && cell->memory && i >= 2 * COUNT(owing); j++)
            p.given[M].floats[j] = far[(j + i) % COUNT(far)];
        freeze(&p);
        check_tables(&p, &made);
        guard_free(&made);
        forget(&p);
    }
}

/* A NaN stays with its unit; the others are what they were. */
static void test_not_a_number(void **unused)
{
    (void)unused;
    enum { N = 11 };
    rng r = RNG;
    for (size_t i = 0; i < COUNT(owing); i++) {
        problem p = make(&r, &owing[i], N, GUARD_BEHIND);
        size_t rows = rows_made(p.cell);
        guard plain = guard_make(rows * N, GUARD_BEHIND), made = guard_make(rows * N, GUARD_BEHIND);
        FOR_TABLES(table) {
            owe(&p, table, &plain);
            for (size_t g = 0; g < GIVEN; g++) {
                for (size_t j = 0; j < p.given[g].count; j++) {
                    float before = p.given[g].floats[j];
                    size_t spoilt = 0;
                    p.given[g].floats[j] = NAN;
                    owe(&p, table, &made);
                    p.given[g].floats[j] = before;
                    for (size_t k = 0; k < rows * N; k++) {
                        spoilt += isnan(made.floats[k]);
                        assert_true(k % N == j % N || same_bits(&made.floats[k], &plain.floats[k], 1));
                    }
                    assert_true(spoilt > 0);
                }
            }
        }
        guard_free(&plain);
        guard_free(&made);
        forget(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_saturated_gates),
        cmocka_unit_test(test_not_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

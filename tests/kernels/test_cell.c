/* The cells of every table: their functions over the floats, their steps against double and against `ref`. */
#include "cells.h"

static const size_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65};

/* ---- one function of a cell, with the rest of it made transparent ---- */

/* Gates by which a cell shows y = f(x): x is in gate `place` (or, `place` beyond the gates, in m_prev), the other gates
   hold what `gates` says, s and m_prev what stands beside them. The GRU's sums are made with -0, which changes no
   float. */
typedef struct view {
    const char *name;
    size_t cell, place;
    float gates[4], s, m_prev;
    bool in_m; /* the value is m, not h */
    double (*function)(double);
    bool keeps; /* the gate says how much of m_prev or s is kept */
} view;

/* sigmoid(1000) is 1, sigmoid(-1000) 0, tanh(1000) 1 in every table, to the last bit: asserted below. */
#define ONE 1000.0f
#define ZERO -1000.0f

static const view views[] = {
    {"rnn tanh", 0, 0, {0}, 0, 0, false, tanh, false},
    {"gru u", 2, 1, {ZERO, 0, 0}, 1, 0, false, true_sigmoid, true}, /* g = 0, s = 1: h = u */
    {"gru g", 2, 2, {ZERO, ZERO, 0}, 1, 0, false, tanh, false},        /* u = 0: h = g */
    {"lstm i", 3, 0, {0, ZERO, ONE, ONE}, 0, 0, true, true_sigmoid, false}, /* f = 0, g = 1: m = i */
    {"lstm f", 3, 1, {ZERO, 0, 0, ONE}, 0, 1, true, true_sigmoid, true}, /* i = 0, m_prev = 1: m = f */
    {"lstm g", 3, 2, {ONE, ZERO, 0, ONE}, 0, 0, true, tanh, false},         /* i = 1, f = 0: m = g */
    {"lstm o", 3, 3, {ZERO, ONE, 0, 0}, 0, 50, false, true_sigmoid, false}, /* m = 50: h = o */
    {"lstm tanh m", 3, 4, {ZERO, ONE, 0, ONE}, 0, 0, false, tanh, false},   /* m = m_prev, o = 1: h = tanh m */
};

enum { LANES = 1024 }; /* evaluated at once */

static void evaluate(const view *v, const arnn_kernels *table, float *y, const float *x)
{
    static float input[4 * LANES], recurrent[4 * LANES], s[LANES], memory[LANES], h[LANES], m[LANES];
    size_t gates = cells[v->cell].gates;
    for (size_t i = 0; i < LANES; i++) {
        for (size_t g = 0; g < gates; g++) {
            input[g * LANES + i] = g == v->place ? x[i] : v->gates[g];
            recurrent[g * LANES + i] = -0.0f;
        }
        s[i] = v->s;
        memory[i] = v->place < gates ? v->m_prev : x[i];
    }
    const arnn_cell_step step = {h, m, input, recurrent, s, memory, 1, LANES};
    kernel_of(table, &cells[v->cell])(&step);
    memcpy(y, v->in_m ? m : h, sizeof h);
}

/* Largest error of a function, in ulp. The vector tables state 3 in vec_math.h. `ref` and `blas` use the C library's
   functions: tanhf is good to about 2 ulp, e / (1 + e) has three roundings of at most 1 ulp each. From x = 4 on that is
   below 2^-5, where 3 ulp are 3/32 of those of 1 - e / (1 + e), and the difference is rounded once. So are gates that say
   what is kept; of the others vectors make 1 / (1 + e), as a part of a product. */
static const double worst_allowed = 3.0, near_one_allowed = 0.6;

/* Below, sigmoid's result is subnormal or, as vec_math.h states, 0: off by at most e^-87.3. */
static const float normal_sigmoid = -87.0f;
static const double small_sigmoid = 1.23e-38;

static void check_value(const view *v, float got, float x, double *worst)
{
    double truth = v->function((double)x);
    if (v->function == true_sigmoid && x < normal_sigmoid) {
        assert_true(got >= 0.0f && fabs((double)got - truth) <= small_sigmoid);
        return;
    }
    bool near_one = v->keeps && x >= 4.0f;
    double error = ulps(got, truth), allowed = near_one ? near_one_allowed : worst_allowed;
    if (error > *worst || error != error)
        *worst = error;
    if (!(error <= allowed)) {
        fprintf(stderr, "%s of %a is %a, %.3f ulp off\n", v->name, (double)x, (double)got, error);
        fail();
    }
}

/* One float in `stride` of all finite ones, by their bits. */
static void sweep(const view *v, const arnn_kernels *table, uint32_t stride)
{
    float x[LANES], y[LANES];
    double worst = 0.0;
    for (uint64_t bits = 0; bits < UINT64_C(1) << 32;) {
        for (size_t i = 0; i < LANES; bits += stride) {
            uint32_t pattern = (uint32_t)bits; /* beyond 2^32 it begins anew */
            memcpy(&x[i], &pattern, sizeof pattern);
            i += isfinite(x[i]) != 0;
        }
        evaluate(v, table, y, x);
        for (size_t i = 0; i < LANES; i++)
            check_value(v, y[i], x[i], &worst);
    }
    assert_true(worst > 0.1); /* that the sweep saw something */
    if (getenv("ARNN_SWEEP"))
        fprintf(stderr, "%s, %s: %.3f ulp\n", table->name, v->name, worst);
}

/* ARNN_SWEEP=1 looks at all floats, 100 at one in 100, and tells what it found. */
static void test_functions(void **unused)
{
    (void)unused;
    const char *wanted = getenv("ARNN_SWEEP");
    uint32_t stride = wanted ? (uint32_t)strtoul(wanted, NULL, 10) : 10007;
    FOR_TABLES(table) {
        for (size_t i = 0; i < COUNT(views) && table != &arnn_kernels_blas; i++)
            sweep(&views[i], table, stride);
    }
}

/* The cells of `blas` are those of `ref`. */
static void test_blas_has_the_cells_of_ref(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(cells); i++)
        assert_true(kernel_of(&arnn_kernels_blas, &cells[i]) == kernel_of(&arnn_kernels_ref, &cells[i]));
    assert_true(arnn_kernels_blas.exponents == arnn_kernels_ref.exponents);
}

static void test_special_values(void **unused)
{
    (void)unused;
    static const float special[] = {
        0.0f,     -0.0f,     1e-45f, -1e-45f, 1e-39f, -1e-39f, FLT_MIN, -FLT_MIN, 1e4f,  -1e4f,  FLT_MAX, -FLT_MAX,
        INFINITY, -INFINITY, 9.9f,   10.0f,   10.1f,  -87.3f,  -87.31f, -88.0f,   88.0f, 88.8f,  -104.0f, 104.0f,
        -9.01f,   0.5f,
    };
    float x[LANES] = {0}, y[LANES];
    memcpy(x, special, sizeof special);
    x[LANES - 1] = NAN;
    FOR_TABLES(table) {
        for (size_t i = 0; i < COUNT(views); i++) {
            double worst = 0.0;
            evaluate(&views[i], table, y, x);
            for (size_t j = 0; j < COUNT(special); j++)
                check_value(&views[i], y[j], x[j], &worst);
            assert_true(isnan(y[LANES - 1]));
            bool odd = views[i].function == tanh;
            assert_true(y[0] == (odd ? 0.0f : 0.5f));
            assert_true(y[12] == 1.0f && y[13] == (odd ? -1.0f : 0.0f)); /* of the infinities */
            assert_true(y[10] == 1.0f && y[11] == (odd ? -1.0f : 0.0f)); /* of the largest floats */
        }
        evaluate(&views[0], table, y, x);
        assert_true(signbit(y[1]) && !signbit(y[0])); /* tanh of the zeros */
    }
}

/* tanh is odd to the last bit, and never above 1; so a hidden state stays within the bounds that other rooms rest on.
   */
static void test_tanh_is_odd_and_bounded(void **unused)
{
    (void)unused;
    float x[LANES], minus[LANES], y[LANES], z[LANES];
    rng r = RNG;
    FOR_TABLES(table) {
        for (size_t round = 0; round < 200; round++) {
            rng_fill(&r, x, LANES, round % 2 ? 12.0f : 1.0f);
            for (size_t i = 0; i < LANES; i++)
                minus[i] = -x[i];
            evaluate(&views[0], table, y, x);
            evaluate(&views[0], table, z, minus);
            for (size_t i = 0; i < LANES; i++)
                assert_true(y[i] == -z[i] && y[i] <= 1.0f && y[i] >= -1.0f);
        }
    }
}

/* ---- whole steps ---- */

static void check_batch(const batch *b, const float *ref_h, const float *ref_m)
{
    size_t n = b->n;
    for (size_t i = 0; i < b->streams * n; i++) {
        double h = 0.0, m = 0.0;
        size_t first = i / n * n * b->cell->gates + i % n;
        b->cell->unit(&h, &m, b->input.floats + first, b->cell->carried ? b->recurrent.floats + first : NULL, n,
                      b->cell->carried ? b->carried.floats[i] : 0.0f, b->cell->memory ? b->memory.floats[i] : 0.0f);
        assert_near((double)b->h.floats[i], h, b->cell->bound);
        assert_near((double)b->h.floats[i], (double)ref_h[i], 2.0 * b->cell->bound);
        if (b->cell->memory) {
            assert_near((double)b->m.floats[i], m, b->cell->bound);
            assert_near((double)b->m.floats[i], (double)ref_m[i], 2.0 * b->cell->bound);
        }
    }
}

static float *copy(const guard *array)
{
    float *floats = malloc(array->count * sizeof *floats + 1);
    if (array->count)
        memcpy(floats, array->floats, array->count * sizeof *floats);
    return floats;
}

static void check_step(batch *b)
{
    guard_freeze(&b->input);
    guard_freeze(&b->recurrent);
    guard_freeze(&b->carried);
    guard_freeze(&b->memory);
    batch_run(b, &arnn_kernels_ref, 0, b->streams);
    float *ref_h = copy(&b->h), *ref_m = copy(&b->m);
    FOR_TABLES(table) {
        for (size_t i = 0; i < b->h.count; i++)
            b->h.floats[i] = NAN;
        batch_run(b, table, 0, b->streams);
        check_batch(b, ref_h, ref_m);
        assert_true(guard_intact(&b->h) && guard_intact(&b->m));
    }
    free(ref_h);
    free(ref_m);
}

static void test_steps(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 300; i++) {
        size_t streams = 1 + rng_below(&r, i % 20 ? 7 : 70), n = sizes[rng_below(&r, COUNT(sizes))];
        batch b = batch_make(&r, &cells[i % COUNT(cells)], streams, n, i / 4 % GUARD_SIDES);
        check_step(&b);
        batch_free(&b);
    }
}

static void test_no_streams(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < COUNT(cells); i++) {
        batch b = batch_make(&r, &cells[i], 0, 5, GUARD_BEHIND);
        FOR_TABLES(table)
            batch_run(&b, table, 0, 0);
        batch_free(&b);
    }
}

/* Streams in parts, and with m written over m_prev: the same bits. */
static void test_company_and_overwriting(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 80; i++) {
        size_t streams = 1 + rng_below(&r, 9);
        batch b = batch_make(&r, &cells[i % COUNT(cells)], streams, sizes[rng_below(&r, COUNT(sizes))], GUARD_BEHIND);
        FOR_TABLES(table) {
            batch_run(&b, table, 0, streams);
            float *h = copy(&b.h), *m = copy(&b.m), *before = copy(&b.memory);
            for (size_t stream = 0; stream < streams; stream++)
                batch_run(&b, table, stream, stream + 1);
            assert_true(same_bits(h, b.h.floats, b.h.count) && (!b.m.count || same_bits(m, b.m.floats, b.m.count)));
            batch over = b;
            over.m = b.memory;
            batch_run(&over, table, 0, streams);
            assert_true(same_bits(h, b.h.floats, b.h.count));
            assert_true(!b.m.count || same_bits(m, b.memory.floats, b.m.count));
            if (b.m.count)
                memcpy(b.memory.floats, before, b.m.count * sizeof *before);
            free(h);
            free(m);
            free(before);
        }
        batch_free(&b);
    }
}

/* A NaN in one stream's gates stays with that unit. */
static void test_not_a_number(void **unused)
{
    (void)unused;
    enum { STREAMS = 3, N = 11 };
    rng r = RNG;
    for (size_t i = 0; i < COUNT(cells); i++) {
        batch b = batch_make(&r, &cells[i], STREAMS, N, GUARD_BEHIND);
        size_t gates = cells[i].gates;
        for (size_t place = 0; place < b.input.count; place += 3) {
            float before = b.input.floats[place];
            size_t unit = place / (gates * N) * N + place % N;
            FOR_TABLES(table) {
                batch_run(&b, table, 0, STREAMS);
                float *plain = copy(&b.h);
                b.input.floats[place] = NAN;
                batch_run(&b, table, 0, STREAMS);
                b.input.floats[place] = before;
                for (size_t j = 0; j < b.h.count; j++)
                    assert_true(j == unit ? isnan(b.h.floats[j]) : b.h.floats[j] == plain[j]);
                free(plain);
            }
        }
        batch_free(&b);
    }
}

static void test_relu_is_exact(void **unused)
{
    (void)unused;
    float input[] = {-1.0f, 1.0f, NAN, INFINITY, -INFINITY, -0.0f, 1e-45f, -1e-45f, FLT_MAX, 3.0f, -3.0f};
    float h[COUNT(input)];
    FOR_TABLES(table) {
        const arnn_cell_step step = {h, NULL, input, NULL, NULL, NULL, 1, COUNT(input)};
        table->rnn_relu(&step);
        for (size_t i = 0; i < COUNT(input); i++)
            assert_true(isnan(input[i]) ? isnan(h[i]) : h[i] == (input[i] > 0.0f ? input[i] : 0.0f));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions),
        cmocka_unit_test(test_blas_has_the_cells_of_ref),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_tanh_is_odd_and_bounded),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_no_streams),
        cmocka_unit_test(test_company_and_overwriting),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_relu_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Products of matrices of every table: against sums in double, the same in parts as at once (where outputs are chains,
   in any), in guarded memory; and packing a transpose. */
#include "base/cpu.h"
#include "kernels.h"

static const size_t widths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 97, 130, 257, 300};

typedef struct problem {
    size_t rows, columns, inner, stride;
    guard a, b, c;
    arnn_operand left, right;
} problem;

/* A matrix of so many rows and columns as op() gives it. */
static arnn_operand make_operand(rng *r, guard *memory, size_t rows, size_t columns, guard_side side)
{
    bool transposed = rng_below(r, 2);
    size_t height = transposed ? columns : rows, width = transposed ? rows : columns;
    size_t stride = width + rng_below(r, 2) * rng_below(r, 20);
    *memory = guard_make(strided(height, width, stride), side);
    rng_rows(r, memory->floats, height, width, stride, 1.0f);
    guard_freeze(memory);
    return (arnn_operand){memory->floats, stride, transposed};
}

static problem make(rng *r, size_t rows, size_t columns, size_t inner, guard_side side)
{
    problem p = {.rows = rows, .columns = columns, .inner = inner, .stride = columns + rng_below(r, 2) * 3};
    p.left = make_operand(r, &p.a, rows, inner, side);
    p.right = make_operand(r, &p.b, inner, columns, side);
    p.c = guard_make(strided(rows, columns, p.stride), side);
    rng_rows(r, p.c.floats, rows, columns, p.stride, 1.0f);
    guard_freeze(&p.c);
    return p;
}

static void forget(problem *p)
{
    guard_free(&p->a);
    guard_free(&p->b);
    guard_free(&p->c);
}

static double element(arnn_operand a, size_t row, size_t column)
{
    return (double)a.values[a.transposed ? column * a.stride + row : row * a.stride + column];
}

/* op(a) from a row and a column on. */
static arnn_operand part(arnn_operand a, size_t row, size_t column)
{
    a.values += a.transposed ? column * a.stride + row : row * a.stride + column;
    return a;
}

/* A sum of inner + 1 terms: each goes through at most inner + 1 roundings, one more for the higher orders. */
static void assert_true_sums(const problem *p, const float *c)
{
    for (size_t i = 0; i < p->rows; i++) {
        for (size_t j = 0; j < p->columns; j++) {
            double sum = (double)p->c.floats[i * p->stride + j], size = fabs(sum);
            for (size_t k = 0; k < p->inner; k++) {
                double term = element(p->left, i, k) * element(p->right, k, j);
                sum += term;
                size += fabs(term);
            }
            assert_near((double)c[i * p->stride + j], sum, (double)(p->inner + 2) * U * size);
        }
    }
}

static guard run(const arnn_kernels *table, const problem *p, guard_side side)
{
    guard c = guard_make(p->c.count, side);
    memcpy(c.floats, p->c.floats, c.count * sizeof *c.floats);
    table->multiply(c.floats, p->stride, p->left, p->right, p->rows, p->columns, p->inner);
    assert_true(guard_intact(&c));
    return c;
}

/* Where to cut so that no part is smaller than `least` and the first one a multiple of `step`; 0: nowhere. */
static size_t cut(rng *r, size_t whole, size_t least, size_t step)
{
    if (whole < 2 * least)
        return 0;
    size_t at = least + rng_below(r, whole - 2 * least + 1);
    return at / step * step >= least ? at / step * step : 0;
}

/* Cut in rows, columns and in the width that is summed over. Tiles that are filled sum what they do wherever they
   are. */
static guard run_in_parts(const arnn_kernels *table, const problem *p, rng *r)
{
    enum { TILE = 16, DEEP = 32 };
    const size_t least = table->chains ? 0 : TILE, deep = table->chains ? 1 : DEEP;
    guard c = guard_make(p->c.count, GUARD_BEHIND);
    size_t row = cut(r, p->rows, least, 1), column = cut(r, p->columns, least, 1), k = cut(r, p->inner, least, deep);
    const size_t rows[] = {0, row, p->rows}, columns[] = {0, column, p->columns}, inner[] = {0, k, p->inner};
    memcpy(c.floats, p->c.floats, c.count * sizeof *c.floats);
    for (size_t i = 0; i < 8; i++) {
        size_t a = i / 4, b = i / 2 % 2, s = i % 2;
        table->multiply(c.floats + rows[a] * p->stride + columns[b], p->stride, part(p->left, rows[a], inner[s]),
                        part(p->right, inner[s], columns[b]), rows[a + 1] - rows[a], columns[b + 1] - columns[b],
                        inner[s + 1] - inner[s]);
    }
    return c;
}

static void check_problem(const problem *p, rng *r, guard_side side)
{
    FOR_TABLES(table)
    {
        guard c = run(table, p, side);
        assert_true_sums(p, c.floats);
        for (size_t i = 0; i + 1 < p->rows; i++)
            assert_true(same_bits(c.floats + i * p->stride + p->columns, p->c.floats + i * p->stride + p->columns,
                                  p->stride - p->columns));
        if (keeps_company_out(table)) {
            guard parts = run_in_parts(table, p, r);
            assert_true(same_bits(c.floats, parts.floats, c.count));
            guard_free(&parts);
        }
        guard_free(&c);
    }
}

/* Numbers down to the smallest, which tiles have ways of their own with. */
static guard scaled(const guard *memory, size_t shift)
{
    guard smaller = guard_make(memory->count, GUARD_BEHIND);
    for (size_t i = 0; i < memory->count; i++)
        smaller.floats[i] = ldexpf(memory->floats[i], -(int)shift);
    return smaller;
}

/* What the emulation in plain C says a processor's tiles sum is what they sum. */
static void test_tiles_are_as_emulated(void **unused)
{
    (void)unused;
    const arnn_kernels *real = NULL, *emulated = NULL;
    FOR_TABLES(table)
    {
        real = strcmp(table->name, "avx512_vnni_amx") == 0 ? table : real;
        emulated = strcmp(table->name, "avx512_emulated_amx") == 0 ? table : emulated;
    }
    if (!real || !emulated || !arnn_cpu_gives_tiles())
        return;
    rng r = RNG;
    for (size_t i = 0; i < 60; i++) {
        problem p = make(&r, 16 + rng_below(&r, 90), 16 + rng_below(&r, 300), 16 + rng_below(&r, 200), i % GUARD_SIDES);
        guard a = scaled(&p.a, i % 5 * 25), b = scaled(&p.b, i % 3 * 20), c = scaled(&p.c, i % 4 * 42);
        problem small = p;
        small.left.values = a.floats;
        small.right.values = b.floats;
        small.c = c;
        guard one = run(real, &small, GUARD_BEHIND), other = run(emulated, &small, GUARD_BEHIND);
        assert_true(same_bits(one.floats, other.floats, one.count));
        guard *all[] = {&a, &b, &c, &one, &other};
        for (size_t k = 0; k < COUNT(all); k++)
            guard_free(all[k]);
        forget(&p);
    }
}

static void test_random_shapes(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 150; i++) {
        guard_side side = i % GUARD_SIDES;
        problem p = make(&r, widths[rng_below(&r, COUNT(widths))], widths[rng_below(&r, i % 3 ? 16 : COUNT(widths))],
                         widths[rng_below(&r, COUNT(widths))], side);
        check_problem(&p, &r, side);
        forget(&p);
    }
}

/* Nothing to add, or nothing to add to. */
static void test_nothing(void **unused)
{
    (void)unused;
    static const size_t shapes[][3] = {{0, 5, 3}, {5, 0, 3}, {5, 3, 0}, {0, 0, 0}};
    rng r = RNG;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        problem p = make(&r, shapes[i][0], shapes[i][1], shapes[i][2], GUARD_BEHIND);
        FOR_TABLES(table)
        {
            guard c = run(table, &p, GUARD_BEHIND);
            assert_true(same_bits(c.floats, p.c.floats, c.count));
            guard_free(&c);
        }
        forget(&p);
    }
}

/* What is no number stays in its row and its column. */
static void test_not_a_number(void **unused)
{
    (void)unused;
    enum { ROWS = 19, COLUMNS = 37, INNER = 21 };
    float a[ROWS * INNER], b[INNER * COLUMNS], c[ROWS * COLUMNS];
    rng r = RNG;
    rng_fill(&r, a, COUNT(a), 1.0f);
    rng_fill(&r, b, COUNT(b), 1.0f);
    a[7 * INNER + 2] = NAN;
    b[3 * COLUMNS + 35] = INFINITY;
    FOR_TABLES(table)
    {
        memset(c, 0, sizeof c);
        table->multiply(c, COLUMNS, (arnn_operand){a, INNER, false}, (arnn_operand){b, COLUMNS, false}, ROWS, COLUMNS,
                        INNER);
        for (size_t i = 0; i < ROWS; i++) {
            for (size_t j = 0; j < COLUMNS; j++)
                assert_int_equal(i == 7 || j == 35, !isfinite(c[i * COLUMNS + j]));
        }
    }
}

/* From a part of the transpose as from the matrix itself. */
static void test_pack_turned(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 40; i++) {
        size_t outputs = widths[rng_below(&r, COUNT(widths))], inputs = widths[rng_below(&r, COUNT(widths))];
        size_t stride = outputs + rng_below(&r, 9);
        float *weights = malloc(outputs * inputs * sizeof *weights);
        guard turned = guard_make(strided(inputs, outputs, stride), i % GUARD_SIDES);
        rng_rows(&r, turned.floats, inputs, outputs, stride, 1.0f);
        guard_freeze(&turned);
        for (size_t o = 0; o < outputs; o++) {
            for (size_t k = 0; k < inputs; k++)
                weights[o * inputs + k] = turned.floats[k * stride + o];
        }
        FOR_TABLES(table)
        {
            size_t bytes = table->packed_bytes(outputs, inputs, ARNN_TYPE_F32);
            guard one = guard_make_bytes(bytes, i % GUARD_SIDES), other = guard_make_bytes(bytes, i % GUARD_SIDES);
            table->pack(&(arnn_packed){.outputs = outputs, .inputs = inputs, .values = one.floats}, weights, inputs);
            table->pack_turned(&(arnn_packed){.outputs = outputs, .inputs = inputs, .values = other.floats},
                               turned.floats, stride);
            assert_true(guard_intact(&other) && memcmp(one.floats, other.floats, bytes) == 0);
            guard_free(&one);
            guard_free(&other);
        }
        guard_free(&turned);
        free(weights);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_tiles_are_as_emulated),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_pack_turned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

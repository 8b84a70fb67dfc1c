/* The recurrent product of every table, against sums in double and against `ref`. */
#include "kernels.h"

/* Around panels of 16 outputs, four of them at once, and vectors of 8. */
static const size_t widths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 79, 80, 97, 130, 257};

typedef struct problem {
    size_t outputs, inputs, streams, x_stride, y_stride;
    int32_t type;
    guard weights, rounded, x, y; /* rounded: the weights, as their type rounds them; y: what the product is added to */
    float *scales;                /* (outputs): room for those of packed weights; NULL but for int8 */
} problem;

/* By how much rounding may move a weight of a row whose largest is `most`: as the header states it. */
static double rounding_bound(int32_t type, double weight, double most)
{
    const double bounds[ARNN_TYPES] = {0.0, fabs(weight) / 2048.0 + 0x1p-25, fabs(weight) / 256.0, most / 254.0};
    return bounds[type] + 2.0 * U * most;
}

static void round_weights(const problem *p)
{
    const arnn_element *element = arnn_element_of(p->type);
    for (size_t o = 0; o < p->outputs; o++) {
        const float *row = p->weights.floats + o * p->inputs;
        float unit = 1.0f, most = 0.0f, room;
        for (size_t i = 0; i < p->inputs; i++)
            most = fmaxf(most, fabsf(row[i]));
        if (p->type == ARNN_TYPE_I8)
            unit = most;
        for (size_t i = 0; i < p->inputs; i++) {
            float *to = &p->rounded.floats[o * p->inputs + i];
            element->encode(&room, 0, unit == 0.0f ? 0.0f : row[i] / unit);
            *to = unit * element->decode(&room, 0);
            assert_near((double)*to, (double)row[i], rounding_bound(p->type, (double)row[i], (double)most));
        }
    }
}

static arnn_packed packed_of(const problem *p, const guard *values)
{
    return (arnn_packed){
        .outputs = p->outputs, .inputs = p->inputs, .type = p->type, .values = values->floats, .scales = p->scales};
}

static problem make(rng *r, size_t outputs, size_t inputs, size_t streams, guard_side side)
{
    problem p = {.outputs = outputs, .inputs = inputs, .streams = streams};
    p.type = rng_below(r, 2) ? ARNN_TYPE_F32 : (int32_t)rng_below(r, ARNN_TYPES);
    p.scales = p.type == ARNN_TYPE_I8 ? calloc(outputs + 1, sizeof *p.scales) : NULL;
    p.x_stride = inputs + rng_below(r, 2) * rng_below(r, 20);
    p.y_stride = outputs + rng_below(r, 2) * rng_below(r, 20);
    p.weights = guard_make(outputs * inputs, side);
    p.x = guard_make(strided(streams, inputs, p.x_stride), side);
    p.y = guard_make(strided(streams, outputs, p.y_stride), side);
    rng_fill(r, p.weights.floats, p.weights.count, 1.0f);
    rng_rows(r, p.x.floats, streams, inputs, p.x_stride, 1.0f);
    rng_rows(r, p.y.floats, streams, outputs, p.y_stride, 1.0f);
    p.rounded = guard_make(outputs * inputs, side);
    round_weights(&p);
    guard_freeze(&p.weights);
    guard_freeze(&p.x);
    guard_freeze(&p.y);
    return p;
}

static void forget(problem *p)
{
    free(p->scales);
    guard_free(&p->weights);
    guard_free(&p->rounded);
    guard_free(&p->x);
    guard_free(&p->y);
}

/* The weights as the table wants them, in memory of exactly that size. */
static guard pack(const arnn_kernels *table, const problem *p, guard_side side)
{
    guard values = guard_make_bytes(table->packed_bytes(p->outputs, p->inputs, p->type), side);
    const arnn_packed packed = packed_of(p, &values);
    table->pack(&packed, p->weights.floats, p->inputs);
    assert_true(guard_intact(&values));
    guard_freeze(&values);
    return values;
}

/* The streams from..to-1 of a copy of y. */
static guard run(const arnn_kernels *table, const problem *p, const guard *packed, size_t from, size_t to,
                 guard_side side)
{
    guard y = guard_make(p->y.count, side);
    memcpy(y.floats, p->y.floats, y.count * sizeof *y.floats);
    const arnn_packed weights = packed_of(p, packed);
    table->product(y.floats + from * p->y_stride, p->y_stride, p->x.floats + from * p->x_stride, p->x_stride, &weights,
                   to - from);
    assert_true(guard_intact(&y));
    return y;
}

/* Of each output the sum in double, and by how much a float sum of inputs + 1 terms in any order, each product
   rounded or not, may be off: every term goes through at most inputs + 1 roundings, and 4 of its scale and of its
   rounded weight, so (inputs + 6) U sum |terms|, the last U for the higher orders. */
static double truth(const problem *p, size_t stream, size_t output, double *bound)
{
    const float *weights = p->rounded.floats + output * p->inputs, *x = p->x.floats + stream * p->x_stride;
    double sum = (double)p->y.floats[stream * p->y_stride + output], size = fabs(sum);
    for (size_t i = 0; i < p->inputs; i++) {
        double term = (double)weights[i] * (double)x[i];
        sum += term;
        size += fabs(term);
    }
    *bound = (double)(p->inputs + 6) * U * size;
    return sum;
}

static void assert_true_sums(const problem *p, const float *y, const float *ref)
{
    for (size_t stream = 0; stream < p->streams; stream++) {
        for (size_t output = 0; output < p->outputs; output++) {
            double bound, sum = truth(p, stream, output, &bound);
            double got = (double)y[stream * p->y_stride + output];
            assert_near(got, sum, bound);
            assert_near(got, (double)ref[stream * p->y_stride + output], 2.0 * bound);
        }
    }
}

/* Between rows of y nothing changes. */
static void assert_gaps(const problem *p, const float *y)
{
    size_t gap = p->y_stride - p->outputs;
    for (size_t stream = 0; stream + 1 < p->streams; stream++) {
        size_t begin = stream * p->y_stride + p->outputs;
        assert_true(same_bits(y + begin, p->y.floats + begin, gap));
    }
}

static void check_problem(const problem *p, guard_side side)
{
    guard ref_packed = pack(&arnn_kernels_ref, p, side);
    guard ref = run(&arnn_kernels_ref, p, &ref_packed, 0, p->streams, side);
    FOR_TABLES(table) {
        guard packed = pack(table, p, side);
        guard y = run(table, p, &packed, 0, p->streams, side);
        assert_true_sums(p, y.floats, ref.floats);
        assert_gaps(p, y.floats);
        guard_free(&y);
        guard_free(&packed);
    }
    guard_free(&ref);
    guard_free(&ref_packed);
}

static void test_random_shapes(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 200; i++) {
        guard_side side = i % GUARD_SIDES;
        problem p = make(&r, widths[rng_below(&r, COUNT(widths))], widths[rng_below(&r, COUNT(widths))],
                         1 + rng_below(&r, i % 10 ? 15 : 70), side);
        check_problem(&p, side);
        forget(&p);
    }
}

/* Every number of streams up to a few tiles of 6, with outputs that fill panels and leave some over. */
static void test_every_tile(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t streams = 1; streams <= 20; streams++) {
        for (size_t outputs = 60; outputs <= 85; outputs += 5) {
            problem p = make(&r, outputs, 5, streams, GUARD_BEHIND);
            check_problem(&p, GUARD_BEHIND);
            forget(&p);
        }
    }
}

/* Nothing to add, nothing to add to, nobody to do it for: y stays. */
static void test_nothing(void **unused)
{
    (void)unused;
    static const size_t shapes[][3] = {{5, 0, 3}, {0, 5, 3}, {5, 5, 0}, {0, 0, 1}, {17, 0, 1}};
    rng r = RNG;
    for (size_t i = 0; i < COUNT(shapes); i++) {
        problem p = make(&r, shapes[i][0], shapes[i][1], shapes[i][2], GUARD_BEHIND);
        FOR_TABLES(table) {
            guard packed = pack(table, &p, GUARD_BEHIND);
            guard y = run(table, &p, &packed, 0, p.streams, GUARD_BEHIND);
            assert_true(same_bits(y.floats, p.y.floats, p.y.count));
            guard_free(&y);
            guard_free(&packed);
        }
        forget(&p);
    }
}

/* A stream's outputs are the same to the last bit whichever streams are computed with it. */
static void test_company(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 60; i++) {
        problem p = make(&r, widths[rng_below(&r, COUNT(widths))], widths[rng_below(&r, COUNT(widths))],
                         2 + rng_below(&r, 30), GUARD_BEHIND);
        FOR_TABLES(table) {
            if (!keeps_company_out(table))
                continue;
            guard packed = pack(table, &p, GUARD_BEHIND), all = run(table, &p, &packed, 0, p.streams, GUARD_BEHIND);
            for (size_t from = 0, to; from < p.streams; from = to) {
                to = from + 1 + rng_below(&r, p.streams - from);
                guard some = run(table, &p, &packed, from, to, GUARD_BEHIND);
                for (size_t b = from; b < to; b++)
                    assert_true(same_bits(some.floats + b * p.y_stride, all.floats + b * p.y_stride, p.outputs));
                guard_free(&some);
            }
            guard_free(&all);
            guard_free(&packed);
        }
        forget(&p);
    }
}

/* What a stream, or a weight, brings that is no number stays where it came to. */
static void test_not_a_number(void **unused)
{
    (void)unused;
    enum { OUTPUTS = 37, INPUTS = 21, STREAMS = 13 };
    static const float strange[] = {NAN, INFINITY, -INFINITY};
    float weights[OUTPUTS * INPUTS], x[STREAMS * INPUTS], y[STREAMS * OUTPUTS], plain[STREAMS * OUTPUTS];
    rng r = RNG;
    rng_fill(&r, weights, COUNT(weights), 1.0f);
    rng_fill(&r, x, COUNT(x), 1.0f);
    FOR_TABLES(table) {
        size_t bytes = table->packed_bytes(OUTPUTS, INPUTS, ARNN_TYPE_F32);
        arnn_packed packed = {.outputs = OUTPUTS, .inputs = INPUTS, .values = malloc(bytes)};
        table->pack(&packed, weights, INPUTS);
        memset(plain, 0, sizeof plain);
        table->product(plain, OUTPUTS, x, INPUTS, &packed, STREAMS);
        for (size_t i = 0; i < COUNT(strange) * STREAMS; i++) {
            size_t odd = i % STREAMS, place = odd * INPUTS + i % INPUTS;
            float before = x[place];
            x[place] = strange[i / STREAMS];
            memset(y, 0, sizeof y);
            table->product(y, OUTPUTS, x, INPUTS, &packed, STREAMS);
            x[place] = before;
            for (size_t b = 0; b < STREAMS; b++) {
                for (size_t o = 0; o < OUTPUTS; o++)
                    assert_int_equal(b == odd, !isfinite(y[b * OUTPUTS + o]));
                assert_true(b == odd || same_bits(y + b * OUTPUTS, plain + b * OUTPUTS, OUTPUTS));
            }
        }
        free(packed.values);
    }
}

/* A matrix that lies in a wider one: the parts of W_ih that read [x_t; s_{t-1}]. */
static void test_pack_of_a_part(void **unused)
{
    (void)unused;
    enum { OUTPUTS = 19, INPUTS = 11, STRIDE = 23, FIRST = 5 };
    float wide[OUTPUTS * STRIDE], part[OUTPUTS * INPUTS];
    rng r = RNG;
    rng_fill(&r, wide, COUNT(wide), 1.0f);
    for (size_t o = 0; o < OUTPUTS; o++)
        memcpy(part + o * INPUTS, wide + o * STRIDE + FIRST, INPUTS * sizeof *part);
    FOR_TABLES(table) {
        size_t bytes = table->packed_bytes(OUTPUTS, INPUTS, ARNN_TYPE_F32);
        arnn_packed a = {.outputs = OUTPUTS, .inputs = INPUTS, .values = calloc(bytes, 1)}, b = a;
        b.values = calloc(bytes, 1);
        table->pack(&a, wide + FIRST, STRIDE);
        table->pack(&b, part, INPUTS);
        assert_memory_equal(a.values, b.values, bytes);
        free(a.values);
        free(b.values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_shapes),
        cmocka_unit_test(test_every_tile),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_company),
        cmocka_unit_test(test_not_a_number),
        cmocka_unit_test(test_pack_of_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What the backward pass takes from every table: the read gone back over. */
#include "kernels.h"

typedef struct problem {
    size_t count, n;
    bool memories, back;
    guard h, m, alpha, ds, dm, dq; /* dq: what is added to */
    float rho;
} problem;

static problem make(rng *r, guard_side side)
{
    static const size_t widths[] = {1, 3, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 130, 513};
    problem p = {.count = rng_below(r, 10) ? rng_below(r, 70) : 600, .n = widths[rng_below(r, COUNT(widths))]};
    p.memories = rng_below(r, 2);
    p.back = rng_below(r, 2);
    p.rho = rng_float(r, 1.0f);
    p.h = guard_make(p.count * p.n, side);
    p.m = guard_make(p.memories ? p.count * p.n : 0, side);
    p.alpha = guard_make(p.count, side);
    p.ds = guard_make(p.n, side);
    p.dm = guard_make(p.memories ? p.n : 0, side);
    p.dq = guard_make(p.n, side);
    guard *const all[] = {&p.h, &p.m, &p.alpha, &p.ds, &p.dm, &p.dq};
    for (size_t i = 0; i < COUNT(all); i++) {
        rng_fill(r, all[i]->floats, all[i]->count, 1.0f);
        guard_freeze(all[i]);
    }
    return p;
}

static void forget(problem *p)
{
    guard *const all[] = {&p->h, &p->m, &p->alpha, &p->ds, &p->dm, &p->dq};
    for (size_t i = 0; i < COUNT(all); i++)
        guard_free(all[i]);
}

static double product(const float *a, const float *b, size_t n, double *size)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        sum += (double)a[i] * (double)b[i];
        *size += fabs((double)a[i] * (double)b[i]);
    }
    return sum;
}

/* de_i: a sum of n (2 n) products less rho, times alpha: n + 3 roundings of all that is summed. dq: a sum of as many
   terms as rows, each off by what its de is off. */
static void check(const problem *p, const arnn_kernels *table, const float *de, const float *dq)
{
    double true_dq[513], bound_dq[513];
    for (size_t j = 0; j < p->n; j++) {
        true_dq[j] = (double)p->dq.floats[j];
        bound_dq[j] = fabs(true_dq[j]) * (double)(p->count + 1) * U;
    }
    for (size_t i = 0; i < p->count; i++) {
        const float *h = p->h.floats + i * p->n;
        double size = fabs((double)p->rho), r = product(p->ds.floats, h, p->n, &size);
        if (p->memories)
            r += product(p->dm.floats, p->m.floats + i * p->n, p->n, &size);
        double alpha = (double)p->alpha.floats[i], truth = alpha * (r - (double)p->rho);
        double bound = fabs(alpha) * (double)(p->n + 4) * U * size;
        if (!(fabs((double)de[i] - truth) <= bound)) {
            fprintf(stderr, "%s: de is %g, expected %g\n", table->name, (double)de[i], truth);
            fail();
        }
        for (size_t j = 0; j < p->n; j++) {
            true_dq[j] += truth * (double)h[j];
            bound_dq[j] += fabs((double)h[j]) * (bound + fabs(truth) * (double)(p->count + 2) * U);
        }
    }
    for (size_t j = 0; j < p->n; j++)
        assert_near((double)dq[j], true_dq[j], bound_dq[j]);
}

static void run(const problem *p, const arnn_kernels *table, guard_side side)
{
    guard de = guard_make(p->count, side), dq = guard_make(p->n, side);
    memcpy(dq.floats, p->dq.floats, p->n * sizeof(float));
    const arnn_owed owed = {
        .dq = dq.floats,
        .de = de.floats,
        .h = p->h.floats,
        .m = p->memories ? p->m.floats : NULL,
        .alpha = p->alpha.floats,
        .ds = p->ds.floats,
        .dm = p->memories ? p->dm.floats : NULL,
        .rho = p->rho,
        .count = p->count,
        .hidden = p->n,
        .back = p->back,
    };
    table->owed(&owed);
    assert_true(guard_intact(&de) && guard_intact(&dq));
    check(p, table, de.floats, dq.floats);
    guard_free(&de);
    guard_free(&dq);
}

static void test_owed(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 300; i++) {
        problem p = make(&r, i % GUARD_SIDES);
        FOR_TABLES(table) run(&p, table, i % GUARD_SIDES);
        forget(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_owed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

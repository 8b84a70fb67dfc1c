/* The read, backward, on vectors: one pass over the rows in blocks, as vec_read.c, whose scores and sums it takes. */
#include "base/cpu.h"
#include "kernels/vec_block.h"

static size_t block_rows(size_t hidden)
{
    size_t rows = VF_GROUP;
    while (rows < BLOCK_ROWS && 2 * rows * hidden * sizeof(float) <= BLOCK_BYTES)
        rows *= 2;
    return rows;
}

/* e (rows): the products of a block's rows with a vector. */
static void multiply(float *e, const float *rows, const float *vector, block *at, size_t n)
{
    const arnn_query query = {.query = vector, .hidden = n};
    const arnn_run run = {.h = rows, .h_stride = n, .count = at->end};
    at->run = &run;
    ARNN_VEC(score_dot)(e, &query, at);
    at->run = NULL;
}

/* de of a block, of whose rows r (rows) are the products with ds. */
static void owe_scores(const arnn_owed *owed, const float *r, size_t first, block *at)
{
    float other[BLOCK_ROWS];
    const float *alpha = owed->alpha + first;
    float *de = owed->de + first;
    if (owed->m)
        multiply(other, owed->m + first * owed->hidden, owed->dm, at, owed->hidden);
    for (size_t i = 0; i < at->end; i++)
        de[i] = alpha[i] * ((owed->m ? r[i] + other[i] : r[i]) - owed->rho);
}

static void add_rows_owed(const arnn_owed *owed, size_t first, const block *at)
{
    const size_t n = owed->hidden, half = at->rows * n / 2 * sizeof(float);
    const ahead next = {.at = at->next_h + half, .far = at->far};
    ARNN_VEC(add_rows)(owed->dq, owed->h + first * n, ARNN_TYPE_F32, n, owed->de + first, at->end, n, next);
}

/* The same, and r becomes that of the block at `next`. */
static void add_rows_and_multiply(float *r, const arnn_owed *owed, size_t first, size_t next, size_t rows)
{
    const size_t n = owed->hidden;
    const fused blocks = {
        .sums = owed->dq,
        .weights = owed->de + first,
        .added = owed->h + first * n,
        .query = owed->ds,
        .scored = owed->h + next * n,
        .stride = n,
        .n = n,
    };
    ARNN_VEC(add_and_score)(r, &blocks, rows);
}

void ARNN_VEC(owed)(const arnn_owed *owed)
{
    const bool far = arnn_cpu_fetches_far(), fuses = ARNN_VEC(fuses)(ARNN_TYPE_F32, owed->hidden);
    const size_t rows = block_rows(owed->hidden), n = owed->hidden, steps = blocks_ahead(far);
    const size_t blocks = (owed->count + rows - 1) / rows, whole = owed->count / rows;
    float r[BLOCK_ROWS];
    bool multiplied = false; /* with the sum of the block before */
    block at = {.rows = rows, .far = far};
    for (size_t i = 0; i < blocks; i++) {
        const size_t number = owed->back ? blocks - 1 - i : i, first = number * rows, left = owed->count - first;
        const size_t after = owed->back ? number - 1 : number + 1; /* none: beyond all */
        const size_t ahead = i + steps >= blocks ? first : owed->back ? first - steps * rows : first + steps * rows;
        at.end = left < rows ? left : rows;
        at.next_h = (uintptr_t)(owed->h + ahead * n);
        if (!multiplied)
            multiply(r, owed->h + first * n, owed->ds, &at, n);
        owe_scores(owed, r, first, &at);
        multiplied = fuses && number < whole && after < whole;
        if (multiplied)
            add_rows_and_multiply(r, owed, first, after * rows, rows);
        else
            add_rows_owed(owed, first, &at);
    }
}

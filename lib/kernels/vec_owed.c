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
static void multiply(float *e, const float *rows, const float *vector, const block *shape, size_t n)
{
    const arnn_query query = {.query = vector, .hidden = n};
    const arnn_run run = {.h = rows, .h_stride = n, .count = shape->end};
    block at = *shape;
    at.run = &run;
    ARNN_VEC(score_dot)(e, &query, &at);
}

static void owed_block(const arnn_owed *owed, size_t first, const block *at)
{
    float r[BLOCK_ROWS], other[BLOCK_ROWS];
    size_t n = owed->hidden, half = at->rows * n / 2 * sizeof(float);
    const float *h = owed->h + first * n, *alpha = owed->alpha + first;
    float *de = owed->de + first;
    multiply(r, h, owed->ds, at, n);
    if (owed->m)
        multiply(other, owed->m + first * n, owed->dm, at, n);
    for (size_t i = 0; i < at->end; i++)
        de[i] = alpha[i] * ((owed->m ? r[i] + other[i] : r[i]) - owed->rho);
    ARNN_VEC(add_rows)(owed->dq, h, ARNN_TYPE_F32, n, de, at->end, n, (ahead){.at = at->next_h + half, .far = at->far});
}

void ARNN_VEC(owed)(const arnn_owed *owed)
{
    const bool far = arnn_cpu_fetches_far();
    const size_t rows = block_rows(owed->hidden), n = owed->hidden, steps = blocks_ahead(far);
    const size_t blocks = (owed->count + rows - 1) / rows;
    for (size_t i = 0; i < blocks; i++) {
        size_t number = owed->back ? blocks - 1 - i : i, first = number * rows, left = owed->count - first;
        size_t next = i + steps >= blocks ? first : owed->back ? first - steps * rows : first + steps * rows;
        const block at = {
            .rows = rows,
            .far = far,
            .end = left < rows ? left : rows,
            .next_h = (uintptr_t)(owed->h + next * n),
        };
        owed_block(owed, first, &at);
    }
}

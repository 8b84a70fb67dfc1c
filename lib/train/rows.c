#include "train/pass.h"

float *arnn_row(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t t)
{
    return rows + (stream * pass->record->steps + t) * width;
}

float *arnn_late(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t t)
{
    return rows + (stream * (pass->record->steps + 1) + t) * width;
}

float *arnn_taped(const arnn_pass *pass, float *rows, size_t width, size_t stream, size_t i)
{
    return rows + (stream * pass->columns + i) * width;
}

size_t arnn_carried(const arnn_pass *pass, const float **rows, size_t stream, size_t t, size_t count)
{
    const arnn_kept *kept = pass->kept;
    if (pass->wiring->carries_h && t == 0) {
        *rows = kept->first_h + stream * pass->n;
        return 1;
    }
    if (pass->wiring->carries_h)
        *rows = arnn_taped(pass, kept->h, pass->n, stream, pass->record->before[stream] + t - 1);
    else
        *rows = arnn_late(pass, kept->s, pass->n, stream, t + pass->wiring->reads_first);
    return count;
}

size_t arnn_rows_read(const arnn_pass *pass, size_t stream, size_t t)
{
    return pass->record->before[stream] + t + pass->wiring->reads_last;
}

arnn_steps arnn_block_of(const arnn_pass *pass, size_t stream, size_t first)
{
    size_t length = pass->record->lengths[stream], left = length > first ? length - first : 0;
    size_t count = left < ARNN_BLOCK_STEPS ? left : ARNN_BLOCK_STEPS;
    return (arnn_steps){.stream = stream, .first = first, .count = count, .work = &pass->work->streams[stream]};
}

#define SIDE 8 /* sums side by side, so that compilers may use vectors */

float arnn_dot(const float *a, const float *b, size_t count)
{
    float sums[SIDE] = {0.0f}, sum = 0.0f;
    size_t i = 0;
    for (; i + SIDE <= count; i += SIDE) {
        for (size_t j = 0; j < SIDE; j++)
            sums[j] += a[i + j] * b[i + j];
    }
    for (; i < count; i++)
        sum += a[i] * b[i];
    for (size_t j = 0; j < SIDE; j++)
        sum += sums[j];
    return sum;
}

void arnn_add_scaled(float *sums, float factor, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += factor * values[i];
}

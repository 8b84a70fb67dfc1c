#include "attention/attend.h"

#include <math.h>
#include <string.h>

#include "attention/read.h"

void arnn_attend_one(const arnn_attending *self, float *context, float *logsumexp, float *weights, const float *query,
                     const arnn_rows *rows)
{
    size_t stride = rows->stride ? rows->stride : self->width, bytes = arnn_element_of(self->type)->bytes;
    const arnn_query form = {
        .query = self->query,
        .newest = rows->count ? rows->count - 1 : 0,
        .hidden = self->width,
        .bytes = self->bytes,
    };
    for (size_t i = 0; i < self->width; i++)
        self->query[i] = self->scale * query[i];
    arnn_merged merged = arnn_merged_begin(context, NULL, self->run, NULL, self->width);
    for (size_t first = 0; first < rows->count; first += ARNN_RUN_ROWS) {
        size_t left = rows->count - first;
        const unsigned char *h = (const unsigned char *)rows->data + first * stride * bytes;
        const arnn_run run = {
            .h = h,
            .h_type = self->type,
            .h_stride = stride,
            .first = first,
            .count = left < ARNN_RUN_ROWS ? left : ARNN_RUN_ROWS,
            .next_h = left > ARNN_RUN_ROWS && stride == self->width ? h + ARNN_RUN_ROWS * stride * bytes : NULL,
        };
        arnn_merged_read(&merged, self->kernels->read[ARNN_READ_DOT], &form, &run, weights ? weights + first : NULL);
    }
    float sum = arnn_merged_finish(&merged);
    if (logsumexp)
        *logsumexp = sum;
    if (weights) {
        arnn_merged_weigh(&merged, weights, rows->count);
        memset(weights + rows->count, 0, (self->weight_stride - rows->count) * sizeof *weights);
    }
}

void arnn_merge_one(float *context, float *logsumexp, const float *other, float other_logsumexp, size_t width)
{
    if (other_logsumexp == -INFINITY)
        return; /* empty: not a bit changes */
    float max = *logsumexp > other_logsumexp ? *logsumexp : other_logsumexp;
    float own = expf(*logsumexp - max), others = expf(other_logsumexp - max), sum = own + others;
    for (size_t i = 0; i < width; i++)
        context[i] = own == 0.0f ? other[i] : (own * context[i] + others * other[i]) / sum;
    *logsumexp = max + logf(sum);
}

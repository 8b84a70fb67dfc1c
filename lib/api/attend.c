#include "api/api.h"

#include <math.h>

#include "attention/attend.h"
#include "base/memory.h"
#include "model/tables.h"

static arnn_status check_rows(const arnn_rows *rows, size_t index, const arnn_attending *self, bool weights)
{
    size_t stride = rows->stride ? rows->stride : self->width, floats;
    if (rows->count > 0 && !rows->data)
        return arnn_error(ARNN_INVALID_ARGUMENT, "rows[%zu].data is NULL", index);
    if (stride < self->width || stride > INT32_MAX)
        return arnn_error(ARNN_SHAPE, "rows[%zu].stride is %zu, expected %zu to %d", index, stride, self->width,
                          (int)INT32_MAX);
    if (!arnn_size_mul(&floats, rows->count, stride) || floats > PTRDIFF_MAX / sizeof(float))
        return arnn_error(ARNN_SHAPE, "rows[%zu].count is %zu: with stride %zu it overflows the address space", index,
                          rows->count, stride);
    if (weights && rows->count > self->weight_stride)
        return arnn_error(ARNN_SHAPE, "weight_stride is %zu, rows[%zu].count %zu", self->weight_stride, index,
                          rows->count);
    return ARNN_OK;
}

/* Of all queries; SIZE_MAX where the same rows come so often that it overflows. */
static size_t bytes_of(const arnn_rows *rows, size_t batch, const arnn_attending *self)
{
    size_t bytes = 0;
    for (size_t b = 0; b < batch; b++)
        arnn_size_add(&bytes, bytes, rows[b].count * self->width * arnn_element_of(self->type)->bytes);
    return bytes;
}

static arnn_status check_attend(const arnn_rows *rows, size_t batch, const arnn_attending *self, bool weights)
{
    arnn_status status = arnn_element_check("type", self->type, ~0u);
    if (status)
        return status;
    if (self->width == 0 || self->width > INT32_MAX)
        return arnn_error(ARNN_INVALID_ARGUMENT, "width is %zu, expected 1 to %d", self->width, (int)INT32_MAX);
    if (!isfinite(self->scale))
        return arnn_error(ARNN_INVALID_ARGUMENT, "scale is %g, expected a finite number", (double)self->scale);
    for (size_t b = 0; b < batch && !status; b++)
        status = check_rows(&rows[b], b, self, weights);
    return status;
}

arnn_status arnn_attend(float *contexts, float *logsumexp, float *weights, const float *queries, const arnn_rows *rows,
                        size_t batch, size_t width, size_t weight_stride, int32_t type, float scale)
{
    if (batch == 0)
        return ARNN_OK;
    ARNN_REQUIRE(contexts);
    ARNN_REQUIRE(queries);
    ARNN_REQUIRE(rows);
    arnn_attending self = {.scale = scale, .width = width, .weight_stride = weight_stride, .type = type};
    arnn_status status = check_attend(rows, batch, &self, weights != NULL);
    if (!status)
        status = arnn_tables_choose(&self.kernels);
    if (status)
        return status;
    self.bytes = bytes_of(rows, batch, &self);
    self.query = arnn_alloc_floats(width);
    self.run = arnn_alloc_floats(width);
    if (!self.query || !self.run) {
        arnn_free(self.query);
        arnn_free(self.run);
        return arnn_error_no_memory("a query and its sums");
    }
    for (size_t b = 0; b < batch; b++)
        arnn_attend_one(&self, contexts + b * width, logsumexp ? logsumexp + b : NULL,
                        weights ? weights + b * weight_stride : NULL, queries + b * width, &rows[b]);
    arnn_free(self.query);
    arnn_free(self.run);
    return ARNN_OK;
}

arnn_status arnn_attend_merge(float *contexts, float *logsumexp, const float *other_contexts,
                              const float *other_logsumexp, size_t batch, size_t width)
{
    if (batch == 0)
        return ARNN_OK;
    ARNN_REQUIRE(contexts);
    ARNN_REQUIRE(logsumexp);
    ARNN_REQUIRE(other_contexts);
    ARNN_REQUIRE(other_logsumexp);
    size_t floats;
    if (!arnn_size_mul(&floats, batch, width) || floats > PTRDIFF_MAX / sizeof(float))
        return arnn_error(ARNN_INVALID_ARGUMENT, "%zu contexts of %zu overflow the address space", batch, width);
    for (size_t b = 0; b < batch; b++)
        arnn_merge_one(contexts + b * width, logsumexp + b, other_contexts + b * width, other_logsumexp[b], width);
    return ARNN_OK;
}

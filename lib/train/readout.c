#include "train/readout.h"

#include <string.h>

#include "base/memory.h"

size_t arnn_source_parts(const arnn_record *record, arnn_source_part parts[2], size_t stream, size_t t)
{
    const arnn_model_desc *desc = &record->model->desc;
    size_t n = desc->hidden, count = 0;
    if (desc->source != ARNN_SOURCE_S)
        parts[count++] = (arnn_source_part){arnn_record_top_h(record, stream) + t * n,
                                            arnn_record_top_dh(record, stream) + t * n, 0};
    if (desc->source != ARNN_SOURCE_H)
        parts[count++] =
            (arnn_source_part){arnn_record_top_s(record, stream) + t * n, arnn_record_top_ds(record, stream) + t * n,
                               desc->source == ARNN_SOURCE_HS ? n : 0};
    return count;
}

static float *gradient_of(const arnn_record *record, float *gradient, arnn_role role)
{
    const arnn_parameters *parameters = &record->model->parameters;
    return gradient + (arnn_parameters_of(parameters, role, 0)->values - parameters->values);
}

void arnn_readout_back(arnn_record *record, float *gradient, const float *dy, size_t stride, size_t stream, size_t t,
                       size_t count)
{
    const arnn_model_desc *desc = &record->model->desc;
    size_t n = desc->hidden, outputs = desc->outputs, width = arnn_desc_source_width(desc);
    const float *weights = arnn_parameters_of(&record->model->parameters, ARNN_READOUT, 0)->values;
    float *dw = gradient_of(record, gradient, ARNN_READOUT), *db = gradient_of(record, gradient, ARNN_READOUT_BIAS);
    const arnn_kernels *kernels = record->model->kernels;
    arnn_source_part parts[2];
    for (size_t i = arnn_source_parts(record, parts, stream, t); i-- > 0;) {
        kernels->multiply(parts[i].owed, n, (arnn_operand){dy, stride, false},
                          (arnn_operand){weights + parts[i].column, width, false}, count, n, outputs);
        kernels->multiply(dw + parts[i].column, width, (arnn_operand){dy, stride, true},
                          (arnn_operand){parts[i].rows, n, false}, outputs, n, count);
    }
    for (size_t row = 0; row < count; row++) {
        for (size_t o = 0; o < outputs; o++)
            db[o] += dy[row * stride + o];
    }
}

static void add(float *sums, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sums[i] += values[i];
}

static const float *owed_at(const arnn_array *array, size_t stream, size_t t)
{
    return array->data + t * array->time_stride + stream * array->stream_stride;
}

/* dL/dy of a step without a readout: to h and s themselves. */
static void owe_source(arnn_record *record, const float *dy, size_t stream, size_t t)
{
    arnn_source_part parts[2];
    for (size_t i = arnn_source_parts(record, parts, stream, t); i-- > 0;)
        add(parts[i].owed, dy + parts[i].column, record->model->desc.hidden);
}

/* A readout takes one product for all steps of a stream, however they lie: its bits follow from the stream alone. */
static void owe_stream(arnn_record *record, float *gradient, const arnn_output_gradient *owed, size_t stream)
{
    size_t n = record->model->desc.hidden, outputs = record->model->desc.outputs, steps = record->lengths[stream];
    if (owed->y.data && outputs)
        arnn_readout_back(record, gradient, owed_at(&owed->y, stream, 0), owed->y.time_stride, stream, 0, steps);
    for (size_t t = 0; t < steps; t++) {
        if (owed->h.data)
            add(arnn_record_top_dh(record, stream) + t * n, owed_at(&owed->h, stream, t), n);
        if (owed->s.data)
            add(arnn_record_top_ds(record, stream) + t * n, owed_at(&owed->s, stream, t), n);
        if (owed->y.data && !outputs)
            owe_source(record, owed_at(&owed->y, stream, t), stream, t);
    }
}

arnn_status arnn_record_go_back(arnn_record *record, float *gradient, const arnn_output_gradient *owed)
{
    float *unwanted = NULL;
    if (!gradient) {
        unwanted = arnn_alloc_floats(record->model->parameters.values_count);
        if (!unwanted)
            return arnn_error_no_memory("gradients of parameters");
        gradient = unwanted;
    }
    arnn_record_clear(record);
    for (size_t stream = 0; stream < record->count; stream++)
        owe_stream(record, gradient, owed, stream);
    arnn_status status = arnn_record_return(record, gradient);
    arnn_free(unwanted);
    return status;
}

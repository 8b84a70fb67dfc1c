#include "api/api.h"

#include <string.h>

#include "base/memory.h"
#include "train/readout.h"
#include "train/record.h"

static const arnn_record_desc defaults = {.struct_size = sizeof defaults, .threads = 1};

arnn_status arnn_record_desc_default(arnn_record_desc *desc, size_t struct_size)
{
    ARNN_REQUIRE(desc);
    arnn_status status = arnn_check_struct("arnn_record_desc", struct_size, sizeof *desc);
    if (!status)
        *desc = defaults;
    return status;
}

arnn_status arnn_output_gradient_default(arnn_output_gradient *from, size_t struct_size)
{
    ARNN_REQUIRE(from);
    arnn_status status = arnn_check_struct("arnn_output_gradient", struct_size, sizeof *from);
    if (!status)
        *from = (arnn_output_gradient){.struct_size = sizeof *from};
    return status;
}

arnn_status arnn_gradient_default(arnn_gradient *to, size_t struct_size)
{
    ARNN_REQUIRE(to);
    arnn_status status = arnn_check_struct("arnn_gradient", struct_size, sizeof *to);
    if (!status)
        *to = (arnn_gradient){.struct_size = sizeof *to};
    return status;
}

static arnn_status check_desc(const arnn_record_desc *desc)
{
    arnn_status status = arnn_check_struct("arnn_record_desc", desc->struct_size, sizeof *desc);
    if (!status && desc->reserved != 0)
        status = arnn_error(ARNN_INVALID_ARGUMENT, "reserved is %d, expected 0", (int)desc->reserved);
    if (!status)
        status = arnn_check_threads(desc->threads);
    if (!status && (desc->streams == 0 || desc->streams > INT32_MAX || desc->steps == 0 || desc->steps > INT32_MAX ||
                    desc->past > INT32_MAX))
        status = arnn_error(ARNN_INVALID_ARGUMENT,
                            "%zu streams, %zu steps and %zu past rows, expected 1 to %d, past 0 "
                            "to %d",
                            desc->streams, desc->steps, desc->past, (int)INT32_MAX, (int)INT32_MAX);
    return status;
}

arnn_status arnn_record_bytes(const arnn_model *model, const arnn_record_desc *desc, size_t *bytes)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(desc);
    ARNN_REQUIRE(bytes);
    arnn_status status = check_desc(desc);
    if (status)
        return status;
    size_t total = arnn_record_count_bytes(model, desc);
    if (total == SIZE_MAX)
        return arnn_error(ARNN_INVALID_ARGUMENT, "a record of %zu streams, %zu steps and %zu past rows overflows",
                          desc->streams, desc->steps, desc->past);
    *bytes = total;
    return ARNN_OK;
}

arnn_status arnn_record_create(arnn_record **out, arnn_model *model, const arnn_record_desc *desc)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(desc);
    arnn_status status = check_desc(desc);
    return status ? status : arnn_record_new(out, model, desc);
}

void arnn_record_destroy(arnn_record *record)
{
    arnn_record_release(record);
}

arnn_state *arnn_record_state(arnn_record *record)
{
    return record ? record->state : NULL;
}

arnn_status arnn_record_forward(arnn_record *record, const arnn_output *out, const arnn_input *in,
                                const size_t *lengths, size_t steps, size_t count)
{
    ARNN_REQUIRE(record);
    if (count > record->streams || steps > record->steps)
        return arnn_error(ARNN_SHAPE, "%zu streams of %zu steps, the record has room for %zu of %zu", count, steps,
                          record->streams, record->steps);
    arnn_sequence sequence = {.lengths = lengths, .steps = steps, .count = count};
    arnn_status status = arnn_check_sequence(record->state, &sequence, out, in);
    return status ? status : arnn_record_run(record, &sequence);
}

/* ---- backward ---- */

static arnn_status check_run(const arnn_record *record)
{
    if (!record->ran)
        return arnn_error(ARNN_NOT_FOUND, "there is no run to go back over: none was made, or it was gone back over");
    if (record->changes != record->model->changes)
        return arnn_error(ARNN_BUSY, "parameters have changed since the run");
    return ARNN_OK;
}

static arnn_status check_to(const arnn_record *record, const arnn_gradient *to, const arnn_sequence *shape,
                            arnn_array *x)
{
    *x = to->x;
    if (to->x.data && record->model->desc.vocab)
        return arnn_error(ARNN_UNSUPPORTED, "x is given: the model reads token ids");
    if (to->m && !record->d_m)
        return arnn_error(ARNN_UNSUPPORTED, "m is given: this model carries none from step to step");
    if (to->h && !record->d_h)
        return arnn_error(ARNN_UNSUPPORTED, "h is given: this model carries none from step to step");
    return arnn_check_array("x", x, record->model->desc.inputs, shape);
}

static void give_values(const arnn_record *record, float *to, const float *from)
{
    size_t n = record->model->desc.hidden;
    for (size_t layer = 0; to && layer < record->model->desc.layers; layer++)
        memcpy(to + layer * record->count * n, from + layer * record->streams * n, record->count * n * sizeof *to);
}

static void give_inputs(const arnn_record *record, const arnn_array *x)
{
    size_t d = record->model->desc.inputs;
    for (size_t b = 0; x->data && b < record->count; b++) {
        for (size_t t = 0; t < record->lengths[b]; t++)
            memcpy(x->data + t * x->time_stride + b * x->stream_stride, record->dx + (b * record->steps + t) * d,
                   d * sizeof(float));
    }
}

arnn_status arnn_record_backward(arnn_record *record, const arnn_gradient *to, const arnn_output_gradient *from)
{
    ARNN_REQUIRE(record);
    ARNN_REQUIRE(to);
    ARNN_REQUIRE(from);
    arnn_array x;
    arnn_output_gradient owed = *from;
    const arnn_model_desc *desc = &record->model->desc;
    const arnn_sequence shape = {.steps = record->last_steps, .count = record->count};
    arnn_status status = arnn_check_struct("arnn_gradient", to->struct_size, sizeof *to);
    if (!status)
        status = arnn_check_struct("arnn_output_gradient", from->struct_size, sizeof *from);
    if (!status)
        status = check_run(record);
    if (!status)
        status = check_to(record, to, &shape, &x);
    if (!status)
        status = arnn_check_array("y", &owed.y, arnn_desc_output_width(desc), &shape);
    if (!status)
        status = arnn_check_array("h", &owed.h, desc->hidden, &shape);
    if (!status)
        status = arnn_check_array("s", &owed.s, desc->hidden, &shape);
    record->inputs_wanted = !status && x.data;
    if (!status)
        status = arnn_record_go_back(record, to->parameters, &owed);
    if (status)
        return status;
    give_inputs(record, &x);
    give_values(record, to->s, record->d_s);
    give_values(record, to->m, record->d_m);
    give_values(record, to->h, record->d_h);
    return ARNN_OK;
}

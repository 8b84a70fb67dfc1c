#include "api/api.h"

#include <string.h>

#include "model/init.h"
#include "model/model.h"

arnn_status arnn_model_desc_default(arnn_model_desc *desc, size_t struct_size)
{
    ARNN_REQUIRE(desc);
    arnn_status status = arnn_check_struct("arnn_model_desc", struct_size, sizeof *desc);
    if (!status)
        arnn_desc_default(desc);
    return status;
}

arnn_status arnn_model_create(arnn_model **out, const arnn_model_desc *desc)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(desc);
    return arnn_model_new(out, desc);
}

void arnn_model_destroy(arnn_model *model)
{
    arnn_model_release(model);
}

arnn_status arnn_model_describe(const arnn_model *model, arnn_model_desc *desc)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(desc);
    arnn_status status = arnn_check_struct("arnn_model_desc", desc->struct_size, sizeof *desc);
    if (!status)
        *desc = model->desc;
    return status;
}

const char *arnn_model_kernels(const arnn_model *model)
{
    return model ? model->kernels->name : NULL;
}

arnn_status arnn_model_output_width(const arnn_model *model, size_t *width)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(width);
    *width = arnn_desc_output_width(&model->desc);
    return ARNN_OK;
}

size_t arnn_model_parameter_count(const arnn_model *model)
{
    return model ? model->parameters.count : 0;
}

arnn_status arnn_model_parameter(const arnn_model *model, const char **name, size_t *rank, size_t shape[2],
                                 size_t index)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(name);
    ARNN_REQUIRE(rank);
    ARNN_REQUIRE(shape);
    if (index >= model->parameters.count)
        return arnn_error(ARNN_NOT_FOUND, "parameter %zu of %zu", index, model->parameters.count);
    const arnn_parameter *parameter = &model->parameters.list[index];
    *name = parameter->name;
    *rank = parameter->rank;
    memcpy(shape, parameter->shape, sizeof parameter->shape);
    return ARNN_OK;
}

static arnn_status find(arnn_parameter **out, const arnn_model *model, const char *name, size_t count)
{
    *out = arnn_parameters_find(&model->parameters, name);
    if (!*out)
        return arnn_error(ARNN_NOT_FOUND, "the model has no parameter \"%.60s\"", name);
    if ((*out)->count != count) {
        char shape[ARNN_SHAPE_TEXT];
        arnn_shape_write(shape, (*out)->rank, (*out)->shape);
        return arnn_error(ARNN_SHAPE, "%s has shape %s, %zu elements, and not %zu", name, shape, (*out)->count, count);
    }
    return ARNN_OK;
}

size_t arnn_model_parameter_floats(const arnn_model *model)
{
    return model ? model->parameters.values_count : 0;
}

arnn_status arnn_model_parameter_offset(const arnn_model *model, size_t *offset, size_t index)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(offset);
    if (index >= model->parameters.count)
        return arnn_error(ARNN_NOT_FOUND, "parameter %zu of %zu", index, model->parameters.count);
    *offset = (size_t)(model->parameters.list[index].values - model->parameters.values);
    return ARNN_OK;
}

arnn_status arnn_model_read(const arnn_model *model, float *values, const char *name, size_t count)
{
    arnn_parameter *parameter;
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(values);
    ARNN_REQUIRE(name);
    arnn_status status = find(&parameter, model, name, count);
    if (!status)
        memcpy(values, parameter->values, count * sizeof *values);
    return status;
}

arnn_status arnn_model_write(arnn_model *model, const char *name, const float *values, size_t count)
{
    arnn_parameter *parameter;
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(name);
    ARNN_REQUIRE(values);
    arnn_status status = find(&parameter, model, name, count);
    if (!status)
        status = arnn_model_change(model);
    if (!status)
        memcpy(parameter->values, values, count * sizeof *values);
    return status;
}

arnn_status arnn_model_set_weight_type(arnn_model *model, int32_t type)
{
    ARNN_REQUIRE(model);
    arnn_status status = arnn_element_check("type", type, ~0u);
    if (!status && type != model->weight_type)
        status = arnn_model_change(model);
    if (!status)
        model->weight_type = type;
    return status;
}

arnn_status arnn_model_init(arnn_model *model, uint64_t seed)
{
    ARNN_REQUIRE(model);
    return arnn_model_initialise(model, seed);
}

#include "model/files.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/json.h"
#include "model/metadata.h"
#include "model/replace.h"
#include "model/safetensors.h"

/* ---- loading: which tensor goes where, decided before any memory is taken for a model ---- */

typedef struct plan {
    const char *prefix;
    char *name;                  /* room for the prefix and a parameter's name */
    arnn_parameters expected;    /* names and shapes */
    const arnn_tensor **tensors; /* of each parameter; NULL: a bias that is zero */
} plan;

static void plan_destroy(plan *plan)
{
    arnn_free(plan->name);
    arnn_free((void *)plan->tensors);
    arnn_parameters_destroy(&plan->expected);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);
    return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* Tensors of PyTorch's modules that say: this is another model. To pass over them would be to compute something
   else. */
static arnn_status refuse_names(const plan *plan, const arnn_safetensors *file)
{
    char quote[ARNN_QUOTE_BYTES];
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[i].name;
        if (!starts_with(name, plan->prefix))
            continue;
        if (ends_with(name, "_reverse"))
            return arnn_error(ARNN_UNSUPPORTED,
                              "%s belongs to a bidirectional layer: load two models, one for each direction",
                              arnn_json_quote(quote, name));
        if (starts_with(name + strlen(plan->prefix), "weight_hr_l"))
            return arnn_error(ARNN_UNSUPPORTED, "%s belongs to a layer with a projection, which no model here has",
                              arnn_json_quote(quote, name));
    }
    return ARNN_OK;
}

static const arnn_tensor *find_tensor(plan *plan, const arnn_safetensors *file, const char *name)
{
    strcpy(plan->name + strlen(plan->prefix), name);
    return arnn_safetensors_find(file, plan->name);
}

/* A file has no more layers than tensors. A description that has more lacks some: it is cut to one layer too many,
   which will be missed by name, instead of making a list of its own length. */
static arnn_status plan_list(plan *plan, const arnn_safetensors *file, const arnn_model_desc *desc)
{
    arnn_model_desc cut = *desc;
    if (cut.layers > file->count + 1)
        cut.layers = file->count + 1;
    arnn_status status = arnn_parameters_list(&plan->expected, &cut);
    if (status)
        return status;
    plan->tensors = arnn_alloc(plan->expected.count, sizeof *plan->tensors);
    plan->name = arnn_alloc(strlen(plan->prefix) + ARNN_NAME_BYTES, 1);
    if (!plan->tensors || !plan->name)
        return arnn_error_no_memory("the names of parameters");
    strcpy(plan->name, plan->prefix);
    return ARNN_OK;
}

/* PyTorch's bias=False leaves out both biases of a layer, which stand side by side in the list. */
static bool may_be_missing(plan *plan, const arnn_safetensors *file, const arnn_parameter *parameter)
{
    if (parameter->role != ARNN_BIAS_IH && parameter->role != ARNN_BIAS_HH)
        return false;
    const arnn_parameter *other = parameter->role == ARNN_BIAS_IH ? parameter + 1 : parameter - 1;
    return !find_tensor(plan, file, other->name);
}

static arnn_status check_shape(const arnn_tensor *tensor, const arnn_parameter *parameter)
{
    char quote[ARNN_QUOTE_BYTES], has[ARNN_TENSOR_TEXT], expected[ARNN_SHAPE_TEXT];
    bool same = tensor->rank == parameter->rank;
    for (size_t i = 0; i < parameter->rank && same; i++)
        same = tensor->shape[i] == parameter->shape[i];
    if (same)
        return ARNN_OK;
    arnn_tensor_shape_write(has, tensor);
    arnn_shape_write(expected, parameter->rank, parameter->shape);
    return arnn_error(ARNN_SHAPE, "%s has shape %s, expected %s", arnn_json_quote(quote, tensor->name), has, expected);
}

static arnn_status plan_parameter(plan *plan, const arnn_safetensors *file, size_t index)
{
    char quote[ARNN_QUOTE_BYTES];
    const arnn_parameter *parameter = &plan->expected.list[index];
    const arnn_tensor *tensor = find_tensor(plan, file, parameter->name);
    plan->tensors[index] = tensor;
    if (tensor)
        return check_shape(tensor, parameter);
    if (may_be_missing(plan, file, parameter))
        return ARNN_OK;
    find_tensor(plan, file, parameter->name);
    return arnn_error(ARNN_NOT_FOUND, "the file has no tensor %s", arnn_json_quote(quote, plan->name));
}

static arnn_status plan_make(plan *plan, const arnn_safetensors *file, const arnn_model_desc *desc)
{
    arnn_status status = refuse_names(plan, file);
    if (!status)
        status = plan_list(plan, file, desc);
    for (size_t i = 0; i < plan->expected.count && !status; i++)
        status = plan_parameter(plan, file, i);
    return status;
}

/* Every tensor of the file must have its place: as many places as tensors, or else one is found that has none. */
static arnn_status refuse_unknown(const plan *plan, const arnn_safetensors *file)
{
    char quote[ARNN_QUOTE_BYTES];
    bool *known = arnn_alloc(file->count, sizeof *known);
    if (!known)
        return arnn_error_no_memory("the names of tensors");
    for (size_t i = 0; i < plan->expected.count; i++) {
        if (plan->tensors[i])
            known[plan->tensors[i] - file->tensors] = true;
    }
    size_t i = 0;
    while (i < file->count && known[i])
        i++;
    arnn_free(known);
    if (i == file->count)
        return ARNN_OK;
    return arnn_error(ARNN_FORMAT, "the file has a tensor %s, which is no parameter of this model",
                      arnn_json_quote(quote, file->tensors[i].name));
}

/* ---- loading: the values ---- */

static arnn_status read_values(arnn_model *model, const plan *plan, const arnn_safetensors *file)
{
    arnn_status status = ARNN_OK;
    for (size_t i = 0; i < plan->expected.count && !status; i++) {
        if (plan->tensors[i])
            status = arnn_safetensors_read(file, plan->tensors[i], model->parameters.list[i].values);
    }
    return status;
}

/* What the plan asks for has been checked: the file holds it, so that the model is no larger than the file (twice as
   large, from elements of 16 bits). */
static arnn_status make_model(arnn_model **out, const arnn_model_desc *desc, const plan *plan,
                              const arnn_safetensors *file)
{
    arnn_status status = arnn_model_new(out, desc);
    if (!status)
        status = read_values(*out, plan, file);
    if (status) {
        arnn_model_release(*out);
        *out = NULL;
    }
    return status;
}

static arnn_status read_model(arnn_model **out, const arnn_bytes *from, const arnn_load_options *options)
{
    arnn_safetensors file;
    arnn_model_desc desc;
    plan plan = {.prefix = options->prefix ? options->prefix : ""};
    arnn_status status = arnn_safetensors_open(&file, from);
    if (!status)
        status = arnn_metadata_description(&desc, &file, options->desc);
    if (!status)
        status = plan_make(&plan, &file, &desc);
    if (!status && !options->ignore_unknown)
        status = refuse_unknown(&plan, &file);
    if (!status)
        status = make_model(out, &desc, &plan, &file);
    plan_destroy(&plan);
    arnn_safetensors_close(&file);
    return status;
}

arnn_status arnn_model_read_file(arnn_model **out, const char *path, const arnn_load_options *options)
{
    arnn_bytes from;
    *out = NULL;
    arnn_status status = arnn_bytes_open(&from, path);
    if (!status)
        status = read_model(out, &from, options);
    arnn_bytes_close(&from);
    return status;
}

arnn_status arnn_model_read_memory(arnn_model **out, const void *data, size_t bytes, const arnn_load_options *options)
{
    arnn_bytes from;
    *out = NULL;
    arnn_bytes_memory(&from, data, bytes);
    return read_model(out, &from, options);
}

/* ---- saving ---- */

static arnn_status write_model(arnn_sink *sink, const void *model)
{
    const arnn_model *from = model;
    return arnn_safetensors_write(sink, &from->desc, &from->parameters);
}

arnn_status arnn_model_write_file(const arnn_model *model, const char *path)
{
    return arnn_replace(path, write_model, model);
}

arnn_status arnn_model_write_memory(const arnn_model *model, void *data, size_t capacity, size_t *bytes)
{
    arnn_sink sink;
    arnn_sink_count(&sink);
    arnn_status status = write_model(&sink, model);
    *bytes = sink.bytes;
    if (status || !data)
        return status;
    if (capacity < *bytes)
        return arnn_error(ARNN_SHAPE, "the model takes %zu bytes, and there is room for %zu", *bytes, capacity);
    arnn_sink_memory(&sink, data);
    return write_model(&sink, model);
}

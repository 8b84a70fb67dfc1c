/* A trainer as a file: the model, its moments under prefixes of their own, and in the metadata what a resumed training
   must know. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "model/json.h"
#include "model/metadata.h"
#include "model/replace.h"
#include "train/trainer.h"

#define OPTIMISER "trainer.optimiser"
#define UPDATES   "trainer.updates"
#define SEED      "trainer.seed"

static const char *const prefixes[1 + ARNN_MOMENTS] = {"", "first.", "second."};

/* ---- writing ---- */

static arnn_status write_trainer(arnn_sink *sink, const void *what)
{
    const arnn_trainer *trainer = what;
    char updates[24], seed[24];
    snprintf(updates, sizeof updates, "%" PRIu64, trainer->updates);
    snprintf(seed, sizeof seed, "%" PRIu64, trainer->desc.seed);
    const arnn_metadata metadata[] = {{.key = OPTIMISER, .value = trainer->optimiser->name},
                                      {.key = UPDATES, .value = updates},
                                      {.key = SEED, .value = seed}};
    const arnn_file_part list[] = {
        {prefixes[0], trainer->model->parameters.values},
        {prefixes[1], trainer->moments[0]},
        {prefixes[2], trainer->moments[1]},
    };
    const arnn_file_parts parts = {
        .list = list, .count = 1 + trainer->optimiser->moments, .metadata = metadata, .metadata_count = 3};
    return arnn_safetensors_write_parts(sink, &trainer->model->desc, &trainer->model->parameters, &parts);
}

arnn_status arnn_checkpoint_write(const arnn_trainer *trainer, const char *path)
{
    return arnn_replace(path, write_trainer, trainer);
}

/* ---- reading: into fresh memory, which takes its place when all is well ---- */

typedef struct loaded {
    float *values[1 + ARNN_MOMENTS]; /* as the parts of the file */
    uint64_t updates, seed;
} loaded;

/* Digits alone, as they were written. */
static arnn_status read_number(uint64_t *number, const arnn_safetensors *file, const char *key)
{
    char quote[ARNN_QUOTE_BYTES], again[24];
    const char *text = arnn_safetensors_metadata(file, key);
    if (!text)
        return arnn_error(ARNN_FORMAT, "the metadata have no %s: the file is no checkpoint of a trainer", key);
    if (sscanf(text, "%" SCNu64, number) == 1) {
        snprintf(again, sizeof again, "%" PRIu64, *number);
        if (strcmp(again, text) == 0)
            return ARNN_OK;
    }
    return arnn_error(ARNN_FORMAT, "%s is \"%s\", which is no value of it", key, arnn_json_quote(quote, text));
}

static arnn_status read_metadata(loaded *loaded, const arnn_trainer *trainer, const arnn_safetensors *file)
{
    char quote[ARNN_QUOTE_BYTES];
    arnn_model_desc desc;
    arnn_status status = arnn_metadata_description(&desc, file, &trainer->model->desc);
    if (!status)
        status = read_number(&loaded->updates, file, UPDATES);
    if (!status)
        status = read_number(&loaded->seed, file, SEED);
    if (status)
        return status;
    const char *optimiser = arnn_safetensors_metadata(file, OPTIMISER);
    if (!optimiser)
        return arnn_error(ARNN_FORMAT, "the metadata have no " OPTIMISER);
    if (strcmp(optimiser, trainer->optimiser->name) != 0)
        return arnn_error(ARNN_INVALID_ARGUMENT, "the file is of a trainer with %s, and this one has %s",
                          arnn_json_quote(quote, optimiser), trainer->optimiser->name);
    return ARNN_OK;
}

static arnn_status check_tensor(const arnn_tensor *tensor, const arnn_parameter *parameter, const char *name)
{
    char has[ARNN_TENSOR_TEXT], expected[ARNN_SHAPE_TEXT];
    if (!tensor)
        return arnn_error(ARNN_NOT_FOUND, "the file has no tensor %s", name);
    if (strcmp(tensor->type->name, "F32") != 0)
        return arnn_error(ARNN_FORMAT, "%s is of type %s, expected F32", name, tensor->type->name);
    bool same = tensor->rank == parameter->rank;
    for (size_t i = 0; i < parameter->rank && same; i++)
        same = tensor->shape[i] == parameter->shape[i];
    if (same)
        return ARNN_OK;
    arnn_tensor_shape_write(has, tensor);
    arnn_shape_write(expected, parameter->rank, parameter->shape);
    return arnn_error(ARNN_SHAPE, "%s has shape %s, expected %s", name, has, expected);
}

static arnn_status read_part(float *values, const arnn_parameters *parameters, const arnn_safetensors *file,
                             const char *prefix)
{
    arnn_status status = ARNN_OK;
    for (size_t i = 0; i < parameters->count && !status; i++) {
        char name[ARNN_NAME_BYTES + 16];
        const arnn_parameter *parameter = &parameters->list[i];
        snprintf(name, sizeof name, "%s%s", prefix, parameter->name);
        const arnn_tensor *tensor = arnn_safetensors_find(file, name);
        status = check_tensor(tensor, parameter, name);
        if (!status)
            status = arnn_safetensors_read(file, tensor, values + (parameter->values - parameters->values));
    }
    return status;
}

static arnn_status read_parts(loaded *loaded, const arnn_trainer *trainer, const arnn_safetensors *file)
{
    const arnn_parameters *parameters = &trainer->model->parameters;
    size_t parts = 1 + trainer->optimiser->moments;
    arnn_status status = read_metadata(loaded, trainer, file);
    if (!status && file->count != parts * parameters->count)
        status = arnn_error(ARNN_FORMAT, "the file has %zu tensors, and a checkpoint of this trainer %zu", file->count,
                            parts * parameters->count);
    for (size_t part = 0; part < parts && !status; part++) {
        loaded->values[part] = arnn_alloc_floats(parameters->values_count);
        status = loaded->values[part] ? read_part(loaded->values[part], parameters, file, prefixes[part])
                                      : arnn_error_no_memory("a checkpoint");
    }
    return status;
}

static arnn_status take(arnn_trainer *trainer, const loaded *loaded)
{
    arnn_parameters *parameters = &trainer->model->parameters;
    size_t bytes = parameters->values_count * sizeof(float);
    arnn_status status = arnn_model_change(trainer->model);
    if (status)
        return status;
    memcpy(parameters->values, loaded->values[0], bytes);
    for (size_t i = 0; i < trainer->optimiser->moments; i++)
        memcpy(trainer->moments[i], loaded->values[1 + i], bytes);
    trainer->updates = loaded->updates;
    trainer->desc.seed = loaded->seed;
    arnn_trainer_forget(trainer);
    return ARNN_OK;
}

arnn_status arnn_checkpoint_read(arnn_trainer *trainer, const char *path)
{
    arnn_bytes from;
    arnn_safetensors file = {0};
    loaded loaded = {.updates = 0};
    arnn_status status = arnn_bytes_open(&from, path);
    if (!status)
        status = arnn_safetensors_open(&file, &from);
    if (!status)
        status = read_parts(&loaded, trainer, &file);
    if (!status)
        status = take(trainer, &loaded);
    for (size_t part = 0; part <= ARNN_MOMENTS; part++)
        arnn_free(loaded.values[part]);
    arnn_safetensors_close(&file);
    arnn_bytes_close(&from);
    return status;
}

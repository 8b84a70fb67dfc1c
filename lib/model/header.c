#include "model/header.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/json.h"

/* What every entry takes of the header at least, with its comma: {"":{"dtype":"F4","shape":[],"data_offsets":[0,0]}} */
#define TENSOR_BYTES   50
#define METADATA_BYTES 6 /* "":"", */

/* An error of a tensor: "tensor weight_hh_l0: " and the rest. */
#define TENSOR_ERROR(tensor, format, ...)                                                                       \
    arnn_error(ARNN_FORMAT, "tensor %s: " format, arnn_json_quote((char[ARNN_QUOTE_BYTES]){0}, (tensor)->name), \
               __VA_ARGS__)

/* ---- the members of a tensor's entry ---- */

static arnn_status read_dtype(arnn_json *json, arnn_tensor *tensor)
{
    char *name, quote[ARNN_QUOTE_BYTES];
    arnn_status status = arnn_json_string(json, &name);
    if (status)
        return status;
    tensor->type = arnn_dtype_of(name);
    if (!tensor->type)
        return TENSOR_ERROR(tensor, "%s is no dtype of the format", arnn_json_quote(quote, name));
    return ARNN_OK;
}

static arnn_status add_size(void *context, size_t size)
{
    arnn_tensor *tensor = context;
    if (tensor->rank < ARNN_TENSOR_SIZES)
        tensor->shape[tensor->rank] = size;
    tensor->rank++;
    if (!arnn_size_mul(&tensor->elements, tensor->elements, size))
        return TENSOR_ERROR(tensor, "the product of its shape overflows at size %zu", size);
    return ARNN_OK;
}

static arnn_status read_shape(arnn_json *json, arnn_tensor *tensor)
{
    tensor->elements = 1;
    return arnn_json_sizes(json, add_size, tensor);
}

struct offsets {
    const arnn_tensor *tensor;
    size_t values[2], count;
};

static arnn_status add_offset(void *context, size_t value)
{
    struct offsets *offsets = context;
    if (offsets->count == 2)
        return TENSOR_ERROR(offsets->tensor, "data_offsets has more than %d numbers", 2);
    offsets->values[offsets->count++] = value;
    return ARNN_OK;
}

static arnn_status read_offsets(arnn_json *json, arnn_tensor *tensor)
{
    struct offsets offsets = {.tensor = tensor};
    arnn_status status = arnn_json_sizes(json, add_offset, &offsets);
    if (status)
        return status;
    if (offsets.count < 2)
        return TENSOR_ERROR(tensor, "data_offsets has %zu numbers, expected 2", offsets.count);
    tensor->begin = offsets.values[0];
    tensor->end = offsets.values[1];
    if (tensor->begin > tensor->end)
        return TENSOR_ERROR(tensor, "data_offsets begin at %zu and end before, at %zu", tensor->begin, tensor->end);
    return ARNN_OK;
}

static const struct {
    const char *key;
    arnn_status (*read)(arnn_json *json, arnn_tensor *tensor);
} members[] = {
    {"dtype", read_dtype},
    {"shape", read_shape},
    {"data_offsets", read_offsets},
};
#define MEMBERS (sizeof members / sizeof *members)

struct entry {
    arnn_tensor *tensor;
    bool seen[MEMBERS];
};

static arnn_status read_member(arnn_json *json, void *context, char *key)
{
    struct entry *entry = context;
    char quote[ARNN_QUOTE_BYTES];
    for (size_t i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].key, key) != 0)
            continue;
        if (entry->seen[i])
            return TENSOR_ERROR(entry->tensor, "%s is there twice", key);
        entry->seen[i] = true;
        return members[i].read(json, entry->tensor);
    }
    return TENSOR_ERROR(entry->tensor, "%s is no part of an entry", arnn_json_quote(quote, key));
}

static arnn_status check_entry(const struct entry *entry)
{
    const arnn_tensor *tensor = entry->tensor;
    size_t bytes;
    for (size_t i = 0; i < MEMBERS; i++) {
        if (!entry->seen[i])
            return TENSOR_ERROR(tensor, "it has no %s", members[i].key);
    }
    if (!arnn_dtype_bytes(tensor->type, tensor->elements, &bytes))
        return TENSOR_ERROR(tensor, "%zu elements of %s are no number of bytes that can be", tensor->elements,
                            tensor->type->name);
    if (tensor->end - tensor->begin != bytes)
        return TENSOR_ERROR(tensor, "data_offsets span %zu bytes, its dtype and shape take %zu",
                            tensor->end - tensor->begin, bytes);
    return ARNN_OK;
}

/* ---- the entries of the header ---- */

static arnn_status read_pair(arnn_json *json, void *context, char *key)
{
    arnn_safetensors *file = context;
    char *value;
    arnn_status status = arnn_json_string(json, &value);
    if (!status)
        file->metadata[file->metadata_count++] = (arnn_metadata){key, value};
    return status;
}

static arnn_status read_metadata(arnn_json *json, arnn_safetensors *file)
{
    if (file->metadata)
        return arnn_error(ARNN_FORMAT, "__metadata__ is there twice");
    file->metadata = arnn_alloc((size_t)(json->end - json->next) / METADATA_BYTES + 1, sizeof *file->metadata);
    if (!file->metadata)
        return arnn_error_no_memory("the metadata of a file");
    return arnn_json_object(json, read_pair, file);
}

static arnn_status read_entry(arnn_json *json, void *context, char *key)
{
    arnn_safetensors *file = context;
    arnn_status status;
    json->entry = key;
    if (strcmp(key, "__metadata__") == 0) {
        status = read_metadata(json, file);
    } else {
        struct entry entry = {.tensor = &file->tensors[file->count++]};
        entry.tensor->name = key;
        status = arnn_json_object(json, read_member, &entry);
        if (!status)
            status = check_entry(&entry);
    }
    json->entry = NULL;
    return status;
}

static arnn_status read_text(arnn_safetensors *file, size_t bytes)
{
    arnn_json json = {.begin = file->header, .next = file->header, .end = file->header + bytes};
    if (*json.next != '{')
        return arnn_json_expected(&json, "'{' as the first byte");
    file->tensors = arnn_alloc(bytes / TENSOR_BYTES + 1, sizeof *file->tensors);
    if (!file->tensors)
        return arnn_error_no_memory("the list of a file's tensors");
    arnn_status status = arnn_json_object(&json, read_entry, file);
    json.next += strspn(json.next, " ");
    if (!status && json.next != json.end)
        status = arnn_json_expected(&json, "nothing but spaces after the object");
    return status;
}

/* ---- the entries against one another ---- */

static int by_offset(const void *a, const void *b)
{
    const arnn_tensor *first = a, *second = b;
    if (first->begin != second->begin)
        return first->begin < second->begin ? -1 : 1;
    return (first->end > second->end) - (first->end < second->end);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const arnn_tensor *)a)->name, ((const arnn_tensor *)b)->name);
}

static int by_key(const void *a, const void *b)
{
    return strcmp(((const arnn_metadata *)a)->key, ((const arnn_metadata *)b)->key);
}

static arnn_status check_layout(arnn_safetensors *file, size_t data_bytes)
{
    size_t end = 0;
    qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    for (size_t i = 0; i < file->count; end = file->tensors[i++].end) {
        const arnn_tensor *tensor = &file->tensors[i];
        if (tensor->begin > end)
            return TENSOR_ERROR(tensor, "its data begin at %zu and leave a hole after %zu", tensor->begin, end);
        if (tensor->begin < end)
            return TENSOR_ERROR(tensor, "its data begin at %zu and overlap what ends at %zu", tensor->begin, end);
        if (tensor->end > data_bytes)
            return TENSOR_ERROR(tensor, "its data end at %zu, but the file has %zu bytes of data", tensor->end,
                                data_bytes);
    }
    if (end != data_bytes)
        return arnn_error(ARNN_FORMAT, "%zu bytes follow the data of the last tensor", data_bytes - end);
    return ARNN_OK;
}

static arnn_status check_names(arnn_safetensors *file)
{
    char quote[ARNN_QUOTE_BYTES];
    qsort(file->tensors, file->count, sizeof *file->tensors, by_name);
    for (size_t i = 1; i < file->count; i++) {
        if (by_name(&file->tensors[i - 1], &file->tensors[i]) == 0)
            return TENSOR_ERROR(&file->tensors[i], "it is there %s", "twice");
    }
    if (file->metadata_count > 0)
        qsort(file->metadata, file->metadata_count, sizeof *file->metadata, by_key);
    for (size_t i = 1; i < file->metadata_count; i++) {
        if (by_key(&file->metadata[i - 1], &file->metadata[i]) == 0)
            return arnn_error(ARNN_FORMAT, "__metadata__ has %s twice", arnn_json_quote(quote, file->metadata[i].key));
    }
    return ARNN_OK;
}

arnn_status arnn_header_read(arnn_safetensors *file, size_t bytes, size_t data_bytes)
{
    arnn_status status = read_text(file, bytes);
    if (!status)
        status = check_names(file);
    if (!status)
        status = check_layout(file, data_bytes);
    if (!status)
        status = check_names(file); /* back in the order of names */
    return status;
}

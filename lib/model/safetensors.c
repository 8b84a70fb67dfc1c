#include "model/safetensors.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/header.h"
#include "model/json.h"

#define LENGTH_BYTES 8
#define PIECE_BYTES  16384 /* of data, read and converted at a time; a multiple of every element's size */

/* The header's length, which must fit both the format and what is there. */
static arnn_status read_length(size_t *length, const arnn_bytes *from)
{
    unsigned char bytes[LENGTH_BYTES];
    uint64_t value = 0;
    if (from->bytes < LENGTH_BYTES)
        return arnn_error(ARNN_FORMAT, "%zu bytes are no safetensors file: the header's length alone has %d",
                          from->bytes, LENGTH_BYTES);
    arnn_status status = arnn_bytes_read(from, bytes, 0, LENGTH_BYTES);
    if (status)
        return status;
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    if (value < 2 || value > ARNN_HEADER_LIMIT)
        return arnn_error(ARNN_FORMAT, "the header's length is %llu, expected 2 to %d: not a safetensors file?",
                          (unsigned long long)value, ARNN_HEADER_LIMIT);
    if (value > from->bytes - LENGTH_BYTES)
        return arnn_error(ARNN_FORMAT, "the header's length is %llu, but only %zu bytes follow",
                          (unsigned long long)value, from->bytes - LENGTH_BYTES);
    *length = (size_t)value;
    return ARNN_OK;
}

static arnn_status open_header(arnn_safetensors *file)
{
    size_t length = 0;
    arnn_status status = read_length(&length, file->from);
    if (status)
        return status;
    file->header = arnn_alloc(length + 1, 1);
    if (!file->header)
        return arnn_error(ARNN_NO_MEMORY, "no memory for a header of %zu bytes", length);
    file->data = LENGTH_BYTES + length;
    status = arnn_bytes_read(file->from, file->header, LENGTH_BYTES, length);
    if (!status)
        status = arnn_header_read(file, length, file->from->bytes - file->data);
    return status;
}

arnn_status arnn_safetensors_open(arnn_safetensors *file, const arnn_bytes *from)
{
    *file = (arnn_safetensors){.from = from};
    arnn_status status = open_header(file);
    if (status)
        arnn_safetensors_close(file);
    return status;
}

void arnn_safetensors_close(arnn_safetensors *file)
{
    arnn_free(file->header);
    arnn_free(file->tensors);
    arnn_free(file->metadata);
    *file = (arnn_safetensors){0};
}

static int name_against_tensor(const void *name, const void *tensor)
{
    return strcmp(name, ((const arnn_tensor *)tensor)->name);
}

const arnn_tensor *arnn_safetensors_find(const arnn_safetensors *file, const char *name)
{
    return bsearch(name, file->tensors, file->count, sizeof *file->tensors, name_against_tensor);
}

static int key_against_pair(const void *key, const void *pair)
{
    return strcmp(key, ((const arnn_metadata *)pair)->key);
}

const char *arnn_safetensors_metadata(const arnn_safetensors *file, const char *key)
{
    if (file->metadata_count == 0)
        return NULL;
    const arnn_metadata *pair = bsearch(key, file->metadata, file->metadata_count, sizeof *pair, key_against_pair);
    return pair ? pair->value : NULL;
}

arnn_status arnn_safetensors_read(const arnn_safetensors *file, const arnn_tensor *tensor, float *values)
{
    unsigned char piece[PIECE_BYTES];
    char quote[ARNN_QUOTE_BYTES];
    if (!tensor->type->decode)
        return arnn_error(ARNN_UNSUPPORTED, "%s has dtype %s, expected F32, F16, BF16 or F64",
                          arnn_json_quote(quote, tensor->name), tensor->type->name);
    size_t element_bytes = tensor->type->bits / 8, step = PIECE_BYTES / element_bytes;
    for (size_t done = 0; done < tensor->elements; done += step) {
        size_t count = tensor->elements - done < step ? tensor->elements - done : step;
        size_t offset = file->data + tensor->begin + done * element_bytes;
        arnn_status status = arnn_bytes_read(file->from, piece, offset, count * element_bytes);
        if (status)
            return status;
        tensor->type->decode(values + done, piece, count);
    }
    return ARNN_OK;
}

void arnn_tensor_shape_write(char *text, const arnn_tensor *tensor)
{
    size_t known = tensor->rank < ARNN_TENSOR_SIZES ? tensor->rank : ARNN_TENSOR_SIZES;
    *text++ = '(';
    for (size_t i = 0; i < known; i++)
        text += snprintf(text, 24, i ? ", %zu" : "%zu", tensor->shape[i]);
    strcpy(text, known < tensor->rank ? ", ..)" : ")");
}

/* The writing half of safetensors.h. Nothing is allocated: the header is counted, then written. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "model/safetensors.h"

#define TEXT_BYTES 256  /* of one call of put: a parameter's entry has less than 200 */
#define PIECE      4096 /* values converted at a time */

static arnn_status put(arnn_sink *sink, const char *format, ...) ARNN_PRINTF(2, 3);

static arnn_status put(arnn_sink *sink, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return sink->write(sink, text, strlen(text));
}

/* Field names and words are plain letters: nothing needs an escape. Every field of the first version is written, so
   that no later default changes what a file means; a field added later should be left out where it has its default, so
   that files which do not use it stay readable for older libraries. */
static arnn_status put_metadata(arnn_sink *sink, const arnn_model_desc *desc, const arnn_file_parts *parts)
{
    char text[ARNN_FIELD_TEXT];
    arnn_status status = put(sink, "\"__metadata__\":{\"format\":\"pt\",\"arnn.version\":\"1\"");
    for (const arnn_field *field = arnn_fields; field->name && !status; field++) {
        arnn_field_write(field, desc, text);
        status = put(sink, ",\"arnn.%s\":\"%s\"", field->name, text);
    }
    for (size_t i = 0; i < parts->metadata_count && !status; i++)
        status = put(sink, ",\"%s\":\"%s\"", parts->metadata[i].key, parts->metadata[i].value);
    return status ? status : put(sink, "}");
}

static arnn_status put_entry(arnn_sink *sink, const char *prefix, const arnn_parameter *parameter, size_t *offset)
{
    size_t begin = *offset, end = begin + parameter->count * sizeof(float);
    char shape[ARNN_SHAPE_TEXT];
    snprintf(shape, sizeof shape, parameter->rank == 1 ? "%zu" : "%zu,%zu", parameter->shape[0], parameter->shape[1]);
    *offset = end;
    return put(sink, ",\"%s%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}", prefix, parameter->name,
               shape, begin, end);
}

static arnn_status put_header(arnn_sink *sink, const arnn_model_desc *desc, const arnn_parameters *parameters,
                              const arnn_file_parts *parts)
{
    size_t offset = 0;
    arnn_status status = put(sink, "{");
    if (!status)
        status = put_metadata(sink, desc, parts);
    for (size_t part = 0; part < parts->count; part++) {
        for (size_t i = 0; i < parameters->count && !status; i++)
            status = put_entry(sink, parts->list[part].prefix, &parameters->list[i], &offset);
    }
    return status ? status : put(sink, "}");
}

static arnn_status put_length(arnn_sink *sink, uint64_t length)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(length >> (8 * i));
    return sink->write(sink, bytes, sizeof bytes);
}

static arnn_status put_values(arnn_sink *sink, const float *values, size_t count)
{
    unsigned char piece[PIECE * sizeof(float)];
    arnn_status status = ARNN_OK;
    for (size_t done = 0; done < count && !status; done += PIECE) {
        size_t some = count - done < PIECE ? count - done : PIECE;
        arnn_encode_f32(piece, values + done, some);
        status = sink->write(sink, piece, some * sizeof(float));
    }
    return status;
}

arnn_status arnn_safetensors_write_parts(arnn_sink *sink, const arnn_model_desc *desc,
                                         const arnn_parameters *parameters, const arnn_file_parts *parts)
{
    arnn_sink counter;
    arnn_sink_count(&counter);
    put_header(&counter, desc, parameters, parts); /* counting cannot fail */
    size_t padding = (8 - counter.bytes % 8) % 8;  /* data begin at a multiple of 8 */
    if (counter.bytes + padding > ARNN_HEADER_LIMIT)
        return arnn_error(ARNN_UNSUPPORTED, "the header would have %zu bytes, and safetensors allow %d", counter.bytes,
                          ARNN_HEADER_LIMIT);
    arnn_status status = put_length(sink, counter.bytes + padding);
    if (!status)
        status = put_header(sink, desc, parameters, parts);
    if (!status)
        status = put(sink, "%*s", (int)padding, "");
    for (size_t part = 0; part < parts->count && !status; part++)
        status = put_values(sink, parts->list[part].values, parameters->values_count);
    return status;
}

arnn_status arnn_safetensors_write(arnn_sink *sink, const arnn_model_desc *desc, const arnn_parameters *parameters)
{
    const arnn_file_part part = {.prefix = "", .values = parameters->values};
    const arnn_file_parts parts = {.list = &part, .count = 1};
    return arnn_safetensors_write_parts(sink, desc, parameters, &parts);
}

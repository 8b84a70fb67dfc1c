/*
 * Safetensors files, strictly: eight bytes with the length of the header, little-endian; the header, a JSON object
 * padded with spaces, of entries
 *     name: {"dtype": .., "shape": [..], "data_offsets": [begin, end]}     __metadata__: {string: string, ..}
 * and the data, in which the tensors lie side by side, without a hole and without overlap, to the last byte.
 */
#ifndef ARNN_MODEL_SAFETENSORS_H
#define ARNN_MODEL_SAFETENSORS_H

#include "model/dtype.h"
#include "model/parameters.h"
#include "model/sink.h"
#include "model/bytes.h"

#define ARNN_HEADER_LIMIT 100000000 /* bytes of a header, by the format's own rule */

#define ARNN_TENSOR_SIZES 4
typedef struct arnn_tensor {
    const char *name;
    const arnn_dtype *type;
    size_t rank;                     /* any: a file may hold more than we can use */
    size_t shape[ARNN_TENSOR_SIZES]; /* the first sizes */
    size_t elements;
    size_t begin, end; /* bytes of the data */
} arnn_tensor;

typedef struct arnn_metadata {
    const char *key, *value;
} arnn_metadata;

typedef struct arnn_safetensors {
    const arnn_bytes *from;
    char *header;         /* decoded in place: names, keys and values lie in it */
    size_t data;          /* where in it the data begin */
    arnn_tensor *tensors; /* in the order of their names */
    size_t count;
    arnn_metadata *metadata; /* in the order of the keys */
    size_t metadata_count;
} arnn_safetensors;

/* Reads and checks the header. What it reads `from` must outlive `file`. Closing accepts what failed to open, or
   zeroes. Errors: ARNN_FORMAT, each with a sentence of its own, ARNN_IO, ARNN_NO_MEMORY. */
arnn_status arnn_safetensors_open(arnn_safetensors *file, const arnn_bytes *from);
void arnn_safetensors_close(arnn_safetensors *file);

/* NULL where there is none. */
const arnn_tensor *arnn_safetensors_find(const arnn_safetensors *file, const char *name);
const char *arnn_safetensors_metadata(const arnn_safetensors *file, const char *key);

/* The elements as float32, read in pieces. Errors: ARNN_UNSUPPORTED (an element type that holds no weights),
   ARNN_IO. */
arnn_status arnn_safetensors_read(const arnn_safetensors *file, const arnn_tensor *tensor, float *values);

/* "(64, 128)"; beyond ARNN_TENSOR_SIZES sizes ", ..". `text` must hold ARNN_TENSOR_TEXT characters. */
#define ARNN_TENSOR_TEXT 128
void arnn_tensor_shape_write(char *text, const arnn_tensor *tensor);

/* Writes a whole file: the parameters in the order of their list, float32, and the description. The same model gives
   the same bytes. Errors: those of the sink; ARNN_UNSUPPORTED where the header would exceed the format's limit. */
arnn_status arnn_safetensors_write(arnn_sink *sink, const arnn_model_desc *desc, const arnn_parameters *parameters);

/* The same with other numbers of the parameters beside them, each kind under a prefix, and further metadata of plain
   letters. */
typedef struct arnn_file_part {
    const char *prefix;  /* of the parameters' names */
    const float *values; /* laid out as the parameters */
} arnn_file_part;

typedef struct arnn_file_parts {
    const arnn_file_part *list;
    size_t count;
    const arnn_metadata *metadata;
    size_t metadata_count;
} arnn_file_parts;

arnn_status arnn_safetensors_write_parts(arnn_sink *sink, const arnn_model_desc *desc,
                                         const arnn_parameters *parameters, const arnn_file_parts *parts);

#endif

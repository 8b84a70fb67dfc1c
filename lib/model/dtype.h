/* Element types of safetensors files, and their conversion to float32. Bytes are little-endian on every machine. */
#ifndef ARNN_MODEL_DTYPE_H
#define ARNN_MODEL_DTYPE_H

#include <stdbool.h>
#include <stddef.h>

typedef struct arnn_dtype {
    const char *name; /* as files write it: "F32" */
    size_t bits;      /* of an element */
    /* NULL: known, but no weights of ours. */
    void (*decode)(float *values, const unsigned char *bytes, size_t count);
} arnn_dtype;

/* NULL: no type of the format. */
const arnn_dtype *arnn_dtype_of(const char *name);

/* Bytes of so many elements. False where they overflow or are no whole number (types below 8 bits). */
bool arnn_dtype_bytes(const arnn_dtype *type, size_t elements, size_t *bytes);

/* F32: 4 bytes an element. */
void arnn_encode_f32(unsigned char *bytes, const float *values, size_t count);

#endif

/* Bytes to be read in pieces: from memory, or from a regular file. */
#ifndef ARNN_MODEL_BYTES_H
#define ARNN_MODEL_BYTES_H

#include "base/status.h"

typedef struct arnn_bytes {
    size_t bytes;       /* in all: known before anything is read */
    const void *memory; /* the caller's; NULL: they are in the file */
    const char *path;   /* the caller's */
    int file;
} arnn_bytes;

void arnn_bytes_memory(arnn_bytes *from, const void *data, size_t bytes);

/* Nothing but a regular file is opened: others have no size that could be known beforehand. Errors: ARNN_IO. */
arnn_status arnn_bytes_open(arnn_bytes *from, const char *path);
void arnn_bytes_close(arnn_bytes *from); /* of either kind, opened or not */

/* The caller asks for bytes that are there. Errors: ARNN_IO, also where a file has become shorter since it was
   opened. */
arnn_status arnn_bytes_read(const arnn_bytes *from, void *out, size_t offset, size_t bytes);

#endif

/* Where bytes are written to, one after another: into nothing but a count, into memory, into a file. */
#ifndef ARNN_MODEL_SINK_H
#define ARNN_MODEL_SINK_H

#include "base/status.h"

typedef struct arnn_sink arnn_sink;

struct arnn_sink {
    arnn_status (*write)(arnn_sink *sink, const void *data, size_t bytes);
    size_t bytes; /* written so far */
    char *memory; /* what arnn_sink_memory was given */
    int file;     /* what arnn_sink_file was given */
    const char *path;
    size_t waiting; /* bytes that wait in the buffer */
    char buffer[1 << 14];
};

void arnn_sink_count(arnn_sink *sink);

/* The caller has counted: the memory is large enough. */
void arnn_sink_memory(arnn_sink *sink, void *memory);

/* A file that is open for writing; small writes are gathered until arnn_sink_flush. `path` is for sentences.
   Errors of writing and flushing: ARNN_IO. */
void arnn_sink_file(arnn_sink *sink, int file, const char *path);
arnn_status arnn_sink_flush(arnn_sink *sink);

#endif

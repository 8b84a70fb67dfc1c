#include "model/sink.h"

#include <string.h>

#include "model/io.h"

static void start(arnn_sink *sink, arnn_status (*write)(arnn_sink *, const void *, size_t))
{
    sink->write = write;
    sink->bytes = 0;
    sink->memory = NULL;
    sink->file = -1;
    sink->path = NULL;
    sink->waiting = 0;
}

static arnn_status count(arnn_sink *sink, const void *data, size_t bytes)
{
    (void)data;
    sink->bytes += bytes;
    return ARNN_OK;
}

void arnn_sink_count(arnn_sink *sink)
{
    start(sink, count);
}

static arnn_status write_memory(arnn_sink *sink, const void *data, size_t bytes)
{
    memcpy(sink->memory + sink->bytes, data, bytes);
    return count(sink, data, bytes);
}

void arnn_sink_memory(arnn_sink *sink, void *memory)
{
    start(sink, write_memory);
    sink->memory = memory;
}

static arnn_status write_file(arnn_sink *sink, const void *data, size_t bytes)
{
    arnn_status status = ARNN_OK;
    if (bytes > sizeof sink->buffer - sink->waiting)
        status = arnn_sink_flush(sink);
    if (status)
        return status;
    if (bytes > sizeof sink->buffer) {
        if (!arnn_io_write(sink->file, data, bytes))
            return arnn_io_error("write", sink->path);
    } else {
        memcpy(sink->buffer + sink->waiting, data, bytes);
        sink->waiting += bytes;
    }
    return count(sink, data, bytes);
}

void arnn_sink_file(arnn_sink *sink, int file, const char *path)
{
    start(sink, write_file);
    sink->file = file;
    sink->path = path;
}

arnn_status arnn_sink_flush(arnn_sink *sink)
{
    size_t bytes = sink->waiting;
    sink->waiting = 0;
    if (!arnn_io_write(sink->file, sink->buffer, bytes))
        return arnn_io_error("write", sink->path);
    return ARNN_OK;
}

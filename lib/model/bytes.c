#include "model/bytes.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/io.h"

void arnn_bytes_memory(arnn_bytes *from, const void *data, size_t bytes)
{
    *from = (arnn_bytes){.bytes = bytes, .memory = data, .path = "memory", .file = -1};
}

/* The size of what has been opened, if it is a regular file. */
static arnn_status measure(arnn_bytes *from)
{
    struct stat about;
    if (fstat(from->file, &about) != 0)
        return arnn_io_error("examine", from->path);
    if (!S_ISREG(about.st_mode))
        return arnn_error(ARNN_IO, "%.300s is %s, expected a regular file", from->path,
                          S_ISDIR(about.st_mode)    ? "a directory"
                          : S_ISFIFO(about.st_mode) ? "a FIFO"
                                                    : "a device or a socket");
    if ((uintmax_t)about.st_size > SIZE_MAX)
        return arnn_error(ARNN_IO, "%.300s is larger than the address space", from->path);
    from->bytes = (size_t)about.st_size;
    return ARNN_OK;
}

arnn_status arnn_bytes_open(arnn_bytes *from, const char *path)
{
    *from = (arnn_bytes){.path = path, .file = arnn_io_open(path, O_RDONLY, 0)};
    if (from->file < 0)
        return arnn_io_error("open", path);
    arnn_status status = measure(from);
    if (status)
        arnn_bytes_close(from);
    return status;
}

void arnn_bytes_close(arnn_bytes *from)
{
    if (from->file >= 0)
        close(from->file); /* nothing was written: there is nothing to lose */
    from->file = -1;
}

arnn_status arnn_bytes_read(const arnn_bytes *from, void *out, size_t offset, size_t bytes)
{
    size_t done = bytes;
    if (from->memory && bytes > 0)
        memcpy(out, (const char *)from->memory + offset, bytes);
    else if (!from->memory && !arnn_io_read(from->file, out, offset, bytes, &done))
        return arnn_io_error("read", from->path);
    if (done < bytes)
        return arnn_error(ARNN_IO, "%.300s has become shorter while it was read: it ends at byte %zu, not %zu",
                          from->path, offset + done, from->bytes);
    return ARNN_OK;
}

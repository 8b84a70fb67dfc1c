/* System calls carried to their end: interrupted ones are made again, short transfers continued. */
#ifndef ARNN_MODEL_IO_H
#define ARNN_MODEL_IO_H

#include <stdbool.h>

#include "base/status.h"

/* "cannot open model.safetensors: No such file or directory": `doing` is "open", the reason is that of errno. */
arnn_status arnn_io_error(const char *doing, const char *path);

/* Opens without waiting: a FIFO without a writer, or a terminal, does not stop the program. -1 and errno on failure. */
int arnn_io_open(const char *path, int flags, unsigned mode);

/* `bytes` bytes from offset. *done: how many there were; fewer only at the end of the file. False and errno on
   failure. */
bool arnn_io_read(int file, void *out, size_t offset, size_t bytes, size_t *done);

/* False and errno on failure. */
bool arnn_io_write(int file, const void *data, size_t bytes);
bool arnn_io_sync(int file);

#endif

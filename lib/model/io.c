#include "model/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define PIECE ((size_t)1 << 24) /* bytes a call: some systems refuse transfers above 2^31 - 1 */

arnn_status arnn_io_error(const char *doing, const char *path)
{
    char reason[128] = "";
    int number = errno;
    if (strerror_r(number, reason, sizeof reason) != 0)
        return arnn_error(ARNN_IO, "cannot %s %.300s: error %d", doing, path, number);
    return arnn_error(ARNN_IO, "cannot %s %.300s: %s", doing, path, reason);
}

int arnn_io_open(const char *path, int flags, unsigned mode)
{
    int file;
    do
        file = open(path, flags | O_NONBLOCK | O_CLOEXEC | O_NOCTTY, mode);
    while (file < 0 && errno == EINTR);
    return file;
}

bool arnn_io_read(int file, void *out, size_t offset, size_t bytes, size_t *done)
{
    *done = 0;
    while (*done < bytes) {
        size_t left = bytes - *done;
        ssize_t got = pread(file, (char *)out + *done, left < PIECE ? left : PIECE, (off_t)(offset + *done));
        if (got == 0)
            break;
        if (got > 0)
            *done += (size_t)got;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

bool arnn_io_write(int file, const void *data, size_t bytes)
{
    for (size_t done = 0; done < bytes;) {
        size_t left = bytes - done;
        ssize_t put = write(file, (const char *)data + done, left < PIECE ? left : PIECE);
        if (put >= 0)
            done += (size_t)put;
        else if (errno != EINTR)
            return false;
    }
    return true;
}

bool arnn_io_sync(int file)
{
    int result;
    do
        result = fsync(file);
    while (result != 0 && errno == EINTR);
    return result == 0;
}

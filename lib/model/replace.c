#include "model/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "model/io.h"

#define ATTEMPTS   64
#define NAME_BYTES 64 /* enough for ".arnn-<pid>-<number>.tmp" */

typedef struct replacement {
    const char *path; /* what the file shall be called */
    char *temporary;  /* what it is called until then; NULL: no such file is there */
    int file;
    bool exists; /* the file that it replaces, if there is one, .. */
    mode_t mode; /* .. and its permissions */
} replacement;

/* Length of the folder's part of a path, with its slash. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) + 1 : 0;
}

/* To replace a device or a folder by a file would do harm that nobody asks for. */
static arnn_status examine(replacement *r)
{
    struct stat about;
    if (stat(r->path, &about) == 0) {
        r->exists = true;
        r->mode = about.st_mode & 07777;
        if (!S_ISREG(about.st_mode))
            return arnn_error(ARNN_IO, "cannot write %.300s: it is there and not a regular file", r->path);
    } else if (errno != ENOENT) {
        return arnn_io_error("examine", r->path);
    }
    return ARNN_OK;
}

/* A number that another writer, at work in the same folder, does not have; where it does, the next one is tried. */
static uint64_t unusual_number(const replacement *r, unsigned attempt)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t number = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    return (number ^ (uint64_t)(uintptr_t)r << 20) + attempt;
}

static arnn_status open_temporary(replacement *r)
{
    size_t folder = folder_length(r->path);
    char *name = arnn_alloc(folder + NAME_BYTES, 1);
    if (!name)
        return arnn_error_no_memory("a file's name");
    memcpy(name, r->path, folder);
    unsigned mode = r->exists ? (unsigned)r->mode & 0666 : 0666; /* the system takes the umask off */
    for (unsigned attempt = 0; attempt < ATTEMPTS && r->file < 0; attempt++) {
        snprintf(name + folder, NAME_BYTES, ".arnn-%ld-%llx.tmp", (long)getpid(),
                 (unsigned long long)unusual_number(r, attempt));
        r->file = arnn_io_open(name, O_WRONLY | O_CREAT | O_EXCL, mode);
        if (r->file < 0 && errno != EEXIST)
            break;
    }
    if (r->file < 0) {
        arnn_status status = arnn_io_error("make a file beside", r->path);
        arnn_free(name);
        return status;
    }
    r->temporary = name;
    return ARNN_OK;
}

static arnn_status fill(replacement *r, arnn_replace_write write, const void *what)
{
    arnn_sink sink;
    arnn_sink_file(&sink, r->file, r->path);
    arnn_status status = write(&sink, what);
    if (!status)
        status = arnn_sink_flush(&sink);
    if (!status && r->exists && fchmod(r->file, r->mode) != 0)
        status = arnn_io_error("set the permissions of", r->path);
    if (!status && !arnn_io_sync(r->file))
        status = arnn_io_error("sync", r->path);
    return status;
}

static arnn_status close_temporary(replacement *r)
{
    int file = r->file;
    r->file = -1;
    if (close(file) != 0 && errno != EINTR) /* interrupted, it is closed all the same, and synced already */
        return arnn_io_error("close", r->path);
    return ARNN_OK;
}

static arnn_status give_name(replacement *r)
{
    if (rename(r->temporary, r->path) != 0)
        return arnn_io_error("rename a file to", r->path);
    arnn_free(r->temporary);
    r->temporary = NULL;
    return ARNN_OK;
}

/* Makes the new name last. The file is there and whole by now: a folder that this process may not read, or that its
   file system cannot sync, is no error. */
static arnn_status sync_folder(const replacement *r, int folder)
{
    if (folder >= 0 && !arnn_io_sync(folder) && errno != EINVAL && errno != ENOTSUP)
        return arnn_io_error("sync the folder of", r->path);
    return ARNN_OK;
}

/* The folder is opened before the rename, by the temporary file's name cut short. -1 where it cannot be read. */
static int open_folder(const replacement *r)
{
    size_t length = folder_length(r->temporary);
    char kept = r->temporary[length];
    r->temporary[length] = '\0';
    int folder = arnn_io_open(length ? r->temporary : ".", O_RDONLY | O_DIRECTORY, 0);
    r->temporary[length] = kept;
    return folder;
}

static void clean_up(replacement *r)
{
    if (r->file >= 0)
        close(r->file);
    if (r->temporary)
        unlink(r->temporary);
    arnn_free(r->temporary);
}

arnn_status arnn_replace(const char *path, arnn_replace_write write, const void *what)
{
    replacement r = {.path = path, .file = -1};
    int folder = -1;
    arnn_status status = examine(&r);
    if (!status)
        status = open_temporary(&r);
    if (!status)
        folder = open_folder(&r);
    if (!status)
        status = fill(&r, write, what);
    if (!status)
        status = close_temporary(&r);
    if (!status)
        status = give_name(&r);
    if (!status)
        status = sync_folder(&r, folder);
    if (folder >= 0)
        close(folder);
    clean_up(&r);
    return status;
}

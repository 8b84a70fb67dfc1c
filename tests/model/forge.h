/* Safetensors files made by hand, and a folder for files of a test. */
#ifndef ARNN_TESTS_MODEL_FORGE_H
#define ARNN_TESTS_MODEL_FORGE_H

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

typedef struct forged {
    unsigned char *data;
    size_t bytes;
} forged;

/* A file whose header is `length` bytes of `header` and claims to have `claimed`, and `data_bytes` bytes 0, 1, 2, ..
   of data. */
static inline forged forge_claiming(const char *header, size_t length, uint64_t claimed, size_t data_bytes)
{
    forged file = {malloc(8 + length + data_bytes), 8 + length + data_bytes};
    assert_non_null(file.data);
    for (size_t i = 0; i < 8; i++)
        file.data[i] = (unsigned char)(claimed >> (8 * i));
    memcpy(file.data + 8, header, length);
    for (size_t i = 0; i < data_bytes; i++)
        file.data[8 + length + i] = (unsigned char)i;
    return file;
}

static inline forged forge(const char *header, size_t data_bytes)
{
    return forge_claiming(header, strlen(header), strlen(header), data_bytes);
}

/* ---- files below the working folder, which is the build's ---- */

static inline void forge_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

static inline forged forge_read(const char *path)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    forged read = {malloc((size_t)about.st_size + 1), (size_t)about.st_size};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(read.data, 1, read.bytes, file), read.bytes);
    fclose(file);
    return read;
}

/* Names in a folder, but . and .. */
static inline size_t forge_count(const char *folder)
{
    DIR *all = opendir(folder);
    assert_non_null(all);
    size_t count = 0;
    for (struct dirent *one; (one = readdir(all));)
        count += strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0;
    closedir(all);
    return count;
}

/* The test goes into a folder of its own, and out of it when it is empty again. */
static char forge_folder[] = "files-XXXXXX";

static inline int forge_enter(void **state)
{
    (void)state;
    strcpy(forge_folder, "files-XXXXXX");
    return mkdtemp(forge_folder) && chdir(forge_folder) == 0 ? 0 : -1;
}

static inline int forge_leave(void **state)
{
    (void)state;
    DIR *all = opendir(".");
    for (struct dirent *one; all && (one = readdir(all));) {
        if (strcmp(one->d_name, ".") != 0 && strcmp(one->d_name, "..") != 0 && unlink(one->d_name) != 0)
            rmdir(one->d_name);
    }
    if (all)
        closedir(all);
    return chdir("..") == 0 && rmdir(forge_folder) == 0 ? 0 : -1;
}

#endif

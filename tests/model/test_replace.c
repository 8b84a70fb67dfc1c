/* Files that appear whole or not at all: every way in which writing fails leaves the old file, and nothing else. */
#include "forge.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>

#include "model/replace.h"

typedef struct text {
    const char *bytes;
    size_t length, times;
} text;

static arnn_status write_text(arnn_sink *sink, const void *what)
{
    const text *text = what;
    arnn_status status = ARNN_OK;
    for (size_t i = 0; i < text->times && !status; i++)
        status = sink->write(sink, text->bytes, text->length);
    return status;
}

static arnn_status fail_in_the_middle(arnn_sink *sink, const void *what)
{
    arnn_status status = write_text(sink, what);
    return status ? status : arnn_error(ARNN_UNSUPPORTED, "the writer gave up");
}

static const text old = {"old", 3, 1}, new = {"new contents\n", 13, 10000};

static void assert_holds(const char *path, const text *text)
{
    forged file = forge_read(path);
    assert_int_equal(file.bytes, text->length * text->times);
    for (size_t i = 0; i < text->times; i++)
        assert_memory_equal(file.data + i * text->length, text->bytes, text->length);
    free(file.data);
}

static unsigned mode_of(const char *path)
{
    struct stat about;
    assert_int_equal(lstat(path, &about), 0);
    return (unsigned)about.st_mode & 07777;
}

static void test_new_file(void **unused)
{
    (void)unused;
    mode_t mask = umask(027);
    arnn_status status = arnn_replace("file", write_text, &new);
    umask(mask);
    assert_ok(status);
    assert_holds("file", &new);
    assert_int_equal(forge_count("."), 1);
    assert_int_equal(mode_of("file"), 0640);
}

static void test_old_file(void **unused)
{
    (void)unused;
    assert_ok(arnn_replace("file", write_text, &new));
    static const unsigned modes[] = {0600, 0644, 0444, 0755};
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod("file", modes[i]), 0);
        const text *next = i % 2 ? &new : &old;
        assert_ok(arnn_replace("file", write_text, next));
        assert_holds("file", next);
        assert_int_equal(mode_of("file"), modes[i]);
        assert_int_equal(forge_count("."), 1);
    }
}

/* Who has the old file open keeps what it read: the file is another one, not an overwritten one. */
static void test_open_file(void **unused)
{
    (void)unused;
    char bytes[8] = "";
    assert_ok(arnn_replace("file", write_text, &old));
    int reader = open("file", O_RDONLY);
    assert_ok(arnn_replace("file", write_text, &new));
    assert_int_equal(read(reader, bytes, sizeof bytes), 3);
    assert_string_equal(bytes, "old");
    close(reader);
}

static void test_other_folder(void **unused)
{
    (void)unused;
    char path[PATH_MAX];
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_ok(arnn_replace("folder/file", write_text, &new));
    assert_holds("folder/file", &new);
    assert_int_equal(forge_count("folder"), 1);
    assert_int_equal(forge_count("."), 1);
    assert_non_null(getcwd(path, sizeof path - 16));
    strcat(path, "/folder/file");
    assert_ok(arnn_replace(path, write_text, &old));
    assert_holds("folder/file", &old);
    unlink("folder/file");
}

static void test_link(void **unused)
{
    (void)unused;
    assert_ok(arnn_replace("file", write_text, &old));
    assert_int_equal(symlink("file", "link"), 0);
    assert_ok(arnn_replace("link", write_text, &new));
    assert_holds("link", &new);
    assert_holds("file", &old);
}

static void test_writer_that_fails(void **unused)
{
    (void)unused;
    assert_error(ARNN_UNSUPPORTED, "gave up", arnn_replace("file", fail_in_the_middle, &new));
    assert_int_equal(forge_count("."), 0);
    assert_ok(arnn_replace("file", write_text, &old));
    assert_error(ARNN_UNSUPPORTED, "gave up", arnn_replace("file", fail_in_the_middle, &new));
    assert_holds("file", &old);
    assert_int_equal(forge_count("."), 1);
}

/* No room for more than 4,096 bytes a file: a write comes back short, the next one fails. */
static void test_no_room(void **unused)
{
    (void)unused;
    struct rlimit before, limit;
    assert_ok(arnn_replace("file", write_text, &old));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = 4096;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, handler;
    sigaction(SIGXFSZ, &ignore, &handler);
    setrlimit(RLIMIT_FSIZE, &limit);
    arnn_status status = arnn_replace("file", write_text, &new);
    bool told = strstr(arnn_last_error(), strerror(EFBIG)) != NULL;
    setrlimit(RLIMIT_FSIZE, &before);
    sigaction(SIGXFSZ, &handler, NULL);
    assert_int_equal(status, ARNN_IO);
    assert_true(told);
    assert_holds("file", &old);
    assert_int_equal(forge_count("."), 1);
}

static void test_full_device(void **unused)
{
    (void)unused;
    int full = open("/dev/full", O_WRONLY);
    if (full < 0)
        skip();
    arnn_sink sink;
    arnn_sink_file(&sink, full, "full");
    assert_error(ARNN_IO, strerror(ENOSPC), write_text(&sink, &new)); /* more than its buffer holds */
    arnn_sink_file(&sink, full, "full");
    assert_ok(write_text(&sink, &old));
    assert_error(ARNN_IO, "full: ", arnn_sink_flush(&sink));
    close(full);
}

static void test_not_regular(void **unused)
{
    (void)unused;
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    assert_int_equal(symlink("/dev/null", "null"), 0);
    static const char *const paths[] = {"folder", "folder/", ".", "fifo", "null", "/dev/null"};
    for (size_t i = 0; i < COUNT(paths); i++)
        assert_error(ARNN_IO, "not a regular file", arnn_replace(paths[i], write_text, &new));
    assert_int_equal(forge_count("."), 3);
    assert_int_equal(forge_count("folder"), 0);
}

static void test_no_folder(void **unused)
{
    (void)unused;
    assert_ok(arnn_replace("file", write_text, &old));
    assert_error(ARNN_IO, strerror(ENOENT), arnn_replace("missing/file", write_text, &new));
    assert_error(ARNN_IO, strerror(ENOENT), arnn_replace("missing/", write_text, &new));
    assert_error(ARNN_IO, strerror(ENOENT), arnn_replace("", write_text, &new));
    assert_error(ARNN_IO, strerror(ENOTDIR), arnn_replace("file/file", write_text, &new));
    char name[400];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_error(ARNN_IO, strerror(ENAMETOOLONG), arnn_replace(name, write_text, &new));
    assert_holds("file", &old);
    assert_int_equal(forge_count("."), 1);
}

/* A folder that may not be written to; root may write everywhere, and takes another's place for this. */
static void test_closed_folder(void **unused)
{
    (void)unused;
    bool root = geteuid() == 0;
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_ok(arnn_replace("folder/file", write_text, &old));
    assert_int_equal(chmod("folder", 0555), 0);
    assert_true(!root || seteuid(65534) == 0);
    arnn_status status = arnn_replace("folder/file", write_text, &new);
    bool told = strstr(arnn_last_error(), strerror(EACCES)) != NULL;
    assert_true(!root || seteuid(0) == 0);
    assert_int_equal(chmod("folder", 0777), 0);
    assert_int_equal(status, ARNN_IO);
    assert_true(told);
    assert_holds("folder/file", &old);
    assert_int_equal(forge_count("folder"), 1);
    unlink("folder/file");
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, forge_enter, forge_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_new_file),     IN_FOLDER(test_old_file),      IN_FOLDER(test_open_file),
        IN_FOLDER(test_other_folder), IN_FOLDER(test_link),          IN_FOLDER(test_writer_that_fails),
        IN_FOLDER(test_no_room),      IN_FOLDER(test_full_device),   IN_FOLDER(test_not_regular),
        IN_FOLDER(test_no_folder),    IN_FOLDER(test_closed_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

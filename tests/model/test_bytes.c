/* Bytes from memory and from a file: what is there, and what has gone. */
#include "forge.h"

#include "model/bytes.h"

static void test_memory(void **unused)
{
    (void)unused;
    arnn_bytes bytes;
    char read[4] = "";
    arnn_bytes_memory(&bytes, "0123456789", 10);
    assert_int_equal(bytes.bytes, 10);
    assert_ok(arnn_bytes_read(&bytes, read, 7, 3));
    assert_string_equal(read, "789");
    assert_ok(arnn_bytes_read(&bytes, read, 10, 0));
    arnn_bytes_close(&bytes);
}

static void test_file(void **unused)
{
    (void)unused;
    arnn_bytes bytes;
    char read[4] = "";
    forge_write("file", "0123456789", 10);
    assert_ok(arnn_bytes_open(&bytes, "file"));
    assert_int_equal(bytes.bytes, 10);
    assert_ok(arnn_bytes_read(&bytes, read, 7, 3));
    assert_string_equal(read, "789");
    assert_ok(arnn_bytes_read(&bytes, read, 0, 3)); /* in any order */
    assert_string_equal(read, "012");
    arnn_bytes_close(&bytes);
}

/* More than one call of the system reads. */
static void test_large_file(void **unused)
{
    (void)unused;
    size_t length = ((size_t)5 << 24) / 2 + 1;
    char *data = malloc(length), *read = malloc(length);
    for (size_t i = 0; i < length; i++)
        data[i] = (char)(i * 31 >> 7);
    forge_write("file", data, length);
    arnn_bytes bytes;
    assert_ok(arnn_bytes_open(&bytes, "file"));
    assert_ok(arnn_bytes_read(&bytes, read, 0, length));
    assert_memory_equal(read, data, length);
    arnn_bytes_close(&bytes);
    free(data);
    free(read);
}

static void test_file_becomes_shorter(void **unused)
{
    (void)unused;
    arnn_bytes bytes;
    char read[16];
    forge_write("file", "0123456789abcdef", 16);
    assert_ok(arnn_bytes_open(&bytes, "file"));
    assert_ok(arnn_bytes_read(&bytes, read, 4, 12));
    assert_memory_equal(read, "456789abcdef", 12);
    assert_int_equal(truncate("file", 10), 0);
    assert_error(ARNN_IO, "ends at byte 10, not 16", arnn_bytes_read(&bytes, read, 4, 12));
    arnn_bytes_close(&bytes);
    arnn_bytes_close(&bytes); /* closed already */
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, forge_enter, forge_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),
        IN_FOLDER(test_file),
        IN_FOLDER(test_large_file),
        IN_FOLDER(test_file_becomes_shorter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

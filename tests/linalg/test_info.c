/* What BLAS is this: a line, cut to the room there is. */
#include "kernels.h"

static void test_info(void **unused)
{
    (void)unused;
    char whole[512];
    arnn_linalg_info(whole, sizeof whole);
    assert_non_null(strstr(whole, "OpenBLAS"));
    assert_non_null(strstr(whole, ", core "));
    assert_non_null(strstr(whole, ", threading "));
    assert_null(strchr(whole, '\n'));
    for (size_t bytes = 1; bytes < 40; bytes++) {
        char part[64];
        memset(part, '#', sizeof part);
        arnn_linalg_info(part, bytes);
        assert_int_equal(strlen(part), bytes - 1 < strlen(whole) ? bytes - 1 : strlen(whole));
        assert_memory_equal(part, whole, bytes - 1);
        assert_int_equal(part[bytes], '#');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_info)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

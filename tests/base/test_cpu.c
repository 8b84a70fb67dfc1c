/* Features of the processor, against what the system says of it, and the tables that rest on them. */
#include "check.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

/* Whether /proc/cpuinfo names a flag; `known` false where there is no such file. */
static bool system_says(const char *flag, bool *known)
{
    static char text[1 << 16];
    char word[32];
    FILE *file = fopen("/proc/cpuinfo", "r");
    *known = file != NULL;
    if (!file)
        return false;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    const char *flags = strstr(text, "\nflags");
    *known = flags != NULL;
    snprintf(word, sizeof word, " %s ", flag);
    char *end = flags ? strchr(flags + 1, '\n') : NULL;
    if (end)
        *end = ' ', end[1] = '\0';
    return flags && strstr(flags, word);
}

static void test_avx2(void **unused)
{
    (void)unused;
    bool known, avx2 = system_says("avx2", &known), fma = system_says("fma", &known);
    if (known)
        assert_int_equal(arnn_cpu_has_avx2(), avx2 && fma);
#if !defined(__x86_64__)
    assert_false(arnn_cpu_has_avx2());
#endif
}

static void test_tables_rest_on_features(void **unused)
{
    (void)unused;
    assert_true(arnn_kernels_ref.supported());
#ifdef ARNN_HAVE_AVX2
    assert_int_equal(arnn_kernels_avx2.supported(), arnn_cpu_has_avx2());
    assert_string_equal(arnn_kernels_avx2.name, "avx2");
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_avx2), cmocka_unit_test(test_tables_rest_on_features)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

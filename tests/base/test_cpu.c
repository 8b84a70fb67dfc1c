/* Features of the processor, against what the system says of it, and the tables that rest on them. */
#include "check.h"

#include "base/cpu.h"
#include "kernels/kernels.h"

#if defined(__x86_64__)
/* What /proc/cpuinfo says; NULL where there is no such file. */
static char *system_text(void)
{
    static char text[1 << 16];
    FILE *file = fopen("/proc/cpuinfo", "r");
    if (!file)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

/* Whether it names a flag; `known` false where it has no list of them. */
static bool system_says(const char *flag, bool *known)
{
    char word[32], *text = system_text();
    *known = false;
    if (!text)
        return false;
    const char *flags = strstr(text, "\nflags");
    *known = flags != NULL;
    snprintf(word, sizeof word, " %s ", flag);
    char *end = flags ? strchr(flags + 1, '\n') : NULL;
    if (end)
        *end = ' ', end[1] = '\0';
    return flags && strstr(flags, word);
}

/* Whether /proc/cpuinfo names all flags of a list. */
static bool system_says_all(const char *const *flags, size_t count, bool *known)
{
    bool all = true;
    for (size_t i = 0; i < count; i++)
        all = system_says(flags[i], known) && all;
    return all;
}
#endif

/* A processor of another kind lacks them all, whatever an emulator's file may say of its host. */
static void check_feature(bool has, const char *const *flags, size_t count)
{
#if defined(__x86_64__)
    bool known, all = system_says_all(flags, count, &known);
    if (known)
        assert_int_equal(has, all);
#else
    (void)flags, (void)count;
    assert_false(has);
#endif
}

static void test_avx2(void **unused)
{
    (void)unused;
    static const char *const flags[] = {"avx2", "fma"};
    check_feature(arnn_cpu_has_avx2(), flags, COUNT(flags));
}

static void test_avx512(void **unused)
{
    (void)unused;
    static const char *const flags[] = {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl"};
    check_feature(arnn_cpu_has_avx512(), flags, COUNT(flags));
}

static void test_avx512_vnni(void **unused)
{
    (void)unused;
    static const char *const flags[] = {"avx2", "fma", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni"};
    check_feature(arnn_cpu_has_avx512_vnni(), flags, COUNT(flags));
}

static void test_avx512_vnni_amx(void **unused)
{
    (void)unused;
    static const char *const flags[] = {"avx2",     "fma",         "avx512f",     "avx512bw", "avx512dq",
                                        "avx512vl", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"};
    check_feature(arnn_cpu_has_avx512_vnni_amx(), flags, COUNT(flags));
}

/* The answer stays. A processor without tiles is given none. */
static void test_tiles_are_given_once(void **unused)
{
    (void)unused;
    const bool given = arnn_cpu_gives_tiles();
    assert_int_equal(arnn_cpu_gives_tiles(), given);
    if (!arnn_cpu_has_avx512_vnni_amx())
        assert_false(given);
}

static void test_neon(void **unused)
{
    (void)unused;
#if defined(__aarch64__)
    assert_true(arnn_cpu_has_neon());
#else
    assert_false(arnn_cpu_has_neon());
#endif
}

static void test_fetches_far(void **unused)
{
    (void)unused;
#if defined(__x86_64__)
    const char *text = system_text();
    if (text && strstr(text, "vendor_id"))
        assert_int_equal(arnn_cpu_fetches_far(), strstr(text, "AuthenticAMD") != NULL);
#else
    assert_false(arnn_cpu_fetches_far());
#endif
}

static void test_tables_rest_on_features(void **unused)
{
    (void)unused;
    assert_true(arnn_kernels_ref.supported());
#define CHECK_TABLE(set)                                                    \
    assert_int_equal(arnn_kernels_##set.supported(), arnn_cpu_has_##set()); \
    assert_string_equal(arnn_kernels_##set.name, #set);
    ARNN_VECTOR_TABLES(CHECK_TABLE)
}

/* Told or guessed, but the same whenever they are asked for, and of a size that there is. */
static void test_caches(void **unused)
{
    (void)unused;
    for (int level = 2; level <= 3; level++) {
        size_t size = arnn_cpu_cache(level);
        assert_in_range(size, 1 << 16, (size_t)1 << 34);
        assert_int_equal(arnn_cpu_cache(level), size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caches),
        cmocka_unit_test(test_fetches_far),
        cmocka_unit_test(test_avx2),
        cmocka_unit_test(test_avx512),
        cmocka_unit_test(test_avx512_vnni),
        cmocka_unit_test(test_avx512_vnni_amx),
        cmocka_unit_test(test_tiles_are_given_once),
        cmocka_unit_test(test_neon),
        cmocka_unit_test(test_tables_rest_on_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

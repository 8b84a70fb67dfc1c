/* Matrices packed in parts, by one thread or several, are what a kernel packs as a whole. */
#include "kernels.h"

#include "base/memory.h"
#include "model/ready.h"

static void check_fill(rng *r, const arnn_kernels *table, arnn_threads *threads, size_t outputs, size_t inputs, bool turned)
{
    size_t bytes = table->packed_bytes(outputs, inputs, ARNN_TYPE_F32), count = (outputs + 2) * (inputs + 2);
    size_t stride = (turned ? outputs : inputs) + rng_below(r, 3);
    float *weights = arnn_alloc_floats(count);
    arnn_packed whole = {.outputs = outputs, .inputs = inputs, .values = arnn_alloc(bytes, 1)}, parts = whole;
    parts.values = arnn_alloc(bytes, 1);
    assert_true(weights && whole.values && parts.values);
    for (size_t i = 0; i < count; i++)
        weights[i] = (float)rng_below(r, 1000);
    (turned ? table->pack_turned : table->pack)(&whole, weights, stride);
    arnn_packed_fill(&parts, table, threads, weights, stride, turned);
    assert_memory_equal(parts.values, whole.values, bytes);
    arnn_free(weights);
    arnn_free(whole.values);
    arnn_free(parts.values);
}

static void test_parts_are_the_whole(void **unused)
{
    (void)unused;
    static const size_t outputs[] = {1, ARNN_PART_OUTPUTS, ARNN_PART_OUTPUTS + 1, 3 * ARNN_PART_OUTPUTS - 5};
    rng r = RNG;
    arnn_threads *threads = arnn_threads_new(3);
    assert_non_null(threads);
    FOR_TABLES(table) {
        for (size_t i = 0; table->shares && i < 8 * COUNT(outputs); i++)
            check_fill(&r, table, i & 1 ? threads : NULL, outputs[i / 8], i & 4 ? 300 : 7, i & 2);
    }
    arnn_threads_free(threads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_parts_are_the_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

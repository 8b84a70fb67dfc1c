/* Elements of the types of a tape: every one of them there and back, rounding, and every table against `ref`. */
#include "kernels.h"

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Every element of 16 bits is a float32, and comes back from it as it was (NaN as some NaN). */
static void test_there_and_back(void **unused)
{
    (void)unused;
    const int32_t types[] = {ARNN_TYPE_F16, ARNN_TYPE_BF16};
    for (size_t t = 0; t < COUNT(types); t++) {
        const arnn_element *element = arnn_element_of(types[t]);
        for (uint32_t bits = 0; bits < 65536; bits++) {
            uint16_t there = (uint16_t)bits, back;
            float value = element->decode(&there, 0);
            element->encode(&back, 0, value);
            assert_true(isnan(value) ? isnan(element->decode(&back, 0)) : back == there);
        }
    }
    for (int i = -127; i <= 127; i++) {
        int8_t there = (int8_t)i, back;
        float value = arnn_element_of(ARNN_TYPE_I8)->decode(&there, 0);
        assert_near((double)value, i / 127.0, U);
        arnn_element_of(ARNN_TYPE_I8)->encode(&back, 0, value);
        assert_int_equal(back, there);
    }
}

/* float16 by arithmetic: (1 + fraction / 1024) 2^(exponent - 15), denormals fraction 2^-24. */
static void test_values_of_halves(void **unused)
{
    (void)unused;
    for (uint32_t bits = 0; bits < 65536; bits++) {
        uint16_t half = (uint16_t)bits;
        int exponent = (int)(bits >> 10 & 31);
        double fraction = (double)(bits & 1023), sign = bits >> 15 ? -1.0 : 1.0;
        double value = exponent ? ldexp(1.0 + fraction / 1024.0, exponent - 15) : ldexp(fraction, -24);
        double got = (double)arnn_element_of(ARNN_TYPE_F16)->decode(&half, 0);
        if (exponent == 31)
            assert_true(fraction != 0.0 ? isnan(got) : got == sign * (double)INFINITY);
        else
            assert_true(got == sign * value);
    }
}

/* The nearest element, between the two neighbours of a value; of two as near, the even one. */
static void check_nearest(int32_t type, float value)
{
    const arnn_element *element = arnn_element_of(type);
    uint16_t got, next;
    element->encode(&got, 0, value);
    double error = fabs((double)element->decode(&got, 0) - (double)value);
    for (int step = -1; step <= 1; step += 2) {
        next = (uint16_t)(got + step);
        double other = fabs((double)element->decode(&next, 0) - (double)value);
        if (isnan(other) || signbit(element->decode(&next, 0)) != signbit(value))
            continue;
        assert_true(error < other || (error == other && got % 2 == 0));
    }
}

static void test_rounding(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 200000; i++) {
        float value = rng_float(&r, 1.0f) * ldexpf(1.0f, (int)rng_below(&r, 44) - 28);
        if (fabsf(value) < 65504.0f)
            check_nearest(ARNN_TYPE_F16, value);
        check_nearest(ARNN_TYPE_BF16, value);
    }
    for (uint32_t bits = 0x3f000000; bits < 0x3f020000; bits += 0x800) { /* with every tie among them */
        check_nearest(ARNN_TYPE_F16, from_bits(bits));
        check_nearest(ARNN_TYPE_BF16, from_bits(bits));
    }
    uint16_t half;
    arnn_element_of(ARNN_TYPE_F16)->encode(&half, 0, 65519.0f);
    assert_int_equal(half, 0x7bff);
    arnn_element_of(ARNN_TYPE_F16)->encode(&half, 0, -65520.0f);
    assert_int_equal(half, 0xfc00);
}

/* The bounds that the header states, for values within [-1, 1]. */
static void test_bounds(void **unused)
{
    (void)unused;
    rng r = RNG;
    const double bounds[ARNN_TYPES] = {0.0, 1.0 / 4096.0, 1.0 / 512.0, 1.0 / 254.0};
    double worst[ARNN_TYPES] = {0.0};
    for (size_t i = 0; i < 100000; i++) {
        float value = rng_float(&r, 1.0f), row[1];
        for (int32_t type = 0; type < ARNN_TYPES; type++) {
            arnn_element_of(type)->encode(row, 0, value);
            worst[type] = fmax(worst[type], fabs((double)arnn_element_of(type)->decode(row, 0) - (double)value));
        }
    }
    for (int32_t type = 0; type < ARNN_TYPES; type++) {
        assert_true(worst[type] <= bounds[type] + U);
        assert_true(worst[type] >= 0.99 * bounds[type]);
    }
}

static void test_int8_saturates(void **unused)
{
    (void)unused;
    const float values[] = {1.0f, 1.01f, 5.0f, INFINITY, -1.0f, -1.01f, -INFINITY, 0.0f, 0.0039f, 0.0040f, NAN};
    const int8_t wanted[] = {127, 127, 127, 127, -127, -127, -127, 0, 0, 1, -128};
    int8_t row[COUNT(values)];
    arnn_kernels_ref.encode[ARNN_TYPE_I8](row, values, COUNT(values));
    for (size_t i = 0; i < COUNT(values); i++)
        assert_int_equal(row[i], wanted[i]);
    assert_true(isnan(arnn_element_of(ARNN_TYPE_I8)->decode(row, COUNT(values) - 1)));
}

/* Values of every kind and size, or such as states have. */
static float any_value(rng *r)
{
    float value = from_bits((uint32_t)rng_below(r, 65536) << 16 | (uint32_t)rng_below(r, 65536));
    return rng_below(r, 2) ? value : rng_float(r, 1.2f);
}

/* To the bit, over every tail; nothing beside the row is touched. */
static void test_tables(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 2000; i++) {
        size_t count = rng_below(&r, 70);
        int32_t type = (int32_t)rng_below(&r, ARNN_TYPES);
        size_t bytes = count * arnn_element_of(type)->bytes;
        guard values = guard_make(count, i % GUARD_SIDES), ref = guard_make_bytes(bytes, i % GUARD_SIDES);
        for (size_t j = 0; j < count; j++)
            values.floats[j] = any_value(&r);
        guard_freeze(&values);
        arnn_kernels_ref.encode[type](ref.floats, values.floats, count);
        FOR_TABLES(table) {
            guard got = guard_make_bytes(bytes, i % GUARD_SIDES);
            table->encode[type](got.floats, values.floats, count);
            assert_true(guard_intact(&got));
            for (size_t j = 0; j < count; j++) {
                float a = arnn_element_of(type)->decode(got.floats, j), b = arnn_element_of(type)->decode(ref.floats, j);
                assert_true(isnan(b) ? isnan(a) : same_bits(&a, &b, 1));
            }
            guard_free(&got);
        }
        guard_free(&values);
        guard_free(&ref);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back), cmocka_unit_test(test_values_of_halves),
        cmocka_unit_test(test_rounding),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_int8_saturates), cmocka_unit_test(test_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

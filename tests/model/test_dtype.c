/* Element types: every half-precision pattern, and the edges of the others. */
#include "check.h"

#include <float.h>
#include <math.h>

#include "model/dtype.h"

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float decode_one(const char *type, const unsigned char *bytes)
{
    float value = 0.0f;
    arnn_dtype_of(type)->decode(&value, bytes, 1);
    return value;
}

static float decode_bits(const char *type, uint64_t bits, size_t count)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(bits >> (8 * i));
    return decode_one(type, bytes);
}

/* IEEE 754 half precision by its definition, as a number. */
static float half_by_definition(unsigned half)
{
    int exponent = half >> 10 & 31, fraction = half & 1023;
    double magnitude = exponent == 31  ? (fraction ? (double)NAN : (double)INFINITY)
                       : exponent == 0 ? ldexp(fraction, -24)
                                       : ldexp(1024 + fraction, exponent - 25);
    return (float)(half & 0x8000 ? -magnitude : magnitude);
}

static void test_every_f16(void **unused)
{
    (void)unused;
    for (unsigned half = 0; half < 65536; half++) {
        float value = decode_bits("F16", half, 2), expected = half_by_definition(half);
        if (isnan(expected))
            assert_true(isnan(value) && (signbit(value) != 0) == (half >> 15));
        else
            assert_int_equal(bits_of(value), bits_of(expected)); /* the sign of zero, too */
    }
}

static void test_every_bf16(void **unused)
{
    (void)unused;
    for (unsigned upper = 0; upper < 65536; upper++)
        assert_int_equal(bits_of(decode_bits("BF16", upper, 2)), (uint32_t)upper << 16);
}

static void test_f32_bit_for_bit(void **unused)
{
    (void)unused;
    static const uint32_t patterns[] = {0,          0x80000000, 1,          0x807fffff, 0x3dcccccd,
                                        0x7f7fffff, 0xff800000, 0x7fc00000, 0x7fa12345};
    for (size_t i = 0; i < COUNT(patterns); i++) {
        unsigned char bytes[4];
        float value;
        memcpy(&value, &patterns[i], sizeof value);
        arnn_encode_f32(bytes, &value, 1);
        for (size_t j = 0; j < 4; j++)
            assert_int_equal(bytes[j], patterns[i] >> (8 * j) & 255);
        float back = decode_one("F32", bytes);
        assert_memory_equal(&back, &value, sizeof value);
    }
}

static void test_f64_is_rounded(void **unused)
{
    (void)unused;
    static const struct {
        double value;
        float expected;
    } rows[] = {
        {0.1, 0.1f},
        {1.0 + 0x1p-24, 1.0f}, /* a tie goes to even */
        {1.0 + 0x1p-24 + 0x1p-50, 1.0f + 0x1p-23f},
        {-0.0, -0.0f},
        {0x1p-149, 0x1p-149f}, /* the least denormal */
        {0x1p-151, 0.0f},
        {FLT_MAX, FLT_MAX},
        {1e300, INFINITY},
        {-1e300, -INFINITY},
        {-(double)INFINITY, -INFINITY},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        uint64_t bits;
        memcpy(&bits, &rows[i].value, sizeof bits);
        assert_int_equal(bits_of(decode_bits("F64", bits, 8)), bits_of(rows[i].expected));
    }
    assert_true(isnan(decode_bits("F64", 0x7ff8000000000000, 8)));
}

static void test_many_at_once(void **unused)
{
    (void)unused;
    const unsigned char bytes[] = {0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b};
    float values[3];
    arnn_dtype_of("F16")->decode(values, bytes, 3);
    assert_true(values[0] == 1.0f && values[1] == -2.0f && values[2] == 65504.0f);
}

static void test_names(void **unused)
{
    (void)unused;
    static const struct {
        const char *name;
        size_t bits;
        bool readable;
    } rows[] = {
        {"F32", 32, true},         {"F16", 16, true},         {"BF16", 16, true},    {"F64", 64, true},
        {"I64", 64, false},        {"U64", 64, false},        {"C64", 64, false},    {"I32", 32, false},
        {"U32", 32, false},        {"I16", 16, false},        {"U16", 16, false},    {"I8", 8, false},
        {"U8", 8, false},          {"BOOL", 8, false},        {"F8_E4M3", 8, false}, {"F8_E5M2", 8, false},
        {"F8_E8M0", 8, false},     {"F6_E2M3", 6, false},     {"F6_E3M2", 6, false}, {"F4", 4, false},
        {"F8_E4M3FNUZ", 8, false}, {"F8_E5M2FNUZ", 8, false},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const arnn_dtype *type = arnn_dtype_of(rows[i].name);
        assert_non_null(type);
        assert_string_equal(type->name, rows[i].name);
        assert_int_equal(type->bits, rows[i].bits);
        assert_int_equal(type->decode != NULL, rows[i].readable);
    }
    static const char *const strange[] = {"", "f32", "F32 ", "F3", "F128", "FLOAT"};
    for (size_t i = 0; i < COUNT(strange); i++)
        assert_null(arnn_dtype_of(strange[i]));
}

static void test_bytes(void **unused)
{
    (void)unused;
    static const struct {
        const char *type;
        size_t elements, bytes;
        bool possible;
    } rows[] = {
        {"F32", 0, 0, true},
        {"F32", 5, 20, true},
        {"F64", 3, 24, true},
        {"F4", 2, 1, true},
        {"F4", 3, 0, false},
        {"F6_E2M3", 4, 3, true},
        {"F6_E2M3", 5, 0, false},
        {"F6_E2M3", 12, 9, true},
        {"F64", SIZE_MAX / 8, SIZE_MAX / 8 * 8, true},
        {"F64", SIZE_MAX / 8 + 1, 0, false},
        {"U8", SIZE_MAX, SIZE_MAX, true},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t bytes;
        assert_int_equal(arnn_dtype_bytes(arnn_dtype_of(rows[i].type), rows[i].elements, &bytes), rows[i].possible);
        if (rows[i].possible)
            assert_int_equal(bytes, rows[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_f16),       cmocka_unit_test(test_every_bf16),
        cmocka_unit_test(test_f32_bit_for_bit), cmocka_unit_test(test_f64_is_rounded),
        cmocka_unit_test(test_many_at_once),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

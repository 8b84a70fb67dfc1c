#include "model/dtype.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

static uint64_t get(const unsigned char *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void decode_f32(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = from_bits((uint32_t)get(bytes + 4 * i, 4));
}

/* The upper half of a float32. */
static void decode_bf16(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = from_bits((uint32_t)get(bytes + 2 * i, 2) << 16);
}

/* Sign, 5 bits of exponent biased by 15, 10 of fraction. What is denormal here is normal in float32. */
static float half_to_float(uint32_t half)
{
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
    if (exponent == 0) {
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) /* infinity, NaN */
        return from_bits(sign | 0x7f800000 | fraction << 13);
    return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

static void decode_f16(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = half_to_float((uint32_t)get(bytes + 2 * i, 2));
}

/* Rounded to the nearest float32; beyond its range, infinity. */
static void decode_f64(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = get(bytes + 8 * i, 8);
        double value;
        memcpy(&value, &bits, sizeof value);
        values[i] = (float)value;
    }
}

static const arnn_dtype types[] = {
    {"F32", 32, decode_f32},  {"F16", 16, decode_f16},  {"BF16", 16, decode_bf16}, {"F64", 64, decode_f64},
    {"BOOL", 8, NULL},        {"U8", 8, NULL},          {"I8", 8, NULL},           {"U16", 16, NULL},
    {"I16", 16, NULL},        {"U32", 32, NULL},        {"I32", 32, NULL},         {"U64", 64, NULL},
    {"I64", 64, NULL},        {"C64", 64, NULL},        {"F8_E4M3", 8, NULL},      {"F8_E5M2", 8, NULL},
    {"F8_E4M3FNUZ", 8, NULL}, {"F8_E5M2FNUZ", 8, NULL}, {"F8_E8M0", 8, NULL},      {"F6_E2M3", 6, NULL},
    {"F6_E3M2", 6, NULL},     {"F4", 4, NULL},
};

const arnn_dtype *arnn_dtype_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0)
            return &types[i];
    }
    return NULL;
}

/* By eights of elements, which are `bits` bytes of any type: no intermediate overflows that the result does not. */
bool arnn_dtype_bytes(const arnn_dtype *type, size_t elements, size_t *bytes)
{
    size_t rest = elements % 8 * type->bits;
    return arnn_size_mul(bytes, elements / 8, type->bits) && arnn_size_add(bytes, *bytes, rest / 8) && rest % 8 == 0;
}

void arnn_encode_f32(unsigned char *bytes, const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        for (size_t j = 0; j < 4; j++)
            bytes[4 * i + j] = (unsigned char)(bits >> (8 * j));
    }
}

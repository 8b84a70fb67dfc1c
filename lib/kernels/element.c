#include "kernels/element.h"

#include <math.h>
#include <string.h>

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* bits / 2^shift, to the nearest, ties to even. */
static uint32_t round_off(uint32_t bits, unsigned shift)
{
    uint32_t half = (uint32_t)1 << (shift - 1), odd = bits >> shift & 1;
    return (bits + (half - 1 + odd)) >> shift;
}

static float decode_f32(const void *row, size_t i)
{
    return ((const float *)row)[i];
}

static void encode_f32(void *row, size_t i, float value)
{
    ((float *)row)[i] = value;
}

/* ---- float16: sign, 5 bits of exponent biased by 15, 10 of fraction ---- */

static float decode_f16(const void *row, size_t i)
{
    uint32_t half = ((const uint16_t *)row)[i];
    uint32_t sign = (half & 0x8000) << 16, exponent = half >> 10 & 31, fraction = half & 0x3ff;
    if (exponent == 0) { /* zero, denormal: normal in float32 */
        float magnitude = (float)fraction * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
    if (exponent == 31) /* infinity, NaN */
        return from_bits(sign | 0x7f800000 | fraction << 13);
    return from_bits(sign | (exponent + 127 - 15) << 23 | fraction << 13);
}

/* Of |value|. A carry out of the fraction is the next exponent, and beyond the largest number, infinity. */
static uint32_t half_of(float value)
{
    uint32_t bits = bits_of(value) & 0x7fffffff;
    if (bits > 0x7f800000)
        return 0x7e00 | (bits >> 13 & 0x1ff); /* NaN, quiet */
    if (bits >= 0x47800000)                   /* 2^16 */
        return 0x7c00;
    if (bits >= 0x38800000) /* 2^-14: normal */
        return round_off(bits - ((uint32_t)(127 - 15) << 23), 13);
    return bits_of(from_bits(bits) + 0.5f) - bits_of(0.5f); /* the unit of 1/2 is 2^-24: the sum rounds */
}

static void encode_f16(void *row, size_t i, float value)
{
    ((uint16_t *)row)[i] = (uint16_t)(half_of(value) | (bits_of(value) >> 16 & 0x8000));
}

/* ---- bfloat16 ---- */

static float decode_bf16(const void *row, size_t i)
{
    return from_bits((uint32_t)((const uint16_t *)row)[i] << 16);
}

static void encode_bf16(void *row, size_t i, float value)
{
    uint32_t bits = bits_of(value);
    ((uint16_t *)row)[i] = (uint16_t)(isnan(value) ? bits >> 16 | 0x40 : round_off(bits, 16));
}

/* ---- int8 ---- */

static float decode_i8(const void *row, size_t i)
{
    int8_t value = ((const int8_t *)row)[i];
    return value == INT8_MIN ? NAN : (float)value / 127.0f;
}

static void encode_i8(void *row, size_t i, float value)
{
    float scaled = rintf(127.0f * value);
    ((int8_t *)row)[i] = isnan(value) ? INT8_MIN : scaled > 127.0f ? 127 : scaled < -127.0f ? -127 : (int8_t)scaled;
}

static const arnn_element elements[ARNN_TYPES] = {
    [ARNN_TYPE_F32] = {"float32", 4, decode_f32, encode_f32},
    [ARNN_TYPE_F16] = {"float16", 2, decode_f16, encode_f16},
    [ARNN_TYPE_BF16] = {"bfloat16", 2, decode_bf16, encode_bf16},
    [ARNN_TYPE_I8] = {"int8", 1, decode_i8, encode_i8},
};

const arnn_element *arnn_element_of(int32_t type)
{
    return &elements[type];
}

arnn_status arnn_element_check(const char *argument, int32_t type, unsigned allowed)
{
    if (type < 0 || type >= ARNN_TYPES)
        return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %d, expected 0 to %d", argument, (int)type, ARNN_TYPES - 1);
    if (!(allowed >> type & 1))
        return arnn_error(ARNN_UNSUPPORTED, "%s cannot be %s", argument, elements[type].name);
    return ARNN_OK;
}

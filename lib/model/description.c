#include "model/description.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cells/cell.h"
#include "model/wiring.h"

static const char *const cell_words[] = {"rnn_tanh", "rnn_relu", "gru", "lstm", NULL};
static const char *const wiring_words[] = {"none", "after", "beside", "before", NULL};
static const char *const score_words[] = {"dot", "general", "additive", NULL};
static const char *const attention_words[] = {"spread", "newest", NULL};
static const char *const start_words[] = {"none", "zero", NULL};
static const char *const source_words[] = {"h", "s", "hs", NULL};

#define FIELD(member, kind, words) {#member, ARNN_FIELD_##kind, offsetof(arnn_model_desc, member), words}

const arnn_field arnn_fields[] = {
    FIELD(cell, WORD, cell_words),
    FIELD(wiring, WORD, wiring_words),
    FIELD(score, WORD, score_words),
    FIELD(attention_start, WORD, attention_words),
    FIELD(start_row, WORD, start_words),
    FIELD(recency, FLAG, NULL),
    FIELD(skip, FLAG, NULL),
    FIELD(source, WORD, source_words),
    FIELD(scale, FLOAT, NULL),
    FIELD(recency_start, FLOAT, NULL),
    FIELD(inputs, SIZE, NULL),
    FIELD(hidden, SIZE, NULL),
    FIELD(layers, SIZE, NULL),
    FIELD(vocab, SIZE, NULL),
    FIELD(align, SIZE, NULL),
    FIELD(window, SIZE, NULL),
    FIELD(sinks, SIZE, NULL),
    FIELD(outputs, SIZE, NULL),
    {NULL, ARNN_FIELD_SIZE, 0, NULL},
};

/* ---- fields as text ---- */

static const char digits[] = "0123456789";

static const void *member(const arnn_field *field, const arnn_model_desc *desc)
{
    return (const char *)desc + field->offset;
}

static size_t member_bytes(const arnn_field *field)
{
    return field->kind == ARNN_FIELD_SIZE ? sizeof(size_t) : sizeof(int32_t); /* a float has four bytes too */
}

static int32_t words_count(const arnn_field *field)
{
    int32_t count = 0;
    while (field->words && field->words[count])
        count++;
    return field->kind == ARNN_FIELD_FLAG ? 2 : count;
}

bool arnn_field_equal(const arnn_field *field, const arnn_model_desc *a, const arnn_model_desc *b)
{
    return memcmp(member(field, a), member(field, b), member_bytes(field)) == 0;
}

/* Files hold '.', whatever the program's locale has there: one byte, or several. */
static void write_float(char *text, float value)
{
    char local[ARNN_FIELD_TEXT];
    bool after_point = false;
    snprintf(local, sizeof local, "%.9g", (double)value);
    for (const char *c = local; *c; c++) {
        bool plain = strchr("+-0123456789e", *c) != NULL;
        if (plain || !after_point)
            *text++ = plain ? *c : '.';
        after_point = !plain;
    }
    *text = '\0';
}

void arnn_field_write(const arnn_field *field, const arnn_model_desc *desc, char *text)
{
    const void *value = member(field, desc);
    if (field->kind == ARNN_FIELD_WORD)
        snprintf(text, ARNN_FIELD_TEXT, "%s", field->words[*(const int32_t *)value]);
    else if (field->kind == ARNN_FIELD_FLAG)
        snprintf(text, ARNN_FIELD_TEXT, "%d", (int)*(const int32_t *)value);
    else if (field->kind == ARNN_FIELD_FLOAT)
        write_float(text, *(const float *)value);
    else
        snprintf(text, ARNN_FIELD_TEXT, "%zu", *(const size_t *)value);
}

static bool read_word(const arnn_field *field, int32_t *value, const char *text)
{
    static const char *const flag_words[] = {"0", "1", NULL};
    const char *const *words = field->kind == ARNN_FIELD_FLAG ? flag_words : field->words;
    for (int32_t i = 0; words[i]; i++) {
        if (strcmp(words[i], text) == 0) {
            *value = i;
            return true;
        }
    }
    return false;
}

static bool read_size(size_t *value, const char *text)
{
    size_t total = 0;
    for (const char *c = text; *c; c++) {
        if (*c < '0' || *c > '9' || !arnn_size_mul(&total, total, 10) ||
            !arnn_size_add(&total, total, (size_t)(*c - '0')))
            return false;
    }
    *value = total;
    return *text != '\0';
}

/* What follows the digits: nothing, or an exponent. */
static bool read_exponent(long *exponent, const char *text)
{
    size_t sign = *text == 'e' && (text[1] == '-' || text[1] == '+') ? 2 : 1;
    *exponent = 0;
    if (*text == '\0')
        return true;
    size_t count = *text == 'e' ? strlen(text + sign) : 0;
    if (count == 0 || count > 4 || strspn(text + sign, digits) != count)
        return false;
    *exponent = strtol(text + 1, NULL, 10);
    return true;
}

/* Digits, perhaps a point and more of them, perhaps an exponent: "-0.25", "1e-05". Handed to strtof without the point,
   so that the locale has nothing to say. */
static bool read_float(float *value, const char *text)
{
    char local[2 * ARNN_FIELD_TEXT];
    size_t whole = (*text == '-') + strspn(text + (*text == '-'), digits);
    const char *fraction = text + whole + (text[whole] == '.');
    size_t places = text[whole] == '.' ? strspn(fraction, digits) : 0;
    long exponent;
    if (strlen(text) >= ARNN_FIELD_TEXT || whole == (*text == '-') || (text[whole] == '.' && places == 0) ||
        !read_exponent(&exponent, fraction + places))
        return false;
    snprintf(local, sizeof local, "%.*s%.*se%ld", (int)whole, text, (int)places, fraction, exponent - (long)places);
    *value = strtof(local, NULL);
    return isfinite(*value);
}

bool arnn_field_read(const arnn_field *field, arnn_model_desc *desc, const char *text)
{
    void *value = (char *)desc + field->offset;
    if (field->kind == ARNN_FIELD_SIZE)
        return read_size(value, text);
    if (field->kind == ARNN_FIELD_FLOAT)
        return read_float(value, text);
    return read_word(field, value, text);
}

/* ---- defaults and checks ---- */

void arnn_desc_default(arnn_model_desc *desc)
{
    *desc = (arnn_model_desc){
        .struct_size = sizeof *desc,
        .wiring = ARNN_WIRING_AFTER,
        .scale = 1.0f,
        .recency_start = 0.1f,
        .inputs = 256,
        .hidden = 256,
        .layers = 1,
    };
}

static arnn_status check_values(const arnn_model_desc *desc)
{
    for (const arnn_field *field = arnn_fields; field->name; field++) {
        if (field->kind == ARNN_FIELD_WORD || field->kind == ARNN_FIELD_FLAG) {
            int32_t value = *(const int32_t *)member(field, desc);
            if (value < 0 || value >= words_count(field))
                return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %d, expected 0 to %d", field->name, (int)value,
                                  (int)words_count(field) - 1);
        } else if (field->kind == ARNN_FIELD_FLOAT) {
            float value = *(const float *)member(field, desc);
            if (!isfinite(value))
                return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %g, expected a finite number", field->name,
                                  (double)value);
        }
    }
    if (desc->inputs == 0 || desc->hidden == 0 || desc->layers == 0)
        return arnn_error(ARNN_INVALID_ARGUMENT, "inputs, hidden and layers are %zu, %zu, %zu, expected at least 1",
                          desc->inputs, desc->hidden, desc->layers);
    return ARNN_OK;
}

/* Token ids are int32_t, and sizes enter BLAS as int: no width may leave that range, nor may the products that follow
   from it overflow. */
static arnn_status check_sizes(const arnn_model_desc *desc)
{
    const size_t limit = INT32_MAX / 16; /* gates, the concatenations and the padding of rows stay within int32_t */
    for (const arnn_field *field = arnn_fields; field->name; field++) {
        bool width = field->kind == ARNN_FIELD_SIZE && field->offset != offsetof(arnn_model_desc, window) &&
                     field->offset != offsetof(arnn_model_desc, sinks);
        if (width && *(const size_t *)member(field, desc) > limit)
            return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %zu, at most %zu are possible", field->name,
                              *(const size_t *)member(field, desc), limit);
    }
    size_t rows;
    if (!arnn_size_add(&rows, desc->window, desc->sinks) || rows > SIZE_MAX / 4)
        return arnn_error(ARNN_INVALID_ARGUMENT, "window %zu and sinks %zu are too large", desc->window, desc->sinks);
    return ARNN_OK;
}

static arnn_status check_combination(const arnn_model_desc *desc)
{
    arnn_model_desc plain;
    arnn_desc_default(&plain);
    static const size_t of_attention[] = {
        offsetof(arnn_model_desc, score),     offsetof(arnn_model_desc, attention_start),
        offsetof(arnn_model_desc, start_row), offsetof(arnn_model_desc, recency),
        offsetof(arnn_model_desc, scale),     offsetof(arnn_model_desc, align),
        offsetof(arnn_model_desc, window),    offsetof(arnn_model_desc, sinks),
    };
    for (const arnn_field *field = arnn_fields; field->name && !arnn_desc_has_tape(desc); field++) {
        for (size_t i = 0; i < sizeof of_attention / sizeof *of_attention; i++) {
            if (field->offset == of_attention[i] && !arnn_field_equal(field, desc, &plain))
                return arnn_error(ARNN_UNSUPPORTED, "%s is an option of attention, and wiring none has none",
                                  field->name);
        }
    }
    if (desc->sinks > 0 && desc->window == 0)
        return arnn_error(ARNN_UNSUPPORTED, "%zu sinks without a window: the whole tape is read anyway", desc->sinks);
    if (desc->source != ARNN_SOURCE_H && !arnn_wiring_of(desc)->reads_last)
        return arnn_error(ARNN_UNSUPPORTED, "source %s with wiring %s: the readout may read s in after and beside only",
                          source_words[desc->source], wiring_words[desc->wiring]);
    return ARNN_OK;
}

static arnn_status copy(arnn_model_desc *out, const arnn_model_desc *desc)
{
    arnn_desc_default(out);
    if (desc->struct_size != sizeof *out) /* the first version: no other size has been given out */
        return arnn_error(ARNN_INVALID_ARGUMENT, "struct_size of arnn_model_desc is %zu, expected %zu",
                          desc->struct_size, sizeof *out);
    memcpy(out, desc, desc->struct_size);
    return ARNN_OK;
}

arnn_status arnn_desc_resolve(arnn_model_desc *out, const arnn_model_desc *desc)
{
    arnn_status status = copy(out, desc);
    if (!status)
        status = check_values(out);
    if (!status)
        status = check_sizes(out);
    if (!status)
        status = check_combination(out);
    if (!status && out->align == 0 && arnn_desc_has_tape(out))
        out->align = out->hidden;
    return status;
}

/* ---- widths ---- */

bool arnn_desc_has_tape(const arnn_model_desc *desc)
{
    return arnn_wiring_of(desc)->reads_first || arnn_wiring_of(desc)->reads_last;
}

bool arnn_desc_has_memory_rows(const arnn_model_desc *desc)
{
    return arnn_wiring_of(desc)->reads_first && arnn_cell_of(desc->cell)->has_memory;
}

size_t arnn_desc_input_width(const arnn_model_desc *desc, size_t layer)
{
    if (layer == 0)
        return desc->inputs;
    return desc->hidden + (desc->skip ? desc->inputs : 0);
}

size_t arnn_desc_source_width(const arnn_model_desc *desc)
{
    return desc->source == ARNN_SOURCE_HS ? 2 * desc->hidden : desc->hidden;
}

size_t arnn_desc_output_width(const arnn_model_desc *desc)
{
    return desc->outputs ? desc->outputs : arnn_desc_source_width(desc);
}

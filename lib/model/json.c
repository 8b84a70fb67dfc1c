#include "model/json.h"

#include <stdint.h>
#include <string.h>

#include "base/memory.h"

arnn_status arnn_json_expected(const arnn_json *json, const char *what)
{
    size_t byte = (size_t)(json->next - json->begin);
    char quote[ARNN_QUOTE_BYTES];
    if (!json->entry)
        return arnn_error(ARNN_FORMAT, "byte %zu of the header: expected %s", byte, what);
    return arnn_error(ARNN_FORMAT, "byte %zu of the header, in %s: expected %s", byte,
                      arnn_json_quote(quote, json->entry), what);
}

static void skip_space(arnn_json *json)
{
    json->next += strspn(json->next, " \t\n\r");
}

bool arnn_json_take(arnn_json *json, char c)
{
    skip_space(json);
    bool there = *json->next == c;
    json->next += there;
    return there;
}

/* ---- strings ---- */

/* Writes a code point as UTF-8, in no more bytes than its escape has. */
static char *encode(char *out, uint32_t point)
{
    if (point < 0x80) {
        *out++ = (char)point;
    } else if (point < 0x800) {
        *out++ = (char)(0xc0 | point >> 6);
        *out++ = (char)(0x80 | (point & 63));
    } else if (point < 0x10000) {
        *out++ = (char)(0xe0 | point >> 12);
        *out++ = (char)(0x80 | (point >> 6 & 63));
        *out++ = (char)(0x80 | (point & 63));
    } else {
        *out++ = (char)(0xf0 | point >> 18);
        *out++ = (char)(0x80 | (point >> 12 & 63));
        *out++ = (char)(0x80 | (point >> 6 & 63));
        *out++ = (char)(0x80 | (point & 63));
    }
    return out;
}

/* Four hexadecimal digits. */
static bool read_unit(arnn_json *json, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, json->next++) {
        char c = *json->next;
        bool digit = c >= '0' && c <= '9', lower = c >= 'a' && c <= 'f', upper = c >= 'A' && c <= 'F';
        if (!digit && !lower && !upper)
            return false;
        *unit = *unit << 4 | (uint32_t)(digit ? c - '0' : lower ? c - 'a' + 10 : c - 'A' + 10);
    }
    return true;
}

/* What follows \u: one unit of UTF-16, or two. */
static bool read_point(arnn_json *json, uint32_t *point)
{
    uint32_t second;
    if (!read_unit(json, point) || *point == 0 || (*point >= 0xdc00 && *point < 0xe000))
        return false;
    if (*point < 0xd800 || *point >= 0xe000)
        return true;
    if (json->next[0] != '\\' || json->next[1] != 'u')
        return false;
    json->next += 2;
    if (!read_unit(json, &second) || second < 0xdc00 || second >= 0xe000)
        return false;
    *point = 0x10000 + ((*point - 0xd800) << 10) + (second - 0xdc00);
    return true;
}

/* What follows a backslash. */
static bool read_escape(arnn_json *json, char **out)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    uint32_t point;
    char c = *json->next++;
    const char *letter = c ? strchr(letters, c) : NULL;
    if (letter) {
        *(*out)++ = meanings[letter - letters];
        return true;
    }
    if (c != 'u' || !read_point(json, &point))
        return false;
    *out = encode(*out, point);
    return true;
}

/* Bytes of the well-formed UTF-8 sequence at `text`, 0 if there is none (Unicode, table 3-7). Ends at a '\0'. */
static size_t sequence_length(const unsigned char *text)
{
    static const struct {
        unsigned char first, last, low, high; /* range of the first byte, range of the second */
        size_t length;
    } rows[] = {
        {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3},
        {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4},
        {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    if (text[0] >= 0x20 && text[0] < 0x80) /* DEL too: JSON allows it */
        return 1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (text[0] < rows[i].first || text[0] > rows[i].last)
            continue;
        size_t length = text[1] >= rows[i].low && text[1] <= rows[i].high ? 2 : 0;
        while (length > 0 && length < rows[i].length)
            length = (text[length] & 0xc0) == 0x80 ? length + 1 : 0;
        return length;
    }
    return 0;
}

arnn_status arnn_json_string(arnn_json *json, char **text)
{
    if (!arnn_json_take(json, '"'))
        return arnn_json_expected(json, "a string");
    char *out = *text = json->next;
    while (*json->next != '"') {
        size_t length = sequence_length((const unsigned char *)json->next);
        if (length == 0)
            return arnn_json_expected(json, json->next == json->end
                                                ? "the end of a string"
                                                : "a character of UTF-8 that is no control character");
        if (*json->next == '\\') {
            json->next++;
            if (!read_escape(json, &out))
                return arnn_json_expected(json, "an escape sequence of JSON, and not that of a zero byte");
            continue;
        }
        memmove(out, json->next, length);
        out += length;
        json->next += length;
    }
    json->next++;
    *out = '\0';
    return ARNN_OK;
}

/* ---- sizes, objects, arrays ---- */

arnn_status arnn_json_size(arnn_json *json, size_t *value)
{
    skip_space(json);
    size_t digits = strspn(json->next, "0123456789");
    char after = json->next[digits];
    if (digits == 0 || (digits > 1 && *json->next == '0') || after == '.' || after == 'e' || after == 'E')
        return arnn_json_expected(json, "a whole number, not negative");
    *value = 0;
    for (size_t i = 0; i < digits; i++) {
        if (!arnn_size_mul(value, *value, 10) || !arnn_size_add(value, *value, (size_t)(json->next[i] - '0')))
            return arnn_json_expected(json, "a number that is no larger than the address space");
    }
    json->next += digits;
    return ARNN_OK;
}

arnn_status arnn_json_object(arnn_json *json, arnn_json_member member, void *context)
{
    char *key;
    if (!arnn_json_take(json, '{'))
        return arnn_json_expected(json, "an object");
    if (arnn_json_take(json, '}'))
        return ARNN_OK;
    do {
        arnn_status status = arnn_json_string(json, &key);
        if (!status && !arnn_json_take(json, ':'))
            status = arnn_json_expected(json, "':'");
        if (!status)
            status = member(json, context, key);
        if (status)
            return status;
    } while (arnn_json_take(json, ','));
    return arnn_json_take(json, '}') ? ARNN_OK : arnn_json_expected(json, "',' or '}'");
}

arnn_status arnn_json_sizes(arnn_json *json, arnn_json_element element, void *context)
{
    size_t value;
    if (!arnn_json_take(json, '['))
        return arnn_json_expected(json, "an array");
    if (arnn_json_take(json, ']'))
        return ARNN_OK;
    do {
        arnn_status status = arnn_json_size(json, &value);
        if (!status)
            status = element(context, value);
        if (status)
            return status;
    } while (arnn_json_take(json, ','));
    return arnn_json_take(json, ']') ? ARNN_OK : arnn_json_expected(json, "',' or ']'");
}

/* ---- sentences ---- */

const char *arnn_json_quote(char quote[ARNN_QUOTE_BYTES], const char *text)
{
    size_t out = 0;
    if (!*text)
        return strcpy(quote, "\"\"");
    while (*text && out < ARNN_QUOTE_BYTES - 8) {
        size_t length = sequence_length((const unsigned char *)text);
        if (length > 0)
            memcpy(quote + out, text, length);
        else
            quote[out] = '?';
        out += length ? length : 1;
        text += length ? length : 1;
    }
    strcpy(quote + out, *text ? ".." : "");
    return quote;
}

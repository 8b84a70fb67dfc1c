/*
 * The JSON of safetensors headers: objects, strings, sizes and lists of sizes, strictly. Text is decoded where it
 * stands, so nothing is allocated and nothing is nested deeper than its caller nests it.
 *
 * Why not a library for all of JSON: the header has one fixed shape, so that everything else is an error anyway; and
 * jansson (2.14), whose lexer ignores that its buffer could not grow, writes beyond its memory when memory is short.
 */
#ifndef ARNN_MODEL_JSON_H
#define ARNN_MODEL_JSON_H

#include <stdbool.h>

#include "base/status.h"

typedef struct arnn_json {
    char *begin;
    char *next;        /* where reading goes on */
    char *end;         /* *end is '\0' */
    const char *entry; /* whose value is read, for sentences; NULL: none's */
} arnn_json;

/* ARNN_FORMAT "byte 17 of the header, in weight_hh_l0: expected a string". */
arnn_status arnn_json_expected(const arnn_json *json, const char *what);

/* Passes over white space and then over c, if it is there. */
bool arnn_json_take(arnn_json *json, char c);

/* A string, decoded and ended by '\0' in place: valid UTF-8 without '\0'. */
arnn_status arnn_json_string(arnn_json *json, char **text);

/* A whole number from 0 to SIZE_MAX. */
arnn_status arnn_json_size(arnn_json *json, size_t *value);

/* An object: calls `member` after each key and its colon, to read the value. An error of it ends the reading. */
typedef arnn_status (*arnn_json_member)(arnn_json *json, void *context, char *key);
arnn_status arnn_json_object(arnn_json *json, arnn_json_member member, void *context);

/* An array of sizes: calls `element` with each. */
typedef arnn_status (*arnn_json_element)(void *context, size_t value);
arnn_status arnn_json_sizes(arnn_json *json, arnn_json_element element, void *context);

/* A text of the file for a sentence: shortened, and without control characters. Returns `quote`. */
#define ARNN_QUOTE_BYTES 96
const char *arnn_json_quote(char quote[ARNN_QUOTE_BYTES], const char *text);

#endif

/* The JSON of headers: what is read and what is refused, with jansson as the judge of what JSON is. */
#include "check.h"

#include <jansson.h>

#include "model/json.h"

#define TEXT(literal) literal, sizeof literal - 1

static arnn_json start(char *buffer, const char *text, size_t length)
{
    memcpy(buffer, text, length);
    buffer[length] = '\0';
    return (arnn_json){.begin = buffer, .next = buffer, .end = buffer + length};
}

/* ---- strings ---- */

static const struct {
    const char *json;
    size_t length;
    const char *value; /* NULL: refused */
} strings[] = {
    {TEXT("\"\""), ""},
    {TEXT(" \t\r\n\"weight_ih_l0\""), "weight_ih_l0"},
    {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\/\b\f\n\r\t"},
    {TEXT("\"\\u0041\\u00e9\\u20aC\\ud83D\\uDE00\""), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {TEXT("\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
     "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"},
    {TEXT("\"\x7f\""), "\x7f"},
    {TEXT("\"\\uffff\""), "\xef\xbf\xbf"},
    {TEXT(""), NULL},
    {TEXT("\""), NULL},
    {TEXT("\"a"), NULL},
    {TEXT("\"a\\\""), NULL},
    {TEXT("\"a\\"), NULL},
    {TEXT("'a'"), NULL},
    {TEXT("a"), NULL},
    {TEXT("\"\n\""), NULL},
    {TEXT("\"\x1f\""), NULL},
    {TEXT("\"a\0b\""), NULL},
    {TEXT("\"\\u0000\""), NULL},
    {TEXT("\"\\x41\""), NULL},
    {TEXT("\"\\u12g4\""), NULL},
    {TEXT("\"\\u12\""), NULL},
    {TEXT("\"\\U0041\""), NULL},
    {TEXT("\"\\ud800\""), NULL},
    {TEXT("\"\\ud800x\""), NULL},
    {TEXT("\"\\ud800\\n\""), NULL},
    {TEXT("\"\\ud800\\u0041\""), NULL},
    {TEXT("\"\\udc00\""), NULL},
    {TEXT("\"\x80\""), NULL},
    {TEXT("\"\xc0\x80\""), NULL},
    {TEXT("\"\xc1\xbf\""), NULL},
    {TEXT("\"\xc3\""), NULL},
    {TEXT("\"\xe0\x9f\xbf\""), NULL},
    {TEXT("\"\xed\xa0\x80\""), NULL},
    {TEXT("\"\xe2\x82\""), NULL},
    {TEXT("\"\xf0\x8f\xbf\xbf\""), NULL},
    {TEXT("\"\xf0\x9f\x98\""), NULL},
    {TEXT("\"\xf4\x90\x80\x80\""), NULL},
    {TEXT("\"\xf5\x80\x80\x80\""), NULL},
    {TEXT("\"\xff\""), NULL},
};

static void test_strings(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(strings); i++) {
        char *buffer = malloc(strings[i].length + 1), *value = NULL; /* exact: a reader that goes too far is seen */
        arnn_json json = start(buffer, strings[i].json, strings[i].length);
        json_t *judge = json_loadb(strings[i].json, strings[i].length, JSON_DECODE_ANY, NULL);
        if (strings[i].value) {
            assert_ok(arnn_json_string(&json, &value));
            assert_string_equal(value, strings[i].value);
            assert_ptr_equal(json.next, json.end);
            assert_string_equal(value, json_string_value(judge));
        } else {
            assert_error(ARNN_FORMAT, "of the header", arnn_json_string(&json, &value));
            assert_null(judge);
        }
        json_decref(judge);
        free(buffer);
    }
}

/* ---- sizes ---- */

static void test_sizes(void **unused)
{
    (void)unused;
    static const struct {
        const char *json;
        bool good;
        size_t value;
    } rows[] = {
        {"0", true, 0},
        {" 7", true, 7},
        {"10 ", true, 10},
        {"18446744073709551615", sizeof(size_t) == 8, SIZE_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"-0", false, 0},
        {"+1", false, 0},
        {"01", false, 0},
        {"00", false, 0},
        {"1.0", false, 0},
        {"1e2", false, 0},
        {"1E2", false, 0},
        {"\"1\"", false, 0},
        {"x", false, 0},
        {"null", false, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[64];
        size_t value = 77;
        arnn_json json = start(buffer, rows[i].json, strlen(rows[i].json));
        if (rows[i].good) {
            assert_ok(arnn_json_size(&json, &value));
            assert_int_equal(value, rows[i].value);
        } else {
            assert_error(ARNN_FORMAT, "expected a", arnn_json_size(&json, &value));
        }
    }
}

/* ---- objects and arrays ---- */

static arnn_status add(void *context, size_t value)
{
    size_t *sums = context; /* sum, and how many */
    sums[0] += value;
    sums[1]++;
    return ARNN_OK;
}

static arnn_status member(arnn_json *json, void *context, char *key)
{
    size_t *lengths = context;
    *lengths += strlen(key);
    return arnn_json_sizes(json, add, lengths + 1);
}

static void test_objects(void **unused)
{
    (void)unused;
    static const struct {
        const char *json;
        size_t keys, sum, count; /* SIZE_MAX: refused */
    } rows[] = {
        {"{}", 0, 0, 0},
        {" { } ", 0, 0, 0},
        {"{\"a\":[]}", 1, 0, 0},
        {"{ \"a\" : [ 1 , 2 ] ,\n\"bc\":[40]}", 3, 43, 3},
        {"", SIZE_MAX, 0, 0},
        {"[]", SIZE_MAX, 0, 0},
        {"{", SIZE_MAX, 0, 0},
        {"{\"a\"}", SIZE_MAX, 0, 0},
        {"{\"a\":}", SIZE_MAX, 0, 0},
        {"{\"a\":1}", SIZE_MAX, 0, 0},
        {"{\"a\":[1}", SIZE_MAX, 0, 0},
        {"{\"a\":[1,]}", SIZE_MAX, 0, 0},
        {"{\"a\":[,1]}", SIZE_MAX, 0, 0},
        {"{\"a\":[1 2]}", SIZE_MAX, 0, 0},
        {"{\"a\":[1],}", SIZE_MAX, 0, 0},
        {"{,\"a\":[1]}", SIZE_MAX, 0, 0},
        {"{\"a\":[1]", SIZE_MAX, 0, 0},
        {"{\"a\":[[1]]}", SIZE_MAX, 0, 0},
        {"{\"a\":[1]\"b\":[]}", SIZE_MAX, 0, 0},
        {"{a:[1]}", SIZE_MAX, 0, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        char buffer[64];
        size_t seen[3] = {0};
        arnn_json json = start(buffer, rows[i].json, strlen(rows[i].json));
        if (rows[i].keys == SIZE_MAX) {
            assert_error(ARNN_FORMAT, "expected", arnn_json_object(&json, member, seen));
        } else {
            assert_ok(arnn_json_object(&json, member, seen));
            assert_int_equal(seen[0], rows[i].keys);
            assert_int_equal(seen[1], rows[i].sum);
            assert_int_equal(seen[2], rows[i].count);
        }
    }
}

static void test_sentences(void **unused)
{
    (void)unused;
    char buffer[64], quote[ARNN_QUOTE_BYTES];
    arnn_json json = start(buffer, TEXT("{\"a\": 5}"));
    json.entry = "weight\n_hh";
    size_t seen[3] = {0};
    assert_int_equal(arnn_json_object(&json, member, seen), ARNN_FORMAT);
    assert_string_equal(arnn_last_error(), "byte 6 of the header, in weight?_hh: expected an array");

    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    arnn_json_quote(quote, longer);
    assert_true(strlen(quote) < sizeof quote);
    assert_string_equal(quote + strlen(quote) - 3, "x..");
    assert_string_equal(arnn_json_quote(quote, "\x1b[2J\xff\xc3\xa9"), "?[2J?\xc3\xa9");
    assert_string_equal(arnn_json_quote(quote, ""), "\"\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_objects),
        cmocka_unit_test(test_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

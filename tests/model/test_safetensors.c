/* Malformed safetensors, each by name, from memory and from a file; what is well-formed; damage of every byte. */
#include "forge.h"

#include <jansson.h>

#include "model/safetensors.h"

#define ENTRY(name, type, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define A ENTRY("a", "F32", "[2]", "0", "8")
#define B ENTRY("b", "F32", "[1]", "8", "12")
#define BODY(...) "\"a\":{" __VA_ARGS__ "}"
#define DTYPE "\"dtype\":\"F32\""
#define SHAPE "\"shape\":[2]"
#define OFFSETS "\"data_offsets\":[0,8]"
#define TEXT(literal) literal, sizeof literal - 1
#define SAME UINT64_MAX /* the header's claimed length is its length */

static const struct {
    const char *name;
    const char *header;
    size_t length;
    uint64_t claimed;
    size_t data;
    const char *words; /* of the sentence */
} malformed[] = {
    /* the length */
    {"length 0", TEXT(""), 0, 0, "length is 0"},
    {"length 1", TEXT("{"), 1, 0, "length is 1"},
    {"length above the limit", TEXT("{" A "}"), 100000001, 8, "length is 100000001"},
    {"length 2^64 - 1", TEXT("{" A "}"), UINT64_MAX - 1, 8, "length is 18446744073709551614"},
    {"length above the file", TEXT("{}"), 3, 0, "only 2 bytes follow"},
    {"limit without such a file", TEXT("{" A "}"), 100000000, 8, "bytes follow"},
    {"length cuts the header", TEXT("{" A "}"), 10, 8, "of the header"},
    {"length reaches into the data", TEXT("{" A "}"), sizeof "{" A "}", 8, "of the header"},
    /* the text */
    {"empty text", TEXT("  "), SAME, 0, "'{' as the first byte"},
    {"space before the object", TEXT(" {}"), SAME, 0, "'{' as the first byte"},
    {"an array", TEXT("[]"), SAME, 0, "'{' as the first byte"},
    {"byte order mark", TEXT("\xef\xbb\xbf{}"), SAME, 0, "'{' as the first byte"},
    {"no end", TEXT("{" A), SAME, 8, "',' or '}'"},
    {"text after the object", TEXT("{}x"), SAME, 0, "nothing but spaces"},
    {"two objects", TEXT("{}{}"), SAME, 0, "nothing but spaces"},
    {"padding with newlines", TEXT("{}\n"), SAME, 0, "nothing but spaces"},
    {"padding with zero bytes", TEXT("{}\0\0"), SAME, 0, "nothing but spaces"},
    {"comma at the end", TEXT("{" A ",}"), SAME, 8, "a string"},
    {"comment", TEXT("{/**/" A "}"), SAME, 8, "a string"},
    {"key without quotes", TEXT("{a:{}}"), SAME, 0, "a string"},
    {"no colon", TEXT("{\"a\"{}}"), SAME, 0, "':'"},
    {"name that is not UTF-8", TEXT("{" ENTRY("\xff", "F32", "[2]", "0", "8") "}"), SAME, 8, "character of UTF-8"},
    {"name with an overlong slash", TEXT("{" ENTRY("\xc0\xaf", "F32", "[2]", "0", "8") "}"), SAME, 8,
     "character of UTF-8"},
    {"name with a surrogate", TEXT("{" ENTRY("\\ud800", "F32", "[2]", "0", "8") "}"), SAME, 8, "escape"},
    {"name with a zero byte", TEXT("{" ENTRY("a\0b", "F32", "[2]", "0", "8") "}"), SAME, 8, "control character"},
    {"name with an escaped zero byte", TEXT("{" ENTRY("a\\u0000", "F32", "[2]", "0", "8") "}"), SAME, 8, "zero byte"},
    {"name with a newline", TEXT("{" ENTRY("a\nb", "F32", "[2]", "0", "8") "}"), SAME, 8, "control character"},
    /* entries */
    {"tensor twice", TEXT("{" A "," A "}"), SAME, 8, "tensor a: it is there twice"},
    {"tensor twice, once escaped", TEXT("{" A "," ENTRY("\\u0061", "F32", "[1]", "8", "12") "}"), SAME, 12, "twice"},
    {"entry that is an array", TEXT("{\"a\":[]}"), SAME, 0, "in a: expected an object"},
    {"entry that is null", TEXT("{\"a\":null}"), SAME, 0, "in a: expected an object"},
    {"empty entry", TEXT("{\"a\":{}}"), SAME, 0, "tensor a: it has no dtype"},
    {"no dtype", TEXT("{" BODY(SHAPE "," OFFSETS) "}"), SAME, 8, "tensor a: it has no dtype"},
    {"no shape", TEXT("{" BODY(DTYPE "," OFFSETS) "}"), SAME, 8, "tensor a: it has no shape"},
    {"no offsets", TEXT("{" BODY(DTYPE "," SHAPE) "}"), SAME, 8, "tensor a: it has no data_offsets"},
    {"a fourth member", TEXT("{" BODY(DTYPE "," SHAPE "," OFFSETS ",\"x\":1") "}"), SAME, 8, "tensor a: x is no part"},
    {"dtype twice", TEXT("{" BODY(DTYPE "," DTYPE "," SHAPE "," OFFSETS) "}"), SAME, 8,
     "tensor a: dtype is there twice"},
    {"shape twice", TEXT("{" BODY(DTYPE "," SHAPE "," SHAPE "," OFFSETS) "}"), SAME, 8,
     "tensor a: shape is there twice"},
    {"offsets twice", TEXT("{" BODY(DTYPE "," SHAPE "," OFFSETS "," OFFSETS) "}"), SAME, 8,
     "data_offsets is there twice"},
    /* dtype */
    {"unknown dtype", TEXT("{" ENTRY("a", "F33", "[2]", "0", "8") "}"), SAME, 8, "tensor a: F33 is no dtype"},
    {"dtype in small letters", TEXT("{" ENTRY("a", "f32", "[2]", "0", "8") "}"), SAME, 8, "tensor a: f32 is no dtype"},
    {"dtype that is a number", TEXT("{" BODY("\"dtype\":32," SHAPE "," OFFSETS) "}"), SAME, 8,
     "in a: expected a string"},
    /* shape */
    {"shape that is a number", TEXT("{" ENTRY("a", "F32", "2", "0", "8") "}"), SAME, 8, "in a: expected an array"},
    {"negative size", TEXT("{" ENTRY("a", "F32", "[-2]", "0", "8") "}"), SAME, 8, "in a: expected a whole number"},
    {"broken size", TEXT("{" ENTRY("a", "F32", "[2.0]", "0", "8") "}"), SAME, 8, "in a: expected a whole number"},
    {"size with an exponent", TEXT("{" ENTRY("a", "F32", "[2e0]", "0", "8") "}"), SAME, 8,
     "in a: expected a whole number"},
    {"size that is a string", TEXT("{" ENTRY("a", "F32", "[\"2\"]", "0", "8") "}"), SAME, 8,
     "in a: expected a whole number"},
    {"nested shape", TEXT("{" ENTRY("a", "F32", "[[2]]", "0", "8") "}"), SAME, 8, "in a: expected a whole number"},
    {"size of 2^64", TEXT("{" ENTRY("a", "F32", "[18446744073709551616]", "0", "8") "}"), SAME, 8, "address space"},
    {"product of 2^64", TEXT("{" ENTRY("a", "F32", "[4294967296,4294967296]", "0", "0") "}"), SAME, 0,
     "tensor a: the product"},
    {"product of 2^64 times 0", TEXT("{" ENTRY("a", "F32", "[4294967296,4294967296,0]", "0", "0") "}"), SAME, 0,
     "tensor a: the product"},
    {"bytes beyond 2^64", TEXT("{" ENTRY("a", "F32", "[4611686018427387904]", "0", "0") "}"), SAME, 0,
     "no number of bytes"},
    {"half a byte", TEXT("{" ENTRY("a", "F4", "[3]", "0", "1") "}"), SAME, 1, "tensor a: 3 elements of F4"},
    /* offsets */
    {"offsets that are an object", TEXT("{" BODY(DTYPE "," SHAPE ",\"data_offsets\":{}") "}"), SAME, 8,
     "expected an array"},
    {"no offset", TEXT("{" BODY(DTYPE "," SHAPE ",\"data_offsets\":[]") "}"), SAME, 8,
     "tensor a: data_offsets has 0 numbers"},
    {"one offset", TEXT("{" BODY(DTYPE "," SHAPE ",\"data_offsets\":[0]") "}"), SAME, 8, "data_offsets has 1 numbers"},
    {"three offsets", TEXT("{" BODY(DTYPE "," SHAPE ",\"data_offsets\":[0,8,8]") "}"), SAME, 8, "more than 2 numbers"},
    {"negative offset", TEXT("{" ENTRY("a", "F32", "[2]", "-8", "0") "}"), SAME, 8, "in a: expected a whole number"},
    {"offset of 2^64", TEXT("{" ENTRY("a", "F32", "[2]", "0", "18446744073709551616") "}"), SAME, 8, "address space"},
    {"end before begin", TEXT("{" ENTRY("a", "F32", "[2]", "8", "0") "}"), SAME, 8,
     "tensor a: data_offsets begin at 8"},
    {"fewer bytes than the shape takes", TEXT("{" ENTRY("a", "F32", "[3]", "0", "8") "}"), SAME, 8, "span 8 bytes"},
    {"more bytes than the shape takes", TEXT("{" ENTRY("a", "F32", "[1]", "0", "8") "}"), SAME, 8, "shape take 4"},
    {"another type's bytes", TEXT("{" ENTRY("a", "F16", "[2]", "0", "8") "}"), SAME, 8, "shape take 4"},
    {"offsets beyond the address space",
     TEXT("{" ENTRY("a", "F32", "[1]", "18446744073709551611", "18446744073709551615") "}"), SAME, 8, "leave a hole"},
    /* one tensor against another, and against the file */
    {"hole at the beginning", TEXT("{" B "}"), SAME, 12, "tensor b: its data begin at 8 and leave a hole"},
    {"hole", TEXT("{" A "," ENTRY("b", "F32", "[1]", "12", "16") "}"), SAME, 16, "tensor b: its data begin at 12"},
    {"overlap", TEXT("{" A "," ENTRY("b", "F32", "[1]", "4", "8") "}"), SAME, 8,
     "tensor b: its data begin at 4 and overlap"},
    {"the same bytes twice", TEXT("{" A "," ENTRY("b", "F32", "[2]", "0", "8") "}"), SAME, 8, "overlap"},
    {"empty tensor inside another", TEXT("{" A "," ENTRY("b", "F32", "[0]", "4", "4") "}"), SAME, 8, "overlap"},
    {"data missing", TEXT("{" A "}"), SAME, 7, "tensor a: its data end at 8, but the file has 7"},
    {"all data missing", TEXT("{" A "," B "}"), SAME, 0, "but the file has 0"},
    {"a byte too many", TEXT("{" A "}"), SAME, 9, "1 bytes follow the data"},
    {"data without tensors", TEXT("{}"), SAME, 4, "4 bytes follow the data"},
    /* metadata */
    {"metadata that are a string", TEXT("{\"__metadata__\":\"pt\"," A "}"), SAME, 8,
     "in __metadata__: expected an object"},
    {"metadata that are a number", TEXT("{\"__metadata__\":{\"a\":1}," A "}"), SAME, 8,
     "in __metadata__: expected a string"},
    {"metadata in metadata", TEXT("{\"__metadata__\":{\"a\":{}}," A "}"), SAME, 8,
     "in __metadata__: expected a string"},
    {"metadata that are null", TEXT("{\"__metadata__\":null," A "}"), SAME, 8, "in __metadata__: expected an object"},
    {"metadata twice", TEXT("{\"__metadata__\":{}," A ",\"__metadata__\":{}}"), SAME, 8, "__metadata__ is there twice"},
    {"key of metadata twice", TEXT("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," A "}"), SAME, 8,
     "__metadata__ has k twice"},
};

static arnn_status open_memory(const forged *file)
{
    arnn_safetensors safetensors;
    arnn_bytes bytes;
    unsigned char *exact = malloc(file->bytes ? file->bytes : 1);
    memcpy(exact, file->data, file->bytes);
    arnn_bytes_memory(&bytes, exact, file->bytes);
    arnn_status status = arnn_safetensors_open(&safetensors, &bytes);
    arnn_safetensors_close(&safetensors);
    free(exact);
    return status;
}

static arnn_status open_file(const forged *file)
{
    arnn_safetensors safetensors;
    arnn_bytes bytes;
    forge_write("file", file->data, file->bytes);
    assert_ok(arnn_bytes_open(&bytes, "file"));
    arnn_status status = arnn_safetensors_open(&safetensors, &bytes);
    arnn_safetensors_close(&safetensors);
    arnn_bytes_close(&bytes);
    return status;
}

static void test_malformed(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(malformed); i++) {
        uint64_t claimed = malformed[i].claimed == SAME ? malformed[i].length : malformed[i].claimed;
        forged file = forge_claiming(malformed[i].header, malformed[i].length, claimed, malformed[i].data);
        arnn_status memory = open_memory(&file);
        if (memory != ARNN_FORMAT || !strstr(arnn_last_error(), malformed[i].words))
            fail_msg("%s: status %d, '%s' is expected in '%s'", malformed[i].name, (int)memory, malformed[i].words,
                     arnn_last_error());
        assert_error(ARNN_FORMAT, malformed[i].words, open_file(&file));
        free(file.data);
    }
}

/* ---- what is well-formed ---- */

static const struct {
    const char *name, *header;
    size_t data, tensors;
} wellformed[] = {
    {"no tensors", "{}", 0, 0},
    {"no tensors, padded", "{}      ", 0, 0},
    {"metadata alone", "{\"__metadata__\":{\"k\":\"v\"}}", 0, 0},
    {"empty metadata", "{\"__metadata__\":{}}", 0, 0},
    {"two tensors", "{" A "," B "}", 12, 2},
    {"in another order than their data", "{" B "," A "}", 12, 2},
    {"members in another order", "{\"a\":{" OFFSETS "," SHAPE "," DTYPE "}}", 8, 1},
    {"white space between tokens", "{ \"a\" : {\t" DTYPE " ,\n" SHAPE ",\r" OFFSETS " } }  ", 8, 1},
    {"a scalar", "{" ENTRY("a", "F64", "[]", "0", "8") "}", 8, 1},
    {"rank 5", "{" ENTRY("a", "U8", "[1,2,1,2,2]", "0", "8") "}", 8, 1},
    {"empty tensors", "{" ENTRY("x", "F32", "[0]", "0", "0") "," A "," ENTRY("b", "F32", "[3,0]", "8", "8") "}", 8, 3},
    {"types that hold no weights", "{" ENTRY("a", "I64", "[1]", "0", "8") "," ENTRY("b", "F4", "[2]", "8", "9") "}", 9,
     2},
    {"the empty name", "{" ENTRY("", "F32", "[2]", "0", "8") "}", 8, 1},
    {"an escaped name", "{" ENTRY("\\u00e9\\n\\\"", "F32", "[2]", "0", "8") "}", 8, 1},
};

static void test_wellformed(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(wellformed); i++) {
        forged file = forge(wellformed[i].header, wellformed[i].data);
        arnn_safetensors safetensors;
        arnn_bytes bytes;
        arnn_bytes_memory(&bytes, file.data, file.bytes);
        assert_ok(arnn_safetensors_open(&safetensors, &bytes));
        assert_int_equal(safetensors.count, wellformed[i].tensors);
        arnn_safetensors_close(&safetensors);
        assert_ok(open_file(&file));
        free(file.data);
    }
}

static void test_what_is_read(void **unused)
{
    (void)unused;
    forged file =
        forge("{\"__metadata__\":{\"z\":\"1\",\"format\":\"pt\"}," ENTRY("h", "F16", "[2,3]", "16", "28") "," ENTRY(
                  "a", "F32", "[4]", "0", "16") "," ENTRY("i", "I32", "[1]", "28", "32") "}",
              32);
    arnn_safetensors safetensors;
    arnn_bytes bytes;
    char shape[ARNN_TENSOR_TEXT];
    float values[6];
    arnn_bytes_memory(&bytes, file.data, file.bytes);
    assert_ok(arnn_safetensors_open(&safetensors, &bytes));
    assert_string_equal(arnn_safetensors_metadata(&safetensors, "format"), "pt");
    assert_string_equal(arnn_safetensors_metadata(&safetensors, "z"), "1");
    assert_null(arnn_safetensors_metadata(&safetensors, "y"));
    assert_null(arnn_safetensors_find(&safetensors, "b"));
    assert_null(arnn_safetensors_find(&safetensors, "__metadata__"));

    const arnn_tensor *half = arnn_safetensors_find(&safetensors, "h");
    assert_int_equal(half->rank, 2);
    assert_int_equal(half->elements, 6);
    arnn_tensor_shape_write(shape, half);
    assert_string_equal(shape, "(2, 3)");
    assert_ok(arnn_safetensors_read(&safetensors, half, values));
    assert_true(values[0] == 0x1.44p-11f && values[5] == 0x1.c68p-9f); /* 0x1110, 0x1b1a */

    const arnn_tensor *integer = arnn_safetensors_find(&safetensors, "i");
    assert_error(ARNN_UNSUPPORTED, "i has dtype I32", arnn_safetensors_read(&safetensors, integer, values));
    arnn_safetensors_close(&safetensors);
    free(file.data);
}

static void test_shapes_as_text(void **unused)
{
    (void)unused;
    static const struct {
        size_t rank;
        const char *text;
    } rows[] = {{0, "()"},
                {1, "(7)"},
                {2, "(7, 8)"},
                {4, "(7, 8, 18446744073709551615, 9)"},
                {5, "(7, 8, 18446744073709551615, 9, ..)"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[ARNN_TENSOR_TEXT];
        arnn_tensor tensor = {.rank = rows[i].rank, .shape = {7, 8, SIZE_MAX, 9}};
        arnn_tensor_shape_write(text, &tensor);
        assert_string_equal(text, rows[i].text);
    }
}

/* More values than a piece holds, from a file, in every type. */
static void test_many_values(void **unused)
{
    (void)unused;
    enum { VALUES = 20011 };
    static const char *const types[] = {"F32", "F16", "BF16", "F64"};
    float *values = malloc(VALUES * sizeof *values);
    for (size_t t = 0; t < COUNT(types); t++) {
        const arnn_dtype *type = arnn_dtype_of(types[t]);
        size_t bytes = VALUES * type->bits / 8;
        char header[160];
        snprintf(header, sizeof header, "{\"a\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}", types[t],
                 (int)VALUES, bytes);
        forged file = forge(header, bytes);
        arnn_safetensors safetensors;
        arnn_bytes from;
        forge_write("many", file.data, file.bytes);
        assert_ok(arnn_bytes_open(&from, "many"));
        assert_ok(arnn_safetensors_open(&safetensors, &from));
        assert_ok(arnn_safetensors_read(&safetensors, &safetensors.tensors[0], values));
        for (size_t i = 0; i < VALUES; i++) {
            float one;
            type->decode(&one, file.data + file.bytes - bytes + i * type->bits / 8, 1);
            assert_memory_equal(&values[i], &one, sizeof one);
        }
        arnn_safetensors_close(&safetensors);
        arnn_bytes_close(&from);
        free(file.data);
    }
    free(values);
}

/* ---- damage ---- */

static const char small[] =
    "{\"__metadata__\":{\"format\":\"pt\"}," A "," ENTRY("\\u00e9", "F16", "[2,1]", "8", "12") "}  ";

static void test_every_truncation(void **unused)
{
    (void)unused;
    forged file = forge(small, 12);
    assert_ok(open_memory(&file));
    for (size_t bytes = file.bytes; bytes-- > 0;) {
        forged cut = {file.data, bytes};
        assert_error(ARNN_FORMAT, " ", open_memory(&cut));
        assert_error(ARNN_FORMAT, " ", open_file(&cut));
    }
    free(file.data);
}

/* Every byte of length and header takes every value. What is accepted must be JSON without duplicates to jansson
   too. */
static void test_every_damage(void **unused)
{
    (void)unused;
    forged file = forge(small, 12);
    size_t accepted = 0, header = sizeof small - 1;
    for (size_t i = 0; i < 8 + header; i++) {
        unsigned char good = file.data[i];
        for (unsigned value = 0; value < 256; value++) {
            file.data[i] = (unsigned char)value;
            arnn_status status = open_memory(&file);
            assert_true(status == ARNN_OK || status == ARNN_FORMAT);
            if (status)
                continue;
            json_t *judge = json_loadb((char *)file.data + 8, header, JSON_REJECT_DUPLICATES, NULL);
            assert_non_null(judge);
            json_decref(judge);
            accepted += value != good;
        }
        file.data[i] = good;
    }
    assert_true(accepted > 100); /* letters of names, for instance */
    free(file.data);
}

/* A header that is all braces takes no more memory than a small multiple of itself, and no recursion. */
static void test_large_and_hostile(void **unused)
{
    (void)unused;
    static const char *const units[] = {"{", "[", "{\"\":", "\"", "\\", "{\"__metadata__\":{\"\":\"\","};
    enum { BYTES = 1 << 20 };
    char *header = malloc(BYTES + 1);
    for (size_t u = 0; u < COUNT(units); u++) {
        size_t length = strlen(units[u]);
        for (size_t i = 0; i < BYTES; i++)
            header[i] = units[u][i % length];
        header[0] = '{';
        header[BYTES] = '\0';
        forged file = forge(header, 0);
        assert_error(ARNN_FORMAT, " ", open_memory(&file));
        free(file.data);
    }
    free(header);
}

/* As many entries as a header can hold: the lists have room for them. */
static void test_shortest_entries(void **unused)
{
    (void)unused;
    enum { ENTRIES = 90 };
    char header[ENTRIES * 64] = "{";
    for (int i = 0; i < ENTRIES; i++)
        snprintf(header + strlen(header), 64, "%s\"%c\":{\"dtype\":\"F4\",\"shape\":[0],\"data_offsets\":[0,0]}",
                 i ? "," : "", i + 35 == '\\' ? '!' : i + 35);
    strcat(header, "}");
    forged file = forge(header, 0);
    assert_ok(open_memory(&file));
    free(file.data);

    strcpy(header, "{\"__metadata__\":{");
    for (int i = 0; i < ENTRIES; i++)
        snprintf(header + strlen(header), 64, "%s\"%c\":\"\"", i ? "," : "", i + 35 == '\\' ? '!' : i + 35);
    strcat(header, "}}");
    file = forge(header, 0);
    assert_ok(open_memory(&file));
    free(file.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_malformed, forge_enter, forge_leave),
        cmocka_unit_test_setup_teardown(test_wellformed, forge_enter, forge_leave),
        cmocka_unit_test(test_what_is_read),
        cmocka_unit_test(test_shapes_as_text),
        cmocka_unit_test_setup_teardown(test_many_values, forge_enter, forge_leave),
        cmocka_unit_test_setup_teardown(test_every_truncation, forge_enter, forge_leave),
        cmocka_unit_test(test_every_damage),
        cmocka_unit_test(test_large_and_hostile),
        cmocka_unit_test(test_shortest_entries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Errors of section 3 of the header: loading and saving. Malformed files have tests of their own. */
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "world.h"

static void no_load(arnn_status status, const char *word, const char *path, const arnn_load_options *options)
{
    arnn_model *model = (arnn_model *)(intptr_t)1;
    assert_error(status, word, arnn_model_load(&model, path, options));
    assert_null(model);
}

static void no_load_memory(arnn_status status, const char *word, const void *data, size_t bytes,
                           const arnn_load_options *options)
{
    arnn_model *model = (arnn_model *)(intptr_t)1;
    assert_error(status, word, arnn_model_load_memory(&model, data, bytes, options));
    assert_null(model);
}

/* A safetensors file with this header and `bytes` zero bytes of data. Freed by the caller. */
static char *file_of(const char *header, size_t bytes, size_t *size)
{
    size_t length = strlen(header);
    char *file = calloc(1, 8 + length + bytes);
    assert_non_null(file);
    for (size_t i = 0; i < 8; i++)
        file[i] = (char)(length >> (8 * i) & 0xff);
    memcpy(file + 8, header, length);
    *size = 8 + length + bytes;
    return file;
}

static void no_load_of(arnn_status status, const char *word, const char *header, size_t bytes,
                       const arnn_load_options *options)
{
    size_t size;
    char *file = file_of(header, bytes, &size);
    no_load_memory(status, word, file, size, options);
    free(file);
}

/* A saved rnn with inputs 1 and hidden 1 as PyTorch has it: names and shapes below. */
static arnn_model_desc tiny(void)
{
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE);
    desc.inputs = desc.hidden = 1;
    return desc;
}

#define TENSOR(name, shape, from, to) "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define TINY_IH TENSOR("weight_ih_l0", "[1,1]", "0", "4")
#define TINY_HH TENSOR("weight_hh_l0", "[1,1]", "4", "8")

static void test_options(void **unused)
{
    (void)unused;
    arnn_load_options options;
    assert_error(ARNN_INVALID_ARGUMENT, "options", arnn_load_options_default(NULL, sizeof options));
    assert_error(ARNN_INVALID_ARGUMENT, "size", arnn_load_options_default(&options, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "size", arnn_load_options_default(&options, sizeof options + 8));
    assert_ok(arnn_load_options_default(&options, sizeof options));
    assert_int_equal(options.struct_size, sizeof options);
    assert_null(options.desc);
    assert_null(options.prefix);
    assert_int_equal(options.ignore_unknown, 0);

    options.struct_size = 1;
    no_load_of(ARNN_INVALID_ARGUMENT, "struct_size", "{" TINY_IH "," TINY_HH "}", 8, &options);
    arnn_model_desc desc = tiny();
    assert_ok(arnn_load_options_default(&options, sizeof options));
    options.desc = &desc;
    options.reserved = 1;
    no_load_of(ARNN_INVALID_ARGUMENT, "reserved", "{" TINY_IH "," TINY_HH "}", 8, &options);
    options.reserved = 0;
    desc.struct_size = 1;
    no_load_of(ARNN_INVALID_ARGUMENT, "struct_size", "{" TINY_IH "," TINY_HH "}", 8, &options);
}

static void test_load_null(void **unused)
{
    (void)unused;
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_model_load(NULL, "file", NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_model_load_memory(NULL, "file", 4, NULL));
    no_load(ARNN_INVALID_ARGUMENT, "path", NULL, NULL);
    no_load_memory(ARNN_INVALID_ARGUMENT, "data", NULL, 100, NULL);
}

static void test_load_io(void **unused)
{
    (void)unused;
    no_load(ARNN_IO, "No such file", "no/such/file.safetensors", NULL);
    no_load(ARNN_IO, "no/such/file.safetensors", "no/such/file.safetensors", NULL);
    no_load(ARNN_IO, "", ".", NULL);
}

static void test_load_what_does_not_fit(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny(), two = tiny();
    arnn_load_options options;
    assert_ok(arnn_load_options_default(&options, sizeof options));
    no_load_of(ARNN_INVALID_ARGUMENT, "description", "{" TINY_IH "," TINY_HH "}", 8, NULL);
    no_load_of(ARNN_FORMAT, "", "{", 0, NULL);

    options.desc = &desc;
    no_load_of(ARNN_NOT_FOUND, "weight_hh_l0", "{" TINY_IH "}", 4, &options);
    no_load_of(ARNN_SHAPE, "weight_hh_l0", "{" TINY_IH "," TENSOR("weight_hh_l0", "[1,2]", "4", "12") "}", 12, &options);
    no_load_of(ARNN_UNSUPPORTED, "weight_ih_l0_reverse",
               "{" TINY_IH "," TINY_HH "," TENSOR("weight_ih_l0_reverse", "[1,1]", "8", "12") "}", 12, &options);
    no_load_of(ARNN_UNSUPPORTED, "weight_hr_l0",
               "{" TINY_IH "," TINY_HH "," TENSOR("weight_hr_l0", "[1,1]", "8", "12") "}", 12, &options);
    options.desc = &two;
    two.hidden = 2;
    no_load_of(ARNN_SHAPE, "weight_ih_l0", "{" TINY_IH "," TINY_HH "}", 8, &options);
}

static void test_load_options_matter(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    arnn_load_options options;
    arnn_model *model;
    size_t size;
    assert_ok(arnn_load_options_default(&options, sizeof options));
    options.desc = &desc;
    const char *header = "{" TENSOR("rnn.weight_ih_l0", "[1,1]", "0", "4") "," TENSOR(
        "rnn.weight_hh_l0", "[1,1]", "4", "8") "," TENSOR("rnn.other", "[1]", "8", "12") "}";
    char *file = file_of(header, 12, &size);
    options.ignore_unknown = 1;
    no_load_memory(ARNN_NOT_FOUND, "weight_ih_l0", file, size, &options);
    options.ignore_unknown = 0;
    options.prefix = "rnn.";
    arnn_status status = arnn_model_load_memory(&model, file, size, &options);
    assert_int_not_equal(status, ARNN_OK);
    assert_null(model);
    assert_non_null(strstr(arnn_last_error(), "other"));
    options.ignore_unknown = 1;
    assert_ok(arnn_model_load_memory(&model, file, size, &options));
    arnn_model_destroy(model);
    free(file);
}

static void test_save(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, ARNN_WIRING_BESIDE);
    arnn_model *model;
    assert_ok(arnn_model_create(&model, &desc));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_save(NULL, "file"));
    assert_error(ARNN_INVALID_ARGUMENT, "path", arnn_model_save(model, NULL));
    assert_error(ARNN_IO, "No such file", arnn_model_save(model, "no/such/folder/file"));

    /* a folder stands where the file should: it stays, and nothing is left beside it */
    char folder[] = "arnn_test_XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/model", folder);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_error(ARNN_IO, "model", arnn_model_save(model, path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(rmdir(folder), 0);
    arnn_model_destroy(model);
}

static void test_save_memory(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_GRU, ARNN_WIRING_AFTER);
    arnn_model *model;
    size_t bytes = 0, again = 0;
    assert_ok(arnn_model_create(&model, &desc));
    assert_ok(arnn_model_save_memory(model, NULL, 0, &bytes));
    assert_true(bytes > 8);
    char *data = calloc(1, bytes);
    assert_non_null(data);
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_save_memory(NULL, data, bytes, &again));
    assert_error(ARNN_INVALID_ARGUMENT, "bytes", arnn_model_save_memory(model, data, bytes, NULL));
    assert_error(ARNN_SHAPE, "", arnn_model_save_memory(model, data, bytes - 1, &again));
    assert_int_equal(again, bytes);
    assert_ok(arnn_model_save_memory(model, data, bytes, &again));
    assert_int_equal(again, bytes);
    no_load_memory(ARNN_FORMAT, "", data, bytes - 1, NULL);
    free(data);
    arnn_model_destroy(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_load_null),
        cmocka_unit_test(test_load_io),
        cmocka_unit_test(test_load_what_does_not_fit),
        cmocka_unit_test(test_load_options_matter),
        cmocka_unit_test(test_save),
        cmocka_unit_test(test_save_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

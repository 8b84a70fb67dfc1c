/* Tensors that others saved: what a model needs of a file, what it refuses, and how it says so. */
#include "models.h"

#define ENTRY(name, type, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define IH ENTRY("weight_ih_l0", "F32", "[1,2]", "0", "8")
#define HH ENTRY("weight_hh_l0", "F32", "[1,1]", "8", "12")
#define BIH ENTRY("bias_ih_l0", "F32", "[1]", "12", "16")
#define BHH ENTRY("bias_hh_l0", "F32", "[1]", "16", "20")
#define ALL IH "," HH "," BIH "," BHH
#define MORE(name) ENTRY(name, "F32", "[1]", "20", "24")

/* From memory and from a file; both must end alike. The model is released; `values`: room for the first 5, or NULL. */
static arnn_status load(const char *header, size_t data_bytes, const arnn_load_options *options, float *values)
{
    forged file = forge(header, data_bytes);
    arnn_model *model = NULL, *again = NULL;
    forge_write("file", file.data, file.bytes);
    arnn_status status = arnn_model_read_file(&again, "file", options);
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%s", status ? arnn_last_error() : "");
    assert_int_equal(arnn_model_read_memory(&model, file.data, file.bytes, options), status);
    assert_int_equal(model == NULL, status != ARNN_OK);
    if (status)
        assert_string_equal(arnn_last_error(), sentence);
    else
        assert_same(model, again);
    for (size_t i = 0; values && i < 5; i++)
        values[i] = model->parameters.values[i];
    arnn_model_release(model);
    arnn_model_release(again);
    free(file.data);
    return status;
}

static const struct {
    const char *name, *header;
    size_t data;
    const char *prefix;
    int32_t ignore_unknown;
    arnn_status status;
    const char *words;
} dicts[] = {
    {"as PyTorch has it", "{" ALL "}", 20, NULL, 0, ARNN_OK, NULL},
    {"in another order", "{" BHH "," BIH "," HH "," IH "}", 20, NULL, 0, ARNN_OK, NULL},
    {"foreign metadata", "{\"__metadata__\":{\"format\":\"pt\",\"by\":\"me\"}," ALL "}", 20, NULL, 0, ARNN_OK, NULL},
    {"bias=False", "{" IH "," HH "}", 12, NULL, 0, ARNN_OK, NULL},
    {"one bias missing", "{" IH "," HH "," BIH "}", 16, NULL, 0, ARNN_NOT_FOUND, "bias_hh_l0"},
    {"the other bias missing", "{" IH "," HH "," ENTRY("bias_hh_l0", "F32", "[1]", "12", "16") "}", 16, NULL, 0,
     ARNN_NOT_FOUND, "bias_ih_l0"},
    {"a weight missing", "{" IH "}", 8, NULL, 0, ARNN_NOT_FOUND, "no tensor weight_hh_l0"},
    {"no tensor at all", "{}", 0, NULL, 0, ARNN_NOT_FOUND, "no tensor weight_ih_l0"},
    {"another shape", "{" ENTRY("weight_ih_l0", "F32", "[2,1]", "0", "8") "," HH "}", 12, NULL, 0, ARNN_SHAPE,
     "weight_ih_l0 has shape (2, 1), expected (1, 2)"},
    {"another rank", "{" ENTRY("weight_ih_l0", "F32", "[2]", "0", "8") "," HH "}", 12, NULL, 0, ARNN_SHAPE,
     "weight_ih_l0 has shape (2), expected (1, 2)"},
    {"a rank too many", "{" ENTRY("weight_ih_l0", "F32", "[1,2,1]", "0", "8") "," HH "}", 12, NULL, 0, ARNN_SHAPE,
     "weight_ih_l0 has shape (1, 2, 1), expected (1, 2)"},
    {"a bias of rank 2", "{" IH "," HH "," ENTRY("bias_ih_l0", "F32", "[1,1]", "12", "16") "," BHH "}", 20, NULL, 0,
     ARNN_SHAPE, "bias_ih_l0 has shape (1, 1), expected (1)"},
    {"integers for weights", "{" ENTRY("weight_ih_l0", "I32", "[1,2]", "0", "8") "," HH "}", 12, NULL, 0,
     ARNN_UNSUPPORTED, "weight_ih_l0 has dtype I32"},
    {"a tensor too many", "{" ALL "," MORE("extra") "}", 24, NULL, 0, ARNN_FORMAT, "extra"},
    {"a layer too many", "{" ALL "," MORE("weight_ih_l1") "}", 24, NULL, 0, ARNN_FORMAT, "weight_ih_l1"},
    {"a tensor too many, ignored", "{" ALL "," MORE("extra") "}", 24, NULL, 1, ARNN_OK, NULL},
    {"integers that are ignored", "{" ALL "," ENTRY("extra", "I64", "[2]", "20", "36") "}", 36, NULL, 1, ARNN_OK, NULL},
    {"malformed, ignoring or not", "{" ALL "," MORE("extra") "}", 23, NULL, 1, ARNN_FORMAT, "extra"},
    {"bidirectional", "{" ALL "," MORE("weight_ih_l0_reverse") "}", 24, NULL, 0, ARNN_UNSUPPORTED,
     "weight_ih_l0_reverse"},
    {"bidirectional, ignoring", "{" ALL "," MORE("bias_hh_l0_reverse") "}", 24, NULL, 1, ARNN_UNSUPPORTED,
     "bias_hh_l0_reverse"},
    {"projection", "{" ALL "," MORE("weight_hr_l0") "}", 24, NULL, 0, ARNN_UNSUPPORTED, "weight_hr_l0"},
    {"projection, ignoring", "{" ALL "," MORE("weight_hr_l0") "}", 24, NULL, 1, ARNN_UNSUPPORTED, "weight_hr_l0"},
    {"a prefix that is not there", "{" ALL "}", 20, "encoder.", 0, ARNN_NOT_FOUND, "encoder.weight_ih_l0"},
    {"the empty prefix", "{" ALL "}", 20, "", 0, ARNN_OK, NULL},
};

static void test_dicts(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    for (size_t i = 0; i < COUNT(dicts); i++) {
        arnn_load_options options = with(&desc, dicts[i].prefix, dicts[i].ignore_unknown);
        arnn_status status = load(dicts[i].header, dicts[i].data, &options, NULL);
        if (status != dicts[i].status || (status && !strstr(arnn_last_error(), dicts[i].words)))
            fail_msg("%s: status %d, '%s' is expected in '%s'", dicts[i].name, (int)status,
                     dicts[i].words ? dicts[i].words : "success", arnn_last_error());
    }
}

#define P(name, shape, from, to) ENTRY("encoder.rnn." name, "F32", shape, from, to)
#define PREFIXED P("weight_ih_l0", "[1,2]", "0", "8") "," P("weight_hh_l0", "[1,1]", "8", "12")

static void test_prefix(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    arnn_load_options strict = with(&desc, "encoder.rnn.", 0), loose = with(&desc, "encoder.rnn.", 1);
    float values[5];
    assert_ok(load("{" PREFIXED "}", 12, &strict, values));
    assert_true(values[3] == 0.0f && values[4] == 0.0f);
    assert_error(ARNN_FORMAT, "decoder.weight",
                 load("{" PREFIXED "," ENTRY("decoder.weight", "F32", "[1]", "12", "16") "}", 16, &strict, NULL));
    assert_ok(load("{" PREFIXED "," ENTRY("decoder.weight", "F32", "[1]", "12", "16") "}", 16, &loose, NULL));
    /* another module's direction is not ours */
    assert_ok(
        load("{" PREFIXED "," ENTRY("decoder.weight_ih_l0_reverse", "F32", "[1]", "12", "16") "}", 16, &loose, NULL));
    assert_error(ARNN_UNSUPPORTED, "encoder.rnn.weight_hr_l0",
                 load("{" PREFIXED "," P("weight_hr_l0", "[1]", "12", "16") "}", 16, &loose, NULL));
}

/* The values themselves, each tensor of another type. 0x3c00 and 0x3f80 are 1 in F16 and BF16. */
static void test_types(void **unused)
{
    (void)unused;
    static const char header[] = "{" ENTRY("weight_ih_l0", "F16", "[1,2]", "0", "4") "," ENTRY(
        "weight_hh_l0", "BF16", "[1,1]", "4",
        "6") "," ENTRY("bias_ih_l0", "F64", "[1]", "6", "14") "," ENTRY("bias_hh_l0", "F32", "[1]", "14", "18") "}";
    static const unsigned char data[18] = {0x00, 0x3c, 0x01, 0x80, 0x80, 0x3f, 0, 0,    0,
                                           0,    0,    0,    0xf8, 0xbf, 0,    0, 0x20, 0x40};
    static const float expected[5] = {1.0f, -0x1p-24f, 1.0f, -1.5f, 2.5f};
    arnn_model_desc desc = tiny();
    arnn_load_options options = with(&desc, NULL, 0);
    forged file = forge(header, sizeof data);
    memcpy(file.data + file.bytes - sizeof data, data, sizeof data);
    arnn_model *model;
    assert_ok(arnn_model_read_memory(&model, file.data, file.bytes, &options));
    assert_memory_equal(model->parameters.values, expected, sizeof expected);
    arnn_model_release(model);
    free(file.data);
}

/* Descriptions of models that no machine holds, given with a small file: refused for what the file lacks, at once,
   and not for want of memory. */
static void test_huge_descriptions(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    arnn_load_options options = with(&desc, NULL, 0);
    desc.layers = 100000000;
    assert_error(ARNN_NOT_FOUND, "weight_ih_l1", load("{" ALL "}", 20, &options, NULL));
    desc.hidden = 100000000;
    assert_error(ARNN_SHAPE, "expected (100000000, 2)", load("{" ALL "}", 20, &options, NULL));
    desc.hidden = 1;
    desc.layers = 1;
    desc.vocab = 100000000;
    assert_error(ARNN_NOT_FOUND, "embed.weight", load("{" ALL "}", 20, &options, NULL));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, forge_enter, forge_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_dicts),
        IN_FOLDER(test_prefix),
        cmocka_unit_test(test_types),
        IN_FOLDER(test_huge_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

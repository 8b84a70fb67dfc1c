/* Descriptions in a file's metadata: whole or not at all, of this version, and in agreement with the caller's. */
#include "models.h"

#include "model/safetensors.h"
#include "model/sink.h"

#define ENTRY(name, type, shape, from, to) \
    "\"" name "\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"
#define IH ENTRY("weight_ih_l0", "F32", "[1,2]", "0", "8")
#define HH ENTRY("weight_hh_l0", "F32", "[1,1]", "8", "12")
#define BIH ENTRY("bias_ih_l0", "F32", "[1]", "12", "16")
#define BHH ENTRY("bias_hh_l0", "F32", "[1]", "16", "20")
#define ALL IH "," HH "," BIH "," BHH
#define MORE(name) ENTRY(name, "F32", "[1]", "20", "24")

#define FIELDS_BUT_CELL \
    "\"arnn.wiring\":\"none\",\"arnn.score\":\"dot\",\"arnn.attention_start\":\"spread\",\"arnn.start_row\":\"none\"," \
    "\"arnn.recency\":\"0\",\"arnn.skip\":\"0\",\"arnn.source\":\"h\",\"arnn.scale\":\"1\"," \
    "\"arnn.recency_start\":\"0.1\"," \
    "\"arnn.inputs\":\"2\",\"arnn.layers\":\"1\",\"arnn.vocab\":\"0\",\"arnn.align\":\"0\",\"arnn.window\":\"0\"," \
    "\"arnn.sinks\":\"0\",\"arnn.outputs\":\"0\""
#define HIDDEN(n) ",\"arnn.hidden\":\"" n "\""
#define VERSION(n) ",\"arnn.version\":\"" n "\""
#define CELL(word) ",\"arnn.cell\":\"" word "\""
#define META(...) "{\"__metadata__\":{" FIELDS_BUT_CELL __VA_ARGS__ "}," ALL "}"

static const struct {
    const char *name, *header;
    arnn_status status;
    const char *words;
} descriptions[] = {
    {"whole", META(HIDDEN("1") VERSION("1") CELL("rnn_tanh")), ARNN_OK, NULL},
    {"and other keys", META(HIDDEN("1") VERSION("1") CELL("rnn_tanh") ",\"arnnx\":\"1\""), ARNN_OK, NULL},
    {"no version", META(HIDDEN("1") CELL("rnn_tanh")), ARNN_FORMAT, "no arnn.version"},
    {"version 2", META(HIDDEN("1") VERSION("2") CELL("rnn_tanh")), ARNN_UNSUPPORTED, "arnn.version is 2"},
    {"a field of a newer version", META(HIDDEN("1") VERSION("1") CELL("rnn_tanh") ",\"arnn.heads\":\"8\""),
     ARNN_UNSUPPORTED, "arnn.heads"},
    {"a field left out has its default", META(HIDDEN("1") VERSION("1")), ARNN_OK, NULL},
    {"a default that does not fit", META(VERSION("1") CELL("rnn_tanh")), ARNN_SHAPE, "expected (256, 2)"},
    {"unknown cell", META(HIDDEN("1") VERSION("1") CELL("tcn")), ARNN_FORMAT, "arnn.cell is \"tcn\""},
    {"negative hidden", META(HIDDEN("-1") VERSION("1") CELL("rnn_tanh")), ARNN_FORMAT, "arnn.hidden is \"-1\""},
    {"hidden 0", META(HIDDEN("0") VERSION("1") CELL("rnn_tanh")), ARNN_FORMAT, "describes no model"},
    {"another hidden", META(HIDDEN("2") VERSION("1") CELL("rnn_tanh")), ARNN_SHAPE, "expected (2, 2)"},
    {"another cell", META(HIDDEN("1") VERSION("1") CELL("lstm")), ARNN_SHAPE, "expected (4, 2)"},
    {"hidden far beyond the file", META(HIDDEN("100000000") VERSION("1") CELL("rnn_tanh")), ARNN_SHAPE,
     "weight_ih_l0 has shape (1, 2), expected (100000000, 2)"},
    {"no description", "{" ALL "}", ARNN_INVALID_ARGUMENT, "no description"},
};

static void test_descriptions(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < COUNT(descriptions); i++) {
        forged file = forge(descriptions[i].header, 20);
        arnn_model *model;
        arnn_status status = arnn_model_read_memory(&model, file.data, file.bytes, &plain);
        if (status != descriptions[i].status || (status && !strstr(arnn_last_error(), descriptions[i].words)))
            fail_msg("%s: status %d, '%s' is expected in '%s'", descriptions[i].name, (int)status,
                     descriptions[i].words ? descriptions[i].words : "success", arnn_last_error());
        arnn_model_release(model);
        free(file.data);
    }
}

/* The file's and the caller's must agree, field by field; an align left open agrees with what it stands for. */
static void test_two_descriptions(void **unused)
{
    (void)unused;
    static const char *const others[] = {"gru", "before", "general", "newest", "zero", "1", "1", "s", "0.5",
                                         "0.2", "9",      "9",       "9",      "9",    "9", "9", "2", "9"};
    arnn_model_desc desc = described(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    desc.window = 5;
    arnn_model *model = made(&desc), *loaded;
    forged file = saved(model);
    arnn_load_options options = with(&desc, NULL, 0);
    assert_ok(arnn_model_read_memory(&loaded, file.data, file.bytes, &options));
    assert_same(model, loaded);
    arnn_model_release(loaded);
    size_t i = 0;
    for (const arnn_field *field = arnn_fields; field->name; field++) {
        arnn_model_desc other = desc;
        assert_true(arnn_field_read(field, &other, others[i++]));
        options = with(&other, NULL, 0);
        loaded = model;
        if (field->offset == offsetof(arnn_model_desc, hidden))
            other.align = desc.hidden; /* else it would differ as well */
        char words[64];
        snprintf(words, sizeof words, "%s is ", field->name);
        assert_error(ARNN_INVALID_ARGUMENT, words, arnn_model_read_memory(&loaded, file.data, file.bytes, &options));
        assert_null(loaded);
    }
    arnn_model_desc impossible = desc;
    impossible.sinks = 3;
    impossible.window = 0;
    options = with(&impossible, NULL, 0);
    assert_error(ARNN_UNSUPPORTED, "sinks", arnn_model_read_memory(&loaded, file.data, file.bytes, &options));
    free(file.data);
    arnn_model_release(model);
}

/* A header has a limit: what exceeds it is refused before a byte of it is written. */
static void test_too_many_words(void **unused)
{
    (void)unused;
    enum { LONG = 240, MANY = 410000, FEWER = 400000 }; /* 247 bytes each */
    arnn_model_desc desc = described(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE);
    arnn_model *model = made(&desc);
    char value[LONG + 1] = "";
    arnn_metadata *words = malloc(MANY * sizeof *words);
    assert_non_null(words);
    memset(value, 'v', LONG);
    for (size_t i = 0; i < MANY; i++)
        words[i] = (arnn_metadata){"k", value};
    const arnn_file_part own = {"", model->parameters.values};
    arnn_file_parts parts = {&own, 1, words, MANY};
    arnn_sink sink;
    arnn_sink_count(&sink);
    assert_error(ARNN_UNSUPPORTED, "safetensors allow 100000000",
                 arnn_safetensors_write_parts(&sink, &model->desc, &model->parameters, &parts));
    assert_int_equal(sink.bytes, 0);
    parts.metadata_count = FEWER;
    assert_ok(arnn_safetensors_write_parts(&sink, &model->desc, &model->parameters, &parts));
    assert_true(sink.bytes > (size_t)FEWER * (LONG + 7));
    free(words);
    arnn_model_release(model);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, forge_enter, forge_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_descriptions),
        cmocka_unit_test(test_two_descriptions),
        cmocka_unit_test(test_too_many_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Models as files: what is saved comes back bit for bit; the bytes; damage; files that are none. */
#include "models.h"

#include <jansson.h>

/* ---- round trips ---- */

static void round_trip(const arnn_model_desc *desc)
{
    arnn_model *model = made(desc), *from_memory, *from_file;
    forged file = saved(model);
    assert_ok(arnn_model_read_memory(&from_memory, file.data, file.bytes, &plain));
    assert_same(model, from_memory);
    assert_ok(arnn_model_write_file(model, "model"));
    forged written = forge_read("model");
    assert_int_equal(written.bytes, file.bytes);
    assert_memory_equal(written.data, file.data, file.bytes);
    assert_ok(arnn_model_read_file(&from_file, "model", &plain));
    assert_same(model, from_file);
    free(written.data);
    free(file.data);
    arnn_model_release(from_file);
    arnn_model_release(from_memory);
    arnn_model_release(model);
}

static void test_round_trip(void **unused)
{
    (void)unused;
    for (int32_t cell = 0; cell <= ARNN_CELL_LSTM; cell++) {
        for (int32_t wiring = 0; wiring <= ARNN_WIRING_BEFORE; wiring++) {
            for (int32_t score = 0; score <= (wiring ? ARNN_SCORE_ADDITIVE : 0); score++) {
                arnn_model_desc desc = described(cell, wiring);
                desc.score = score;
                desc.layers = 1 + (size_t)cell % 3;
                desc.vocab = cell % 2 ? 7 : 0;
                desc.outputs = wiring % 2 ? 5 : 0;
                desc.recency = wiring && score == 1;
                round_trip(&desc);
            }
        }
    }
}

/* Each field away from its default, alone where it can be. */
static void test_every_field(void **unused)
{
    (void)unused;
    static const struct {
        const char *field, *text;
    } rows[] = {
        {"cell", "gru"},
        {"wiring", "beside"},
        {"score", "additive"},
        {"attention_start", "newest"},
        {"start_row", "zero"},
        {"recency", "1"},
        {"skip", "1"},
        {"source", "hs"},
        {"scale", "0.0883883461"},
        {"recency_start", "1e-45"},
        {"inputs", "5"},
        {"hidden", "4"},
        {"layers", "3"},
        {"vocab", "9"},
        {"align", "2"},
        {"window", "18446744073709551"},
        {"outputs", "6"},
        {"sinks", "4"},
    };
    arnn_model_desc all = described(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    size_t fields = 0;
    for (const arnn_field *field = arnn_fields; field->name; field++, fields++) {
        arnn_model_desc one = described(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
        size_t row = 0;
        while (row < COUNT(rows) && strcmp(rows[row].field, field->name) != 0)
            row++;
        assert_true(row < COUNT(rows));
        one.window = strcmp(field->name, "sinks") == 0 ? 9 : 0;
        assert_true(arnn_field_read(field, &one, rows[row].text));
        assert_true(arnn_field_read(field, &all, rows[row].text));
        round_trip(&one);
    }
    round_trip(&all);
    assert_int_equal(fields, COUNT(rows));
}

/* ---- the bytes ---- */

/* What another reader of the format, by another reader of JSON, would see. */
static void test_layout(void **unused)
{
    (void)unused;
    arnn_model_desc desc = described(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE);
    desc.layers = 2;
    desc.vocab = 7;
    desc.outputs = 5;
    arnn_model *model = made(&desc);
    forged file = saved(model);
    size_t length = 0, index = 0, next = 0;
    for (size_t i = 0; i < 8; i++)
        length |= (size_t)file.data[i] << (8 * i);
    assert_int_equal((8 + length) % 8, 0);
    json_error_t error;
    json_t *header = json_loadb((char *)file.data + 8, length, JSON_REJECT_DUPLICATES, &error), *entry;
    assert_non_null(header);
    const char *name;
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        const arnn_parameter *parameter = &model->parameters.list[index++];
        assert_string_equal(name, parameter->name);
        assert_int_equal(json_object_size(entry), 3);
        assert_string_equal(json_string_value(json_object_get(entry, "dtype")), "F32");
        assert_int_equal(json_array_size(json_object_get(entry, "shape")), parameter->rank);
        for (size_t i = 0; i < parameter->rank; i++)
            assert_int_equal(json_integer_value(json_array_get(json_object_get(entry, "shape"), i)),
                             parameter->shape[i]);
        json_t *offsets = json_object_get(entry, "data_offsets");
        assert_int_equal(json_integer_value(json_array_get(offsets, 0)), next);
        next += parameter->count * 4;
        assert_int_equal(json_integer_value(json_array_get(offsets, 1)), next);
    }
    assert_int_equal(index, model->parameters.count);
    assert_int_equal(file.bytes, 8 + length + next);

    json_t *metadata = json_object_get(header, "__metadata__");
    assert_string_equal(json_string_value(json_object_get(metadata, "format")), "pt");
    assert_string_equal(json_string_value(json_object_get(metadata, "arnn.version")), "1");
    assert_string_equal(json_string_value(json_object_get(metadata, "arnn.cell")), "lstm");
    assert_string_equal(json_string_value(json_object_get(metadata, "arnn.wiring")), "before");
    assert_string_equal(json_string_value(json_object_get(metadata, "arnn.vocab")), "7");
    json_decref(header);
    free(file.data);
    arnn_model_release(model);
}

static void test_write_memory(void **unused)
{
    (void)unused;
    arnn_model_desc desc = described(ARNN_CELL_GRU, ARNN_WIRING_NONE);
    arnn_model *model = made(&desc);
    size_t bytes = 0, again = 0;
    assert_ok(arnn_model_write_memory(model, NULL, 0, &bytes));
    assert_true(bytes > 4 * model->parameters.values_count);
    unsigned char *data = malloc(bytes);
    memset(data, 0xaa, bytes);
    assert_error(ARNN_SHAPE, "room for", arnn_model_write_memory(model, data, bytes - 1, &again));
    assert_int_equal(again, bytes);
    for (size_t i = 0; i < bytes; i++)
        assert_int_equal(data[i], 0xaa);
    assert_ok(arnn_model_write_memory(model, data, bytes, &again));
    assert_int_equal(again, bytes);
    free(data);
    arnn_model_release(model);
}

/* ---- damage ---- */

static void test_every_truncation(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    arnn_model *model = made(&desc), *loaded;
    forged file = saved(model);
    for (size_t bytes = file.bytes; bytes-- > 0;) {
        unsigned char *exact = malloc(bytes ? bytes : 1);
        memcpy(exact, file.data, bytes);
        assert_error(ARNN_FORMAT, " ", arnn_model_read_memory(&loaded, exact, bytes, &plain));
        free(exact);
        forge_write("cut", file.data, bytes);
        assert_error(ARNN_FORMAT, " ", arnn_model_read_file(&loaded, "cut", &plain));
    }
    free(file.data);
    arnn_model_release(model);
}

/* Every bit of the header turned: a model or a sentence, and what loads is whole. */
static void test_every_bit(void **unused)
{
    (void)unused;
    arnn_model_desc desc = tiny();
    arnn_model *model = made(&desc), *loaded;
    forged file = saved(model);
    size_t refused = 0;
    for (size_t bit = 0; bit < 8 * (file.bytes - 20); bit++) {
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        check_forget();
        arnn_status status = arnn_model_read_memory(&loaded, file.data, file.bytes, &plain);
        if (status)
            assert_null(strstr(arnn_last_error(), "NO_SUCH_CONSTANT"));
        else
            assert_memory_equal(loaded->parameters.values, model->parameters.values, 20);
        refused += status != ARNN_OK;
        assert_true(status != ARNN_NO_MEMORY && status != ARNN_IO);
        arnn_model_release(loaded);
        file.data[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    assert_true(refused > 4 * (file.bytes - 20));
    free(file.data);
    arnn_model_release(model);
}

/* ---- files that are none ---- */

static void test_not_regular(void **unused)
{
    (void)unused;
    arnn_model *model = (arnn_model *)(intptr_t)1;
    assert_int_equal(mkdir("folder", 0777), 0);
    assert_int_equal(mkfifo("fifo", 0666), 0);
    alarm(20); /* who waits for a writer of the FIFO waits for ever */
    assert_error(ARNN_IO, "fifo is a FIFO", arnn_model_read_file(&model, "fifo", &plain));
    alarm(0);
    assert_null(model);
    assert_error(ARNN_IO, "folder is a directory", arnn_model_read_file(&model, "folder", &plain));
    assert_error(ARNN_IO, "device", arnn_model_read_file(&model, "/dev/zero", &plain));
    assert_error(ARNN_IO, "cannot open missing: No such file", arnn_model_read_file(&model, "missing", &plain));
    assert_error(ARNN_IO, "cannot open", arnn_model_read_file(&model, "", &plain));
    forge_write("empty", "", 0);
    assert_error(ARNN_FORMAT, "0 bytes", arnn_model_read_file(&model, "empty", &plain));
    assert_error(ARNN_IO, "not a regular file", arnn_model_write_file(model, "folder"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, forge_enter, forge_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_round_trip),          IN_FOLDER(test_every_field),      cmocka_unit_test(test_layout),
        cmocka_unit_test(test_write_memory), IN_FOLDER(test_every_truncation), cmocka_unit_test(test_every_bit),
        IN_FOLDER(test_not_regular),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

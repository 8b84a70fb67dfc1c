/* Every error of records: of their making, of running and of going back; after each the record is as it was. */
#include "check.h"
#include "world.h"

enum { STREAMS = 2, STEPS = 3, PAST = 4, ROWS = STREAMS * STEPS };

static float x[ROWS * WORLD_INPUTS], h[ROWS * WORLD_WIDTH];
static const int32_t tokens[ROWS];

typedef struct made {
    arnn_model *model;
    arnn_record *record;
    arnn_input in;
    arnn_gradient to;
    arnn_output_gradient from;
} made;

static arnn_record_desc room(void)
{
    arnn_record_desc desc;
    assert_ok(arnn_record_desc_default(&desc, sizeof desc));
    assert_int_equal(desc.threads, 1);
    assert_int_equal(desc.past, 0);
    desc.streams = STREAMS;
    desc.steps = STEPS;
    desc.past = PAST;
    return desc;
}

static made make(int32_t cell, int32_t wiring, size_t vocab)
{
    made m = {.in = {.struct_size = sizeof m.in, .x = vocab ? NULL : x, .tokens = vocab ? tokens : NULL}};
    arnn_model_desc desc = world_desc(cell, wiring);
    desc.vocab = vocab;
    desc.outputs = 2;
    const arnn_record_desc record = room();
    assert_ok(arnn_model_create(&m.model, &desc));
    assert_ok(arnn_model_init(m.model, 1));
    assert_ok(arnn_record_create(&m.record, m.model, &record));
    assert_ok(arnn_gradient_default(&m.to, sizeof m.to));
    assert_ok(arnn_output_gradient_default(&m.from, sizeof m.from));
    m.from.h.data = h;
    return m;
}

static void done(made *m)
{
    arnn_record_destroy(m->record);
    arnn_model_destroy(m->model);
}

static arnn_status run(made *m)
{
    return arnn_record_forward(m->record, NULL, &m->in, NULL, STEPS, STREAMS);
}

static arnn_status back(made *m)
{
    return arnn_record_backward(m->record, &m->to, &m->from);
}

static void test_defaults(void **unused)
{
    (void)unused;
    arnn_record_desc desc;
    arnn_gradient to;
    arnn_output_gradient from;
    assert_error(ARNN_INVALID_ARGUMENT, "desc", arnn_record_desc_default(NULL, sizeof desc));
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_record_desc", arnn_record_desc_default(&desc, sizeof desc + 8));
    assert_error(ARNN_INVALID_ARGUMENT, "to", arnn_gradient_default(NULL, sizeof to));
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_gradient", arnn_gradient_default(&to, 8));
    assert_error(ARNN_INVALID_ARGUMENT, "from", arnn_output_gradient_default(NULL, sizeof from));
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_output_gradient", arnn_output_gradient_default(&from, 8));
}

/* The same for the bytes of a record and for the record. */
static void refused(const made *m, const char *word, const arnn_record_desc *desc)
{
    size_t bytes = 77;
    arnn_record *record = m->record;
    assert_error(ARNN_INVALID_ARGUMENT, word, arnn_record_bytes(m->model, desc, &bytes));
    assert_int_equal(bytes, 77);
    assert_error(ARNN_INVALID_ARGUMENT, word, arnn_record_create(&record, m->model, desc));
    assert_null(record);
}

static void test_create(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_GRU, ARNN_WIRING_AFTER, 0);
    arnn_record_desc desc = room();
    arnn_record *record = m.record;
    size_t bytes;
    assert_error(ARNN_INVALID_ARGUMENT, "out", arnn_record_create(NULL, m.model, &desc));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_record_create(&record, NULL, &desc));
    assert_null(record);
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_record_bytes(NULL, &desc, &bytes));
    assert_error(ARNN_INVALID_ARGUMENT, "bytes", arnn_record_bytes(m.model, &desc, NULL));
    refused(&m, "desc", NULL);
    desc.struct_size = 8;
    refused(&m, "struct_size", &desc);
    desc = room();
    desc.reserved = 1;
    refused(&m, "reserved", &desc);
    desc = room();
    desc.threads = 0;
    refused(&m, "threads", &desc);
    desc = room();
    desc.streams = 0;
    refused(&m, "0 streams", &desc);
    desc = room();
    desc.steps = 0;
    refused(&m, "0 steps", &desc);
    desc = room();
    desc.past = SIZE_MAX;
    refused(&m, "past rows", &desc);
    desc = room();
    desc.streams = desc.steps = INT32_MAX;
    assert_error(ARNN_INVALID_ARGUMENT, "overflows", arnn_record_bytes(m.model, &desc, &bytes));
    assert_error(ARNN_NO_MEMORY, "2147483647 streams", arnn_record_create(&record, m.model, &desc));
    assert_null(record);
    arnn_record_destroy(NULL);
    assert_null(arnn_record_state(NULL));
    done(&m);
}

static void test_forward(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_RNN_TANH, ARNN_WIRING_BEFORE, 0);
    assert_error(ARNN_INVALID_ARGUMENT, "record", arnn_record_forward(NULL, NULL, &m.in, NULL, STEPS, STREAMS));
    assert_error(ARNN_INVALID_ARGUMENT, "in", arnn_record_forward(m.record, NULL, NULL, NULL, STEPS, STREAMS));
    assert_error(ARNN_SHAPE, "3 streams", arnn_record_forward(m.record, NULL, &m.in, NULL, STEPS, STREAMS + 1));
    assert_error(ARNN_SHAPE, "4 steps", arnn_record_forward(m.record, NULL, &m.in, NULL, STEPS + 1, STREAMS));
    assert_error(ARNN_NOT_FOUND, "no run", back(&m));
    assert_ok(run(&m));
    assert_ok(run(&m));
    assert_error(ARNN_FULL, "6 rows", run(&m));
    size_t length;
    assert_ok(arnn_state_length(arnn_record_state(m.record), &length, 1));
    assert_int_equal(length, 2 * STEPS);
    assert_ok(arnn_state_reset(arnn_record_state(m.record), NULL, 0));
    assert_ok(run(&m));
    assert_ok(back(&m));
    done(&m);
}

static void test_backward(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER, 0);
    float room_for_x[ROWS * WORLD_INPUTS] = {0}, carried[STREAMS * WORLD_WIDTH];
    assert_error(ARNN_INVALID_ARGUMENT, "record", arnn_record_backward(NULL, &m.to, &m.from));
    assert_error(ARNN_INVALID_ARGUMENT, "to", arnn_record_backward(m.record, NULL, &m.from));
    assert_error(ARNN_INVALID_ARGUMENT, "from", arnn_record_backward(m.record, &m.to, NULL));
    assert_error(ARNN_NOT_FOUND, "no run", back(&m));
    assert_ok(run(&m));
    m.to.struct_size = 8;
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_gradient", back(&m));
    m.to.struct_size = sizeof m.to;
    m.from.struct_size = 8;
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_output_gradient", back(&m));
    m.from.struct_size = sizeof m.from;
    m.to.m = carried;
    assert_error(ARNN_UNSUPPORTED, "m is given", back(&m));
    m.to.m = NULL;
    m.to.h = carried;
    assert_error(ARNN_UNSUPPORTED, "h is given", back(&m));
    m.to.h = NULL;
    m.to.x = (arnn_array){.data = room_for_x, .time_stride = 1, .stream_stride = 1};
    assert_error(ARNN_SHAPE, "x", back(&m));
    m.to.x = (arnn_array){.data = room_for_x};
    m.from.s = (arnn_array){.data = h, .time_stride = 1, .stream_stride = 1};
    assert_error(ARNN_SHAPE, "s", back(&m));
    m.from.s.data = NULL;
    m.from.y = (arnn_array){.data = h, .time_stride = 1, .stream_stride = 1};
    assert_error(ARNN_SHAPE, "y", back(&m));
    m.from.y.data = NULL;
    assert_ok(back(&m)); /* none of those errors has used the run up */
    assert_error(ARNN_NOT_FOUND, "gone back over", back(&m));
    done(&m);
}

static void test_tokens(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, 3);
    float carried[ROWS * WORLD_INPUTS];
    assert_ok(run(&m));
    m.to.x.data = carried;
    assert_error(ARNN_UNSUPPORTED, "token", back(&m));
    m.to.x.data = NULL;
    m.to.m = carried; /* read from the tape, not carried */
    assert_error(ARNN_UNSUPPORTED, "m is given", back(&m));
    m.to.m = NULL;
    assert_ok(back(&m));
    done(&m);
}

static void test_changed_parameters(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE, 0);
    const float bias[WORLD_WIDTH] = {0.5f};
    assert_ok(run(&m));
    assert_ok(arnn_model_write(m.model, "bias_hh_l0", bias, WORLD_WIDTH));
    assert_error(ARNN_BUSY, "changed", back(&m));
    assert_ok(run(&m));
    assert_ok(back(&m));
    done(&m);
}

static void test_offsets(void **unused)
{
    (void)unused;
    made m = make(ARNN_CELL_GRU, ARNN_WIRING_BESIDE, 3);
    size_t offset = 77, expected = 0, count = arnn_model_parameter_count(m.model);
    for (size_t index = 0; index < count; index++) {
        size_t rank, shape[2];
        const char *name;
        assert_ok(arnn_model_parameter(m.model, &name, &rank, shape, index));
        assert_ok(arnn_model_parameter_offset(m.model, &offset, index));
        assert_int_equal(offset, expected);
        expected += shape[0] * shape[1];
    }
    assert_int_equal(arnn_model_parameter_floats(m.model), expected);
    assert_error(ARNN_NOT_FOUND, "", arnn_model_parameter_offset(m.model, &offset, count));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_model_parameter_offset(NULL, &offset, 0));
    assert_error(ARNN_INVALID_ARGUMENT, "offset", arnn_model_parameter_offset(m.model, NULL, 0));
    done(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_create),
        cmocka_unit_test(test_forward),  cmocka_unit_test(test_backward),
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_changed_parameters),
        cmocka_unit_test(test_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory that fails at the n-th allocation, for every n: a clean error, nothing changed, nothing lost. */
#include <unistd.h>

#include "check.h"
#include "failing.h"
#include "world.h"

/* What an operation works on; each leaves its result here. */
typedef struct bench {
    world w;
    arnn_model *model; /* made by the operation */
    arnn_cache *cache;
    arnn_state *state;
    size_t page;  /* rows in one */
    float *zeros; /* input of so many steps, or so many rows */
    char *file;   /* w.model, saved */
    size_t bytes;
    char path[64];
} bench;

typedef arnn_status operation(bench *b);

static void settle(bench *b)
{
    arnn_state_destroy(b->state);
    arnn_cache_destroy(b->cache);
    arnn_model_destroy(b->model);
    b->model = NULL;
    b->cache = NULL;
    b->state = NULL;
}

/* Runs it with the first allocation failing, then the second, and so on until none is left to fail: how many there were. */
static size_t exhaust(bench *b, operation *run)
{
    for (size_t n = 1;; n++) {
        picture before = world_picture(&b->w);
        long live = failing_live();
        failing_begin(n);
        arnn_status status = run(b);
        if (!failing_end()) {
            assert_ok(status);
            free(before.bytes);
            settle(b);
            return n - 1;
        }
        check_error(ARNN_NO_MEMORY, "", status, "with memory failing", __FILE__, __LINE__);
        assert_null(b->model);
        assert_null(b->cache);
        assert_null(b->state);
        assert_int_equal(failing_live(), live);
        world_unchanged(&b->w, &before);
    }
}

/* A model of two layers, and streams that have filled a page each. */
static bench made(int32_t cell, int32_t wiring, int32_t score)
{
    bench b = {.model = NULL};
    arnn_model_desc desc = world_desc(cell, wiring);
    desc.score = score;
    desc.layers = 2;
    desc.outputs = 3;
    world_make(&b.w, &desc, NULL);
    b.page = 1;
    if (b.w.cache)
        assert_ok(arnn_cache_page(b.w.cache, &b.page, &(size_t){0}));
    world_run(&b.w, b.page);
    b.zeros = calloc(2 * b.page * WORLD_STREAMS * WORLD_WIDTH, sizeof *b.zeros);
    assert_non_null(b.zeros);
    assert_ok(arnn_model_save_memory(b.w.model, NULL, 0, &b.bytes));
    b.file = malloc(b.bytes);
    assert_non_null(b.file);
    assert_ok(arnn_model_save_memory(b.w.model, b.file, b.bytes, &b.bytes));
    return b;
}

static void done(bench *b)
{
    world_free(&b->w);
    free(b->zeros);
    free(b->file);
}

static arnn_status model_create(bench *b)
{
    return arnn_model_create(&b->model, &b->w.desc);
}

static arnn_status model_load_memory(bench *b)
{
    return arnn_model_load_memory(&b->model, b->file, b->bytes, NULL);
}

static arnn_status model_load(bench *b)
{
    return arnn_model_load(&b->model, b->path, NULL);
}

static arnn_status model_save(bench *b)
{
    return arnn_model_save(b->w.model, b->path);
}

static arnn_status model_save_memory(bench *b)
{
    return arnn_model_save_memory(b->w.model, b->file, b->bytes, &b->bytes);
}

static arnn_status cache_create(bench *b)
{
    arnn_cache_desc desc = {
        .struct_size = sizeof desc, .threads = 1, .streams = 3, .rows = 1000, .max_bytes = SIZE_MAX};
    return arnn_cache_create(&b->cache, b->w.model, &desc);
}

static arnn_status cache_reserve(bench *b)
{
    return arnn_cache_reserve(b->w.cache, 7, 2000);
}

static arnn_status state_create(bench *b)
{
    return arnn_state_create(&b->state, b->w.model, b->w.cache, 100);
}

static arnn_status step(bench *b)
{
    arnn_input in = {.struct_size = sizeof in, .x = b->zeros};
    return arnn_step(b->w.state, NULL, &in, NULL, WORLD_STREAMS);
}

static arnn_status forward(bench *b)
{
    arnn_input in = {.struct_size = sizeof in, .x = b->zeros};
    return arnn_forward(b->w.state, NULL, &in, NULL, NULL, 2 * b->page, WORLD_STREAMS);
}

static arnn_status append(bench *b)
{
    return arnn_state_append(b->w.state, 1, b->zeros, b->zeros, b->page + 1);
}

/* A record, a run and the way back. */
static arnn_status go_back(bench *b)
{
    arnn_record *record;
    arnn_record_desc desc = {.struct_size = sizeof desc, .threads = 2, .streams = WORLD_STREAMS, .steps = 2 * b->page};
    arnn_input in = {.struct_size = sizeof in, .x = b->zeros};
    arnn_gradient to = {.struct_size = sizeof to};
    arnn_output_gradient from = {.struct_size = sizeof from};
    from.h.data = b->zeros;
    arnn_status status = arnn_record_create(&record, b->w.model, &desc);
    if (status) {
        assert_null(record);
        return status;
    }
    status = arnn_record_forward(record, NULL, &in, NULL, desc.steps, WORLD_STREAMS);
    if (!status)
        status = arnn_record_backward(record, &to, &from);
    arnn_record_destroy(record);
    return status;
}

static void test_record(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_NONE; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        bench b = made(ARNN_CELL_LSTM, wiring, wiring ? ARNN_SCORE_ADDITIVE : ARNN_SCORE_DOT);
        assert_true(exhaust(&b, go_back) > 0);
        done(&b);
    }
}

/* arnn_record_bytes is what a record takes, but for parameters and the buffers of a step. */
static void test_record_bytes(void **unused)
{
    (void)unused;
    const size_t streams = 4, steps = 512, beside = 768 << 10;
    for (int32_t wiring = ARNN_WIRING_NONE; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, wiring);
        desc.hidden = desc.inputs = 64;
        arnn_model *model;
        arnn_record *record;
        arnn_record_desc room = {.struct_size = sizeof room, .threads = 1, .streams = streams, .steps = steps};
        arnn_input in = {.struct_size = sizeof in, .x = calloc(streams * steps, 64 * sizeof(float))};
        size_t bytes;
        assert_ok(arnn_model_create(&model, &desc));
        assert_ok(arnn_model_init(model, 1));
        assert_ok(arnn_record_bytes(model, &room, &bytes));
        failing_begin(SIZE_MAX);
        assert_ok(arnn_record_create(&record, model, &room));
        assert_ok(arnn_record_forward(record, NULL, &in, NULL, steps, streams));
        assert_in_range(failing_bytes(), bytes, bytes + beside);
        assert_true(bytes > 4 * beside);
        free((void *)in.x);
        arnn_record_destroy(record);
        arnn_model_destroy(model);
    }
}

/* Bytes that a trainer allocates, those of its first step, too. */
static size_t training_bytes(arnn_model *model, const arnn_examples *examples, int32_t loss)
{
    arnn_trainer *trainer;
    arnn_trainer_desc how;
    arnn_trainer_desc_default(&how, sizeof how);
    how.streams = examples->count, how.steps = examples->steps, how.loss = loss;
    failing_begin(SIZE_MAX);
    assert_ok(arnn_trainer_create(&trainer, model, &how));
    assert_ok(arnn_trainer_step(trainer, NULL, examples, 0.001f));
    size_t bytes = failing_bytes();
    arnn_trainer_destroy(trainer);
    return bytes;
}

/* So many floats a stream, step and hidden unit, and seven for every parameter. */
static void test_training(void **unused)
{
    (void)unused;
    const size_t streams = 8, steps = 1024, n = 256, floats[] = {10, 16, 18};
    const int32_t cells[] = {ARNN_CELL_RNN_TANH, ARNN_CELL_GRU, ARNN_CELL_LSTM};
    float *x = calloc(streams * steps * n, sizeof *x);
    const arnn_examples examples = {
        .struct_size = sizeof examples, .x = x, .values = x, .steps = steps, .count = streams};
    for (size_t i = 0; i < COUNT(cells); i++) {
        arnn_model_desc desc = world_desc(cells[i], ARNN_WIRING_AFTER);
        desc.hidden = desc.inputs = n;
        desc.outputs = 0;
        arnn_model *model;
        assert_ok(arnn_model_create(&model, &desc));
        assert_ok(arnn_model_init(model, 1));
        size_t most = floats[i] * streams * steps * n + 7 * arnn_model_parameter_floats(model);
        assert_true(training_bytes(model, &examples, ARNN_LOSS_SQUARED_ERROR) <= most * sizeof(float));
        arnn_model_destroy(model);
    }
    free(x);
}

/* Of 10,000 outputs a few rows are there at once, and not those of every step. */
static void test_wide_readout(void **unused)
{
    (void)unused;
    const size_t streams = 8, steps = 512, outputs = 10000;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    desc.outputs = outputs;
    arnn_model *model;
    int32_t *labels = calloc(streams * steps, sizeof *labels);
    float *x = calloc(streams * steps * desc.inputs, sizeof *x);
    const arnn_examples examples = {
        .struct_size = sizeof examples, .x = x, .labels = labels, .steps = steps, .count = streams};
    assert_ok(arnn_model_create(&model, &desc));
    assert_ok(arnn_model_init(model, 1));
    size_t all = streams * steps * outputs * sizeof(float);
    assert_true(training_bytes(model, &examples, ARNN_LOSS_CROSS_ENTROPY) < all / 8);
    arnn_model_destroy(model);
    free(labels);
    free(x);
}

static void test_model(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_NONE; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        bench b = made(ARNN_CELL_GRU, wiring, ARNN_SCORE_DOT);
        assert_true(exhaust(&b, model_create) > 0);
        assert_true(exhaust(&b, state_create) > 0);
        done(&b);
    }
}

static void test_init(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, ARNN_WIRING_AFTER);
    arnn_model *model;
    float before[4 * WORLD_WIDTH * WORLD_WIDTH], after[4 * WORLD_WIDTH * WORLD_WIDTH];
    assert_ok(arnn_model_create(&model, &desc));
    assert_ok(arnn_model_init(model, 1));
    assert_ok(arnn_model_read(model, before, "weight_hh_l0", COUNT(before)));
    bool failed = true;
    for (size_t n = 1; failed; n++) {
        long live = failing_live();
        failing_begin(n);
        arnn_status status = arnn_model_init(model, 2);
        failed = failing_end();
        assert_int_equal(failing_live(), live);
        check_error(failed ? ARNN_NO_MEMORY : ARNN_OK, "", status, "arnn_model_init", __FILE__, __LINE__);
        assert_ok(arnn_model_read(model, after, "weight_hh_l0", COUNT(after)));
        assert_int_equal(memcmp(before, after, sizeof before) == 0, failed);
    }
    arnn_model_destroy(model);
}

static void test_files(void **unused)
{
    (void)unused;
    bench b = made(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, ARNN_SCORE_ADDITIVE);
    char folder[] = "arnn_test_XXXXXX";
    assert_non_null(mkdtemp(folder));
    snprintf(b.path, sizeof b.path, "%s/model", folder);
    exhaust(&b, model_save);
    assert_int_equal(access(b.path, F_OK), 0);
    assert_true(exhaust(&b, model_load) > 0);
    assert_true(exhaust(&b, model_load_memory) > 0);
    exhaust(&b, model_save_memory);
    assert_int_equal(unlink(b.path), 0);
    assert_int_equal(rmdir(folder), 0); /* no temporary file is left */
    done(&b);
}

static void test_cache(void **unused)
{
    (void)unused;
    bench b = made(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, ARNN_SCORE_GENERAL);
    assert_true(exhaust(&b, cache_create) > 0);
    assert_true(exhaust(&b, cache_reserve) > 0);
    done(&b);
}

/* A step into new pages, a sequence over several, and appended rows: all or nothing, for every wiring and score. */
static void test_growth(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_AFTER; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        for (int32_t score = ARNN_SCORE_DOT; score <= ARNN_SCORE_ADDITIVE; score++) {
            bench b = made(ARNN_CELL_GRU, wiring, score);
            assert_true(exhaust(&b, step) > 0);
            assert_true(exhaust(&b, forward) > 0);
            done(&b);
        }
    }
    bench b = made(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE, ARNN_SCORE_DOT);
    assert_true(exhaust(&b, append) > 0);
    done(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model),        cmocka_unit_test(test_init),         cmocka_unit_test(test_files),
        cmocka_unit_test(test_cache),        cmocka_unit_test(test_growth),       cmocka_unit_test(test_record),
        cmocka_unit_test(test_record_bytes), cmocka_unit_test(test_wide_readout), cmocka_unit_test(test_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

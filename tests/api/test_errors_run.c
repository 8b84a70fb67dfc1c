/* Errors of section 6 of the header: steps and sequences. After each the state is as it was. */
#include "check.h"
#include "world.h"

enum { STEPS = 2, ROOM = 64 };

static const float x[STEPS * WORLD_STREAMS * WORLD_INPUTS] = {0.5f, -0.5f, 0.25f};
static float results[STEPS * WORLD_STREAMS * ROOM];

static world made(int32_t wiring)
{
    arnn_model_desc desc = world_desc(ARNN_CELL_GRU, wiring);
    world w;
    world_make(&w, &desc, NULL);
    world_run(&w, 2);
    return w;
}

static arnn_input dense(void)
{
    return (arnn_input){.struct_size = sizeof(arnn_input), .x = x};
}

static arnn_output nothing(void)
{
    return (arnn_output){.struct_size = sizeof(arnn_output)};
}

/* Step and sequence refuse the same; the state stays as it was. */
static void refused(const world *w, arnn_status status, const char *word, const arnn_output *out, const arnn_input *in,
                    const size_t *streams, size_t count)
{
    picture before = world_picture(w);
    assert_error(status, word, arnn_step(w->state, out, in, streams, count));
    assert_error(status, word, arnn_forward(w->state, out, in, NULL, streams, STEPS, count));
    world_unchanged(w, &before);
}

static void test_null_and_sizes(void **unused)
{
    (void)unused;
    world w = made(ARNN_WIRING_AFTER);
    arnn_input in = dense();
    arnn_output out = nothing();
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_step(NULL, &out, &in, NULL, 1));
    assert_error(ARNN_INVALID_ARGUMENT, "state", arnn_forward(NULL, &out, &in, NULL, NULL, 1, 1));
    refused(&w, ARNN_INVALID_ARGUMENT, "in", &out, NULL, NULL, 1);
    in.struct_size = 8;
    refused(&w, ARNN_INVALID_ARGUMENT, "struct_size", &out, &in, NULL, 1);
    in = dense();
    out.struct_size = sizeof out + 8;
    refused(&w, ARNN_INVALID_ARGUMENT, "struct_size", &out, &in, NULL, 1);
    world_free(&w);
}

static void test_streams(void **unused)
{
    (void)unused;
    world w = made(ARNN_WIRING_BEFORE);
    arnn_input in = dense();
    const size_t twice[] = {2, 0, 2}, unknown[] = {0, WORLD_STREAMS}, far[] = {SIZE_MAX};
    refused(&w, ARNN_INVALID_ARGUMENT, "2", NULL, &in, twice, 3);
    refused(&w, ARNN_NOT_FOUND, "3", NULL, &in, unknown, 2);
    refused(&w, ARNN_NOT_FOUND, "", NULL, &in, far, 1);
    refused(&w, ARNN_NOT_FOUND, "", NULL, &in, NULL, WORLD_STREAMS + 1);
    refused(&w, ARNN_NOT_FOUND, "", NULL, &in, NULL, SIZE_MAX);
    world_free(&w);
}

static void test_input_missing(void **unused)
{
    (void)unused;
    const int32_t tokens[STEPS * WORLD_STREAMS] = {0};
    world w = made(ARNN_WIRING_AFTER);
    arnn_input in = {.struct_size = sizeof in};
    refused(&w, ARNN_INVALID_ARGUMENT, "dense", NULL, &in, NULL, 1);
    in.tokens = tokens;
    refused(&w, ARNN_INVALID_ARGUMENT, "dense", NULL, &in, NULL, 1);
    in.x = x;
    refused(&w, ARNN_INVALID_ARGUMENT, "dense", NULL, &in, NULL, 1);
    world_free(&w);

    arnn_model_desc desc = world_desc(ARNN_CELL_GRU, ARNN_WIRING_AFTER);
    desc.vocab = 10;
    world_make(&w, &desc, NULL);
    in = (arnn_input){.struct_size = sizeof in};
    refused(&w, ARNN_INVALID_ARGUMENT, "tokens", NULL, &in, NULL, 1);
    in.x = x;
    refused(&w, ARNN_INVALID_ARGUMENT, "tokens", NULL, &in, NULL, 1);
    in.tokens = tokens;
    refused(&w, ARNN_INVALID_ARGUMENT, "tokens", NULL, &in, NULL, 1);
    world_free(&w);
}

static void test_token_out_of_range(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    desc.vocab = 10;
    world w;
    world_make(&w, &desc, NULL);
    const int32_t bad[] = {10, -1, INT32_MAX, INT32_MIN};
    const char *const names[] = {"10", "-1", "2147483647", "-2147483648"};
    for (size_t i = 0; i < COUNT(bad); i++) {
        int32_t tokens[STEPS * WORLD_STREAMS] = {9, 0, bad[i]};
        arnn_input in = {.struct_size = sizeof in, .tokens = tokens};
        refused(&w, ARNN_INVALID_ARGUMENT, names[i], NULL, &in, NULL, WORLD_STREAMS);

        /* in the last step of a sequence, found before the first is made */
        picture before = world_picture(&w);
        int32_t late[STEPS * WORLD_STREAMS] = {0};
        late[STEPS * WORLD_STREAMS - 1] = bad[i];
        in.tokens = late;
        assert_error(ARNN_INVALID_ARGUMENT, names[i],
                     arnn_forward(w.state, NULL, &in, NULL, NULL, STEPS, WORLD_STREAMS));
        world_unchanged(&w, &before);

        /* but not looked at beyond a stream's length */
        const size_t lengths[] = {2, 2, 1};
        assert_ok(arnn_forward(w.state, NULL, &in, lengths, NULL, STEPS, WORLD_STREAMS));
    }
    world_free(&w);
}

static void test_output_strides(void **unused)
{
    (void)unused;
    world w = made(ARNN_WIRING_AFTER);
    arnn_input in = dense();
    const size_t fields[] = {offsetof(arnn_output, y), offsetof(arnn_output, h), offsetof(arnn_output, s)};
    for (size_t i = 0; i < COUNT(fields); i++) {
        arnn_output out = nothing();
        arnn_array narrow = {.data = results, .stream_stride = WORLD_WIDTH - 1};
        memcpy((char *)&out + fields[i], &narrow, sizeof narrow);
        refused(&w, ARNN_SHAPE, "stride", &out, &in, NULL, 2);

        /* the time stride matters to sequences alone */
        picture before = world_picture(&w);
        arnn_array folded = {.data = results, .time_stride = WORLD_WIDTH, .stream_stride = WORLD_WIDTH};
        memcpy((char *)&out + fields[i], &folded, sizeof folded);
        assert_error(ARNN_SHAPE, "stride", arnn_forward(w.state, &out, &in, NULL, NULL, STEPS, 2));
        world_unchanged(&w, &before);
        assert_ok(arnn_step(w.state, &out, &in, NULL, 2));

        /* both usual layouts pass */
        arnn_array major = {.data = results, .time_stride = WORLD_WIDTH, .stream_stride = STEPS * WORLD_WIDTH};
        memcpy((char *)&out + fields[i], &major, sizeof major);
        assert_ok(arnn_forward(w.state, &out, &in, NULL, NULL, STEPS, WORLD_STREAMS));
    }
    world_free(&w);
}

static void test_map(void **unused)
{
    (void)unused;
    world w = made(ARNN_WIRING_AFTER), none = made(ARNN_WIRING_NONE);
    arnn_input in = dense();
    arnn_output out = nothing();
    out.map.data = results;
    out.map_columns = 2; /* two rows are there, a step makes the third */
    refused(&w, ARNN_SHAPE, "map_columns", &out, &in, NULL, 1);
    out.map_columns = ROOM;
    refused(&none, ARNN_UNSUPPORTED, "none", &out, &in, NULL, 1);
    out.map.stream_stride = ROOM - 1;
    refused(&w, ARNN_SHAPE, "stride", &out, &in, NULL, 2);
    out.map.stream_stride = 0;

    picture before = world_picture(&w);
    out.map_columns = 3; /* enough for a step, not for two */
    assert_error(ARNN_SHAPE, "map_columns", arnn_forward(w.state, &out, &in, NULL, NULL, STEPS, 1));
    world_unchanged(&w, &before);
    assert_ok(arnn_step(w.state, &out, &in, NULL, 1));

    out = nothing();
    out.map_zero.data = results;
    refused(&none, ARNN_UNSUPPORTED, "none", &out, &in, NULL, 1);
    world_free(&w);
    world_free(&none);
}

static void test_lengths(void **unused)
{
    (void)unused;
    world w = made(ARNN_WIRING_BESIDE);
    arnn_input in = dense();
    picture before = world_picture(&w);
    const size_t lengths[] = {STEPS, STEPS + 1};
    assert_error(ARNN_SHAPE, "3", arnn_forward(w.state, NULL, &in, lengths, NULL, STEPS, 2));
    world_unchanged(&w, &before);
    world_free(&w);
}

/* A cache with room for one page of every stream: the step that needs another is refused, as is a sequence whose end
   would need it, and then the streams still run on when there is room. */
static void full(const arnn_model_desc *desc)
{
    arnn_cache_desc room;
    assert_ok(arnn_cache_desc_default(&room, sizeof room));
    room.streams = WORLD_STREAMS;
    room.rows = 1;
    room.max_bytes = 0;
    world w;
    world_make(&w, desc, &room);
    size_t page;
    assert_ok(arnn_cache_page(w.cache, &page, &(size_t){0}));
    world_run(&w, page - 1);

    arnn_input in = dense();
    picture before = world_picture(&w);
    assert_error(ARNN_FULL, "", arnn_forward(w.state, NULL, &in, NULL, NULL, STEPS, WORLD_STREAMS));
    const size_t lengths[] = {1, 1, STEPS};
    assert_error(ARNN_FULL, "", arnn_forward(w.state, NULL, &in, lengths, NULL, STEPS, WORLD_STREAMS));
    world_unchanged(&w, &before);

    world_run(&w, 1);
    refused(&w, ARNN_FULL, "", NULL, &in, NULL, WORLD_STREAMS);
    refused(&w, ARNN_FULL, "", NULL, &in, &(size_t){1}, 1);

    assert_ok(arnn_state_reset(w.state, &(size_t){0}, 1)); /* its page serves another stream */
    assert_ok(arnn_step(w.state, NULL, &in, &(size_t){1}, 1));
    refused(&w, ARNN_FULL, "", NULL, &in, &(size_t){2}, 1);
    world_free(&w);
}

static void test_full(void **unused)
{
    (void)unused;
    for (int32_t wiring = ARNN_WIRING_AFTER; wiring <= ARNN_WIRING_BEFORE; wiring++) {
        for (int32_t score = ARNN_SCORE_DOT; score <= ARNN_SCORE_ADDITIVE; score++) {
            arnn_model_desc desc = world_desc(ARNN_CELL_LSTM, wiring);
            desc.score = score;
            desc.layers = 2;
            full(&desc);
        }
    }
}

static void test_defaults(void **unused)
{
    (void)unused;
    arnn_input in;
    arnn_output out;
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_input_default(NULL, sizeof in));
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_input", arnn_input_default(&in, sizeof in - 8));
    assert_error(ARNN_INVALID_ARGUMENT, "NULL", arnn_output_default(NULL, sizeof out));
    assert_error(ARNN_INVALID_ARGUMENT, "arnn_output", arnn_output_default(&out, sizeof out + 8));
    memset(&in, 1, sizeof in);
    memset(&out, 1, sizeof out);
    assert_ok(arnn_input_default(&in, sizeof in));
    assert_ok(arnn_output_default(&out, sizeof out));
    assert_true(in.struct_size == sizeof in && !in.x && !in.tokens && !in.time_stride && !in.stream_stride);
    assert_true(out.struct_size == sizeof out && !out.y.data && !out.h.data && !out.s.data && !out.map.data);
    assert_true(!out.map_zero.data && !out.map_layer && !out.map_columns && !out.y.time_stride);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_null_and_sizes), cmocka_unit_test(test_streams),
        cmocka_unit_test(test_input_missing),  cmocka_unit_test(test_token_out_of_range),
        cmocka_unit_test(test_output_strides), cmocka_unit_test(test_map),
        cmocka_unit_test(test_lengths),        cmocka_unit_test(test_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

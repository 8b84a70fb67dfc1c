/* The promise: a stream's results are the same to the last bit whatever company it has, in whatever order and cut, for
   any number of threads, on every table but blas. And threads after a fork. */
#include <sys/wait.h>
#include <unistd.h>

#include "tables.h"

#ifdef __SANITIZE_THREAD__
enum { FOLLOWS = 7 }; /* it takes ten times as long */
#else
enum { FOLLOWS = 1 };
#endif

enum { MOST_STREAMS = 9, STEPS = 11, MOST_OUTPUTS = 270, PAST = 330, COLUMNS = PAST + STEPS, VOCAB = 7 };

static const int32_t thread_counts[] = {1, 2, 3, 7};

static uint64_t below(uint64_t *seed, uint64_t most)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (*seed >> 33) % most;
}

typedef struct batch {
    arnn_model *model;
    arnn_model_desc desc;
    size_t streams, past, lengths[MOST_STREAMS];
    int32_t tape_type;
    float *x, *rows; /* (STEPS, streams, d), (layers, past, n) */
    int32_t *tokens; /* (STEPS, streams) */
} batch;

/* (STEPS, streams, width) of y, h, s and the map; untouched where a stream made no step. */
enum { Y, H, S, MAP, ARRAYS };

typedef struct results {
    float *data[ARRAYS];
    size_t widths[ARRAYS], count; /* count: of rows */
} results;

static float *values(size_t count, uint64_t *seed)
{
    float *made = malloc((count + 1) * sizeof *made);
    assert_non_null(made);
    for (size_t i = 0; i < count; i++)
        made[i] = (float)below(seed, 2001) / 1000.0f - 1.0f;
    return made;
}

/* wide: so that products and reads are worth sharing; then few streams, on long tapes: fewer than threads, as many, and
   more. */
static batch make(size_t i, bool wide, uint64_t *seed)
{
    batch b = {.desc = variant(i), .streams = wide ? 1 + below(seed, 5) : 1 + below(seed, MOST_STREAMS)};
    b.desc.hidden = wide ? 272 : 1 + below(seed, 40);
    b.desc.inputs = 1 + below(seed, 30);
    b.desc.layers = 1 + below(seed, 2);
    b.desc.skip = (int32_t)below(seed, 2);
    b.desc.outputs = wide ? MOST_OUTPUTS : 1 + below(seed, 5);
    b.desc.vocab = below(seed, 3) ? 0 : VOCAB;
    if (b.desc.wiring != ARNN_WIRING_NONE) {
        b.desc.start_row = (int32_t)below(seed, 2);
        b.desc.recency = (int32_t)below(seed, 2);
        b.desc.window = below(seed, 3) ? 0 : 260 + below(seed, 40);
        b.desc.sinks = b.desc.window ? below(seed, 20) : 0;
        b.past = wide ? PAST : below(seed, 40);
        bool bounded = b.desc.cell != ARNN_CELL_RNN_RELU;
        b.tape_type = (int32_t)below(seed, 2) * (bounded ? 1 + (int32_t)below(seed, 3) : ARNN_TYPE_BF16);
    }
    for (size_t j = 0; j < b.streams; j++)
        b.lengths[j] = below(seed, STEPS + 1);
    assert_ok(arnn_model_create(&b.model, &b.desc));
    assert_ok(arnn_model_init(b.model, 3));
    b.x = values(STEPS * b.streams * b.desc.inputs, seed);
    b.rows = values(b.desc.layers * b.past * b.desc.hidden, seed);
    b.tokens = malloc(STEPS * b.streams * sizeof *b.tokens);
    assert_non_null(b.tokens);
    for (size_t i = 0; i < STEPS * b.streams; i++)
        b.tokens[i] = (int32_t)below(seed, VOCAB);
    return b;
}

static void end(batch *b)
{
    arnn_model_destroy(b->model);
    free(b->x);
    free(b->rows);
    free(b->tokens);
}

/* Arrays of so many rows. */
static results room(const batch *b, size_t count)
{
    results r = {.count = count, .widths = {b->desc.outputs, b->desc.hidden, b->desc.hidden, COLUMNS}};
    for (size_t a = 0; a < ARRAYS; a++) {
        r.data[a] = calloc(count * r.widths[a] + 1, sizeof(float));
        assert_non_null(r.data[a]);
    }
    return r;
}

static void forget(results *r)
{
    for (size_t a = 0; a < ARRAYS; a++)
        free(r->data[a]);
}

static bool same(const results *a, const results *b)
{
    bool equal = true;
    for (size_t i = 0; i < ARRAYS; i++)
        equal &= memcmp(a->data[i], b->data[i], a->count * a->widths[i] * sizeof(float)) == 0;
    return equal;
}

static arnn_state *state_of(const batch *b, int32_t threads)
{
    arnn_cache_desc desc;
    arnn_cache *cache;
    arnn_state *state;
    assert_ok(arnn_cache_desc_default(&desc, sizeof desc));
    desc.threads = threads;
    desc.page_rows = 64;
    desc.tape_type = b->tape_type;
    desc.key_type = b->tape_type == ARNN_TYPE_F32 ? ARNN_TYPE_F32 : ARNN_TYPE_BF16;
    if (b->desc.cell == ARNN_CELL_LSTM)
        desc.memory_type = ARNN_TYPE_BF16;
    assert_ok(arnn_cache_create(&cache, b->model, &desc));
    assert_ok(arnn_state_create(&state, b->model, cache, b->streams));
    arnn_cache_destroy(cache);
    bool m = b->desc.cell == ARNN_CELL_LSTM && b->desc.wiring == ARNN_WIRING_BEFORE;
    for (size_t j = 0; j < b->streams && b->past; j++)
        assert_ok(arnn_state_append(state, j, b->rows, m ? b->rows : NULL, b->past));
    return state;
}

/* Row (t, element j of count) of one array to row (u, element k of n) of another. */
static void copy_row(float *to, size_t u, size_t n, size_t k, const float *from, size_t t, size_t count, size_t j,
                     size_t width)
{
    memcpy(to + (u * n + k) * width, from + (t * count + j) * width, width * sizeof *to);
}

/* Steps from .. to-1 of the streams chosen; as arnn_step where single. */
static void go(const batch *b, arnn_state *state, results *r, size_t from, size_t to, const size_t *chosen, size_t count,
               bool single)
{
    size_t d = b->desc.inputs, lengths[MOST_STREAMS];
    for (size_t j = 0; j < count; j++) {
        size_t length = b->lengths[chosen[j]] < to ? b->lengths[chosen[j]] : to;
        lengths[j] = length > from ? length - from : 0;
    }
    int32_t tokens[STEPS * MOST_STREAMS];
    float *x = malloc((STEPS * count * d + 1) * sizeof *x);
    results own = room(b, STEPS * count);
    for (size_t t = from; t < to; t++) {
        for (size_t j = 0; j < count; j++) {
            copy_row(x, t - from, count, j, b->x, t, b->streams, chosen[j], d);
            tokens[(t - from) * count + j] = b->tokens[t * b->streams + chosen[j]];
        }
    }
    bool map = b->desc.wiring != ARNN_WIRING_NONE;
    const arnn_input in = {.struct_size = sizeof in, .x = b->desc.vocab ? NULL : x, .tokens = b->desc.vocab ? tokens : NULL};
    const arnn_output out = {
        .struct_size = sizeof out,
        .y = {.data = own.data[Y]},
        .h = {.data = own.data[H]},
        .s = {.data = own.data[S]},
        .map = {.data = map ? own.data[MAP] : NULL},
        .map_layer = b->desc.layers - 1,
        .map_columns = COLUMNS,
    };
    if (single)
        assert_ok(arnn_step(state, &out, &in, chosen, count));
    else
        assert_ok(arnn_forward(state, &out, &in, lengths, chosen, to - from, count));
    for (size_t j = 0; j < count; j++) {
        for (size_t t = from; t < from + lengths[j]; t++) {
            for (size_t a = 0; a < ARRAYS; a++)
                copy_row(r->data[a], t, b->streams, chosen[j], own.data[a], t - from, count, j, r->widths[a]);
        }
    }
    forget(&own);
    free(x);
}

static void shuffle(size_t *list, size_t count, uint64_t *seed)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = below(seed, i), kept = list[i - 1];
        list[i - 1] = list[j];
        list[j] = kept;
    }
}

/* Everything at once; or in cuts at random, each for the streams in a random order, in one company or in two; or step
   by step, those streams that have one. */
typedef enum { WHOLE, CUTS, SINGLE, WAYS } way;

static results run(const batch *b, int32_t threads, way how, uint64_t *seed)
{
    results r = room(b, STEPS * b->streams);
    arnn_state *state = state_of(b, threads);
    size_t all[MOST_STREAMS];
    for (size_t j = 0; j < b->streams; j++)
        all[j] = j;
    for (size_t from = 0, to; from < STEPS; from = to) {
        to = how == WHOLE ? STEPS : how == SINGLE ? from + 1 : from + 1 + below(seed, STEPS - from);
        size_t count = 0, chosen[MOST_STREAMS];
        if (how != WHOLE)
            shuffle(all, b->streams, seed);
        for (size_t j = 0; j < b->streams; j++) {
            if (how != SINGLE || b->lengths[all[j]] > from)
                chosen[count++] = all[j];
        }
        size_t first = how == WHOLE ? count : below(seed, count + 1);
        go(b, state, &r, from, to, chosen, first, how == SINGLE);
        go(b, state, &r, from, to, chosen + first, count - first, how == SINGLE);
    }
    arnn_state_destroy(state);
    return r;
}

static void check(const batch *b, uint64_t *seed)
{
    results truth = run(b, 1, WHOLE, seed);
    for (size_t i = 0; i < COUNT(thread_counts); i++) {
        for (way how = WHOLE; how < WAYS; how++) {
            results got = run(b, thread_counts[i], how, seed);
            assert_true(same(&got, &truth));
            forget(&got);
        }
    }
    forget(&truth);
}

static void test_promise(void **unused)
{
    (void)unused;
    uint64_t seed = 1;
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i += FOLLOWS) {
            batch b = make(i, false, &seed);
            check(&b, &seed);
            end(&b);
        }
    }
}

static void test_promise_where_steps_are_shared_out(void **unused)
{
    (void)unused;
    uint64_t seed = 2;
    FOR_QUIET_TABLES(table) {
        size_t stride = FOLLOWS * (strcmp(table, "ref") == 0 ? 17 : 3); /* ref takes its time */
        for (size_t i = 1; i < VARIANTS; i += stride) {
            batch b = make(i, true, &seed);
            check(&b, &seed);
            end(&b);
        }
    }
}

#ifndef __SANITIZE_THREAD__ /* which knows of no threads in a child */
/* A child has none of its parent's threads; both go on from the same state to the same result. */
static void test_fork(void **unused)
{
    (void)unused;
    uint64_t seed = 3;
    FOR_QUIET_TABLES(table) {
        batch b = make(1, false, &seed);
        size_t all[MOST_STREAMS] = {0, 1, 2, 3, 4, 5, 6, 7, 8};
        results truth = run(&b, 1, WHOLE, &seed), r = room(&b, STEPS * b.streams);
        arnn_state *state = state_of(&b, 3);
        go(&b, state, &r, 0, 5, all, b.streams, false);
        pid_t child = fork();
        assert_true(child >= 0);
        go(&b, state, &r, 5, STEPS, all, b.streams, false);
        bool equal = same(&r, &truth);
        arnn_state_destroy(state);
        if (child == 0)
            _exit(equal ? 0 : 1);
        int status;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(equal && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        forget(&truth);
        forget(&r);
        end(&b);
    }
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_promise),
        cmocka_unit_test(test_promise_where_steps_are_shared_out),
#ifndef __SANITIZE_THREAD__
        cmocka_unit_test(test_fork),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The scenario that every language runs; they must print the same text. Usage: scenario FILE, where FILE is written.
 * The README of this folder says step by step what is done, and what goes into the digest.
 */
#include <arnn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 3, LAYERS = 2, INPUTS = 5, HIDDEN = 24, OUTPUTS = 3, PAST = 16, STREAMED = 200, STREAMED_ON = 20 };
enum { SEQUENCE = 57, LEARNED = 20, UPDATES = 5, MOST_ELEMENTS = 4096 };
enum { SET_STREAMED = 100, SET_SEQUENCE = 101, SET_LEARNED = 102, SET_WANTED = 103 }; /* of numbers; parameters have those from 0 on */

static uint64_t digest = UINT64_C(14695981039346656037);
static double sum; /* of the outputs, in the order in which they are made */

static void must(arnn_status status)
{
    if (status != ARNN_OK) {
        fprintf(stderr, "%s: %s\n", arnn_status_string(status), arnn_last_error());
        exit(1);
    }
}

/* FNV-1a, 64 bits. */
static void eat(const void *data, size_t bytes)
{
    const unsigned char *byte = data;
    for (size_t i = 0; i < bytes; i++)
        digest = (digest ^ byte[i]) * UINT64_C(1099511628211);
}

static void eat_floats(const float *values, size_t count)
{
    eat(values, count * sizeof *values);
}

static void add(const float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sum += values[i];
}

/* Number i of a set: a multiple of 1/4096 from -1/4 to 1/4. */
static float number(uint32_t set, uint32_t i)
{
    uint32_t u = (set * 4099 + i + 1) * UINT32_C(2654435769);
    u ^= u >> 15;
    u *= UINT32_C(739982445);
    u ^= u >> 12;
    return (float)((int32_t)(u >> 21) - 1024) / 4096;
}

/* The input of one stream at one time, elements from -1 to 1. */
static void input(float *x, uint32_t set, size_t time, size_t stream)
{
    for (size_t i = 0; i < INPUTS; i++)
        x[i] = 4 * number(set, (uint32_t)((time * STREAMS + stream) * INPUTS + i));
}

/* ---- Model ------------------------------------------------------------------------------------------------------- */

static void set_parameters(arnn_model *model)
{
    float values[MOST_ELEMENTS];
    for (size_t p = 0; p < arnn_model_parameter_count(model); p++) {
        const char *name;
        size_t rank, shape[2];
        must(arnn_model_parameter(model, &name, &rank, shape, p));
        for (size_t i = 0; i < shape[0] * shape[1]; i++)
            values[i] = number((uint32_t)p, (uint32_t)i);
        must(arnn_model_write(model, name, values, shape[0] * shape[1]));
    }
}

static arnn_model *make_model(void)
{
    arnn_model *model;
    arnn_model_desc desc;
    must(arnn_model_desc_default(&desc, sizeof desc));
    desc.cell = ARNN_CELL_GRU;
    desc.wiring = ARNN_WIRING_BESIDE;
    desc.score = ARNN_SCORE_DOT;
    desc.start_row = ARNN_START_ZERO;
    desc.recency = 1;
    desc.source = ARNN_SOURCE_HS;
    desc.scale = 0.25f;
    desc.inputs = INPUTS;
    desc.hidden = HIDDEN;
    desc.layers = LAYERS;
    desc.align = 16;
    desc.window = 24;
    desc.sinks = 2;
    desc.outputs = OUTPUTS;
    must(arnn_model_create(&model, &desc));
    set_parameters(model);
    return model;
}

static arnn_cache *make_cache(arnn_model *model)
{
    arnn_cache *cache;
    arnn_cache_desc desc;
    must(arnn_cache_desc_default(&desc, sizeof desc));
    desc.page_rows = 16;
    desc.streams = STREAMS;
    desc.rows = 64;
    must(arnn_cache_create(&cache, model, &desc));
    return cache;
}

/* ---- Streaming --------------------------------------------------------------------------------------------------- */

/* Stream b rests at every (b + 2)-nd time. */
static size_t awake(size_t *streams, size_t time)
{
    size_t count = 0;
    for (size_t b = 0; b < STREAMS; b++)
        if ((time + b) % (b + 2) != 0)
            streams[count++] = b;
    return count;
}

static void stream(arnn_state *state, size_t first, size_t steps)
{
    for (size_t time = first; time < first + steps; time++) {
        size_t streams[STREAMS], count = awake(streams, time);
        float x[STREAMS * INPUTS], y[STREAMS * OUTPUTS];
        for (size_t j = 0; j < count; j++)
            input(x + j * INPUTS, SET_STREAMED, time, streams[j]);
        const arnn_input in = {.struct_size = sizeof in, .x = x};
        const arnn_output out = {.struct_size = sizeof out, .y = {.data = y}};
        must(arnn_step(state, &out, &in, streams, count));
        eat_floats(y, count * OUTPUTS);
        add(y, count * OUTPUTS);
    }
}

/* The weights of the last step of every stream, top layer. */
static void eat_weights(const arnn_state *state)
{
    for (size_t b = 0; b < STREAMS; b++) {
        float weights[STREAMED], zero, logsumexp;
        size_t length;
        must(arnn_state_length(state, &length, b));
        must(arnn_state_weights(state, weights, &zero, &logsumexp, LAYERS - 1, b, length));
        eat_floats(weights, length);
        eat_floats(&zero, 1);
        eat_floats(&logsumexp, 1);
    }
}

/* What a stream is continued from: the newest rows of its tape, and the values that it carries. */
struct past {
    float rows[LAYERS][PAST][HIDDEN], s[LAYERS][HIDDEN], h[LAYERS][HIDDEN];
};

static void take(struct past *past, const arnn_state *state, size_t b)
{
    size_t length;
    must(arnn_state_length(state, &length, b));
    for (size_t layer = 0; layer < LAYERS; layer++) {
        must(arnn_state_rows(state, past->rows[layer][0], NULL, layer, b, length - PAST, PAST));
        must(arnn_state_get(state, past->s[layer], ARNN_VALUE_S, layer, b));
        must(arnn_state_get(state, past->h[layer], ARNN_VALUE_H, layer, b));
    }
    eat(past, sizeof *past);
}

static void give(const struct past *past, arnn_state *state, size_t b)
{
    must(arnn_state_append(state, b, past->rows[0][0], NULL, PAST));
    for (size_t layer = 0; layer < LAYERS; layer++) {
        must(arnn_state_set(state, ARNN_VALUE_S, layer, b, past->s[layer]));
        must(arnn_state_set(state, ARNN_VALUE_H, layer, b, past->h[layer]));
    }
}

/* ---- A whole sequence -------------------------------------------------------------------------------------------- */

static void run_sequence(arnn_state *state)
{
    static const size_t lengths[STREAMS] = {40, 0, SEQUENCE};
    static float x[SEQUENCE][STREAMS][INPUTS], y[SEQUENCE * STREAMS * OUTPUTS], s[SEQUENCE * STREAMS * HIDDEN];
    static float map[SEQUENCE * STREAMS * SEQUENCE], map_zero[SEQUENCE * STREAMS];
    for (size_t time = 0; time < SEQUENCE; time++)
        for (size_t b = 0; b < STREAMS; b++)
            input(x[time][b], SET_SEQUENCE, time, b);
    const arnn_input in = {.struct_size = sizeof in, .x = x[0][0]};
    const arnn_output out = {.struct_size = sizeof out, .y = {.data = y}, .s = {.data = s}, .map = {.data = map},
                             .map_zero = {.data = map_zero}, .map_layer = LAYERS - 1, .map_columns = SEQUENCE};
    must(arnn_forward(state, &out, &in, lengths, NULL, SEQUENCE, STREAMS));
    eat(y, sizeof y);
    eat(s, sizeof s);
    eat(map, sizeof map);
    eat(map_zero, sizeof map_zero);
    add(y, sizeof y / sizeof *y);
}

/* ---- Training ---------------------------------------------------------------------------------------------------- */

static arnn_trainer *make_trainer(arnn_model *model)
{
    arnn_trainer *trainer;
    arnn_trainer_desc desc;
    must(arnn_trainer_desc_default(&desc, sizeof desc));
    desc.loss = ARNN_LOSS_SQUARED_ERROR;
    desc.optimiser = ARNN_OPTIMISER_ADAMW;
    desc.weight_decay = 0.015625f;
    desc.clip = 0.5f;
    desc.dropout = 0.25f;
    desc.readout_dropout = 0.25f;
    desc.seed = 7;
    desc.streams = STREAMS;
    desc.steps = LEARNED;
    must(arnn_trainer_create(&trainer, model, &desc));
    return trainer;
}

static void evaluate(const arnn_trainer *trainer, const arnn_examples *examples, const char *what)
{
    arnn_training training;
    must(arnn_training_default(&training, sizeof training));
    must(arnn_trainer_evaluate(trainer, &training, examples));
    eat(&training.loss, sizeof training.loss);
    printf("%s %.6f\n", what, training.loss);
}

static void train(arnn_model *model)
{
    static const size_t lengths[STREAMS] = {LEARNED, 7, 0};
    static const float weights[STREAMS] = {1, 0.5f, 2};
    static float x[LEARNED][STREAMS][INPUTS], values[LEARNED * STREAMS * OUTPUTS];
    arnn_trainer *trainer = make_trainer(model);
    arnn_examples examples;
    arnn_training training;
    for (size_t time = 0; time < LEARNED; time++)
        for (size_t b = 0; b < STREAMS; b++)
            input(x[time][b], SET_LEARNED, time, b);
    for (uint32_t i = 0; i < LEARNED * STREAMS * OUTPUTS; i++)
        values[i] = 4 * number(SET_WANTED, i);
    must(arnn_examples_default(&examples, sizeof examples));
    must(arnn_training_default(&training, sizeof training));
    examples.x = x[0][0];
    examples.values = values;
    examples.lengths = lengths;
    examples.weights = weights;
    examples.steps = LEARNED;
    examples.count = STREAMS;
    evaluate(trainer, &examples, "loss before");
    for (int update = 0; update < UPDATES; update++) {
        must(arnn_trainer_step(trainer, &training, &examples, 0.015625f));
        eat(&training.loss, sizeof training.loss);
        eat(&training.norm, sizeof training.norm);
    }
    evaluate(trainer, &examples, "loss after");
    arnn_trainer_destroy(trainer);
}

/* ---- Files ------------------------------------------------------------------------------------------------------- */

static void eat_file(const char *path)
{
    char buffer[4096];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    for (size_t bytes; (bytes = fread(buffer, 1, sizeof buffer, file)) != 0;)
        eat(buffer, bytes);
    fclose(file);
}

static void say(const char *what)
{
    printf("%s %.6f\n", what, sum);
    sum = 0;
}

int main(int argc, char **argv)
{
    static struct past pasts[STREAMS];
    arnn_state *state;
    if (argc != 2)
        return 2;
    arnn_model *model = make_model();
    arnn_cache *cache = make_cache(model);
    must(arnn_state_create(&state, model, cache, STREAMS));
    stream(state, 0, STREAMED);
    say("streamed");
    eat_weights(state);
    for (size_t b = 0; b < STREAMS; b++)
        take(&pasts[b], state, b);
    must(arnn_state_reset(state, NULL, 0));
    run_sequence(state);
    say("sequence");
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);

    train(model);
    must(arnn_model_save(model, argv[1]));
    arnn_model_destroy(model);
    eat_file(argv[1]);
    must(arnn_model_load(&model, argv[1], NULL));
    cache = make_cache(model);
    must(arnn_state_create(&state, model, cache, STREAMS));
    for (size_t b = 0; b < STREAMS; b++)
        give(&pasts[b], state, b);
    stream(state, STREAMED, STREAMED_ON);
    say("streamed on");
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
    printf("digest %016llx\n", (unsigned long long)digest);
    return 0;
}

#include "api/api.h"

#include <math.h>

#include "base/memory.h"
#include "train/trainer.h"

/* ---- descriptions ---- */

static const arnn_trainer_desc defaults = {
    .struct_size = sizeof defaults,
    .optimiser = ARNN_OPTIMISER_ADAM,
    .threads = 1,
    .momentum = 0.9f,
    .second_momentum = 0.999f,
    .epsilon = 1e-8f,
    .clip = 1.0f,
    .streams = 32,
    .steps = 128,
};

arnn_status arnn_trainer_desc_default(arnn_trainer_desc *desc, size_t struct_size)
{
    ARNN_REQUIRE(desc);
    arnn_status status = arnn_check_struct("arnn_trainer_desc", struct_size, sizeof *desc);
    if (!status)
        *desc = defaults;
    return status;
}

arnn_status arnn_examples_default(arnn_examples *examples, size_t struct_size)
{
    ARNN_REQUIRE(examples);
    arnn_status status = arnn_check_struct("arnn_examples", struct_size, sizeof *examples);
    if (!status)
        *examples = (arnn_examples){.struct_size = sizeof *examples};
    return status;
}

arnn_status arnn_training_default(arnn_training *training, size_t struct_size)
{
    ARNN_REQUIRE(training);
    arnn_status status = arnn_check_struct("arnn_training", struct_size, sizeof *training);
    if (!status)
        *training = (arnn_training){.struct_size = sizeof *training};
    return status;
}

/* Numbers of arnn_trainer_desc and where each may lie: from `least` on, below `limit`. */
typedef struct range {
    const char *name;
    size_t offset;
    double least, limit;
    const char *words;
} range;

#define FIELD(name) #name, offsetof(arnn_trainer_desc, name)
static const range numbers[] = {
    {FIELD(momentum), 0.0, 1.0, "at least 0 and below 1"},
    {FIELD(second_momentum), 0.0, 1.0, "at least 0 and below 1"},
    {FIELD(epsilon), 1e-30, INFINITY, "above 1e-30 and finite"},
    {FIELD(weight_decay), 0.0, INFINITY, "at least 0 and finite"},
    {FIELD(clip), 0.0, INFINITY, "at least 0 and finite"},
    {FIELD(dropout), 0.0, 1.0, "at least 0 and below 1"},
    {FIELD(readout_dropout), 0.0, 1.0, "at least 0 and below 1"},
};

static const range choices[] = {
    {FIELD(loss), ARNN_LOSS_CROSS_ENTROPY, ARNN_LOSS_SQUARED_ERROR + 1, "0 or 1"},
    {FIELD(over), ARNN_OVER_STEPS, ARNN_OVER_MEAN + 1, "0 to 2"},
    {FIELD(optimiser), ARNN_OPTIMISER_SGD, ARNN_OPTIMISER_ADAMW + 1, "0 to 2"},
    {FIELD(reserved), 0, 1, "0"},
};

static arnn_status check_range(const range *range, double value)
{
    if (value >= range->least && value < range->limit)
        return ARNN_OK;
    return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %g, expected %s", range->name, value, range->words);
}

static arnn_status check_desc(const arnn_trainer_desc *desc)
{
    arnn_status status = arnn_check_struct("arnn_trainer_desc", desc->struct_size, sizeof *desc);
    const char *first = (const char *)desc;
    for (size_t i = 0; i < sizeof choices / sizeof *choices && !status; i++)
        status = check_range(&choices[i], (double)*(const int32_t *)(const void *)(first + choices[i].offset));
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && !status; i++)
        status = check_range(&numbers[i], (double)*(const float *)(const void *)(first + numbers[i].offset));
    if (!status)
        status = arnn_check_threads(desc->threads);
    if (!status && (desc->streams == 0 || desc->steps == 0))
        status = arnn_error(ARNN_INVALID_ARGUMENT, "room for %zu streams of %zu steps: nothing could be learnt",
                            desc->streams, desc->steps);
    return status;
}

arnn_status arnn_trainer_create(arnn_trainer **out, arnn_model *model, const arnn_trainer_desc *desc)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(model);
    if (!desc)
        desc = &defaults;
    arnn_status status = check_desc(desc);
    return status ? status : arnn_trainer_new(out, model, desc);
}

void arnn_trainer_destroy(arnn_trainer *trainer)
{
    arnn_trainer_release(trainer);
}

/* ---- examples ---- */

static arnn_status check_kind(const arnn_examples *examples, const arnn_trainer *trainer)
{
    bool of_tokens = trainer->loss->of_tokens;
    if ((examples->labels != NULL) == of_tokens && (examples->values != NULL) != of_tokens)
        return ARNN_OK;
    return arnn_error(ARNN_INVALID_ARGUMENT, "the loss is %s: give %s and leave the other NULL", trainer->loss->name,
                      of_tokens ? "labels" : "values");
}

static arnn_status check_weights(const arnn_examples *examples)
{
    for (size_t j = 0; examples->weights && j < examples->count; j++) {
        if (!(examples->weights[j] >= 0.0f) || isinf(examples->weights[j]))
            return arnn_error(ARNN_INVALID_ARGUMENT, "weights[%zu] is %g, expected a finite number of at least 0", j,
                              (double)examples->weights[j]);
    }
    return ARNN_OK;
}

/* Strides of labels or values: 0 is dense, and the last element's index is one. */
static arnn_status resolve(arnn_lesson *lesson, size_t width, bool each_step)
{
    size_t over_time, over_streams, last, steps = each_step ? lesson->sequence.steps : 1,
                                          count = lesson->sequence.count;
    const arnn_examples *examples = lesson->examples;
    lesson->wanted_stream_stride = examples->wanted_stream_stride ? examples->wanted_stream_stride : width;
    lesson->wanted_time_stride = examples->wanted_time_stride;
    bool fits = lesson->wanted_time_stride ||
                arnn_size_mul(&lesson->wanted_time_stride, count, lesson->wanted_stream_stride) || steps == 1;
    fits = fits && arnn_size_mul(&over_time, steps - 1, steps > 1 ? lesson->wanted_time_stride : 0) &&
           arnn_size_mul(&over_streams, count - 1, lesson->wanted_stream_stride) &&
           arnn_size_add(&last, over_time, over_streams) && arnn_size_add(&last, last, width) &&
           last <= PTRDIFF_MAX / sizeof(float);
    if (fits)
        return ARNN_OK;
    return arnn_error(ARNN_SHAPE, "wanted: strides %zu and %zu overflow the address space", lesson->wanted_time_stride,
                      lesson->wanted_stream_stride);
}

static arnn_status check_labels(const arnn_lesson *lesson, size_t outputs, bool each_step)
{
    for (size_t j = 0; lesson->examples->labels && j < lesson->sequence.count; j++) {
        size_t length = arnn_lesson_length(lesson, j);
        for (size_t t = 0; t < (each_step ? length : length > 0); t++) {
            int32_t label = lesson->examples->labels[t * lesson->wanted_time_stride + j * lesson->wanted_stream_stride];
            if (label >= 0 && (size_t)label >= outputs)
                return arnn_error(ARNN_INVALID_ARGUMENT, "label %d at time %zu of stream %zu, expected below %zu",
                                  (int)label, t, j, outputs);
        }
    }
    return ARNN_OK;
}

static arnn_status check_wanted(arnn_lesson *lesson, const arnn_trainer *trainer)
{
    size_t outputs = arnn_desc_output_width(&trainer->model->desc);
    bool each_step = trainer->desc.over == ARNN_OVER_STEPS;
    arnn_status status = resolve(lesson, lesson->examples->labels ? 1 : outputs, each_step);
    if (!status)
        status = check_labels(lesson, outputs, each_step);
    if (status)
        return status;
    lesson->weight = arnn_lesson_weight(lesson, trainer->desc.over);
    if (lesson->weight > 0.0)
        return ARNN_OK;
    return arnn_error(ARNN_INVALID_ARGUMENT, "nothing to learn from: the weights of all that counts sum to 0");
}

static arnn_status check_examples(arnn_lesson *lesson, const arnn_trainer *trainer, const arnn_examples *examples)
{
    arnn_status status = arnn_check_struct("arnn_examples", examples->struct_size, sizeof *examples);
    if (status)
        return status;
    *lesson = (arnn_lesson){.examples = examples};
    lesson->sequence.lengths = examples->lengths;
    lesson->sequence.steps = examples->steps;
    lesson->sequence.count = examples->count;
    lesson->sequence.in = (arnn_input){.struct_size = sizeof lesson->sequence.in,
                                       .x = examples->x,
                                       .tokens = examples->tokens,
                                       .time_stride = examples->time_stride,
                                       .stream_stride = examples->stream_stride};
    if ((examples->carry != 0 && examples->carry != 1) || examples->reserved != 0)
        return arnn_error(ARNN_INVALID_ARGUMENT, "carry is %d and reserved %d, expected 0 or 1, and 0",
                          (int)examples->carry, (int)examples->reserved);
    if (examples->count == 0 || examples->steps == 0)
        return arnn_error(ARNN_INVALID_ARGUMENT, "nothing to learn from: %zu streams of %zu steps", examples->count,
                          examples->steps);
    status = arnn_check_lengths(&lesson->sequence);
    if (!status)
        status = check_kind(examples, trainer);
    if (!status)
        status = check_weights(examples);
    if (!status)
        status = arnn_check_input(&lesson->sequence, &trainer->model->desc);
    return status ? status : check_wanted(lesson, trainer);
}

static arnn_status check_room(const arnn_lesson *lesson, const arnn_trainer *trainer)
{
    const arnn_sequence *sequence = &lesson->sequence;
    if (sequence->count <= trainer->desc.streams && sequence->steps <= trainer->desc.steps)
        return ARNN_OK;
    return arnn_error(ARNN_SHAPE, "%zu streams of %zu steps: the trainer has room for %zu of %zu", sequence->count,
                      sequence->steps, trainer->desc.streams, trainer->desc.steps);
}

static arnn_status check_training(const arnn_training *training)
{
    return training ? arnn_check_struct("arnn_training", training->struct_size, sizeof *training) : ARNN_OK;
}

static arnn_status check_rate(float rate)
{
    if (rate >= 0.0f && !isinf(rate))
        return ARNN_OK;
    return arnn_error(ARNN_INVALID_ARGUMENT, "the learning rate is %g, expected a finite number of at least 0",
                      (double)rate);
}

/* ---- calls ---- */

static arnn_status learn(arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples)
{
    arnn_lesson lesson;
    arnn_status status = check_examples(&lesson, trainer, examples);
    if (!status)
        status = check_room(&lesson, trainer);
    return status ? status : arnn_trainer_learn(trainer, training, &lesson);
}

/* What was learnt, to a caller who wants to know. */
static void give(arnn_training *training, const arnn_training *own)
{
    if (training)
        *training = *own;
}

arnn_status arnn_trainer_step(arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples, float rate)
{
    arnn_training own = {.struct_size = sizeof own};
    ARNN_REQUIRE(trainer);
    ARNN_REQUIRE(examples);
    arnn_status status = check_training(training);
    if (!status)
        status = check_rate(rate);
    if (!status)
        status = arnn_trainer_idle(trainer);
    if (!status)
        status = learn(trainer, &own, examples);
    if (!status)
        status = arnn_trainer_apply(trainer, own.norm, rate);
    if (!status)
        give(training, &own);
    return status;
}

arnn_status arnn_trainer_gradients(arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples)
{
    arnn_training own = {.struct_size = sizeof own};
    ARNN_REQUIRE(trainer);
    ARNN_REQUIRE(examples);
    arnn_status status = check_training(training);
    if (!status)
        status = learn(trainer, &own, examples);
    if (!status)
        give(training, &own);
    return status;
}

arnn_status arnn_trainer_update(arnn_trainer *trainer, double *norm, float rate)
{
    double measured;
    ARNN_REQUIRE(trainer);
    arnn_status status = check_rate(rate);
    if (!status && !trainer->has_gradient)
        status = arnn_error(ARNN_UNSUPPORTED, "no gradient was made since update %llu",
                            (unsigned long long)trainer->updates);
    if (!status)
        status = arnn_trainer_measure(trainer, &measured); /* the caller may have changed it */
    if (!status)
        status = arnn_trainer_apply(trainer, measured, rate);
    if (!status && norm)
        *norm = measured;
    return status;
}

float *arnn_trainer_gradient(arnn_trainer *trainer)
{
    return trainer ? trainer->gradients : NULL;
}

uint64_t arnn_trainer_updates(const arnn_trainer *trainer)
{
    return trainer ? trainer->updates : 0;
}

arnn_status arnn_trainer_evaluate(const arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples)
{
    arnn_lesson lesson;
    arnn_training own = {.struct_size = sizeof own};
    ARNN_REQUIRE(trainer);
    ARNN_REQUIRE(training);
    ARNN_REQUIRE(examples);
    arnn_status status = check_training(training);
    if (!status)
        status = check_examples(&lesson, trainer, examples);
    if (!status)
        status = arnn_trainer_judge(trainer, &own, &lesson);
    if (!status)
        give(training, &own);
    return status;
}

arnn_status arnn_trainer_save(const arnn_trainer *trainer, const char *path)
{
    ARNN_REQUIRE(trainer);
    ARNN_REQUIRE(path);
    return arnn_checkpoint_write(trainer, path);
}

arnn_status arnn_trainer_load(arnn_trainer *trainer, const char *path)
{
    ARNN_REQUIRE(trainer);
    ARNN_REQUIRE(path);
    return arnn_checkpoint_read(trainer, path);
}

#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "train/feed.h"

static arnn_status make_record(arnn_trainer *trainer)
{
    const arnn_trainer_desc *desc = &trainer->desc;
    arnn_record_desc record = {
        .struct_size = sizeof record,
        .threads = desc->threads,
        .streams = desc->streams,
        .steps = desc->steps,
        .past = desc->past,
    };
    return arnn_record_new(&trainer->record, trainer->model, &record);
}

static arnn_status make_buffers(arnn_trainer *trainer)
{
    size_t count = trainer->model->parameters.values_count, n = trainer->model->desc.hidden, means = 0;
    bool made = true;
    trainer->gradients = arnn_alloc_floats(count);
    for (size_t i = 0; i < trainer->optimiser->moments; i++)
        made = (trainer->moments[i] = arnn_alloc_floats(count)) && made;
    if (trainer->desc.over == ARNN_OVER_MEAN && arnn_size_mul(&means, trainer->desc.streams, 2 * n)) {
        made = (trainer->means = arnn_alloc_floats(means)) && made;
        made = (trainer->dmeans = arnn_alloc_floats(means)) && made;
    }
    return trainer->gradients && made ? ARNN_OK : arnn_error_no_memory("gradients and moments");
}

arnn_status arnn_trainer_new(arnn_trainer **out, arnn_model *model, const arnn_trainer_desc *desc)
{
    *out = NULL;
    arnn_trainer *trainer = arnn_alloc(1, sizeof *trainer);
    if (!trainer)
        return arnn_error_no_memory("a trainer");
    trainer->desc = *desc;
    trainer->model = model;
    arnn_model_retain(model);
    trainer->optimiser = arnn_optimiser_of(desc->optimiser);
    trainer->loss = arnn_loss_of(desc->loss);
    arnn_status status = make_record(trainer);
    if (!status)
        status = make_buffers(trainer);
    if (!status)
        status = arnn_head_create(&trainer->head, model, trainer->loss);
    if (!status)
        trainer->head.threads = trainer->record->state->threads;
    if (status)
        arnn_trainer_release(trainer);
    else
        *out = trainer;
    return status;
}

void arnn_trainer_release(arnn_trainer *trainer)
{
    if (!trainer)
        return;
    arnn_head_destroy(&trainer->head);
    arnn_record_release(trainer->record);
    arnn_free(trainer->gradients);
    for (size_t i = 0; i < ARNN_MOMENTS; i++)
        arnn_free(trainer->moments[i]);
    arnn_free(trainer->means);
    arnn_free(trainer->dmeans);
    arnn_model_release(trainer->model);
    arnn_free(trainer);
}

arnn_status arnn_trainer_idle(const arnn_trainer *trainer)
{
    arnn_model *model = trainer->model;
    pthread_mutex_lock(&model->mutex);
    size_t states = model->states;
    pthread_mutex_unlock(&model->mutex);
    if (states > 0)
        return arnn_error(ARNN_BUSY, "%zu states rest on the model: its parameters cannot change", states);
    return ARNN_OK;
}

/* ---- what is not finite, by name ---- */

static const char *not_finite(const arnn_trainer *trainer, const float *values)
{
    const arnn_parameters *parameters = &trainer->model->parameters;
    for (size_t i = 0; i < parameters->count; i++) {
        const arnn_parameter *parameter = &parameters->list[i];
        const float *first = values + (parameter->values - parameters->values);
        for (size_t j = 0; j < parameter->count; j++) {
            if (!isfinite(first[j]))
                return parameter->name;
        }
    }
    return NULL;
}

static arnn_status check_loss(const arnn_trainer *trainer)
{
    if (isfinite(trainer->head.sums.loss))
        return ARNN_OK;
    const char *name = not_finite(trainer, trainer->model->parameters.values);
    return arnn_error(ARNN_INVALID_ARGUMENT, "the loss is %g; %s%s", trainer->head.sums.loss,
                      name ? name : "every parameter is finite: the input is not, or outputs overflow",
                      name ? " is not finite" : "");
}

static arnn_threads *threads_of(const arnn_trainer *trainer)
{
    return trainer->record->state->threads;
}

/* Squares of floats do not overflow a double: the norm is finite where all gradients are. */
arnn_status arnn_trainer_measure(const arnn_trainer *trainer, double *norm)
{
    *norm = arnn_norm(threads_of(trainer), trainer->gradients, trainer->model->parameters.values_count);
    const char *name = isfinite(*norm) ? NULL : not_finite(trainer, trainer->gradients);
    return name ? arnn_error(ARNN_INVALID_ARGUMENT, "the gradient of %s is not finite", name) : ARNN_OK;
}

/* ---- learning ---- */

void arnn_trainer_forget(arnn_trainer *trainer)
{
    trainer->has_gradient = false;
    for (size_t stream = 0; stream < trainer->record->streams; stream++)
        arnn_state_clear(trainer->record->state, stream);
}

static arnn_mask mask_of(const arnn_trainer *trainer, float rate)
{
    return (arnn_mask){.rate = rate, .seed = trainer->desc.seed, .update = trainer->updates};
}

static void drop(void *context, size_t layer, size_t stream, size_t time, float *x, size_t width)
{
    const arnn_trainer *trainer = context;
    arnn_mask mask = mask_of(trainer, trainer->desc.dropout);
    arnn_mask_row(x, x, &mask, layer, time, stream, width);
}

static arnn_feed feed_of(const arnn_trainer *trainer, const arnn_lesson *lesson, size_t stream)
{
    size_t length = arnn_lesson_length(lesson, stream), n = trainer->model->desc.hidden;
    return (arnn_feed){
        .stream = stream,
        .count = length,
        .length = length,
        .h = arnn_record_top_h(trainer->record, stream),
        .s = arnn_record_top_s(trainer->record, stream),
        .dh = arnn_record_top_dh(trainer->record, stream),
        .ds = arnn_record_top_ds(trainer->record, stream),
        .mean = trainer->means ? trainer->means + stream * 2 * n : NULL,
        .dmean = trainer->dmeans ? trainer->dmeans + stream * 2 * n : NULL,
    };
}

static void clear_means(arnn_trainer *trainer)
{
    size_t bytes = trainer->desc.streams * 2 * trainer->model->desc.hidden * sizeof(float);
    if (trainer->means) {
        memset(trainer->means, 0, bytes);
        memset(trainer->dmeans, 0, bytes);
    }
}

/* The readout, its loss and its gradients; the rest's errors are left in the record. */
static void read_out(arnn_trainer *trainer, const arnn_lesson *lesson)
{
    arnn_mask mask = mask_of(trainer, trainer->desc.readout_dropout);
    int32_t over = trainer->desc.over;
    clear_means(trainer);
    arnn_record_clear(trainer->record);
    arnn_head_begin(&trainer->head, (float)(1.0 / lesson->weight), trainer->gradients, &mask);
    for (size_t j = 0; j < lesson->sequence.count; j++) {
        arnn_feed feed = feed_of(trainer, lesson, j);
        arnn_feed_head(&trainer->head, lesson, over, &feed);
    }
    arnn_head_finish(&trainer->head);
    for (size_t j = 0; j < lesson->sequence.count; j++) {
        arnn_feed feed = feed_of(trainer, lesson, j);
        arnn_feed_return(&feed, over, trainer->model->desc.hidden);
    }
}

static arnn_status record(arnn_trainer *trainer, const arnn_lesson *lesson)
{
    trainer->has_gradient = false;
    if (!lesson->examples->carry)
        arnn_trainer_forget(trainer);
    trainer->record->dropout = (arnn_dropout){trainer, trainer->desc.dropout > 0.0f ? drop : NULL};
    return arnn_record_run(trainer->record, &lesson->sequence);
}

arnn_status arnn_trainer_learn(arnn_trainer *trainer, arnn_training *training, const arnn_lesson *lesson)
{
    double norm;
    arnn_status status = record(trainer, lesson);
    if (status)
        return status;
    memset(trainer->gradients, 0, trainer->model->parameters.values_count * sizeof *trainer->gradients);
    read_out(trainer, lesson);
    status = check_loss(trainer);
    if (!status)
        status = arnn_record_return(trainer->record, trainer->gradients);
    if (!status)
        status = arnn_trainer_measure(trainer, &norm);
    if (status) {
        arnn_trainer_forget(trainer);
        return status;
    }
    trainer->has_gradient = true;
    arnn_training_write(training, &trainer->head, lesson);
    training->norm = norm;
    return ARNN_OK;
}

/* ---- updating ---- */

static float clipping(const arnn_trainer *trainer, double norm)
{
    double clip = (double)trainer->desc.clip;
    return clip > 0.0 && norm > clip ? (float)(clip / norm) : 1.0f;
}

arnn_status arnn_trainer_apply(arnn_trainer *trainer, double norm, float rate)
{
    arnn_parameters *parameters = &trainer->model->parameters;
    arnn_status status = arnn_model_change(trainer->model);
    if (status)
        return status;
    arnn_update update = {
        .rate = rate,
        .momentum = trainer->desc.momentum,
        .second_momentum = trainer->desc.second_momentum,
        .epsilon = trainer->desc.epsilon,
        .weight_decay = trainer->desc.weight_decay,
        .scale = clipping(trainer, norm),
        .count = ++trainer->updates,
    };
    arnn_optimise(threads_of(trainer), trainer->optimiser, parameters->values, trainer->moments, trainer->gradients,
                  parameters->values_count, &update);
    trainer->has_gradient = false;
    return ARNN_OK;
}

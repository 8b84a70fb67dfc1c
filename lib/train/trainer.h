/* The trainer: a model that it changes, a record of its last call, a gradient, moments. */
#ifndef ARNN_TRAIN_TRAINER_H
#define ARNN_TRAIN_TRAINER_H

#include "run/sequence.h"
#include "train/head.h"
#include "train/optimiser.h"
#include "train/record.h"

struct arnn_trainer {
    arnn_model *model;
    arnn_trainer_desc desc;
    const arnn_optimiser *optimiser;
    const arnn_loss *loss;
    arnn_record *record;
    float *gradients;             /* of all parameters, laid out as they are */
    float *moments[ARNN_MOMENTS]; /* the same; NULL beyond those of the optimiser */
    uint64_t updates;
    bool has_gradient; /* made since the last update */
    arnn_head head;
    float *means, *dmeans; /* (streams, 2 n): of h and s, over mean; else NULL */
};

/* A call's examples, checked, every stride set. */
typedef struct arnn_lesson {
    arnn_sequence sequence; /* without outputs */
    const arnn_examples *examples;
    size_t wanted_time_stride, wanted_stream_stride;
    double weight; /* sum w, above 0 */
} arnn_lesson;

/* desc: checked. */
arnn_status arnn_trainer_new(arnn_trainer **out, arnn_model *model, const arnn_trainer_desc *desc);
void arnn_trainer_release(arnn_trainer *trainer);

size_t arnn_lesson_length(const arnn_lesson *lesson, size_t stream);

/* The sum of weights of what counts. */
double arnn_lesson_weight(const arnn_lesson *lesson, int32_t over);

/* Whether the model's parameters may change now: ARNN_BUSY otherwise. */
arnn_status arnn_trainer_idle(const arnn_trainer *trainer);

/* Forward, loss and backward. Not finite: an error, and the streams are emptied. */
arnn_status arnn_trainer_learn(arnn_trainer *trainer, arnn_training *training, const arnn_lesson *lesson);

/* The norm of the gradient. Not finite: an error. */
arnn_status arnn_trainer_measure(const arnn_trainer *trainer, double *norm);

/* Clips by this norm and updates from the gradient, which is used up. */
arnn_status arnn_trainer_apply(arnn_trainer *trainer, double norm, float rate);

/* Empties the streams, and forgets the gradient. */
void arnn_trainer_forget(arnn_trainer *trainer);

/* evaluate.c */
arnn_status arnn_trainer_judge(const arnn_trainer *trainer, arnn_training *training, const arnn_lesson *lesson);

/* checkpoint.c */
arnn_status arnn_checkpoint_write(const arnn_trainer *trainer, const char *path);
arnn_status arnn_checkpoint_read(arnn_trainer *trainer, const char *path);

#endif

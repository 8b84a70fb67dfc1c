/* A model: its description, its parameters, and what steps make of them. */
#ifndef ARNN_MODEL_MODEL_H
#define ARNN_MODEL_MODEL_H

#include <pthread.h>
#include <stdatomic.h>

#include "cells/cell.h"
#include "kernels/kernels.h"
#include "model/description.h"
#include "model/parameters.h"
#include "model/ready.h"

struct arnn_model {
    atomic_size_t references; /* handles that keep it alive: the caller's, caches, states */
    arnn_model_desc desc;     /* resolved */
    const arnn_cell *cell;
    const arnn_kernels *kernels;
    arnn_parameters parameters;

    int32_t weight_type;   /* to which ready weights are rounded */
    pthread_mutex_t mutex; /* guards what follows, while states are made and ended by different threads */
    size_t states;         /* that rest on it: while there are any, parameters do not change */
    size_t changes;        /* of parameters, so far */
    arnn_ready *ready;     /* made for the first state; NULL: not yet */
    bool stale;            /* parameters have changed since */
};

arnn_status arnn_model_new(arnn_model **out, const arnn_model_desc *desc);
void arnn_model_retain(arnn_model *model);
void arnn_model_release(arnn_model *model);

/* A state begins and ends to rest on the model. Beginning makes the parameters ready if they are not. */
arnn_status arnn_model_lock(arnn_model *model);
void arnn_model_unlock(arnn_model *model);

/* Makes parameters ready where they are not, for who uses them without resting on the model. threads share that out;
   NULL: none but the caller's. */
arnn_status arnn_model_refresh(arnn_model *model, arnn_threads *threads);

/* Asks to change parameters: ARNN_BUSY while a state rests on the model, else what was made ready is made
   anew before it is used. */
arnn_status arnn_model_change(arnn_model *model);

#endif

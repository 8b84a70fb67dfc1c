#include "model/model.h"

#include "base/memory.h"
#include "model/tables.h"

arnn_status arnn_model_new(arnn_model **out, const arnn_model_desc *desc)
{
    arnn_model_desc resolved;
    *out = NULL;
    arnn_status status = arnn_desc_resolve(&resolved, desc);
    if (status)
        return status;
    arnn_model *model = arnn_alloc(1, sizeof *model);
    if (!model)
        return arnn_error_no_memory("a model");
    if (pthread_mutex_init(&model->mutex, NULL) != 0) {
        arnn_free(model);
        return arnn_error_no_memory("a mutex");
    }
    atomic_init(&model->references, 1);
    model->desc = resolved;
    model->cell = arnn_cell_of(resolved.cell);
    status = arnn_tables_choose(&model->kernels);
    if (!status)
        status = arnn_parameters_create(&model->parameters, &resolved);
    if (status)
        arnn_model_release(model);
    else
        *out = model;
    return status;
}

void arnn_model_retain(arnn_model *model)
{
    atomic_fetch_add(&model->references, 1);
}

void arnn_model_release(arnn_model *model)
{
    if (!model || atomic_fetch_sub(&model->references, 1) != 1)
        return;
    arnn_ready_destroy(model->ready);
    arnn_parameters_destroy(&model->parameters);
    pthread_mutex_destroy(&model->mutex);
    arnn_free(model);
}

static arnn_status make_ready(arnn_model *model, size_t states, arnn_threads *threads)
{
    arnn_status status = ARNN_OK;
    pthread_mutex_lock(&model->mutex);
    if (!model->ready || model->stale)
        status = arnn_ready_make(&model->ready, model, threads);
    model->stale = false;
    if (!status)
        model->states += states;
    pthread_mutex_unlock(&model->mutex);
    return status;
}

arnn_status arnn_model_lock(arnn_model *model)
{
    return make_ready(model, 1, NULL);
}

arnn_status arnn_model_refresh(arnn_model *model, arnn_threads *threads)
{
    return make_ready(model, 0, threads);
}

void arnn_model_unlock(arnn_model *model)
{
    pthread_mutex_lock(&model->mutex);
    model->states--;
    pthread_mutex_unlock(&model->mutex);
}

arnn_status arnn_model_change(arnn_model *model)
{
    pthread_mutex_lock(&model->mutex);
    size_t states = model->states;
    if (states == 0) {
        model->stale = true;
        model->changes++;
    }
    pthread_mutex_unlock(&model->mutex);
    if (states > 0)
        return arnn_error(ARNN_BUSY, "%zu states rest on the model: its parameters cannot change", states);
    return ARNN_OK;
}

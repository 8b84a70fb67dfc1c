/* A layer's parameters, turned: the backward pass multiplies by transposes of what the forward pass multiplies by. */
#include "train/pass.h"

/* affine = the transpose of columns 0 .. outputs-1 of matrix (inputs, ..), rows a stride apart. */
static void turn(const arnn_pass *pass, arnn_affine *affine, float *memory, const float *matrix, size_t stride,
                 size_t inputs, size_t outputs)
{
    arnn_packed *part = &affine->parts[ARNN_FROM_BELOW];
    affine->outputs = outputs;
    *part = (arnn_packed){.outputs = outputs, .inputs = inputs, .values = memory};
    pass->kernels->pack_turned(part, matrix, stride);
}

arnn_status arnn_turn_parameters(const arnn_pass *pass)
{
    arnn_layer_work *layer = &pass->work->layer;
    size_t n = pass->n, ih = pass->inputs + (pass->wiring->carries_h ? n : 0);
    turn(pass, &layer->recurrent, layer->packed[0], pass->hh.values, n, pass->gates, n);
    if (pass->wiring->carries_h)
        turn(pass, &layer->summary, layer->packed[1], pass->ih.values + pass->inputs, ih, pass->gates, n);
    if (!pass->query)
        return ARNN_OK;
    const arnn_score_weights weights = arnn_ready_score(pass->record->model, pass->layer);
    arnn_status status = arnn_score_of(pass->desc->score)->fold(layer->folded, &weights);
    if (status)
        return status;
    turn(pass, &layer->query, layer->packed[2], layer->folded + pass->z - n, pass->z, pass->query, n);
    if (pass->keys)
        turn(pass, &layer->key, layer->packed[3], pass->attn_key.values, n, pass->keys, n);
    return ARNN_OK;
}

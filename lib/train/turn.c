/* A layer's parameters, turned: the backward pass multiplies by transposes of what the forward pass multiplies by. */
#include "train/pass.h"

/* packed = the transpose of columns 0 .. outputs-1 of matrix (inputs, ..), rows a stride apart. */
static void pack_turned(const arnn_pass *pass, arnn_packed *packed, float *memory, const float *matrix, size_t stride,
                        size_t inputs, size_t outputs)
{
    float *turned = pass->work->transposed;
    for (size_t o = 0; o < outputs; o++) {
        for (size_t i = 0; i < inputs; i++)
            turned[o * inputs + i] = matrix[i * stride + o];
    }
    *packed = (arnn_packed){.outputs = outputs, .inputs = inputs, .values = memory};
    pass->kernels->pack(packed, turned, inputs);
}

arnn_status arnn_turn_parameters(const arnn_pass *pass)
{
    arnn_layer_work *layer = &pass->work->layer;
    size_t n = pass->n, ih = pass->inputs + (pass->wiring->carries_h ? n : 0);
    pack_turned(pass, &layer->recurrent, layer->packed[0], pass->hh.values, n, pass->gates, n);
    if (pass->wiring->carries_h)
        pack_turned(pass, &layer->summary, layer->packed[1], pass->ih.values + pass->inputs, ih, pass->gates, n);
    if (!pass->query)
        return ARNN_OK;
    const arnn_score_weights weights = arnn_ready_score(pass->record->model, pass->layer);
    arnn_status status = arnn_score_of(pass->desc->score)->fold(layer->folded, &weights);
    if (status)
        return status;
    pack_turned(pass, &layer->query, layer->packed[2], layer->folded + pass->z - n, pass->z, pass->query, n);
    if (pass->keys)
        pack_turned(pass, &layer->key, layer->packed[3], pass->attn_key.values, n, pass->keys, n);
    return ARNN_OK;
}

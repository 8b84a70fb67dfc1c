/* A layer's parameters, turned: the backward pass multiplies by transposes of what the forward pass multiplies by. */
#include <string.h>

#include "train/pass.h"

/* affine = the transpose of columns 0 .. outputs-1 of matrix (inputs, ..), rows a stride apart. */
static void turn(const arnn_pass *pass, arnn_affine *affine, float *memory, const float *matrix, size_t stride,
                 size_t inputs, size_t outputs)
{
    arnn_packed *part = &affine->parts[ARNN_FROM_BELOW];
    affine->outputs = outputs;
    *part = (arnn_packed){.outputs = outputs, .inputs = inputs, .values = memory};
    arnn_packed_fill(part, pass->kernels, pass->record->state->threads, matrix, stride, true);
}

/* ---- W ---- */

/* Rows of scale W_K' W_Q. */
static void fold_rows(void *context, size_t item, size_t worker)
{
    const arnn_pass *pass = context;
    size_t n = pass->n, z = pass->z;
    arnn_piece at = arnn_piece_of(n, ARNN_PART_ROWS, item);
    float *rows = pass->work->layer.folded + at.first * z;
    (void)worker;
    memset(rows, 0, at.count * z * sizeof *rows);
    pass->kernels->multiply(rows, z, (arnn_operand){pass->attn_key.values + at.first, n, true},
                            (arnn_operand){pass->attn_query.values, z, false}, at.count, z, pass->desc->align);
    for (size_t i = 0; i < at.count * z; i++)
        rows[i] *= pass->desc->scale;
}

/* The fold of dot scores is a product, which threads share out here; those of others are copies. */
static arnn_status fold(const arnn_pass *pass)
{
    const arnn_score_weights weights = arnn_ready_score(pass->record->model, pass->layer);
    arnn_pass own = *pass;
    if (pass->keys || !pass->attn_key.values)
        return arnn_score_of(pass->desc->score)->fold(pass->work->layer.folded, &weights);
    arnn_threads_run(pass->record->state->threads, fold_rows, &own, arnn_pieces(pass->n, ARNN_PART_ROWS), false);
    return ARNN_OK;
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
    arnn_status status = fold(pass);
    if (status)
        return status;
    turn(pass, &layer->query, layer->packed[2], layer->folded + pass->z - n, pass->z, pass->query, n);
    if (pass->keys)
        turn(pass, &layer->key, layer->packed[3], pass->attn_key.values, n, pass->keys, n);
    return ARNN_OK;
}

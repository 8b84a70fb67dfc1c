#include "run/product.h"

typedef struct product {
    const arnn_affine *affine;
    const arnn_kernels *kernels;
    const arnn_inputs *inputs;
    float *y;
    size_t rows;
} product;

size_t arnn_affine_weights(const arnn_affine *affine, const arnn_inputs *inputs)
{
    size_t width = 0;
    for (size_t s = 0; s < ARNN_SOURCES; s++)
        width += inputs && !inputs->values[s] ? 0 : affine->parts[s].inputs;
    return width * affine->outputs;
}

static void add_part(void *context, size_t item, size_t worker)
{
    const product *self = context;
    (void)worker;
    arnn_affine_add_part(self->affine, self->kernels, self->y, self->inputs, self->rows, item);
}

void arnn_product_add(const arnn_order *order, const arnn_affine *affine, const arnn_kernels *kernels, float *y,
                      const arnn_inputs *inputs, size_t rows)
{
    product whole = {affine, kernels, inputs, y, rows};
    size_t weights = arnn_affine_weights(affine, inputs), parts = arnn_pieces(affine->outputs, ARNN_PART_OUTPUTS);
    bool shared = order->threads && ARNN_WORK_PRODUCT(weights, rows) >= ARNN_WORK_SHARED;
    if (shared || (kernels->shares && weights >= ARNN_LEFT_WEIGHTS))
        arnn_threads_run(shared ? order->threads : NULL, add_part, &whole, parts, order->back);
    else
        arnn_affine_add(affine, kernels, y, inputs, rows);
}

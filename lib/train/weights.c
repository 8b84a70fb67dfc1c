/* Gradients of the cell's matrices: one product over all steps of every stream, stream after stream. And of what they
   are multiplied with. */
#include <string.h>

#include "train/pass.h"

void arnn_input_return(const arnn_pass *pass, size_t stream, size_t t, size_t count)
{
    size_t x = pass->inputs, stride = x + (pass->wiring->carries_h ? pass->n : 0);
    float *dx = arnn_row(pass, pass->record->dx, x, stream, t);
    memset(dx, 0, count * x * sizeof *dx);
    pass->kernels->multiply(dx, x, (arnn_operand){arnn_row(pass, pass->dp, pass->gates, stream, t), pass->gates, false},
                            (arnn_operand){pass->ih.values, stride, false}, count, x, pass->gates);
    if (pass->query)
        arnn_attention_input(pass, stream, t, count);
}

/* sums (count) += the sum of rows */
static void add_rows(float *sums, const float *rows, size_t stride, size_t count, size_t steps)
{
    for (size_t t = 0; t < steps; t++)
        arnn_add_scaled(sums, 1.0f, rows + t * stride, count);
}

/* What the weights of x, and in `beside` of s, are owed. */
static void add_input(const arnn_pass *pass, size_t stream, size_t first, size_t count)
{
    size_t n = pass->n, x = pass->inputs, steps = pass->record->lengths[stream];
    size_t stride = x + (pass->wiring->carries_h ? n : 0);
    const arnn_inputs inputs = arnn_step_inputs(pass, stream, 0);
    const arnn_operand dp = {arnn_row(pass, pass->dp, pass->gates, stream, 0) + first, pass->gates, true};
    float *to = pass->ih.gradient + first * stride;
    pass->kernels->multiply(to, stride, dp, (arnn_operand){inputs.values[ARNN_FROM_BELOW], x, false}, count, x, steps);
    if (pass->wiring->carries_h)
        pass->kernels->multiply(to + x, stride, dp, (arnn_operand){inputs.values[ARNN_FROM_SUMMARY], n, false}, count,
                                n, steps);
    add_rows(pass->bias_ih.gradient + first, dp.values, pass->gates, count, steps);
}

static void add_recurrent(const arnn_pass *pass, size_t stream, size_t first, size_t count)
{
    size_t n = pass->n, gates = pass->gates, steps = pass->record->lengths[stream];
    const float *dp = arnn_row(pass, pass->dp_recurrent, gates, stream, 0) + first;
    for (size_t t = 0, some; t < steps; t += some) {
        const float *carried;
        some = arnn_carried(pass, &carried, stream, t, steps - t);
        pass->kernels->multiply(pass->hh.gradient + first * n, n, (arnn_operand){dp + t * gates, gates, true},
                                (arnn_operand){carried, n, false}, count, n, some);
    }
    add_rows(pass->bias_hh.gradient + first, dp, gates, count, steps);
}

void arnn_cell_weights(const arnn_pass *pass, size_t first, size_t count)
{
    for (size_t stream = 0; stream < pass->record->count; stream++) {
        add_input(pass, stream, first, count);
        add_recurrent(pass, stream, first, count);
    }
}

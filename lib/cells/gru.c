/* GRU (Cho et al. 2014, in the form of PyTorch): r, u = sigmoid(..), g = tanh(W_ig x + b_ig + r * (W_hg s + b_hg)),
   h = (1-u) * g + u * s. Gate order r, u, g. */
#include <string.h>

#include "base/loops.h"
#include "cells/cell.h"

static void forward(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->gru(step);
}

/* r, u, g and b = W_hg s + b_hg */
static void activate(const arnn_kernels *kernels, float *gates, const float *input, const float *recurrent,
                     const float *m, size_t rows, size_t n)
{
    (void)m;
    for (size_t row = 0; row < rows; row++, gates += 4 * n, input += 3 * n, recurrent += 3 * n) {
        float *g = gates + 2 * n, *b = gates + 3 * n;
        for (size_t i = 0; i < 2 * n; i++)
            gates[i] = input[i] + recurrent[i];
        kernels->sigmoid(gates, 2 * n);
        memcpy(b, recurrent + 2 * n, n * sizeof *b);
        for (size_t i = 0; i < n; i++)
            g[i] = input[2 * n + i] + gates[i] * b[i];
        kernels->tanh(g, n);
    }
}

/* dg' = dh (1-u) (1-g^2), du' = dh (s-g) u (1-u), dr' = dg' b r (1-r); the recurrent side has r dg' in place of dg' */
static void backward(const arnn_cell_owed *owed)
{
    size_t n = owed->hidden;
    const float *r = owed->gates, *u = r + n, *g = u + n, *b = g + n;
    ARNN_APART
    for (size_t i = 0; i < n; i++) {
        float dg = owed->dh[i] * (1.0f - u[i]) * (1.0f - g[i] * g[i]);
        float du = owed->dh[i] * (owed->carried[i] - g[i]) * u[i] * (1.0f - u[i]);
        float dr = dg * b[i] * r[i] * (1.0f - r[i]);
        owed->dp_input[i] = owed->dp_recurrent[i] = dr;
        owed->dp_input[n + i] = owed->dp_recurrent[n + i] = du;
        owed->dp_input[2 * n + i] = dg;
        owed->dp_recurrent[2 * n + i] = r[i] * dg;
        owed->dcarried[i] = u[i] * owed->dh[i];
    }
}

const arnn_cell arnn_cell_gru = {
    .name = "gru",
    .gates = 3,
    .bounded = true,
    .splits = true,
    .kept = 4,
    .forward = forward,
    .activate = activate,
    .backward = backward,
};

/* LSTM (Hochreiter and Schmidhuber 1997, with forget gate): m = f * m_prev + i * g, h = o * tanh(m). Gate order i, f,
   g, o. */
#include <string.h>

#include "base/loops.h"
#include "cells/cell.h"

static void forward(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->lstm(step);
}

/* i, f, g, o and tanh(m) */
static void activate(const arnn_kernels *kernels, float *gates, const float *input, const float *recurrent,
                     const float *m, size_t rows, size_t n)
{
    (void)recurrent; /* they are summed */
    for (size_t row = 0; row < rows; row++, gates += 5 * n, input += 4 * n, m += n) {
        memcpy(gates, input, 4 * n * sizeof *gates);
        kernels->sigmoid(gates, 2 * n);
        kernels->tanh(gates + 2 * n, n);
        kernels->sigmoid(gates + 3 * n, n);
        memcpy(gates + 4 * n, m, n * sizeof *m);
        kernels->tanh(gates + 4 * n, n);
    }
}

/* dm = (from later) + dh o (1 - t^2), t = tanh(m) */
static void backward(const arnn_cell_owed *owed)
{
    size_t n = owed->hidden;
    const float *i = owed->gates, *f = i + n, *g = f + n, *o = g + n, *t = o + n;
    float *dp = owed->dp_input;
    memset(owed->dcarried, 0, n * sizeof *owed->dcarried);
    ARNN_APART
    for (size_t j = 0; j < n; j++) {
        float dm = owed->dm[j] + owed->dh[j] * o[j] * (1.0f - t[j] * t[j]);
        dp[j] = dm * g[j] * i[j] * (1.0f - i[j]);
        dp[n + j] = dm * owed->m_prev[j] * f[j] * (1.0f - f[j]);
        dp[2 * n + j] = dm * i[j] * (1.0f - g[j] * g[j]);
        dp[3 * n + j] = owed->dh[j] * t[j] * o[j] * (1.0f - o[j]);
        owed->dm_prev[j] = dm * f[j];
    }
}

const arnn_cell arnn_cell_lstm = {
    .name = "lstm",
    .gates = 4,
    .has_memory = true,
    .bounded = true,
    .kept = 5,
    .forward = forward,
    .activate = activate,
    .backward = backward,
};

/* SimpleRNN (Elman): h = tanh(W_ih x + b_ih + W_hh s + b_hh), or relu. */
#include <string.h>

#include "cells/cell.h"

static void forward_tanh(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->rnn_tanh(step);
}

static void forward_relu(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->rnn_relu(step);
}

/* dp = dh (1 - h^2) */
static void backward_tanh(const arnn_kernels *kernels, const arnn_cell_owed *owed)
{
    (void)kernels;
    memset(owed->dcarried, 0, owed->hidden * sizeof *owed->dcarried);
    for (size_t i = 0; i < owed->hidden; i++)
        owed->dp_input[i] = owed->dh[i] * (1.0f - owed->h[i] * owed->h[i]);
}

/* dp = dh where h > 0; a NaN stays */
static void backward_relu(const arnn_kernels *kernels, const arnn_cell_owed *owed)
{
    (void)kernels;
    memset(owed->dcarried, 0, owed->hidden * sizeof *owed->dcarried);
    for (size_t i = 0; i < owed->hidden; i++)
        owed->dp_input[i] = owed->h[i] > 0.0f ? owed->dh[i] : 0.0f * owed->h[i];
}

const arnn_cell arnn_cell_rnn_tanh = {
    .name = "rnn_tanh",
    .gates = 1,
    .bounded = true,
    .forward = forward_tanh,
    .backward = backward_tanh,
};

const arnn_cell arnn_cell_rnn_relu = {
    .name = "rnn_relu",
    .gates = 1,
    .bounded = false,
    .forward = forward_relu,
    .backward = backward_relu,
};

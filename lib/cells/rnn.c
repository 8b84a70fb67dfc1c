/* SimpleRNN (Elman): h = tanh(W_ih x + b_ih + W_hh s + b_hh), or relu. */
#include "cells/cell.h"

static void forward_tanh(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->rnn_tanh(step);
}

static void forward_relu(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->rnn_relu(step);
}

const arnn_cell arnn_cell_rnn_tanh = {
    .name = "rnn_tanh",
    .gates = 1,
    .bounded = true,
    .forward = forward_tanh,
};

const arnn_cell arnn_cell_rnn_relu = {
    .name = "rnn_relu",
    .gates = 1,
    .bounded = false,
    .forward = forward_relu,
};

/* GRU (Cho et al. 2014, in the form of PyTorch): r, u = sigmoid(..), g = tanh(W_ig x + b_ig + r * (W_hg s + b_hg)),
   h = (1-u) * g + u * s. Gate order r, u, g. */
#include "cells/cell.h"

static void forward(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->gru(step);
}

static void backward(const arnn_kernels *kernels, const arnn_cell_owed *owed)
{
    kernels->gru_back(owed);
}

const arnn_cell arnn_cell_gru = {
    .name = "gru",
    .gates = 3,
    .bounded = true,
    .splits = true,
    .has_gates = true,
    .forward = forward,
    .backward = backward,
};

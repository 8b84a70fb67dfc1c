/* LSTM (Hochreiter and Schmidhuber 1997, with forget gate): m = f * m_prev + i * g, h = o * tanh(m). Gate order i, f,
   g, o. */
#include "cells/cell.h"

static void forward(const arnn_kernels *kernels, const arnn_cell_step *step)
{
    kernels->lstm(step);
}

static void backward(const arnn_kernels *kernels, const arnn_cell_owed *owed)
{
    kernels->lstm_back(owed);
}

const arnn_cell arnn_cell_lstm = {
    .name = "lstm",
    .gates = 4,
    .has_memory = true,
    .bounded = true,
    .has_gates = true,
    .forward = forward,
    .backward = backward,
};

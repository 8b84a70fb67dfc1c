#include "cells/cell.h"

#include "arnn.h"

const arnn_cell *arnn_cell_of(int32_t cell)
{
    static const arnn_cell *const cells[] = {
        [ARNN_CELL_RNN_TANH] = &arnn_cell_rnn_tanh,
        [ARNN_CELL_RNN_RELU] = &arnn_cell_rnn_relu,
        [ARNN_CELL_GRU] = &arnn_cell_gru,
        [ARNN_CELL_LSTM] = &arnn_cell_lstm,
    };
    return cells[cell];
}

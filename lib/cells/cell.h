/* The cells, one file each. To add one: its file, a line in cell.c, a kernel in kernels.h, a constant in arnn.h. */
#ifndef ARNN_CELLS_CELL_H
#define ARNN_CELLS_CELL_H

#include <stdint.h>

#include "kernels/kernels.h"

typedef struct arnn_cell {
    const char *name;
    size_t gates;    /* G: blocks of n rows in its weights */
    bool has_memory; /* m beside h */
    bool bounded;    /* |h| <= 1 from an initial state in [-1, 1] (spec 6.4): what the exponent cache rests on */
    bool splits;     /* wants W_ih x + b_ih and W_hh s + b_hh apart, and gives back dp_recurrent and dp_input; else
                        their sum, which is one product over [x; s] */
    bool has_gates;  /* backward asks what both products, or their sum, were */
    void (*forward)(const arnn_kernels *kernels, const arnn_cell_step *step);
    void (*backward)(const arnn_kernels *kernels, const arnn_cell_owed *owed);
} arnn_cell;

extern const arnn_cell arnn_cell_rnn_tanh, arnn_cell_rnn_relu, arnn_cell_gru, arnn_cell_lstm;

/* The cell of an ARNN_CELL_.. constant, which must be one. */
const arnn_cell *arnn_cell_of(int32_t cell);

#endif

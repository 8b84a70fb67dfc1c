/* The cells, one file each. To add one: its file, a line in cell.c, a kernel in kernels.h, a constant in arnn.h. */
#ifndef ARNN_CELLS_CELL_H
#define ARNN_CELLS_CELL_H

#include <stdint.h>

#include "kernels/kernels.h"

/* The derivative of one step of one stream (derivatives.md, section 2). */
typedef struct arnn_cell_owed {
    float *dp_input;                   /* (G n): of W_ih x + b_ih */
    float *dp_recurrent;               /* (G n): of W_hh s + b_hh; dp_input itself where both are the same */
    float *dcarried;                   /* (n): of what stands for h_{t-1}, apart from the product: the GRU's, else 0 */
    float *dm_prev;                    /* (n): LSTM */
    const float *dh;                   /* (n) */
    const float *dm;                   /* (n): from later steps; LSTM */
    const float *gates;                /* (kept n) */
    const float *h, *m_prev, *carried; /* (n) */
    size_t hidden;
} arnn_cell_owed;

typedef struct arnn_cell {
    const char *name;
    size_t gates;    /* G: blocks of n rows in its weights */
    bool has_memory; /* m beside h */
    bool bounded;    /* |h| <= 1 from an initial state in [-1, 1] (spec 6.4): what the exponent cache rests on */
    bool splits;     /* dp_recurrent differs from dp_input */
    size_t kept;     /* activations of width n that backward needs */
    void (*forward)(const arnn_kernels *kernels, const arnn_cell_step *step);
    /* gates (rows, kept n) from input and recurrent (rows, G n), the products with their biases, and m (rows, n);
       unless the cell splits, input is the sum of both */
    void (*activate)(const arnn_kernels *kernels, float *gates, const float *input, const float *recurrent,
                     const float *m, size_t rows, size_t hidden);
    void (*backward)(const arnn_cell_owed *owed);
} arnn_cell;

extern const arnn_cell arnn_cell_rnn_tanh, arnn_cell_rnn_relu, arnn_cell_gru, arnn_cell_lstm;

/* The cell of an ARNN_CELL_.. constant, which must be one. */
const arnn_cell *arnn_cell_of(int32_t cell);

#endif

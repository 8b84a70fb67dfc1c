/* The wirings: in which order a step reads and computes, and what it carries. All that differs between them follows
   from these three; to add one that they can say: a line in wiring.c, a word in description.c, a constant in arnn.h. */
#ifndef ARNN_MODEL_WIRING_H
#define ARNN_MODEL_WIRING_H

#include <stdbool.h>

#include "arnn.h"

typedef struct arnn_wiring {
    bool reads_first; /* the tape is read before the cell runs, with a query from [x_t; s_{t-1}]; the cell takes s_t,
                         and the memory read with it, in place of h_{t-1} and m_{t-1} */
    bool reads_last;  /* h_t joins the tape, then it is read with a query from h_t: s_t is there for the readout */
    bool carries_h;   /* the cell keeps h_{t-1}, and s_{t-1} is further input */
} arnn_wiring;

/* The wiring of a description whose ARNN_WIRING_.. is one. */
const arnn_wiring *arnn_wiring_of(const arnn_model_desc *desc);

#endif

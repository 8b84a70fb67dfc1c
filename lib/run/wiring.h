/* The wirings: in which order a step reads and computes, and what it carries. To add one: a line in wiring.c. */
#ifndef ARNN_RUN_WIRING_H
#define ARNN_RUN_WIRING_H

#include <stdbool.h>
#include <stdint.h>

typedef struct arnn_wiring {
    bool reads_first;   /* the tape is read before the cell runs, which then takes s_t in place of h_{t-1} */
    bool reads_last;    /* h_t joins the tape, then it is read */
    bool carries_h;     /* the cell keeps h_{t-1}, and s is further input */
} arnn_wiring;

/* The wiring of an ARNN_WIRING_.. constant, which must be one. */
const arnn_wiring *arnn_wiring_of(int32_t wiring);

#endif

/* Attention over one tape: one pass over the rows read, page by page (spec 2 and 6.2). */
#ifndef ARNN_ATTENTION_READ_H
#define ARNN_ATTENTION_READ_H

#include "attention/tape.h"
#include "base/threads.h"
#include "kernels/kernels.h"

/* What reads of one layer have in common. */
typedef struct arnn_reader {
    arnn_read_kernel *kernel;
    bool start_zero;       /* the virtual zero row takes part */
    const float *zeros;    /* (n): that row, h and m */
    const float *zero_key; /* (k): its key, 1 as an exponent, else 0 */
} arnn_reader;

/* Several threads that read one tape: every run is summed by one of them, to sums of its own. */
typedef struct arnn_share {
    arnn_threads *threads; /* NULL: none */
    float *h, *m;          /* (most, n): sums of runs; m NULL if there are none */
    arnn_run *runs;        /* (most), partials (most): room */
    arnn_partial *partials;
    size_t most;
} arnn_share;

typedef struct arnn_reading {
    float *h;     /* (n): sum of a_i h_i; zero where no row was read */
    float *m;     /* (n): the same of m_i; NULL if there are none */
    float *run_h; /* (n), run_m (n): room to work in; run_m NULL where m is */
    float *run_m;
    const arnn_share *share; /* NULL: the caller's thread alone */
    float *weights;          /* by absolute row, NULL if not wanted: a_i of rows read, others are left alone */
    float zero_weight;       /* a of the zero row, 0 where there is none */
    float logsumexp;         /* -inf where no row was read */
} arnn_reading;

/* A read in two partials: every run is summed by itself, then merged in the order of runs. So errors grow with the
   length of a run and the number of runs, not with their product, and the cut does not depend on who reads which
   run. */
typedef struct arnn_merged {
    arnn_partial all, run; /* over sums h (n) and m (n or NULL), two of each */
    size_t hidden;
} arnn_merged;

/* The empty read; sums, and room for those of one run, are the caller's. m, run_m: NULL if there are none. */
arnn_merged arnn_merged_begin(float *h, float *m, float *run_h, float *run_m, size_t hidden);
void arnn_merged_read(arnn_merged *merged, arnn_read_kernel *kernel, const arnn_query *query, const arnn_run *run,
                      float *scores);
/* Sums become means; returns the logsumexp. */
float arnn_merged_finish(arnn_merged *merged);

/* scores (count) of rows become their weights in a finished read. From its maximum and sum, not from the logsumexp,
   whose rounding would be magnified where scores are large. */
void arnn_merged_weigh(const arnn_merged *merged, float *scores, size_t count);

/* Reads one layer of a tape on which `rows` rows are, from the oldest to the newest page where they are an even number,
   else back: so a step begins with the pages that the one before it has read last, which a cache that cannot hold the
   whole tape still has. query->newest and the reading's pointers are set by the caller. */
void arnn_read_tape(arnn_reading *reading, const arnn_reader *reader, const arnn_query *query, const arnn_tape *tape,
                    const arnn_page_shape *shape, size_t layer, size_t rows);

#endif

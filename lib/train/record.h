/* A recorded run: what the backward pass needs of the forward pass, and the memory in which it works.

   Arrays of rows have room for `steps` rows a stream: row t of stream b stands at (b steps + t) width; those named
   "late" have one row more, the first for what the run began with; those named "taped" have `past` rows more, the
   first, for the rows that were on the tape when the run began. */
#ifndef ARNN_TRAIN_RECORD_H
#define ARNN_TRAIN_RECORD_H

#include "run/sequence.h"
#include "run/state.h"

#define ARNN_BLOCK_STEPS 32 /* steps whose older rows are read by one matrix product */

/* One layer's part of a run. */
typedef struct arnn_kept {
    float *x;         /* rows of x_l, as wide as W_ih reads it but without the summary of `beside` */
    float *h;         /* taped rows; wiring none: the summaries of `s`, less the first */
    float *s;         /* late rows of summaries */
    float *m;         /* LSTM: late rows of m, or in `before` taped rows */
    float *memory;    /* rows: in `before` the memory read from the tape */
    float *first_h;   /* (streams, n): `beside`: h before the first step */
    float *logsumexp; /* rows of 1 */
    /* rows of G n, for cells with gates: preactivations, of the input or of both, then what they are owed; those of the
       recurrent product, where the cell splits */
    float *dp, *dp_recurrent;
} arnn_kept;

/* Scales inputs of layers as the run goes, and their derivatives again: a function of layer, stream, time and element
   alone. */
typedef struct arnn_dropout {
    void *context;
    void (*apply)(void *context, size_t layer, size_t stream, size_t time, float *x, size_t width);
} arnn_dropout;

typedef struct arnn_backward_work arnn_backward_work;

struct arnn_record {
    arnn_model *model;
    arnn_cache *cache;
    arnn_state *state;
    size_t streams, steps, past; /* room */
    arnn_tap tap;
    arnn_dropout dropout; /* apply NULL: none */

    size_t count, last_steps; /* streams and steps of the last run */
    size_t *lengths;          /* (streams) of the last run */
    size_t *before;           /* (streams): rows on the tape when it began */
    size_t changes;           /* of the model, when it ran */
    bool ran;                 /* and was not yet gone back over */
    bool inputs_wanted;       /* dx of the model's input, of who goes back over it */
    int32_t *tokens;          /* rows of 1; NULL: dense input */

    arnn_kept *kept;        /* (layers) */
    float *top_dh, *top_ds; /* rows: dL/dh, dL/ds of the top layer, for the backward pass; top_ds: NULL with wiring
                               none, where s is h */
    float *dx;              /* rows as wide as the widest x_l: of the layer that was gone back over last, if wanted */
    float *d_s, *d_m, *d_h; /* (layers, streams, n): of the initial values; d_m, d_h NULL where there are none */
    arnn_backward_work *work;
};

/* desc: checked. bytes: of all memory but the handles themselves. SIZE_MAX where it overflows. */
size_t arnn_record_count_bytes(const arnn_model *model, const arnn_record_desc *desc);
arnn_status arnn_record_new(arnn_record **out, arnn_model *model, const arnn_record_desc *desc);
void arnn_record_release(arnn_record *record);

/* The forward pass: streams 0 .. count-1 of the record's state go on. */
arnn_status arnn_record_run(arnn_record *record, const arnn_sequence *sequence);

/* Rows of the top layer of a stream's last run (lengths, n). */
const float *arnn_record_top_h(const arnn_record *record, size_t stream);
const float *arnn_record_top_s(const arnn_record *record, size_t stream);
float *arnn_record_top_dh(const arnn_record *record, size_t stream);
float *arnn_record_top_ds(const arnn_record *record, size_t stream); /* with wiring none those of dh: to be added to */
void arnn_record_clear(arnn_record *record);

/* Rows h of one layer of a stream: own rows of the last run, or with those that were on the tape before. */
const float *arnn_record_h(const arnn_record *record, size_t layer, size_t stream);
const float *arnn_record_taped_h(const arnn_record *record, size_t layer, size_t stream);

/* The backward pass of all layers and the embedding, from top_dh and top_ds, which it overwrites. gradient: (all
   parameters), added to; the readout's are left alone. */
arnn_status arnn_record_return(arnn_record *record, float *gradient);

#endif

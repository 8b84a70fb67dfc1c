/* A batch of streams: what they carry from step to step, their tapes, and the memory in which a step works. */
#ifndef ARNN_RUN_STATE_H
#define ARNN_RUN_STATE_H

#include "attention/read.h"
#include "attention/tape.h"
#include "model/wiring.h"
#include "run/cache.h"

/* Steps whose input products are made together have so many rows, or those of one step. */
#define ARNN_AHEAD_ROWS 64

/* Steps whose readouts are made together have at most so many rows, or are one step: two full tiles of a product. */
#define ARNN_READOUT_ROWS 12

/* Runs that several threads read before their sums are merged. */
#define ARNN_SHARED_RUNS 64

/* Buffers of one step, dense over the streams that take part (b is their number, at most all). Streams that are worked
   on by different threads have parts of their own. What streams carry is copied together only where they do not lie
   side by side. */
typedef struct arnn_work {
    float *x;             /* (b or ARNN_AHEAD_ROWS, d): the model's input, after embedding, of some steps */
    float *ahead;         /* (likewise, G n): input products of a layer */
    float *h[2];          /* (likewise, n): of this layer and of the one below, in turn */
    float *s;             /* (likewise, n) */
    float *s_old;         /* (b, n) */
    float *carried;       /* (b, n): h_{t-1}, where the wiring carries it */
    float *m, *m_old;     /* (b, n): LSTM; m where memories are on the tape */
    float *input;         /* (b, G n) */
    float *recurrent;     /* (b, G n), where the cell wants it apart */
    float *run_h, *run_m; /* (n): where the read of one run is summed */
    float *query;         /* (b, query width) */
    float *key;           /* (b, k): additive */
    float *logsumexp;     /* (b): of the last read */
    float *y;             /* (b or ARNN_READOUT_ROWS, outputs) */
    int32_t *tokens;      /* (b) */
    size_t *streams;      /* (b): which stream */
    size_t *slots;        /* (b): which element of the caller's arrays */
    arnn_share share;     /* to read one tape with several threads */
} arnn_work;

/* What a layer made in a step, dense over the streams that took part: (count, n), logsumexp (count). */
typedef struct arnn_layer_values {
    size_t layer, count;
    const float *h, *s;
    const float *m;         /* NULL: the cell has none */
    const float *memory;    /* read from the tape in place of m_{t-1}; NULL: not so */
    const float *logsumexp; /* NULL: no tape */
    const float *input, *recurrent; /* (count, G n): what the cell was given; recurrent: NULL where input is the sum */
} arnn_layer_values;

/* Who listens to steps, to record what their derivatives need. */
typedef struct arnn_tap {
    bool scales; /* it may scale inputs: no product of them is made ahead */
    /* before a layer: its input from below (count, width) */
    void (*input)(struct arnn_tap *tap, const size_t *streams, size_t layer, float *below, size_t width, size_t count);
    /* after it */
    void (*layer)(struct arnn_tap *tap, const size_t *streams, const arnn_layer_values *values);
} arnn_tap;

struct arnn_state {
    arnn_model *model;
    arnn_cache *cache; /* NULL: none given, which wiring none allows */
    arnn_pool *pool;   /* the cache's; NULL: this model has no tape */
    const arnn_wiring *wiring;
    arnn_threads *threads; /* NULL: none but the caller's */
    size_t streams;
    size_t query_width;

    arnn_tape *tapes; /* (streams) */
    float *s;         /* (layers, streams, n) */
    float *h;         /* the same, where the wiring carries it; else NULL */
    float *m;         /* the same, where the LSTM's memory is not on the tape; else NULL */

    float *queries;    /* (layers, streams, query width): of each stream's last step */
    size_t *rows_read; /* (streams): rows then on the tape */
    bool *stepped;     /* (streams): there was a last step */

    bool yields;   /* does not keep the model's parameters from changing: they are made ready anew when it runs */
    arnn_tap *tap; /* NULL: nobody listens */
    bool *chosen;  /* (streams): scratch to find a stream chosen twice; all false between calls */
    arnn_work work;
};

arnn_status arnn_state_new(arnn_state **out, arnn_model *model, arnn_cache *cache, size_t streams);
void arnn_state_yield(arnn_state *state);
arnn_status arnn_state_refresh(const arnn_state *state);
void arnn_state_release(arnn_state *state);

/* Row `stream` of layer `layer` in one of the (layers, streams, width) arrays. */
float *arnn_state_row(const arnn_state *state, float *array, size_t width, size_t layer, size_t stream);

/* The buffers from stream `first` of a call on, for one of the threads that share it. */
arnn_work arnn_work_part(const arnn_state *state, size_t first, size_t worker);

/* The same buffers from row `row` on, of those that hold several steps. */
arnn_work arnn_work_rows(const arnn_state *state, const arnn_work *work, size_t row);

/* s, h or m by its ARNN_VALUE_.. constant; NULL where this model does not carry it. */
float *arnn_state_values(const arnn_state *state, int32_t which);

void arnn_state_clear(arnn_state *state, size_t stream);
arnn_status arnn_state_extend(arnn_state *state, size_t stream, const float *h, const float *m, size_t rows);
void arnn_state_weigh(const arnn_state *state, float *weights, float *zero, float *logsumexp, size_t layer,
                      size_t stream);

/* Pages for lengths[j] (NULL: steps) steps of streams[j], for all or for none. */
arnn_status arnn_state_reserve(arnn_state *state, const size_t *streams, const size_t *lengths, size_t steps,
                               size_t count);
void arnn_state_unreserve(arnn_state *state, const size_t *streams, size_t count);

#endif

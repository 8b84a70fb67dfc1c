/* All arrays of floats that a record has, in one list: they are counted, made and freed by the same walk. */
#ifndef ARNN_TRAIN_LAYOUT_H
#define ARNN_TRAIN_LAYOUT_H

#include "train/record.h"

/* Memory of one stream while a block of steps is gone back over. */
typedef struct arnn_stream_work {
    /* Of a block of `count` steps: alpha (count, past + steps) and below it de; ds (count, n) and below it queries,
       which rows of the tape are owed by the same weights: for dot and general scores both are one matrix. */
    float *weights, *owing;
    float *queries; /* packed, but for additive scores */
    float *dm_read; /* (block, n): of the memory read, in `before` */
    float *zero;    /* (block): the zero row's weight */
    float *dscore;  /* (k): additive: of v */
    double drecency;
} arnn_stream_work;

/* What one layer's backward pass needs of its parameters: products from the other side. */
typedef struct arnn_layer_work {
    arnn_affine recurrent; /* W_hh' (n, G n) */
    arnn_affine summary;   /* `beside`: the part of W_ih' that reads s (n, G n) */
    arnn_affine query;     /* W', or its s half in `before` (n, query width) */
    arnn_affine key;       /* additive: W_K' (n, k) */
    float *packed[4];      /* their memory */
    float *folded;         /* W (query width, |z|) */
} arnn_layer_work;

struct arnn_backward_work {
    arnn_layer_work layer;     /* of the layer that is gone back over */
    arnn_stream_work *streams; /* (streams) */
    /* (streams, n): what later steps left, and what a step owes to what stands for h_{t-1} and to z */
    float *carry_s, *carry_m, *carry_h, *back, *dz;
    float *dp;         /* rows of n, for cells without gates: as arnn_kept.dp */
    float *dq;         /* rows of the query width */
    float *dm;         /* `before`, LSTM: rows of n */
    float *key, *dkey; /* additive: taped rows of k */
    float *dskip;      /* rows of d: what layers above the first leave to the model's input */
    float *dfolded;    /* (query width, |z|) */
};

typedef struct arnn_layout {
    const arnn_model *model;
    arnn_record *record; /* its pointers are visited; for counting alone it may have none */
    bool (*visit)(void *context, float **pointer, size_t count);
    void *context;
} arnn_layout;

/* Calls `visit` for every array that this model needs; stops and gives false where that does, or a count overflows. */
bool arnn_layout_visit(const arnn_layout *layout);

/* Sets the record's tap. */
void arnn_record_listen(arnn_record *record);

/* Widths: of x_l, of the query, of the widest x_l. */
size_t arnn_query_width(const arnn_model_desc *desc);
size_t arnn_widest_input(const arnn_model_desc *desc);

#endif

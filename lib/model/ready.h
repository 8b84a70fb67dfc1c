/* What steps need of a model's parameters: packed, folded, split by where their inputs come from. */
#ifndef ARNN_MODEL_READY_H
#define ARNN_MODEL_READY_H

#include "attention/read.h"
#include "attention/score.h"
#include "model/parameters.h"

/* Where the inputs of a product come from. A product over several is the product over their concatenation, in this
   order. */
typedef enum {
    ARNN_FROM_BELOW,   /* x_t, or h_t of the layer below */
    ARNN_FROM_INPUT,   /* x_t once more, with skip */
    ARNN_FROM_HIDDEN,  /* h_t of this layer */
    ARNN_FROM_SUMMARY, /* s of this layer */
    ARNN_FROM_CARRIED, /* what stands where the cell has h_{t-1} */
    ARNN_SOURCES
} arnn_source;

/* y = bias + sum over sources of W_source x_source */
typedef struct arnn_affine {
    arnn_packed parts[ARNN_SOURCES]; /* inputs 0: none */
    const float *bias;               /* (outputs), NULL: zero */
    size_t outputs;
    int32_t type; /* ARNN_TYPE_.. of the weights */
} arnn_affine;

typedef struct arnn_ready_layer {
    arnn_affine input;     /* W_ih .. + b_ih + W_hh .. + b_hh: (G n); where the cell splits, W_ih .. + b_ih .. */
    arnn_affine recurrent; /* .. and W_hh .. + b_hh: (G n); else nothing */
    float *bias;           /* b_ih + b_hh (G n), where the cell does not split; else NULL */
    arnn_affine query;     /* folded: (n), additive (k) */
    arnn_affine key;       /* additive: (k) */
    arnn_query form;       /* all of a query but its vector and `newest` */
    arnn_read_kind read;
    arnn_reader reader;
} arnn_ready_layer;

struct arnn_model;

typedef struct arnn_ready {
    arnn_ready_layer *layers;
    size_t count;
    arnn_affine readout;
    const float *embed;  /* (vocab, d); NULL: dense input */
    float *token_inputs; /* (vocab, G n): input product of layer 0 for every token; NULL: dense input, or too
                            large */
    float *zeros, *ones; /* (max(n, k)) */
} arnn_ready;

/* Anew, or, where *ready is what was made of other parameters of the same model, in its place. An error: *ready is NULL. */
arnn_status arnn_ready_make(arnn_ready **ready, const struct arnn_model *model, arnn_threads *threads);
void arnn_ready_destroy(arnn_ready *ready);

/* The parameters of a layer's score. */
arnn_score_weights arnn_ready_score(const struct arnn_model *model, size_t layer);

/* What a product reads: for each source (streams, inputs), rows a stride apart. */
typedef struct arnn_inputs {
    const float *values[ARNN_SOURCES]; /* NULL: this part stands in y already */
    size_t strides[ARNN_SOURCES];
} arnn_inputs;

/* y (streams, outputs), dense: y = bias; y += sum of the parts. */
void arnn_affine_begin(const arnn_affine *affine, float *y, size_t streams);
void arnn_affine_add(const arnn_affine *affine, const arnn_kernels *kernels, float *y, const arnn_inputs *inputs,
                     size_t streams);

/* Packs weights (outputs, inputs), or their transpose (inputs, outputs) where that is what stands there, rows `stride`
   apart. threads: NULL for the calling one alone. */
void arnn_packed_fill(const arnn_packed *packed, const arnn_kernels *kernels, arnn_threads *threads,
                      const float *weights, size_t stride, bool turned);

/* y (streams, outputs) += the products of one part alone, of ARNN_PART_OUTPUTS outputs, in its columns. */
void arnn_affine_add_part(const arnn_affine *affine, const arnn_kernels *kernels, float *y, const arnn_inputs *inputs,
                          size_t streams, size_t part);

/* A layer's queries or keys (streams, outputs), as its read wants them: the product, then its exponents if so. */
void arnn_ready_align(const arnn_ready_layer *layer, const arnn_affine *affine, const arnn_kernels *kernels, float *y,
                      const arnn_inputs *inputs, size_t streams);

#endif

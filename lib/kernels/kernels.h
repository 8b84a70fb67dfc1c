/* The contracts of the kernels, and the tables in which they stand: one table per way of computing.
 *
 * What every kernel keeps to:
 *   - It reads and writes exactly what it was given, at any alignment; it allocates nothing and has no state.
 *   - Every output is summed in one order, whatever else is computed beside it: results of a stream do not depend on
 *     its company (all tables but `blas`). Blocks of rows are anchored at a row's absolute index, never at where a run
 *     begins.
 *   - NaN and infinity stay in the stream, and the row, that they came with.
 * Names: arnn_<table>_<what>. `ref` is plain C, the truth; the others are checked against it.
 */
#ifndef ARNN_KERNELS_KERNELS_H
#define ARNN_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

#include "kernels/element.h"

/* ---- the recurrent product ---- */

/* A weight matrix as one table wants it. Made once a model by `pack`. Its weights are rounded to a type: of int8 with a
   scale for every output, the largest of its weights over 127. */
typedef struct arnn_packed {
    size_t outputs, inputs;
    int32_t type;  /* ARNN_TYPE_.. */
    void *values;  /* packed_bytes(outputs, inputs, type) bytes */
    float *scales; /* (outputs); NULL but for int8 */
} arnn_packed;

#define ARNN_PART_OUTPUTS 128

/* ---- the cells ---- */

/* One step of a cell for a batch, after the products: all arrays dense over streams. G is the cell's number of gates.
   h, m may not overlap any input, but m may be memory. */
typedef struct arnn_cell_step {
    float *h;               /* (streams, n) */
    float *m;               /* (streams, n), LSTM only */
    const float *input;     /* (streams, G n): W_ih x + b_ih + W_hh s + b_hh; of the GRU without the latter two */
    const float *recurrent; /* (streams, G n): W_hh s + b_hh, GRU only */
    const float *carried;   /* (streams, n): what stands for h_{t-1}, which the GRU blends in */
    const float *memory;    /* (streams, n): m_prev, LSTM only */
    size_t streams, hidden;
} arnn_cell_step;

typedef void arnn_cell_kernel(const arnn_cell_step *step);

/* The derivative of one step of one stream. Of a cell with gates dp_input and dp_recurrent hold at first what they stand
   for: both products with their biases, or, where they are the same array, their sum. dm_prev may be dm. */
typedef struct arnn_cell_owed {
    float *dp_input;      /* (G n): of W_ih x + b_ih */
    float *dp_recurrent;  /* (G n): of W_hh s + b_hh; dp_input itself where both are the same */
    float *dcarried;      /* (n): of what stands for h_{t-1}, apart from the product: the GRU's, else 0 */
    float *dm_prev;       /* (n): LSTM */
    const float *dh;      /* (n) */
    const float *dm;      /* (n): from later steps; LSTM */
    const float *h, *m;   /* (n): what the step made; m: LSTM */
    const float *m_prev;  /* (n): LSTM */
    const float *carried; /* (n) */
    size_t hidden;
} arnn_cell_owed;

typedef void arnn_cell_back_kernel(const arnn_cell_owed *owed);

/* ---- reading the tape ---- */

/* Scores that a kernel knows. General scores are dot with another folded matrix; additive ones come with their keys
   made ready (exponent) or, where the exponents would leave their range, as they are (tanh). */
typedef enum { ARNN_READ_DOT, ARNN_READ_EXPONENT, ARNN_READ_TANH, ARNN_READS } arnn_read_kind;

/* A read asks at most so many rows of one kernel call, and a page holds no more. */
#define ARNN_RUN_ROWS 512

typedef struct arnn_query {
    const float *query; /* dot: (n), folded; exponent: (k) exp(2 W_Q z); tanh: (k) W_Q z */
    const float *score; /* v (k); not for dot */
    float score_sum;    /* sum of v */
    float recency;      /* beta, 0 where there is none */
    size_t newest;      /* absolute index of the newest row on the tape */
    size_t hidden;      /* n */
    size_t align;       /* k; not for dot */
    size_t bytes;       /* of all rows that queries read in turn, this one and others: what caches do not hold comes from
                           memory, and is fetched from further ahead; 0: not known */
} arnn_query;

/* Consecutive rows of one tape, of the element types that stand beside them. */
typedef struct arnn_run {
    const void *h;            /* (count, n), rows h_stride elements apart */
    const void *m;            /* (count, n), dense: LSTM memories read with the same weights; NULL if none */
    const void *key;          /* (count, k), dense: exponent: exp(2 W_K h); tanh: W_K h; NULL for dot */
    int32_t h_type;           /* any */
    int32_t m_type, key_type; /* float32 or bfloat16 */
    size_t h_stride;
    size_t first; /* absolute index of the first row */
    size_t count; /* 1 .. ARNN_RUN_ROWS */
    /* where the run that is read next begins, to be fetched ahead; NULL: not known */
    const void *next_h, *next_m, *next_key;
} arnn_run;

/* A read in progress: rows so far have maximum score `max`, weights exp(e - max) that sum to `sum`, and weighted sums
   h, m. The empty one is (0, 0, -FLT_MAX, 0): as good as -inf, and a score of -inf (an overflow) still weighs 0 and not
   NaN. */
typedef struct arnn_partial {
    float *h; /* (n) */
    float *m; /* (n), NULL where the run has none */
    float max, sum;
} arnn_partial;

/* Extends a partial by a run. scores: (count), NULL if not wanted: e_i of every row. */
typedef void arnn_read_kernel(arnn_partial *partial, const arnn_query *query, const arnn_run *run, float *scores);

/* What a step owes for one read (the derivative of the softmax): rows as float32, alpha (count) their weights, 0 where
   they were not read. With r_i = ds' h_i (+ dm' m_i): de_i = alpha_i (r_i - rho), dq += sum_i de_i h_i, from the first
   row to the last or, where it serves the caches, about the other way round. */
typedef struct arnn_owed {
    float *dq;          /* (n) */
    float *de;          /* (count) */
    const float *h;     /* (count, n) */
    const float *m;     /* (count, n), NULL if none */
    const float *alpha; /* (count) */
    const float *ds;    /* (n) */
    const float *dm;    /* (n), NULL if none */
    float rho;
    size_t count, hidden;
    bool back; /* begin with the last rows */
} arnn_owed;

typedef void arnn_owed_kernel(const arnn_owed *owed);

/* Keys under one query, for additive scores: e_i = sum_j v_j tanh(p_ij + y_j). */
typedef struct arnn_keys {
    const float *keys;  /* (count, k): W_K h, or exp(2 W_K h) */
    const float *query; /* (k): W_Q z, or exp(2 W_Q z) */
    const float *score; /* v (k) */
    size_t count, align;
    bool exponent; /* which of the two */
} arnn_keys;

/* What they are owed, of which scores are owed de: dquery and dkeys by the tanh, dscore by v. All are added to. */
typedef struct arnn_keys_owed {
    const float *de; /* (count) */
    float *dquery;   /* (k) */
    float *dkeys;    /* (count, k): of W_K h, NULL if not wanted */
    float *dscore;   /* (k) */
} arnn_keys_owed;

typedef void arnn_key_scores_kernel(const arnn_keys *keys, float *scores);
typedef void arnn_keys_owed_kernel(const arnn_keys *keys, const arnn_keys_owed *owed);

/* v = f(v) */
typedef void arnn_map_kernel(float *values, size_t count);

/* Puts `count` numbers on a tape, as elements of a type. */
typedef void arnn_encode_kernel(void *row, const float *values, size_t count);

/* ---- products of matrices, for gradients ---- */

/* A matrix, row-major, rows a stride apart; op(a) is it or its transpose. */
typedef struct arnn_operand {
    const float *values;
    size_t stride;
    bool transposed;
} arnn_operand;

/* c (rows, columns), rows `stride` apart, += op(a) op(b), of which `inner` is the common width. Where the table says
   `chains`, each output is one chain of multiply-adds from c on, in the order of `inner`, so that a product in parts
   has the same bits; where not, its bits may follow from the shape, so that who promises some always asks for the same
   shapes. c may not overlap a or b. A transposed b of few columns costs little, a wide one twice as much as one that is
   not. */
typedef void arnn_multiply_kernel(float *c, size_t stride, arnn_operand a, arnn_operand b, size_t rows, size_t columns,
                                  size_t inner);

/* ---- the table ---- */

typedef struct arnn_kernels {
    const char *name;
    bool (*supported)(void); /* by this processor */
    bool shares;             /* several threads may run its kernels at once, and a product in parts */

    size_t (*packed_bytes)(size_t outputs, size_t inputs, int32_t type); /* SIZE_MAX where they overflow */
    /* weights: (outputs, inputs), rows `stride` apart */
    void (*pack)(const arnn_packed *packed, const float *weights, size_t stride);
    /* A part of a matrix, from an output that is a multiple of ARNN_PART_OUTPUTS on, is packed as the whole from there
       on. y (streams, outputs) += x (streams, inputs) W', each sum in the order of the inputs, beginning at y */
    void (*product)(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                    size_t streams);

    /* the same from the transpose of the weights, (inputs, outputs), of float32 */
    void (*pack_turned)(const arnn_packed *packed, const float *weights, size_t stride);
    bool chains;
    arnn_multiply_kernel *multiply;

    arnn_cell_kernel *rnn_tanh, *rnn_relu, *gru, *lstm;
    arnn_cell_back_kernel *gru_back, *lstm_back;

    arnn_map_kernel *exponents; /* v = exp(2 v), 2 v clamped to +-87 (spec 6.3) */
    arnn_owed_kernel *owed;
    arnn_key_scores_kernel *key_scores;
    arnn_keys_owed_kernel *keys_owed;
    arnn_read_kernel *read[ARNN_READS];
    arnn_encode_kernel *encode[ARNN_TYPES];
} arnn_kernels;

extern const arnn_kernels arnn_kernels_ref;

/* ARNN_VECTOR_TABLES(X) is X(name) for every instruction set that this library was built for, the best first
   (lib/meson.build). */
#ifdef ARNN_VECTOR_TABLES
#define ARNN_DECLARE_TABLE(name) extern const arnn_kernels arnn_kernels_##name;
ARNN_VECTOR_TABLES(ARNN_DECLARE_TABLE)
#undef ARNN_DECLARE_TABLE
#endif

/* What a row of weights is divided by before it is rounded: 1, or for int8 the largest of them, so that a weight is its
   element times this. Then the division, of which 0 / 0 is 0. */
float arnn_weights_unit(const float *weights, size_t count, int32_t type);
float arnn_weights_divide(float weight, float unit);

/* Parts of `ref` that other tables build on. */
bool arnn_ref_supported(void);
size_t arnn_ref_packed_bytes(size_t outputs, size_t inputs, int32_t type);
void arnn_ref_pack(const arnn_packed *packed, const float *weights, size_t stride);
void arnn_ref_product(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                      size_t streams);
void arnn_ref_pack_turned(const arnn_packed *packed, const float *weights, size_t stride);
arnn_multiply_kernel arnn_ref_multiply;
arnn_cell_kernel arnn_ref_rnn_tanh, arnn_ref_rnn_relu, arnn_ref_gru, arnn_ref_lstm;
arnn_cell_back_kernel arnn_ref_gru_back, arnn_ref_lstm_back;
arnn_map_kernel arnn_ref_exponents;
arnn_owed_kernel arnn_ref_owed;
arnn_key_scores_kernel arnn_ref_key_scores;
arnn_keys_owed_kernel arnn_ref_keys_owed;
/* e_i of one row of a run, without recency */
typedef float arnn_ref_score(const arnn_query *query, const arnn_run *run, size_t row);
arnn_ref_score arnn_ref_score_dot, arnn_ref_score_exponent, arnn_ref_score_tanh;
arnn_read_kernel arnn_ref_read_dot, arnn_ref_read_exponent, arnn_ref_read_tanh;
arnn_encode_kernel arnn_ref_encode_f32, arnn_ref_encode_f16, arnn_ref_encode_bf16, arnn_ref_encode_i8;

#endif

/*
 * arnn: recurrent networks whose every step attends to all of its past hidden states.
 *
 * A SimpleRNN forgets: all it knows of the past is its last state. Let it read a weighted mean of all of its past
 * states instead, and it forgets no more (Wang Shusen, RNN models and NLP applications, lecture 9):
 *
 *     h_t = tanh(W_ih x_t + b_ih + W_hh s_{t-1} + b_hh)
 *     s_t = sum_{i<=t} a_i h_i,     a = softmax_i(score(h_i, h_t)),     s_0 = 0, so s_1 = h_1
 *
 * This header is the whole library, in the order in which a program needs it:
 *
 *     1 status     what every function returns            6 running    one step, or whole sequences
 *     2 model      what is computed, and the weights      7 attention  the read alone, for your own cache
 *     3 files      safetensors, PyTorch state_dicts       8 gradients  of parameters, inputs and initial values
 *     4 cache      where the past states are kept         9 training   losses, optimisers, checkpoints, sampling
 *     5 state      streams, their summaries, their pasts  10 the build versions, kernels, constants
 *
 * A program that streams one sequence of token ids:
 *
 *     arnn_model_desc desc;
 *     arnn_model_desc_default(&desc, sizeof desc);
 *     desc.vocab = 256;
 *     arnn_model *model;  arnn_cache *cache;  arnn_state *state;  float summary[256];
 *     arnn_model_create(&model, &desc);
 *     arnn_model_init(model, 1);
 *     arnn_cache_create(&cache, model, NULL);
 *     arnn_state_create(&state, model, cache, 1);
 *     for (int c; (c = getchar()) != EOF;) {
 *         int32_t token = c;
 *         arnn_input in = {.struct_size = sizeof in, .tokens = &token};
 *         arnn_output out = {.struct_size = sizeof out, .y = {.data = summary}};
 *         arnn_step(state, &out, &in, NULL, 1);
 *     }
 *
 * Words. A *stream* is one independent sequence with a past of its own; a batch holds many, of any lengths. The *tape*
 * of a stream is the rows of its past: h_1 .. h_t of every layer. The *summary* s_t is what attention reads from the
 * tape. Widths are written d (input), n (hidden), k (alignment), G (gates: 1 rnn, 3 gru, 4 lstm). Shapes are (rows,
 * columns), row-major; all numbers are float32. Sizes count elements; bytes where it is said.
 *
 * Rules that hold for every function.
 *   Errors     The return value is a status, 0 is success. After an error no handle has changed, `*out` of a create or
 *              load function is NULL, and arnn_last_error() says in a sentence what was wrong, with names and numbers.
 *              Besides the errors that an item names, every function returns ARNN_INVALID_ARGUMENT for a null pointer
 *              that the item does not allow. The library never aborts, never prints, sets no process-wide option (but
 *              for tiles, where gradients are made on them: section 10).
 *   Ownership  What the caller passes is read or written during the call only. What a create or load function makes is
 *              released by the destroy function of its type; destroying NULL does nothing. Handles that rest on others
 *              keep them alive: destroy in any order.
 *   Threads    The rule stands under each handle. Handles that do not rest on each other may be used by different
 *              threads at any time.
 *   Checks     Descriptions, sizes, strides, token ids and stream indices are checked. The numbers in data buffers are
 *              not: a NaN or an infinity in one stream stays in that stream.
 *   Zero       A count, batch, length or number of steps or rows may be 0: then nothing is read or written, and the
 *              pointers that it belongs to may be null.
 *   Company    The promise: except with the kernel table `blas`, a stream's results are the same to the last bit
 *              whatever other streams are present, in whatever order, step by step or as a sequence, in any cutting
 *              into chunks, for any number of threads. (On one kernel table, with pages of one length.)
 */
#ifndef ARNN_H
#define ARNN_H

#include <stddef.h>
#include <stdint.h>

#include "arnn_version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Status ------------------------------------------------------------------------------------------------- */

typedef int32_t arnn_status;

enum {
    ARNN_OK = 0,
    ARNN_INVALID_ARGUMENT = 1, /* null, out of range, not a constant of this header, or too large for this machine */
    ARNN_SHAPE = 2,            /* a size, count or stride that does not fit the model or another argument */
    ARNN_UNSUPPORTED = 3,      /* a combination that has no meaning, or a kernel table that this machine lacks */
    ARNN_NOT_FOUND = 4,        /* no parameter of this name, no such row on the tape, a tensor that a file lacks */
    ARNN_BUSY = 5,             /* the model's parameters may not change while a state rests on it */
    ARNN_FULL = 6,             /* the cache has reached its limit */
    ARNN_NO_MEMORY = 7,
    ARNN_IO = 8,               /* the operating system could not open, read, write or rename a file */
    ARNN_FORMAT = 9            /* not a well-formed safetensors file, or not one of this model */
};

/* A few words for a status ("no memory"). Never NULL, never to be freed; any thread. */
const char *arnn_status_string(arnn_status status);

/* The sentence for the last error on the calling thread, for instance
   "attn_key_l0 has shape (64, 100), expected (64, 128)". Empty before the first error; a success leaves it alone.
   Valid until the next error on this thread. */
const char *arnn_last_error(void);

/* ---- 2. Model: what is computed -------------------------------------------------------------------------------- */

/* What is computed, and the weights with which it is. Thread rule: any number of threads may read a model, create
   caches and states on it and run them; initialising, writing into it needs it alone. While a state rests on
   a model its parameters may not change (ARNN_BUSY), since products of them have been made ready. */
typedef struct arnn_model arnn_model;

/* Cells. Gate order, weights and the two biases are PyTorch's; s stands where an ordinary cell has h_{t-1}.
     rnn    h = tanh(W_ih x + b_ih + W_hh s + b_hh), or relu(..)
     gru    r, u = sigmoid(..);  g = tanh(W_ig x + b_ig + r * (W_hg s + b_hg));  h = (1-u) * g + u * s
     lstm   i, f, g, o;  m = f * m_prev + i * g;  h = o * tanh(m)          (m is what PyTorch calls c) */
enum { ARNN_CELL_RNN_TANH = 0, ARNN_CELL_RNN_RELU = 1, ARNN_CELL_GRU = 2, ARNN_CELL_LSTM = 3 };

/* Wirings: where attention stands in the step, and what the cell reads.
     none     s_t = h_t: the ordinary cell; no tape.
     after    lecture 9: the cell runs on s_{t-1}; h_t joins the tape; s_t is read from the tape, h_t included, with the
              query made from z_t = h_t.
     beside   the decoder of lecture 8 on its own past: the cell keeps h_{t-1} (and m_{t-1}) and reads s_{t-1} as
              further input: W_ih has shape (G n, d + n) and runs on [x_t; s_{t-1}]. Otherwise as `after`.
     before   the Long Short-Term Memory-Network (Cheng, Dong, Lapata, EMNLP 2016): s_t, and for the LSTM m_prev, are
              read from the rows up to t-1 with z_t = [x_t; s_{t-1}]; the cell runs on them; then h_t (and m_t) join the
              tape. */
enum { ARNN_WIRING_NONE = 0, ARNN_WIRING_AFTER = 1, ARNN_WIRING_BESIDE = 2, ARNN_WIRING_BEFORE = 3 };

/* Scores of a past row h_i against the query; the weights are their softmax.
     dot        scale (W_K h_i)'(W_Q z)             lecture 8, option 2
     general    scale h_i' W z                      Luong, Pham, Manning, EMNLP 2015
     additive   v' tanh(W_K h_i + W_Q z)            lecture 8, option 1; LSTMN equation 4 */
enum { ARNN_SCORE_DOT = 0, ARNN_SCORE_GENERAL = 1, ARNN_SCORE_ADDITIVE = 2 };

/* How attention starts (used by arnn_model_init, kept with the model).
     spread    W_K and W_Q independent: the weights are spread over the past. Right for recall, and with `beside`.
     newest    W_Q = W_K: the newest row wins by far, the model starts as an ordinary RNN. Right for language with
               `after`.
   `general` has W in place of W_K' W_Q: random orthogonal, or the identity. In `before`, newest touches the s
   half of z alone. Additive scores are bounded and have no sharp start: there, newest only shares the matrix. */
enum { ARNN_ATTENTION_SPREAD = 0, ARNN_ATTENTION_NEWEST = 1 };

/* Whether one virtual all-zero row takes part in every softmax. It is never evicted and counts neither toward the
   window nor toward the sinks; its score is 0 (dot, general) or v' tanh(W_Q z). */
enum { ARNN_START_NONE = 0, ARNN_START_ZERO = 1 };

/* What the readout reads from the top layer: r_t = h_t, s_t or [h_t; s_t]. The last two need `after` or `beside`. */
enum { ARNN_SOURCE_H = 0, ARNN_SOURCE_S = 1, ARNN_SOURCE_HS = 2 };

/* What a model computes. Fill it with arnn_model_desc_default first: the struct may grow at its end. */
typedef struct arnn_model_desc {
    size_t struct_size;      /* sizeof(arnn_model_desc), set by arnn_model_desc_default */
    int32_t cell;            /* ARNN_CELL_..        default rnn tanh */
    int32_t wiring;          /* ARNN_WIRING_..      default after */
    int32_t score;           /* ARNN_SCORE_..       default dot */
    int32_t attention_start; /* ARNN_ATTENTION_..   default spread */
    int32_t start_row;       /* ARNN_START_..       default none */
    int32_t recency;         /* 1: a row's score gets -beta * (index of the newest row on the tape - its own), beta one
                                trainable number a layer (parameter attn_recency_l{l}); default 0. The zero row gets
                                none. */
    int32_t skip;            /* 1: layers above the first read [h_t of the layer below; x_t]; default 0 */
    int32_t source;          /* ARNN_SOURCE_..      default h */
    float scale;             /* of dot and general scores; default 1; 1/sqrt(k) is the usual other choice; finite */
    float recency_start;     /* beta that arnn_model_init writes; default 0.1 */
    size_t inputs;           /* d, width of x_t, or of the embedding with tokens; default 256 */
    size_t hidden;           /* n; default 256 */
    size_t layers;           /* default 1; cell, wiring, score and k are the same for all */
    size_t vocab;            /* token ids 0 .. vocab-1 choose rows of embed.weight; 0 (default): dense input */
    size_t align;            /* k, width of the alignment space of dot and additive; 0 (default): n */
    size_t window;           /* only the newest so many rows are read; 0 (default): no window, the whole tape */
    size_t sinks;            /* with a window: the first so many rows ever are read as well; default 0 */
    size_t outputs;          /* y_t = readout.weight r_t + readout.bias has this width; 0 (default): y_t = r_t */
} arnn_model_desc;

/* Writes the defaults. struct_size: sizeof(arnn_model_desc) as the caller was compiled.
   Errors: ARNN_INVALID_ARGUMENT for a size that no version of this header had. */
arnn_status arnn_model_desc_default(arnn_model_desc *desc, size_t struct_size);

/* A model with all parameters zero. Next comes arnn_model_init, arnn_model_write, or use arnn_model_load instead.
   Errors: ARNN_INVALID_ARGUMENT (a value out of its range, sizes whose products overflow), ARNN_UNSUPPORTED (attention
   options with wiring none; sinks without a window; source s or hs with wiring none or before; the environment variable
   ARNN_ISA names a kernel table that this machine lacks), ARNN_NO_MEMORY. Every other combination works. */
arnn_status arnn_model_create(arnn_model **out, const arnn_model_desc *desc);
void arnn_model_destroy(arnn_model *model);

/* Reads the description back, with defaults resolved (align). desc->struct_size must be set. */
arnn_status arnn_model_describe(const arnn_model *model, arnn_model_desc *desc);

/* The kernel table of the model (section 10), as ARNN_ISA names it. NULL for NULL. Lives as long as the program. */
const char *arnn_model_kernels(const arnn_model *model);

/* Width of y_t: outputs, else n, or 2 n for source hs. */
arnn_status arnn_model_output_width(const arnn_model *model, size_t *width);

/* Parameters by name; l is the layer, |x_l| the input width of layer l, |z| = n, or |x_l| + n in `before`.
     embed.weight (vocab, d)          weight_ih_l{l} (G n, |x_l|), in `beside` (G n, |x_l| + n)    bias_ih_l{l} (G n)
     attn_key_l{l} (k, n)             weight_hh_l{l} (G n, n)                                      bias_hh_l{l} (G n)
     attn_query_l{l} (k, |z|)         attn_score_l{l} (k)         attn_general_l{l} (n, |z|)       attn_recency_l{l} (1)
     readout.weight (outputs, |r|)    readout.bias (outputs)
   Their number; 0 for NULL. */
size_t arnn_model_parameter_count(const arnn_model *model);

/* Name, rank (1 or 2) and shape of parameter `index`; shape[1] is 1 where the rank is 1. `name` lives as long as the
   model. Errors: ARNN_NOT_FOUND. */
arnn_status arnn_model_parameter(const arnn_model *model, const char **name, size_t *rank, size_t shape[2],
                                 size_t index);

/* Copies a parameter out of or into the model. count must be its number of elements (ARNN_SHAPE otherwise).
   Errors: ARNN_NOT_FOUND; writing: ARNN_BUSY. */
arnn_status arnn_model_read(const arnn_model *model, float *values, const char *name, size_t count);
arnn_status arnn_model_write(arnn_model *model, const char *name, const float *values, size_t count);

/* The type to which weights are rounded for steps: smaller ones take less memory and, where that is what a step waits
   for, less time. F32 (the default) is the parameters themselves. F16 and BF16 round every weight to the nearest; I8
   rounds a row to multiples of its largest weight over 127. Rounded are the matrices as steps use them (for dot scores
   the folded scale W_K' W_Q); biases, embeddings and states stay float32, sums are made in float32, and the parameters
   that are read, saved and trained stay as they are. A product is off by at most d sum_i |w_i x_i| with d = 2^-11 (F16,
   weights from 2^-14 on), 2^-8 (BF16), and by sum_i |x_i| max_j |w_j| / 254 (I8).
   Errors: ARNN_INVALID_ARGUMENT, ARNN_BUSY. */
arnn_status arnn_model_set_weight_type(arnn_model *model, int32_t type);

/* Initialises every parameter from a seed. weight_hh: an orthogonal matrix per gate (LAPACK QR of a normal matrix,
   signs made unique); weight_ih, biases: uniform in +-1/sqrt(n), as PyTorch's; embed: standard normal; readout: uniform
   in +-1/sqrt(|r|); attention as attention_start says, attn_score uniform in +-1/sqrt(k). The random numbers are the
   same on every machine; the orthogonal factors are the same up to rounding of the LAPACK in use.
   Errors: ARNN_BUSY, ARNN_NO_MEMORY. */
arnn_status arnn_model_init(arnn_model *model, uint64_t seed);

/* ---- 3. Files ---------------------------------------------------------------------------------------------------- */

/* Models are safetensors files: parameters by the names above, float32, the description in __metadata__. */

typedef struct arnn_load_options {
    size_t struct_size;           /* sizeof(arnn_load_options) */
    const arnn_model_desc *desc;  /* needed for a file without a description (a PyTorch state_dict); where both are
                                     there they must agree. NULL (default): the file's own */
    const char *prefix;           /* every tensor's name begins with this ("encoder."); NULL (default): none */
    int32_t ignore_unknown;       /* 1: tensors that are no parameter of the model are passed over; default 0:
                                     refused */
    int32_t reserved;             /* 0 */
} arnn_load_options;

/* Writes the defaults. Errors: as arnn_model_desc_default. */
arnn_status arnn_load_options_default(arnn_load_options *options, size_t struct_size);

/* Loads a model. Tensors may be F32, F16, BF16 or F64 and are converted. Where a layer has neither bias in the file
   (PyTorch's bias=False) both are zero. A state_dict of torch.nn.RNN, GRU or LSTM saved as safetensors loads as it is,
   with a description of wiring none. Tensors of bidirectional layers (`_reverse`) and projections (`weight_hr`) are
   refused by name. options: NULL for the defaults.
   Errors: ARNN_IO (with the system's reason), ARNN_FORMAT (every breach of the safetensors rules, named),
   ARNN_NOT_FOUND (a tensor is missing), ARNN_SHAPE, ARNN_INVALID_ARGUMENT (no description), ARNN_UNSUPPORTED,
   ARNN_NO_MEMORY. */
arnn_status arnn_model_load(arnn_model **out, const char *path, const arnn_load_options *options);
arnn_status arnn_model_load_memory(arnn_model **out, const void *data, size_t bytes, const arnn_load_options *options);

/* Saves a model. The file appears whole or not at all: a temporary file beside it is written, synced and renamed over
   it. A symbolic link is replaced, not followed. Errors: ARNN_IO, ARNN_UNSUPPORTED (so many parameters that the
   format's header cannot list them), ARNN_NO_MEMORY. */
arnn_status arnn_model_save(const arnn_model *model, const char *path);

/* Writes the same bytes to memory. *bytes: their number, always set. data NULL: only the number.
   Errors: ARNN_SHAPE where capacity is too small, ARNN_UNSUPPORTED as above. */
arnn_status arnn_model_save_memory(const arnn_model *model, void *data, size_t capacity, size_t *bytes);

/* ---- 4. Cache: where the past states are kept -------------------------------------------------------------------- */

/* The tapes of a model's streams, in pages. A page holds a fixed number of consecutive rows of one stream, all layers;
   a stream takes a page when it needs one and gives it back on reset, or when window and sinks have left it behind.
   Thread rule: a cache and all states on it belong to one thread at a time. It may have threads of its own to help that
   one: they are started by the first call that wants them, wait a tenth of a millisecond for the next and then sleep,
   take no signals, and end with the cache. Where a thread cannot be had its work is done by the others. A process that
   was forked starts its own. On Linux a sleeping one is kept off its caller's processor while it is woken (up to four
   threads): sched_setaffinity, which a sandbox may refuse but should not answer with the end of the process. */
typedef struct arnn_cache arnn_cache;

/* Element types: float32, float16, bfloat16, and 8-bit integers q that stand for q / 127. Smaller ones take less memory
   and, where memory is what a step waits for, less time. Numbers are rounded to the nearest as they join the tape, ties
   to even; what is computed from them is float32. With |h| <= 1 every element of the tape is off by at most
       d = 0 (F32), 2^-12 (F16), 2^-9 (BF16), 1/254 (I8),
   and, relative to the tape in float32, with the absorbed query q (scale included) and e = |q|_1 d,
       a score by e;  the weights in all by 2 tanh(e/2);  an element of the summary by d + 2 tanh(e/2)
   (dot and general; additive keys are made before the rounding, so that e = 0). That is one read; what steps feed back
   depends on the model. I8 saturates at +-1 and cannot hold NaN (see arnn_state_lost); kernels that multiply its bytes
   (section 10) take the query and the weights of a block of rows as whole numbers of 24 bits, in parts of the largest.
   Exponents exp(2 W_K h_i) of additive scores in BF16 move a score by at most 2^-9 |v|_1. Where the library keeps W_K
   h_i itself (relu, or a row of attn_key whose 1-norm exceeds 34), BF16 moves it by up to 2^-8 sum_j |v_j (W_K h_i)_j|.
   Memories m_i in BF16 are off by 2^-8 |m_i|. */
enum { ARNN_TYPE_F32 = 0, ARNN_TYPE_F16 = 1, ARNN_TYPE_BF16 = 2, ARNN_TYPE_I8 = 3 };

typedef struct arnn_cache_desc {
    size_t struct_size;
    int32_t tape_type;   /* ARNN_TYPE_.. of the states h_i; with relu F32 or BF16; default F32 */
    int32_t memory_type; /* F32 or BF16: of the memories m_i (the LSTM in `before`); default F32 */
    int32_t key_type;    /* F32 or BF16: of the exponents exp(2 W_K h_i) (additive scores); default F32 */
    int32_t threads;     /* 1 to 256: how many threads the steps of states on this cache use, the caller's among them;
                            default 1. Each thread makes whole sequences of some of the streams; where there are at most
                            half as many streams as threads, or at most eight a thread (on AMD's processors one) and
                            weights of more than a megabyte, they share out the reads and products of a step. Too little
                            work stays on the caller's thread. With the table `blas` not used: OpenBLAS has threads of
                            its own */
    size_t page_rows;  /* rows of a page: a power of two from 16 to 512. Few for many short streams, which hold whole
                          pages, many for long ones. 0 (default): about 256 KiB of states a layer. Rows are summed page
                          by page, so that results agree to the last bit only between caches with pages of one length */
    size_t streams;    /* room made at once: for so many streams .. */
    size_t rows;       /* .. of so many rows each; default 0 of 0 */
    size_t max_bytes;  /* it grows up to so many bytes of pages. Default SIZE_MAX: while memory lasts. 0: the room made
                          at once is all there ever is */
} arnn_cache_desc;

/* Writes the defaults. Errors: as arnn_model_desc_default. */
arnn_status arnn_cache_desc_default(arnn_cache_desc *desc, size_t struct_size);

/* desc: NULL for the defaults. The cache of a model with wiring none, which has no tape, holds no pages; its states may
   do without. Errors: ARNN_FULL (the room asked for exceeds max_bytes, unless that is 0), ARNN_INVALID_ARGUMENT,
   ARNN_UNSUPPORTED (a type that does not go with the cell or the part), ARNN_NO_MEMORY. */
arnn_status arnn_cache_create(arnn_cache **out, arnn_model *model, const arnn_cache_desc *desc);
void arnn_cache_destroy(arnn_cache *cache);

/* Makes room, in all, for `streams` streams of `rows` rows each, and touches every page of it. With a window no stream
   needs more than its window, sinks and one row span, however long it grows. Steps within the room allocate nothing.
   Errors: ARNN_INVALID_ARGUMENT (a product that overflows), ARNN_FULL, ARNN_NO_MEMORY. */
arnn_status arnn_cache_reserve(arnn_cache *cache, size_t streams, size_t rows);

/* Bytes of all pages, and of those that streams hold now. Either pointer may be NULL. */
arnn_status arnn_cache_bytes(const arnn_cache *cache, size_t *allocated, size_t *used);

/* Rows in a page, and bytes of one; 0 with wiring none. */
arnn_status arnn_cache_page(const arnn_cache *cache, size_t *rows, size_t *bytes);

/* ---- 5. State: streams and their pasts --------------------------------------------------------------------------- */

/* A batch of streams, each with its own length, summaries and tape. Streams have stable indices 0 .. streams-1.
   Thread rule: as its cache; a state without a cache (wiring none) belongs to one thread at a time. */
typedef struct arnn_state arnn_state;

/* All streams are empty, all initial values zero. cache: made for the same model; may be NULL with wiring none. The
   first state on a model makes its parameters ready (packs and folds them).
   Errors: ARNN_INVALID_ARGUMENT (a cache of another model, a cache missing, more than INT32_MAX streams),
   ARNN_NO_MEMORY. */
arnn_status arnn_state_create(arnn_state **out, arnn_model *model, arnn_cache *cache, size_t streams);
void arnn_state_destroy(arnn_state *state);

/* How many streams it has; 0 for NULL. */
size_t arnn_state_streams(const arnn_state *state);

/* The stream's own time t: steps made and rows appended since it was empty. Errors: ARNN_NOT_FOUND. */
arnn_status arnn_state_length(const arnn_state *state, size_t *length, size_t stream);

/* Empties streams: no rows, zero values; their pages return to the cache. streams NULL: all of them (count is not
   read). Errors: ARNN_NOT_FOUND, and then no stream is reset. */
arnn_status arnn_state_reset(arnn_state *state, const size_t *streams, size_t count);

/* The values that one layer of one stream carries from step to step, n floats each. Setting them on an empty stream
   gives initial values s_0, m_0, h_0; they are never rows of a tape.
     s    every wiring; the summary (in none: h_{t-1})
     m    the LSTM's memory, in none, after, beside (in before it is read from the tape)
     h    beside alone
   A GRU blends what it carries into h: with additive scores keep it within [-1, 1] (see arnn_state_append); on an 8-bit
   tape anything else is refused.
   Errors: ARNN_NOT_FOUND (stream, layer), ARNN_UNSUPPORTED (a value that this model does not carry),
   ARNN_INVALID_ARGUMENT (as just said). */
enum { ARNN_VALUE_S = 0, ARNN_VALUE_M = 1, ARNN_VALUE_H = 2 };
arnn_status arnn_state_get(const arnn_state *state, float *values, int32_t which, size_t layer, size_t stream);
arnn_status arnn_state_set(arnn_state *state, int32_t which, size_t layer, size_t stream, const float *values);

/* Adds rows to a stream's tape without computing them: an encoder's states, a saved past.
   Their times go on from the stream's length: rows that a window has left behind cannot be given back their place.
   h: (layers, rows, n). m: the same, for the LSTM in `before`, else NULL. s, m and h of the state stay as they are.
   Additive scores count on |h| <= 1, which every cell but relu keeps: with rows beyond it, units of which W_K h and W_Q
   z both exceed 43 with opposite signs are not exact.
   Errors: ARNN_NOT_FOUND, ARNN_INVALID_ARGUMENT (m missing or not wanted), ARNN_UNSUPPORTED (wiring none), ARNN_FULL,
   ARNN_NO_MEMORY. */
arnn_status arnn_state_append(arnn_state *state, size_t stream, const float *h, const float *m, size_t rows);

/* Copies rows first .. first+rows-1 (counted from 0) of one layer's tape: h (rows, n); m the same, NULL if not wanted.
   Errors: ARNN_NOT_FOUND (stream, layer, rows not yet written or already recycled), ARNN_UNSUPPORTED (no tape, no m
   rows). */
arnn_status arnn_state_rows(const arnn_state *state, float *h, float *m, size_t layer, size_t stream, size_t first,
                            size_t rows);

/* Whether a stream's 8-bit tape was given a NaN, which it cannot hold. *lost is then 1: what is read from the tape is
   NaN until the stream is reset, even where a window has left the row behind. Else, and with other types, 0.
   Errors: ARNN_NOT_FOUND. */
arnn_status arnn_state_lost(const arnn_state *state, int32_t *lost, size_t stream);

/* The attention weights of the last step of a stream, one layer, indexed by absolute row (0 where unread): weights
   (count), where count is at least the number of rows then on the tape (ARNN_SHAPE otherwise; the rest is set to 0).
   zero: the zero row's weight; logsumexp: of the scores, -inf where no row was read. Any of the three outputs may be
   NULL. Errors: ARNN_NOT_FOUND (stream, layer, or the stream made no step since it was created, reset or appended to),
   ARNN_UNSUPPORTED (wiring none). */
arnn_status arnn_state_weights(const arnn_state *state, float *weights, float *zero, float *logsumexp, size_t layer,
                               size_t stream, size_t count);

/* ---- 6. Running -------------------------------------------------------------------------------------------------- */

/* Arrays of a sequence are (time, stream, width), width contiguous, with strides in elements; a stride 0 means dense:
   the stream stride is then the width, the time stride the number of streams times the stream stride. So time-major and
   stream-major arrays pass without a copy. In a single step the time stride is not read. */

/* Input: x (time, stream, d) for models with dense input, else tokens (time, stream). The other one is NULL. */
typedef struct arnn_input {
    size_t struct_size;
    const float *x;
    const int32_t *tokens;
    size_t time_stride;
    size_t stream_stride;
} arnn_input;

/* Where an output goes. data NULL: not wanted. Strides are nested: one axis lies within a stride of the other, or they
   are refused. This struct does not grow. */
typedef struct arnn_array {
    float *data;
    size_t time_stride;
    size_t stream_stride;
} arnn_array;

/* Outputs on request; zero-initialise what you do not want. They must not overlap each other or the input. */
typedef struct arnn_output {
    size_t struct_size;
    arnn_array y;         /* (time, stream, output width): the readout, or r_t */
    arnn_array h;         /* (time, stream, n): h_t of the top layer */
    arnn_array s;         /* (time, stream, n): s_t of the top layer */
    arnn_array map;       /* (time, stream, map_columns): attention weights of layer map_layer by absolute row, 0 where
                             unread; map_columns is at least the rows on any of the tapes in the end */
    arnn_array map_zero;  /* (time, stream, 1): the zero row's weight */
    size_t map_layer;     /* a run gives the map of one layer; arnn_state_weights has the last step of every layer */
    size_t map_columns;
} arnn_output;

/* All fields zero but struct_size. Errors: as arnn_model_desc_default. */
arnn_status arnn_input_default(arnn_input *in, size_t struct_size);
arnn_status arnn_output_default(arnn_output *out, size_t struct_size);

/* One step of `count` streams: streams[j] takes element j of the input and fills element j of the outputs. streams
   NULL: 0 .. count-1. A stream may be chosen once. All pages are reserved before anything is computed. out: NULL if
   nothing is wanted. Within reserved room, on every table but `blas`, a step allocates nothing, locks nothing, makes no
   system call. Errors: ARNN_INVALID_ARGUMENT (a token id out of range, named; a stream chosen twice; x or tokens
   missing), ARNN_NOT_FOUND (stream, map_layer), ARNN_SHAPE (strides, map_columns), ARNN_UNSUPPORTED (map with wiring
   none), ARNN_FULL, ARNN_NO_MEMORY. After an error nothing has changed. */
arnn_status arnn_step(arnn_state *state, const arnn_output *out, const arnn_input *in, const size_t *streams,
                      size_t count);

/* `steps` steps at once: the same function as that many single steps. lengths[j] <= steps is how many of them
   streams[j] makes (0 allowed; NULL: all make all); beyond that its input is not read and its output not written.
   Errors: as arnn_step, checked for the whole sequence before it begins; ARNN_SHAPE for a length above steps. */
arnn_status arnn_forward(arnn_state *state, const arnn_output *out, const arnn_input *in, const size_t *lengths,
                         const size_t *streams, size_t steps, size_t count);

/* ---- 7. Attention alone ------------------------------------------------------------------------------------------ */

/* Rows of one past, wherever the caller keeps them: (count, width), rows `stride` elements apart (0: width). This
   struct does not grow. */
typedef struct arnn_rows {
    const void *data;
    size_t count;
    size_t stride;
} arnn_rows;

/* The GEMV batch itself: for each of `batch` queries q (width) and its rows h_i
       contexts = sum_i a_i h_i,     a = softmax_i(scale q' h_i),     logsumexp = log sum_i exp(scale q' h_i).
   contexts (batch, width); logsumexp (batch), NULL if not wanted; weights (batch, weight_stride), NULL if not wanted,
   else weight_stride is at least the largest count (the rest is set to 0). No rows: zero context, logsumexp -inf. Rows
   are read once, in the order given. A query W_K' W_Q z makes the rows keys and values at once. type: ARNN_TYPE_.. of
   the rows; I8 stands for q / 127, q from -127 to 127. contexts may be queries; nothing else may overlap.
   Any thread; needs no handle. Errors: ARNN_INVALID_ARGUMENT (type, width 0, a scale that is not finite), ARNN_SHAPE (a
   stride below width, weight_stride), ARNN_UNSUPPORTED (ARNN_ISA), ARNN_NO_MEMORY. */
arnn_status arnn_attend(float *contexts, float *logsumexp, float *weights, const float *queries, const arnn_rows *rows,
                        size_t batch, size_t width, size_t weight_stride, int32_t type, float scale);

/* Merges two partial results over disjoint rows, exactly (in real numbers): the first pair becomes what one arnn_attend
   over both sets of rows would give. contexts, other_contexts (batch, width); logsumexps (batch). Two empties give an
   empty. Errors: ARNN_INVALID_ARGUMENT (a product that overflows). */
arnn_status arnn_attend_merge(float *contexts, float *logsumexp, const float *other_contexts,
                              const float *other_logsumexp, size_t batch, size_t width);

/* ---- 8. Gradients ------------------------------------------------------------------------------------------------ */

/* A recorded run of a batch of sequences, and the memory to go back over it: exact gradients of everything that a model
   computes, in memory linear in the number of steps. Of the attention weights nothing is kept but the logsumexp of
   every read; they are made again, block by block of steps, as matrix products.
   Thread rule: as its state. A record does not keep the model's parameters from changing (a state does): they are made
   ready anew at the next run. */
typedef struct arnn_record arnn_record;

typedef struct arnn_record_desc {
    size_t struct_size;
    int32_t threads;  /* of steps, forward and back, as in arnn_cache_desc; default 1 */
    int32_t reserved; /* 0 */
    size_t streams;   /* room: for so many streams .. */
    size_t steps;     /* .. of so many steps at once .. */
    size_t past;      /* .. on so many rows of earlier runs, which are read and taken as constants (truncated
                         back-propagation); default 0: every run begins with empty tapes. With wiring none not read */
} arnn_record_desc;

/* Writes the defaults. Errors: as arnn_model_desc_default. */
arnn_status arnn_record_desc_default(arnn_record_desc *desc, size_t struct_size);

/* The bytes that a record takes, packed parameters and the buffers of a step left out. For one layer, in floats a
   stream and step: |x| + n (x and s kept) + n + |x| (what h and x are owed) + G n (twice for the GRU), and
     token ids       + 1
     with attention  + 3 n (states, kept and on the tape; what s is owed) + the query's width + 1
     LSTM            + n; in `before` + 4 n
     additive        + 3 k
   with attention 64 floats of weights a step, past ones as well, and for each stream some vectors. For every row of the
   past 2 n floats beside its weights, + 2 n in the LSTM's `before`, + 3 k with additive scores.
   Errors: ARNN_INVALID_ARGUMENT (sizes that overflow). */
arnn_status arnn_record_bytes(const arnn_model *model, const arnn_record_desc *desc, size_t *bytes);

/* Errors: ARNN_INVALID_ARGUMENT, ARNN_NO_MEMORY. */
arnn_status arnn_record_create(arnn_record **out, arnn_model *model, const arnn_record_desc *desc);
void arnn_record_destroy(arnn_record *record);

/* The record's own state: set its streams' initial values, reset them, append rows (constants) to their tapes, read
   them as those of any state. Borrowed: it ends with the record; not to be destroyed. NULL for NULL. */
arnn_state *arnn_record_state(arnn_record *record);

/* Runs streams 0 .. count-1 on, from where they are, as arnn_forward does and with the same results.
   Errors: as arnn_forward; ARNN_SHAPE (more streams or steps than there is room for), ARNN_FULL (more rows on a tape
   than `past`). After an error nothing has changed, but that there is no run to go back over. */
arnn_status arnn_record_forward(arnn_record *record, const arnn_output *out, const arnn_input *in,
                                const size_t *lengths, size_t steps, size_t count);

/* What the loss is owed by the outputs of the last run, dL/dy, dL/dh, dL/ds, shaped and strided as those are; data
   NULL: zero. Where a stream made no step nothing is read. */
typedef struct arnn_output_gradient {
    size_t struct_size;
    arnn_array y; /* (time, stream, output width) */
    arnn_array h; /* (time, stream, n): of the top layer */
    arnn_array s; /* (time, stream, n) */
} arnn_output_gradient;

/* Where gradients go; NULL: not wanted. */
typedef struct arnn_gradient {
    size_t struct_size;
    float *parameters; /* (arnn_model_parameter_floats): added to, so that runs accumulate */
    arnn_array x;      /* (time, stream, d), dense input only: written where a stream made a step */
    float *s;          /* (layers, count, n): of the values that the run began with, written */
    float *m;          /* the same, for an LSTM in none, after, beside */
    float *h;          /* the same, in beside */
} arnn_gradient;

/* All fields zero but struct_size. Errors: as arnn_model_desc_default. */
arnn_status arnn_output_gradient_default(arnn_output_gradient *from, size_t struct_size);
arnn_status arnn_gradient_default(arnn_gradient *to, size_t struct_size);

/* The parameters as one array of floats, in the order of arnn_model_parameter, each row-major and next to the other:
   how many floats, and where parameter `index` begins. Errors: ARNN_NOT_FOUND. */
size_t arnn_model_parameter_floats(const arnn_model *model);
arnn_status arnn_model_parameter_offset(const arnn_model *model, size_t *offset, size_t index);

/* Goes back over the last run, once: a second time it is refused. Softmax rows that were read count as they were read,
   window and sinks included; a dot score's folded matrix gives gradients to attn_key and attn_query, an embedding to
   the rows of its tokens. Sums are float32, in an order that does not depend on threads (but with the table `blas`).
   Errors: ARNN_NOT_FOUND (there is no run to go back over), ARNN_BUSY (parameters have changed since), ARNN_SHAPE
   (strides), ARNN_UNSUPPORTED (x with tokens, m or h of a model that does not carry it), ARNN_NO_MEMORY. */
arnn_status arnn_record_backward(arnn_record *record, const arnn_gradient *to, const arnn_output_gradient *from);

/* ---- 9. Training ------------------------------------------------------------------------------------------------- */

/* Losses. l is the loss of one output y (outputs); weights w are 1 or given a stream; loss = sum w l / sum w.
     cross entropy   log sum_j exp(y_j) - y_label;  labels are indices of outputs, a negative one is ignored
     squared error   mean_j (y_j - value_j)^2 */
enum { ARNN_LOSS_CROSS_ENTROPY = 0, ARNN_LOSS_SQUARED_ERROR = 1 };

/* Of which outputs: of every step, of the last step of each stream, or of one output a stream, the readout of the mean
   of r_t over its steps. */
enum { ARNN_OVER_STEPS = 0, ARNN_OVER_LAST = 1, ARNN_OVER_MEAN = 2 };

/* Optimisers; g is the gradient after clipping.
     sgd     b = momentum b + g + weight_decay w;  w -= rate b
     adam    Kingma and Ba, ICLR 2015, with both bias corrections; weight_decay w joins g
     adamw   Loshchilov and Hutter, ICLR 2019: w shrinks by rate weight_decay w, apart from the gradient */
enum { ARNN_OPTIMISER_SGD = 0, ARNN_OPTIMISER_ADAM = 1, ARNN_OPTIMISER_ADAMW = 2 };

/* How a model is trained. Fill it with arnn_trainer_desc_default first. */
typedef struct arnn_trainer_desc {
    size_t struct_size;
    int32_t loss;          /* ARNN_LOSS_..       default cross entropy */
    int32_t over;          /* ARNN_OVER_..       default steps */
    int32_t optimiser;     /* ARNN_OPTIMISER_..  default adam */
    int32_t threads;       /* of the record; default 1 */
    float momentum;        /* of sgd, and Adam's beta_1: in [0, 1); default 0.9 */
    float second_momentum; /* Adam's beta_2: in [0, 1); default 0.999 */
    float epsilon;         /* of Adam: above 0; default 1e-8 */
    float weight_decay;    /* at least 0; default 0 */
    float clip;            /* gradients with a larger norm, over all parameters, are scaled down to it; default 1;
                              0: never */
    float dropout;         /* each number of every layer's input is 0 with this probability, else divided by 1 minus it:
                              in [0, 1); default 0 */
    float readout_dropout; /* the same, of the readout's input */
    int32_t reserved;      /* 0 */
    uint64_t seed;         /* of dropout: which numbers are dropped follows from the seed, the number of updates made,
                              layer, time and stream alone; default 0 */
    size_t streams;        /* room of the record: for so many streams .. */
    size_t steps;          /* .. of so many steps a call; defaults 32 and 128 .. */
    size_t past;           /* .. after so many earlier steps (see arnn_examples.carry); default 0 */
} arnn_trainer_desc;

/* What a model learns from. Arrays are (time, stream, width) as in arnn_input; in arrays of one element a stream (over
   last, mean) the time stride is not read. */
typedef struct arnn_examples {
    size_t struct_size;
    const float *x;        /* (time, stream, d), or .. */
    const int32_t *tokens; /* .. (time, stream): as the model reads */
    size_t time_stride;
    size_t stream_stride;
    const int32_t *labels; /* cross entropy: (time, stream), over last and mean (stream); negative: ignored */
    const float *values;   /* squared error: (time, stream, outputs), over last and mean (stream, outputs) */
    size_t wanted_time_stride; /* of labels or values */
    size_t wanted_stream_stride;
    const float *weights;  /* (stream), each at least 0; NULL: 1 */
    const size_t *lengths; /* (stream), each at most `steps`; NULL: all make all steps */
    size_t steps;
    size_t count;
    int32_t carry;    /* 1: the streams go on where the last call left them, and read its past, which gets no gradient
                         (truncated back-propagation); 0: they begin anew */
    int32_t reserved; /* 0 */
} arnn_examples;

/* What came out. Written where the call succeeds. */
typedef struct arnn_training {
    size_t struct_size;
    double loss;
    double weight;  /* sum w */
    double correct; /* cross entropy: the part of the weight whose largest output is the label; else 0 */
    double norm;    /* of the gradient before clipping; 0 after arnn_trainer_evaluate */
} arnn_training;

/* Writes the defaults. Errors: as arnn_model_desc_default. */
arnn_status arnn_trainer_desc_default(arnn_trainer_desc *desc, size_t struct_size);
arnn_status arnn_examples_default(arnn_examples *examples, size_t struct_size);
arnn_status arnn_training_default(arnn_training *training, size_t struct_size);

/* A trainer changes the model that it was made for: gradients, moments and a record of the last call. Thread rule: one
   thread at a time, which also has the model alone. */
typedef struct arnn_trainer arnn_trainer;

/* Errors: ARNN_INVALID_ARGUMENT (a value out of its range), ARNN_NO_MEMORY. */
arnn_status arnn_trainer_create(arnn_trainer **out, arnn_model *model, const arnn_trainer_desc *desc);
void arnn_trainer_destroy(arnn_trainer *trainer);

/* One step of learning: forward, loss, backward, clipping, update with this learning rate. training: NULL if not
   wanted. A loss or a gradient that is not finite is an error before anything is updated; the sentence names a
   parameter that is not finite, or whose gradient is not. The streams are then emptied, as carry = 0 does. Errors:
   ARNN_INVALID_ARGUMENT (a rate that is not finite or below 0, labels out of range, labels or values that do not go
   with the loss, negative weights, a weight sum of 0: nothing to learn from; not finite, as just said), ARNN_SHAPE
   (more streams or steps than there is room for, strides), ARNN_BUSY (a state rests on the model), ARNN_NO_MEMORY. */
arnn_status arnn_trainer_step(arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples,
                              float rate);

/* The same in two halves. The first leaves the gradient in arnn_trainer_gradient, unclipped; between them the caller
   may change it: add those of other processes, for instance. The second clips and updates, and gives the norm before
   clipping (NULL: not wanted); each use needs a gradient of its own. Errors: as arnn_trainer_step; updating:
   ARNN_UNSUPPORTED where no gradient was made since the last update. */
arnn_status arnn_trainer_gradients(arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples);
arnn_status arnn_trainer_update(arnn_trainer *trainer, double *norm, float rate);

/* The gradient, arnn_model_parameter_floats(model) floats; where each parameter stands in it,
   arnn_model_parameter_offset says. It lives as long as the trainer and may be written. NULL for NULL. */
float *arnn_trainer_gradient(arnn_trainer *trainer);

/* How many updates were made; 0 for NULL. */
uint64_t arnn_trainer_updates(const arnn_trainer *trainer);

/* Loss without dropout, gradient or update. Any number of streams and steps; the streams of training are not touched,
   and carry is not read. Errors: as arnn_trainer_step. */
arnn_status arnn_trainer_evaluate(const arnn_trainer *trainer, arnn_training *training, const arnn_examples *examples);

/* A checkpoint, as a safetensors file: parameters, moments (first.<name>, second.<name>), and in the metadata the
   number of updates and the seed. It appears whole or not at all, as with arnn_model_save; arnn_model_load reads the
   model in it with ignore_unknown. Loading needs a trainer of the same optimiser on a model of the same description;
   training then goes on bit for bit as it would have (same machine, kernels, BLAS and number of its threads), from a
   call without carry. Errors: saving as arnn_model_save; loading ARNN_IO, ARNN_FORMAT, ARNN_NOT_FOUND (a tensor is
   missing), ARNN_SHAPE, ARNN_INVALID_ARGUMENT (another model or optimiser), ARNN_BUSY, ARNN_NO_MEMORY. */
arnn_status arnn_trainer_save(const arnn_trainer *trainer, const char *path);
arnn_status arnn_trainer_load(arnn_trainer *trainer, const char *path);

/* Chooses a token for each of `count` rows of logits (count, width), the readout of a token model: the probabilities
   are softmax(logits / temperature) over the `top` largest (0: all; of equals, the first ones). temperature 0: the
   largest, the first of equals. Row j is decided by (seed, draw, j): count the draw up from step to step. Any thread.
   Errors: ARNN_INVALID_ARGUMENT (width 0, a temperature that is not finite or below 0, a row of logits with NaN,
   +inf or nothing but -inf, named; then no token is written). */
arnn_status arnn_sample(int32_t *tokens, const float *logits, size_t count, size_t width, float temperature, size_t top,
                        uint64_t seed, uint64_t draw);

/* The readout that fits targets (rows, outputs) best from frozen states (rows, |r|): it makes
   sum |W_o r + b_o - target|^2 + penalty |W_o|^2 smallest (normal equations in double, LAPACK's Cholesky factor).
   Errors: ARNN_UNSUPPORTED (a model without a readout), ARNN_INVALID_ARGUMENT (a penalty that is not finite or below 0;
   equations that are singular or not finite), ARNN_BUSY, ARNN_NO_MEMORY. */
arnn_status arnn_model_fit_readout(arnn_model *model, const float *states, const float *targets, size_t rows,
                                   double penalty);

/* The spectral radius of each gate's block of weight_hh_l{layer}: radii (G). Errors: ARNN_NOT_FOUND (layer),
   ARNN_INVALID_ARGUMENT (weights that are not finite), ARNN_NO_MEMORY. */
arnn_status arnn_model_spectral_radius(const arnn_model *model, double *radii, size_t layer);

/* The largest `count` Lyapunov exponents, in descending order, of a model of wiring none along the trajectory that
   begins at zero and reads x (steps, d) or tokens (steps) at in->time_stride: the mean over the steps after the first
   `skip` of the logarithms by which directions are stretched (QR after every step, in double). Above 0 the recurrence
   is chaotic; exp of them is how much of a small difference is left after a step. count is at most the numbers that the
   model carries: layers n, and twice that for the LSTM. Errors: ARNN_UNSUPPORTED (another wiring), ARNN_SHAPE (count,
   skip), ARNN_INVALID_ARGUMENT (tokens), ARNN_NO_MEMORY. */
arnn_status arnn_model_lyapunov(const arnn_model *model, double *exponents, size_t count, const arnn_input *in,
                                size_t steps, size_t skip, uint64_t seed);

/* ---- 10. The build ----------------------------------------------------------------------------------------------- */

/* ARNN_VERSION_MAJOR * 10000 + ARNN_VERSION_MINOR * 100 + ARNN_VERSION_PATCH of the library in use. */
int32_t arnn_version(void);

/* One line: version, kernel table that a new model gets here, kernel tables that this machine has, and the BLAS with
   its build, core name and threading flavour. Valid until the next call on this thread. */
const char *arnn_build_info(void);

/* The constants of this header by name, for bindings that cannot read it: arnn_constant("ARNN_CELL_GRU", &value).
   Errors: ARNN_NOT_FOUND. */
arnn_status arnn_constant(const char *name, int32_t *value);

/* Kernels. A new model takes the best table for this processor; the environment variable ARNN_ISA chooses another:
     ref              plain C, the reference that the others are checked against
     blas             the portable fast path, and the default where there is no vector kernel: products through OpenBLAS
     avx2             x86-64 with AVX2 and FMA
     avx512           x86-64 with AVX-512 F, BW, DQ and VL
     avx512_vnni      the same with VNNI, which reads int8 tapes by products of bytes
     avx512_vnni_amx  the same with AMX, whose tiles make products of matrices of gradients, as exactly as float32 does
                      above 2^-100 (smaller numbers lose digits, denormals are 0; from 3.3962e38 on they are NaN). All
                      else, and products with a side below 16, have the bits of avx512_vnni. The first such product
                      asks the system for tiles (arch_prctl): from then on it refuses to this process signal stacks
                      smaller than getauxval(AT_MINSIGSTKSZ). Where it gives none, this is avx512_vnni
     neon             aarch64
   The table stays with the model. */

#ifdef __cplusplus
}
#endif

#endif

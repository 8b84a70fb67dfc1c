/* Parameters by name and shape, in one block of memory. */
#ifndef ARNN_MODEL_PARAMETERS_H
#define ARNN_MODEL_PARAMETERS_H

#include "model/description.h"

typedef enum {
    ARNN_EMBED,        /* (vocab, d) */
    ARNN_WEIGHT_IH,    /* (G n, |x|), in `beside` (G n, |x| + n) */
    ARNN_WEIGHT_HH,    /* (G n, n) */
    ARNN_BIAS_IH,      /* (G n) */
    ARNN_BIAS_HH,      /* (G n) */
    ARNN_ATTN_KEY,     /* (k, n) */
    ARNN_ATTN_QUERY,   /* (k, |z|) */
    ARNN_ATTN_SCORE,   /* (k) */
    ARNN_ATTN_GENERAL, /* (n, |z|) */
    ARNN_ATTN_RECENCY, /* (1) */
    ARNN_READOUT,      /* (outputs, |r|) */
    ARNN_READOUT_BIAS, /* (outputs) */
    ARNN_ROLES
} arnn_role;

#define ARNN_NAME_BYTES 48

typedef struct arnn_parameter {
    char name[ARNN_NAME_BYTES];
    arnn_role role;
    size_t layer;
    size_t rank;
    size_t shape[2]; /* shape[1] is 1 where the rank is 1 */
    size_t count;    /* elements */
    float *values;   /* in the block */
} arnn_parameter;

typedef struct arnn_parameters {
    arnn_parameter *list;
    size_t count;
    size_t first, each; /* the layers' begin at index `first`, `each` of them a layer */
    float *values;      /* the block: all parameters, in the order of the list */
    size_t values_count;
} arnn_parameters;

/* All parameters of a resolved description, zero. The destroy function accepts a half-built or zeroed object. The list
   alone has names and shapes and no values: what a file must hold is known before memory is taken for it. */
arnn_status arnn_parameters_list(arnn_parameters *parameters, const arnn_model_desc *desc);
arnn_status arnn_parameters_create(arnn_parameters *parameters, const arnn_model_desc *desc);
void arnn_parameters_destroy(arnn_parameters *parameters);

/* NULL where there is none. */
arnn_parameter *arnn_parameters_find(const arnn_parameters *parameters, const char *name);

/* The values of a role in a layer (embed, readout: layer 0); NULL where the description has none. */
const arnn_parameter *arnn_parameters_of(const arnn_parameters *parameters, arnn_role role, size_t layer);

/* Gates of the described cell: 1, 3 or 4. */
size_t arnn_desc_gates(const arnn_model_desc *desc);

/* |z|, what a query is made from: n, or |x| + n in `before`. */
size_t arnn_desc_query_width(const arnn_model_desc *desc, size_t layer);

/* "(64, 128)" or "(64)". */
#define ARNN_SHAPE_TEXT 48
void arnn_shape_write(char *text, size_t rank, const size_t *shape);

#endif

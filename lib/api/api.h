/* What the shells share. One public function is: check, translate, call. */
#ifndef ARNN_API_API_H
#define ARNN_API_API_H

#include <stdbool.h>

#include "run/sequence.h"

/* Returns from the calling function with an error where an argument is null. */
#define ARNN_REQUIRE(argument)                 \
    do {                                       \
        if (!(argument))                       \
            return arnn_error_null(#argument); \
    } while (0)

/* struct_size of a caller's struct, of which this is the first version. */
arnn_status arnn_check_struct(const char *name, size_t given, size_t expected);

/* Whether stream and layer are there. */
arnn_status arnn_check_stream(const arnn_state *state, size_t stream);
arnn_status arnn_check_layer(const arnn_state *state, size_t layer);

/* Stream indices (NULL: 0 .. count-1): at most all, in range, none twice. */
arnn_status arnn_check_streams(const arnn_state *state, const size_t *streams, size_t count);

/* How many threads. */
arnn_status arnn_check_threads(int32_t threads);

/* An output of a sequence: sets strides that are 0, sees that the last element's index is one and that no two elements
   share memory. */
arnn_status arnn_check_array(const char *name, arnn_array *array, size_t width, const arnn_sequence *sequence);

/* A call of arnn_step or arnn_forward: completes the sequence, and sees that the parameters are ready. Where it has no
   streams or no steps nothing is to be done. */
arnn_status arnn_check_sequence(arnn_state *state, arnn_sequence *sequence, const arnn_output *out,
                                const arnn_input *in);

/* Lengths within the steps; the input of a sequence whose lengths are checked: completes its strides. */
arnn_status arnn_check_lengths(const arnn_sequence *sequence);
arnn_status arnn_check_input(arnn_sequence *sequence, const arnn_model_desc *desc);

#endif

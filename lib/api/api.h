/* What the shells share. One public function is: check, translate, call. */
#ifndef ARNN_API_API_H
#define ARNN_API_API_H

#include <stdbool.h>

#include "base/status.h"

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

#endif

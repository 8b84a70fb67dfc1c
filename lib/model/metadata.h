/*
 * The description of a model in a file's metadata: "arnn.version": "1", and every field of arnn_model_desc as
 * "arnn.<field>"; a field left out has its default. What this version does not know comes from a newer one, and is
 * refused: a field that is passed over would make another model of it.
 */
#ifndef ARNN_MODEL_METADATA_H
#define ARNN_MODEL_METADATA_H

#include "model/safetensors.h"

/* The resolved description to load a file by: its own, or `given` (NULL: none) where it has none; where there are
   both, they must agree. Errors: ARNN_INVALID_ARGUMENT (neither, or they differ, or what arnn_desc_resolve says of
   `given`), ARNN_UNSUPPORTED (written by a newer version; what arnn_desc_resolve says of `given`), ARNN_FORMAT. */
arnn_status arnn_metadata_description(arnn_model_desc *desc, const arnn_safetensors *file,
                                      const arnn_model_desc *given);

#endif

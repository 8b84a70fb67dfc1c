/* The header of a safetensors file: from text to entries that have been checked against the format and one another. */
#ifndef ARNN_MODEL_HEADER_H
#define ARNN_MODEL_HEADER_H

#include "model/safetensors.h"

/* Fills tensors and metadata of `file` from its header, `bytes` bytes and a '\0', for `data_bytes` bytes of data.
   What it allocates is freed by arnn_safetensors_close, after an error too. */
arnn_status arnn_header_read(arnn_safetensors *file, size_t bytes, size_t data_bytes);

#endif

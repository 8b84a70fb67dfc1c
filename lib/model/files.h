/* Models as safetensors files. The rules are those of arnn_model_load and its neighbours in arnn.h. */
#ifndef ARNN_MODEL_FILES_H
#define ARNN_MODEL_FILES_H

#include "model/model.h"

/* Options are complete, their pointers may be NULL as arnn.h says. *out is NULL after an error. */
arnn_status arnn_model_read_file(arnn_model **out, const char *path, const arnn_load_options *options);
arnn_status arnn_model_read_memory(arnn_model **out, const void *data, size_t bytes, const arnn_load_options *options);

arnn_status arnn_model_write_file(const arnn_model *model, const char *path);

/* data NULL: only the number of bytes. */
arnn_status arnn_model_write_memory(const arnn_model *model, void *data, size_t capacity, size_t *bytes);

#endif

/* A file that appears whole or not at all. */
#ifndef ARNN_MODEL_REPLACE_H
#define ARNN_MODEL_REPLACE_H

#include "model/sink.h"

/* Writes a file through `write` under another name in the same folder, syncs it, and gives it the name `path`. A
   file that had this name is untouched until then; its permissions are kept; where the name is a symbolic link, the
   link is replaced. After an error of any kind no new file is left behind. Errors: those of `write`, ARNN_IO,
   ARNN_NO_MEMORY. */
typedef arnn_status (*arnn_replace_write)(arnn_sink *sink, const void *what);
arnn_status arnn_replace(const char *path, arnn_replace_write write, const void *what);

#endif

/* Descriptions of models: checking, defaults, and their fields as text (for files). */
#ifndef ARNN_MODEL_DESCRIPTION_H
#define ARNN_MODEL_DESCRIPTION_H

#include <stdbool.h>

#include "base/status.h"

/* What a field holds, and how it is written as text. */
typedef enum { ARNN_FIELD_WORD, ARNN_FIELD_FLAG, ARNN_FIELD_FLOAT, ARNN_FIELD_SIZE } arnn_field_kind;

typedef struct arnn_field {
    const char *name; /* the member's own */
    arnn_field_kind kind;
    size_t offset;            /* in arnn_model_desc */
    const char *const *words; /* ARNN_FIELD_WORD: the words of values 0, 1, .., then NULL */
} arnn_field;

/* Every field but struct_size, in the order of the struct; ends with a NULL name. */
extern const arnn_field arnn_fields[];

/* One field as text, and back. Text must hold ARNN_FIELD_TEXT characters. Parsing gives false for what is no value. */
#define ARNN_FIELD_TEXT 32
void arnn_field_write(const arnn_field *field, const arnn_model_desc *desc, char *text);
bool arnn_field_read(const arnn_field *field, arnn_model_desc *desc, const char *text);
bool arnn_field_equal(const arnn_field *field, const arnn_model_desc *a, const arnn_model_desc *b);

void arnn_desc_default(arnn_model_desc *desc);

/* Copies a caller's description, of any version of the header, over the defaults, checks it and resolves `align`. */
arnn_status arnn_desc_resolve(arnn_model_desc *out, const arnn_model_desc *desc);

/* Widths that follow from a resolved description. */
bool arnn_desc_has_tape(const arnn_model_desc *desc);
bool arnn_desc_has_memory_rows(const arnn_model_desc *desc);             /* the LSTM in `before` keeps m on the tape */
size_t arnn_desc_input_width(const arnn_model_desc *desc, size_t layer); /* |x_l|, without the summary of `beside` */
size_t arnn_desc_source_width(const arnn_model_desc *desc);              /* |r| */
size_t arnn_desc_output_width(const arnn_model_desc *desc);              /* |y| */

#endif

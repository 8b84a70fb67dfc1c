/* Small models as files: made, saved, loaded, and compared. */
#ifndef ARNN_TESTS_MODEL_MODELS_H
#define ARNN_TESTS_MODEL_MODELS_H

#include "forge.h"

#include "model/files.h"

static const arnn_load_options plain = {.struct_size = sizeof plain};

static inline arnn_model_desc described(int32_t cell, int32_t wiring)
{
    arnn_model_desc desc;
    arnn_desc_default(&desc);
    desc.cell = cell;
    desc.wiring = wiring;
    desc.inputs = 2;
    desc.hidden = 3;
    return desc;
}

/* Every pattern of bits is a value: denormals, infinities, NaNs with their payloads. */
static inline void fill(arnn_model *model)
{
    uint32_t bits = 12345;
    for (size_t i = 0; i < model->parameters.values_count; i++) {
        bits = bits * 1664525u + 1013904223u;
        memcpy(&model->parameters.values[i], &bits, sizeof bits);
    }
}

static inline arnn_model *made(const arnn_model_desc *desc)
{
    arnn_model *model;
    assert_ok(arnn_model_new(&model, desc));
    fill(model);
    return model;
}

static inline forged saved(const arnn_model *model)
{
    forged file;
    assert_ok(arnn_model_write_memory(model, NULL, 0, &file.bytes));
    file.data = malloc(file.bytes);
    assert_ok(arnn_model_write_memory(model, file.data, file.bytes, &file.bytes));
    return file;
}

static inline void assert_same(const arnn_model *a, const arnn_model *b)
{
    assert_memory_equal(&a->desc, &b->desc, sizeof a->desc);
    assert_int_equal(a->parameters.values_count, b->parameters.values_count);
    assert_memory_equal(a->parameters.values, b->parameters.values, a->parameters.values_count * sizeof(float));
}

/* An rnn with inputs 2 and hidden 1, as torch.nn.RNN(2, 1) has it. */
static inline arnn_model_desc tiny(void)
{
    arnn_model_desc desc = described(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE);
    desc.hidden = 1;
    return desc;
}

static inline arnn_load_options with(const arnn_model_desc *desc, const char *prefix, int32_t ignore_unknown)
{
    arnn_load_options options = plain;
    options.desc = desc;
    options.prefix = prefix;
    options.ignore_unknown = ignore_unknown;
    return options;
}

#endif

/*
 * Bytes of any kind as a model: no crash, no leak, no undefined behaviour, and what loads can be saved and loaded
 * again.
 *     clang -std=c11 -D_POSIX_C_SOURCE=200809L -fsanitize=fuzzer,address,undefined .. fuzz_safetensors.c
 *     fuzz_safetensors -runs=20000 -seed=1
 * The custom mutator begins with a good file and changes its header or its bytes, so that the fuzzer comes further than
 * to the first check from nothing.
 */
#include <stdlib.h>
#include <string.h>

#include "arnn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
size_t LLVMFuzzerMutate(uint8_t *data, size_t bytes, size_t capacity);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t capacity, unsigned seed);

static arnn_model_desc small_desc(int32_t wiring)
{
    arnn_model_desc desc;
    arnn_model_desc_default(&desc, sizeof desc);
    desc.wiring = wiring;
    desc.inputs = desc.hidden = 1;
    return desc;
}

/* What loads must survive a round trip, to the byte. */
static void save_and_load(const arnn_model *model)
{
    size_t bytes, again;
    arnn_model *copy;
    if (arnn_model_save_memory(model, NULL, 0, &bytes))
        abort();
    uint8_t *first = malloc(bytes), *second = malloc(bytes);
    if (!first || !second || arnn_model_save_memory(model, first, bytes, &bytes) ||
        arnn_model_load_memory(&copy, first, bytes, NULL) || arnn_model_save_memory(copy, second, bytes, &again) ||
        again != bytes || memcmp(first, second, bytes) != 0)
        abort();
    arnn_model_destroy(copy);
    free(first);
    free(second);
}

static void load(const uint8_t *data, size_t bytes, const arnn_load_options *options)
{
    arnn_model *model = NULL;
    arnn_status status = arnn_model_load_memory(&model, data, bytes, options);
    if ((status == ARNN_OK) != (model != NULL) || (status && *arnn_last_error() == '\0'))
        abort();
    if (model)
        save_and_load(model);
    arnn_model_destroy(model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    arnn_load_options options;
    arnn_model_desc desc = small_desc(ARNN_WIRING_NONE);
    arnn_load_options_default(&options, sizeof options);
    load(data, bytes, &options);
    options.ignore_unknown = 1;
    options.desc = &desc;
    load(data, bytes, &options);
    options.prefix = "w";
    load(data, bytes, &options);
    return 0;
}

/* A saved model in place of what is no file at all. */
static size_t good_file(uint8_t *data, size_t capacity, unsigned seed)
{
    size_t bytes = 0;
    arnn_model *model;
    arnn_model_desc desc = small_desc((int32_t)(seed % 4));
    if (arnn_model_create(&model, &desc) == ARNN_OK && arnn_model_save_memory(model, data, capacity, &bytes))
        bytes = 0;
    arnn_model_destroy(model);
    return bytes;
}

/* Bytes moved from the data to the header or back: the length follows, so that the rest is looked at. */
static void set_length(uint8_t *data, size_t bytes, unsigned seed)
{
    const uint8_t *end = memchr(data + 8, '\0', bytes - 8); /* the first byte that no header has */
    size_t length = end ? (size_t)(end - data) - 8 : bytes - 8;
    length -= seed % 7 == 0 && length > 0;
    for (size_t i = 0; i < 8; i++)
        data[i] = (uint8_t)(length >> (8 * i));
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t bytes, size_t capacity, unsigned seed)
{
    if (bytes < 16 || seed % 64 == 0)
        bytes = good_file(data, capacity, seed / 64);
    if (bytes < 16)
        return LLVMFuzzerMutate(data, bytes, capacity);
    bytes = 8 + LLVMFuzzerMutate(data + 8, bytes - 8, capacity - 8);
    if (bytes > 8 && seed % 8 != 0)
        set_length(data, bytes, seed);
    return bytes;
}

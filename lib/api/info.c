#include "api/api.h"

#include <stdio.h>
#include <string.h>

#include "linalg/linalg.h"
#include "model/tables.h"

int32_t arnn_version(void)
{
    return ARNN_VERSION_MAJOR * 10000 + ARNN_VERSION_MINOR * 100 + ARNN_VERSION_PATCH;
}

const char *arnn_build_info(void)
{
    static _Thread_local char text[512];
    const arnn_kernels *kernels = arnn_tables_find();
    char tables[128], blas[256];
    arnn_tables_list(tables, sizeof tables);
    arnn_linalg_info(blas, sizeof blas);
    snprintf(text, sizeof text, "arnn %d.%d.%d, kernels %s (of %s), BLAS %s", ARNN_VERSION_MAJOR, ARNN_VERSION_MINOR,
             ARNN_VERSION_PATCH, kernels ? kernels->name : "none", tables, blas);
    return text;
}

#define CONSTANT(name) {#name, name}

static const struct {
    const char *name;
    int32_t value;
} constants[] = {
    CONSTANT(ARNN_OK),
    CONSTANT(ARNN_INVALID_ARGUMENT),
    CONSTANT(ARNN_SHAPE),
    CONSTANT(ARNN_UNSUPPORTED),
    CONSTANT(ARNN_NOT_FOUND),
    CONSTANT(ARNN_BUSY),
    CONSTANT(ARNN_FULL),
    CONSTANT(ARNN_NO_MEMORY),
    CONSTANT(ARNN_IO),
    CONSTANT(ARNN_FORMAT),
    CONSTANT(ARNN_CELL_RNN_TANH),
    CONSTANT(ARNN_CELL_RNN_RELU),
    CONSTANT(ARNN_CELL_GRU),
    CONSTANT(ARNN_CELL_LSTM),
    CONSTANT(ARNN_WIRING_NONE),
    CONSTANT(ARNN_WIRING_AFTER),
    CONSTANT(ARNN_WIRING_BESIDE),
    CONSTANT(ARNN_WIRING_BEFORE),
    CONSTANT(ARNN_SCORE_DOT),
    CONSTANT(ARNN_SCORE_GENERAL),
    CONSTANT(ARNN_SCORE_ADDITIVE),
    CONSTANT(ARNN_ATTENTION_SPREAD),
    CONSTANT(ARNN_ATTENTION_NEWEST),
    CONSTANT(ARNN_START_NONE),
    CONSTANT(ARNN_START_ZERO),
    CONSTANT(ARNN_SOURCE_H),
    CONSTANT(ARNN_SOURCE_S),
    CONSTANT(ARNN_SOURCE_HS),
    CONSTANT(ARNN_TYPE_F32),
    CONSTANT(ARNN_TYPE_F16),
    CONSTANT(ARNN_TYPE_BF16),
    CONSTANT(ARNN_TYPE_I8),
    CONSTANT(ARNN_VALUE_S),
    CONSTANT(ARNN_VALUE_M),
    CONSTANT(ARNN_VALUE_H),
    CONSTANT(ARNN_LOSS_CROSS_ENTROPY),
    CONSTANT(ARNN_LOSS_SQUARED_ERROR),
    CONSTANT(ARNN_OVER_STEPS),
    CONSTANT(ARNN_OVER_LAST),
    CONSTANT(ARNN_OVER_MEAN),
    CONSTANT(ARNN_OPTIMISER_SGD),
    CONSTANT(ARNN_OPTIMISER_ADAM),
    CONSTANT(ARNN_OPTIMISER_ADAMW),
};

arnn_status arnn_constant(const char *name, int32_t *value)
{
    ARNN_REQUIRE(name);
    ARNN_REQUIRE(value);
    for (size_t i = 0; i < sizeof constants / sizeof *constants; i++) {
        if (strcmp(constants[i].name, name) == 0) {
            *value = constants[i].value;
            return ARNN_OK;
        }
    }
    return arnn_error(ARNN_NOT_FOUND, "arnn.h has no constant \"%.60s\"", name);
}

/* Models on each kernel table in turn. */
#ifndef ARNN_TESTS_RUNNING_TABLES_H
#define ARNN_TESTS_RUNNING_TABLES_H

#include <stdbool.h>

#include "world.h"

/* Those whose results do not depend on company, and whose steps are quiet: all but blas. */
#define NAME_(name) #name,
static const char *const quiet_tables[] = {"ref", ARNN_VECTOR_TABLES(NAME_)};

/* New models take this table. False where this machine lacks it: then they take its best. */
static inline bool use_table(const char *name)
{
    arnn_model *model;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_NONE);
    assert_int_equal(setenv("ARNN_ISA", name, 1), 0);
    arnn_status status = arnn_model_create(&model, &desc);
    arnn_model_destroy(model);
    assert_true(status == ARNN_OK || status == ARNN_UNSUPPORTED);
    if (status != ARNN_OK)
        assert_int_equal(unsetenv("ARNN_ISA"), 0);
    return status == ARNN_OK;
}

#define FOR_QUIET_TABLES(name)                                            \
    for (size_t name##_i = 0; name##_i < COUNT(quiet_tables); name##_i++) \
        for (const char *name = quiet_tables[name##_i]; name && use_table(name); name = NULL)

/* Every cell with every wiring, and with every score where there is one. */
enum { VARIANTS = 4 * (1 + 3 * 3) };

static inline arnn_model_desc variant(size_t i)
{
    size_t cell = i / 10, rest = i % 10;
    arnn_model_desc desc = world_desc((int32_t)cell, rest ? 1 + (int32_t)(rest - 1) / 3 : ARNN_WIRING_NONE);
    desc.score = rest ? (int32_t)(rest - 1) % 3 : ARNN_SCORE_DOT;
    return desc;
}

#endif

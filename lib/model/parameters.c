#include "model/parameters.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "cells/cell.h"
#include "model/wiring.h"

/* ---- one table: name, presence and shape of every role ---- */

typedef enum { NEVER, ALWAYS, TOKENS, DOT_ADDITIVE, ADDITIVE, GENERAL, RECENCY, READOUT } presence;
typedef enum { ONE, VOCAB, INPUTS, GATES_N, N, X, K, Z, OUTPUTS, SOURCE, WIDTHS } width;

static const struct {
    const char *name; /* %zu: the layer */
    presence when;
    size_t rank;
    width rows, columns;
} roles[ARNN_ROLES] = {
    [ARNN_EMBED] = {"embed.weight", TOKENS, 2, VOCAB, INPUTS},
    [ARNN_WEIGHT_IH] = {"weight_ih_l%zu", ALWAYS, 2, GATES_N, X},
    [ARNN_WEIGHT_HH] = {"weight_hh_l%zu", ALWAYS, 2, GATES_N, N},
    [ARNN_BIAS_IH] = {"bias_ih_l%zu", ALWAYS, 1, GATES_N, ONE},
    [ARNN_BIAS_HH] = {"bias_hh_l%zu", ALWAYS, 1, GATES_N, ONE},
    [ARNN_ATTN_KEY] = {"attn_key_l%zu", DOT_ADDITIVE, 2, K, N},
    [ARNN_ATTN_QUERY] = {"attn_query_l%zu", DOT_ADDITIVE, 2, K, Z},
    [ARNN_ATTN_SCORE] = {"attn_score_l%zu", ADDITIVE, 1, K, ONE},
    [ARNN_ATTN_GENERAL] = {"attn_general_l%zu", GENERAL, 2, N, Z},
    [ARNN_ATTN_RECENCY] = {"attn_recency_l%zu", RECENCY, 1, ONE, ONE},
    [ARNN_READOUT] = {"readout.weight", READOUT, 2, OUTPUTS, SOURCE},
    [ARNN_READOUT_BIAS] = {"readout.bias", READOUT, 1, OUTPUTS, ONE},
};

/* Roles in the order of files and enumeration: the embedding, each layer's, the readout. */
static bool role_is_once(arnn_role role)
{
    return role == ARNN_EMBED || role == ARNN_READOUT || role == ARNN_READOUT_BIAS;
}

static bool role_is_present(const arnn_model_desc *desc, arnn_role role)
{
    bool attends = arnn_desc_has_tape(desc);
    const bool present[] = {
        [NEVER] = false,
        [ALWAYS] = true,
        [TOKENS] = desc->vocab > 0,
        [DOT_ADDITIVE] = attends && desc->score != ARNN_SCORE_GENERAL,
        [ADDITIVE] = attends && desc->score == ARNN_SCORE_ADDITIVE,
        [GENERAL] = attends && desc->score == ARNN_SCORE_GENERAL,
        [RECENCY] = attends && desc->recency,
        [READOUT] = desc->outputs > 0,
    };
    return present[roles[role].when];
}

size_t arnn_desc_gates(const arnn_model_desc *desc)
{
    return arnn_cell_of(desc->cell)->gates;
}

size_t arnn_desc_query_width(const arnn_model_desc *desc, size_t layer)
{
    return desc->hidden + (arnn_wiring_of(desc)->reads_first ? arnn_desc_input_width(desc, layer) : 0);
}

static void role_widths(const arnn_model_desc *desc, size_t layer, size_t widths[WIDTHS])
{
    size_t summary = arnn_wiring_of(desc)->carries_h ? desc->hidden : 0;
    widths[ONE] = 1;
    widths[VOCAB] = desc->vocab;
    widths[INPUTS] = desc->inputs;
    widths[GATES_N] = arnn_desc_gates(desc) * desc->hidden;
    widths[N] = desc->hidden;
    widths[X] = arnn_desc_input_width(desc, layer) + summary;
    widths[K] = desc->align;
    widths[Z] = arnn_desc_query_width(desc, layer);
    widths[OUTPUTS] = desc->outputs;
    widths[SOURCE] = arnn_desc_source_width(desc);
}

/* ---- building the list ---- */

static size_t count_parameters(const arnn_model_desc *desc)
{
    size_t once = 0, each = 0;
    for (arnn_role role = 0; role < ARNN_ROLES; role++) {
        if (role_is_present(desc, role))
            *(role_is_once(role) ? &once : &each) += 1;
    }
    return once + each * desc->layers; /* layers are below 2^28 */
}

/* The layer of a name is a number of at most 9 digits: it fits. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void write_name(char *name, arnn_role role, size_t layer)
{
    snprintf(name, ARNN_NAME_BYTES, roles[role].name, layer);
}
#pragma GCC diagnostic pop

/* Adds one role; *total becomes SIZE_MAX where the sizes overflow. */
static void add_parameter(arnn_parameters *parameters, size_t *total, const arnn_model_desc *desc, arnn_role role,
                          size_t layer)
{
    size_t widths[WIDTHS];
    if (!role_is_present(desc, role))
        return;
    role_widths(desc, layer, widths);
    arnn_parameter *parameter = &parameters->list[parameters->count++];
    write_name(parameter->name, role, layer);
    parameter->role = role;
    parameter->layer = layer;
    parameter->rank = roles[role].rank;
    parameter->shape[0] = widths[roles[role].rows];
    parameter->shape[1] = widths[roles[role].columns];
    arnn_size_mul(&parameter->count, parameter->shape[0], parameter->shape[1]);
    arnn_size_add(total, *total, parameter->count);
}

static void add_once(arnn_parameters *parameters, size_t *total, const arnn_model_desc *desc, bool input_side)
{
    for (arnn_role role = 0; role < ARNN_ROLES; role++) {
        if (role_is_once(role) && (role == ARNN_EMBED) == input_side)
            add_parameter(parameters, total, desc, role, 0);
    }
}

static void add_layer(arnn_parameters *parameters, size_t *total, const arnn_model_desc *desc, size_t layer)
{
    for (arnn_role role = 0; role < ARNN_ROLES; role++) {
        if (!role_is_once(role))
            add_parameter(parameters, total, desc, role, layer);
    }
}

arnn_status arnn_parameters_list(arnn_parameters *parameters, const arnn_model_desc *desc)
{
    size_t total = 0;
    *parameters = (arnn_parameters){0};
    parameters->list = arnn_alloc(count_parameters(desc), sizeof *parameters->list);
    if (!parameters->list)
        return arnn_error_no_memory("the list of parameters");
    add_once(parameters, &total, desc, true);
    parameters->first = parameters->count;
    for (size_t layer = 0; layer < desc->layers; layer++)
        add_layer(parameters, &total, desc, layer);
    parameters->each = (parameters->count - parameters->first) / desc->layers;
    add_once(parameters, &total, desc, false);
    parameters->values_count = total;
    if (total > SIZE_MAX / 4 / sizeof(float))
        return arnn_error(ARNN_INVALID_ARGUMENT, "the parameters of this description overflow the address space");
    return ARNN_OK;
}

arnn_status arnn_parameters_create(arnn_parameters *parameters, const arnn_model_desc *desc)
{
    arnn_status status = arnn_parameters_list(parameters, desc);
    if (status)
        return status;
    parameters->values = arnn_alloc_floats(parameters->values_count);
    if (!parameters->values)
        return arnn_error(ARNN_NO_MEMORY, "no memory for %zu parameters of 4 bytes", parameters->values_count);
    float *values = parameters->values;
    for (size_t i = 0; i < parameters->count; values += parameters->list[i++].count)
        parameters->list[i].values = values;
    return ARNN_OK;
}

void arnn_parameters_destroy(arnn_parameters *parameters)
{
    arnn_free(parameters->values);
    arnn_free(parameters->list);
    *parameters = (arnn_parameters){0};
}

/* ---- finding ---- */

arnn_parameter *arnn_parameters_find(const arnn_parameters *parameters, const char *name)
{
    for (size_t i = 0; i < parameters->count; i++) {
        if (strcmp(parameters->list[i].name, name) == 0)
            return &parameters->list[i];
    }
    return NULL;
}

const arnn_parameter *arnn_parameters_of(const arnn_parameters *parameters, arnn_role role, size_t layer)
{
    bool once = role_is_once(role);
    size_t begin = once ? 0 : parameters->first + layer * parameters->each;
    size_t end = once ? parameters->count : begin + parameters->each;
    for (size_t i = begin; i < end && i < parameters->count; i++) {
        if (parameters->list[i].role == role && parameters->list[i].layer == layer)
            return &parameters->list[i];
    }
    return NULL;
}

void arnn_shape_write(char *text, size_t rank, const size_t *shape)
{
    if (rank == 1)
        snprintf(text, ARNN_SHAPE_TEXT, "(%zu)", shape[0]);
    else
        snprintf(text, ARNN_SHAPE_TEXT, "(%zu, %zu)", shape[0], shape[1]);
}

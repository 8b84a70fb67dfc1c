/* Initial parameters from a seed. */
#ifndef ARNN_MODEL_INIT_H
#define ARNN_MODEL_INIT_H

#include "model/model.h"

/* As arnn_model_init says. Values are made aside and copied when all is done: an error changes nothing. */
arnn_status arnn_model_initialise(arnn_model *model, uint64_t seed);

#endif

/* What LAPACK says of a model: how its recurrence stretches, and a readout in closed form. */
#ifndef ARNN_TRAIN_DYNAMICS_H
#define ARNN_TRAIN_DYNAMICS_H

#include "model/model.h"

/* radii (G): of the block of weight_hh that belongs to each gate of a layer. */
arnn_status arnn_dynamics_radii(const arnn_model *model, double *radii, size_t layer);

/* Numbers that the model carries from step to step with wiring none. */
size_t arnn_dynamics_width(const arnn_model *model);

/* exponents (count), the largest first: means, over the steps after the first `skip`, of the logarithms by which count
   directions are stretched along the trajectory that begins at zero and has x (steps, d), or tokens (steps), as its
   input. Checked: wiring none, count <= width, tokens, 0 <= skip < steps. */
arnn_status arnn_dynamics_lyapunov(const arnn_model *model, double *exponents, size_t count, const arnn_input *in,
                                   size_t steps, size_t skip, uint64_t seed);

/* The readout that fits targets (rows, outputs) best from states (rows, |r|). */
arnn_status arnn_dynamics_fit(arnn_model *model, const float *states, const float *targets, size_t rows,
                              double penalty);

#endif

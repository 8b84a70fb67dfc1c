/* The vector kernels of one instruction set (ARNN_ISA), for the table in vec_table.c. */
#ifndef ARNN_KERNELS_VEC_KERNELS_H
#define ARNN_KERNELS_VEC_KERNELS_H

#include "kernels/kernels.h"
#include "kernels/vec.h"

size_t ARNN_VEC(packed_bytes)(size_t outputs, size_t inputs, int32_t type);
void ARNN_VEC(pack)(const arnn_packed *packed, const float *weights, size_t stride);
void ARNN_VEC(pack_turned)(const arnn_packed *packed, const float *weights, size_t stride);
arnn_multiply_kernel ARNN_VEC(multiply);
void ARNN_VEC(product)(float *y, size_t y_stride, const float *x, size_t x_stride, const arnn_packed *packed,
                       size_t streams);
arnn_cell_kernel ARNN_VEC(rnn_tanh), ARNN_VEC(rnn_relu), ARNN_VEC(gru), ARNN_VEC(lstm);
arnn_cell_back_kernel ARNN_VEC(gru_back), ARNN_VEC(lstm_back);
arnn_map_kernel ARNN_VEC(exponents);
arnn_owed_kernel ARNN_VEC(owed);
arnn_key_scores_kernel ARNN_VEC(key_scores);
arnn_keys_owed_kernel ARNN_VEC(keys_owed);
arnn_read_kernel ARNN_VEC(read_dot), ARNN_VEC(read_exponent), ARNN_VEC(read_tanh);
arnn_encode_kernel ARNN_VEC(encode_f32), ARNN_VEC(encode_f16), ARNN_VEC(encode_bf16), ARNN_VEC(encode_i8);

#endif

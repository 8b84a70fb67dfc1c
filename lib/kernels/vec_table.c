/* The table of one instruction set: arnn_kernels_avx2, .. One that goes on from another (ARNN_DERIVED, then; ARNN_ISA
   is that other) has its kernels but for products of matrices. */
#include "base/cpu.h"
#include "kernels/vec_kernels.h"

#define TEXT_(name) #name
#define TEXT(name)  TEXT_(name)

#ifdef ARNN_DERIVED
#define NAME   ARNN_DERIVED
#define CHAINS false
arnn_multiply_kernel ARNN_JOIN(arnn_, NAME, multiply);
#else
#define NAME   ARNN_ISA
#define CHAINS true
#endif

const arnn_kernels ARNN_JOIN(arnn_, kernels, NAME) = {
    .name = TEXT(NAME),
    .supported = ARNN_JOIN(arnn_, cpu_has, NAME),
    .shares = true,
    .packed_bytes = ARNN_VEC(packed_bytes),
    .pack = ARNN_VEC(pack),
    .product = ARNN_VEC(product),
    .pack_turned = ARNN_VEC(pack_turned),
    .chains = CHAINS,
    .multiply = ARNN_JOIN(arnn_, NAME, multiply),
    .rnn_tanh = ARNN_VEC(rnn_tanh),
    .rnn_relu = ARNN_VEC(rnn_relu),
    .gru = ARNN_VEC(gru),
    .lstm = ARNN_VEC(lstm),
    .gru_back = ARNN_VEC(gru_back),
    .lstm_back = ARNN_VEC(lstm_back),
    .exponents = ARNN_VEC(exponents),
    .owed = ARNN_VEC(owed),
    .key_scores = ARNN_VEC(key_scores),
    .keys_owed = ARNN_VEC(keys_owed),
    .read = {ARNN_VEC(read_dot), ARNN_VEC(read_exponent), ARNN_VEC(read_tanh)},
    .encode = {ARNN_VEC(encode_f32), ARNN_VEC(encode_f16), ARNN_VEC(encode_bf16), ARNN_VEC(encode_i8)},
};

/* A small vocabulary of float vectors, in which the vector kernels are written. Each instruction set has a header that
   gives

     vf, VF_LANES                             the type and its number of floats
     vf_set(x), vf_zero()                     x in all lanes
     vf_load(p), vf_store(p, v)               any alignment
     vf_load_n(p, n), vf_store_n(p, v, n)     the first n <= VF_LANES floats; other lanes are 0, memory beyond is not
                                              touched
     vf_keep(&v)                              v is in a register from here on: it is not loaded again for every use
     vf_add, vf_sub, vf_mul, vf_div           each rounded once, and so are
     vf_fma(a, b, c), vf_nfma(a, b, c)        a b + c, c - a b
     vf_min(a, b), vf_max(a, b)               b where either is NaN: bounds stand first, so that NaN passes
     vf_exponent(v)                           the last nine bits of v become sign and exponent, the others 0
     vf_abs(v), vf_sign(v, of)                |v|; v >= 0 with the sign of `of`
     vf_below(a, b, x, y)                     a < b ? x : y (y where NaN)
     vf_last(v, n)                            the last n lanes; the others are 0
     vf_one(v)                                lane 0
     vf_sum(v), vf_top(v)                     sum and maximum over lanes, in a fixed order
     VF_REGISTERS                             how many vectors the processor holds
     VF_COLUMNS                               sums that run side by side, to hide the latency of one; even
     VF_GROUP                                 rows of a tape that are scored side by side, at most VF_LANES
     vf_sums(v[VF_GROUP])                     lane i < VF_GROUP: the sum over v[i], each in the order of vf_sum
     vf_join(v[VF_LANES / VF_GROUP])          the first VF_GROUP lanes of each, side by side

   and elements of other types (kernels/element.h), VF_LANES of them at any alignment:

     vf_from_f16(p), vf_from_bf16(p)          as floats
     vf_from_i8(p)                            as floats, not divided by 127
     vf_part, vf_part_of(n)                   the first n < VF_LANES elements, made ready for many uses of it:
     vf_load_part(p, part), vf_from_f16_part(p, part), vf_from_bf16_part(p, part), vf_from_i8_part(p, part)
                                              as above; n > 0; other lanes are 0, memory beyond is not touched
     VF_KEEPS(type)                           whether floats of this type's rows are better kept from the scores to the
                                              sums than made twice
     vf_to_f16(p, v), vf_to_bf16(p, v)        rounded to the nearest, ties to even; NaN stays NaN
     vf_to_i8(p, v)                           v within +-127, rounded likewise; NaN becomes -128

   and, since bfloat16 comes cheapest in pairs, with vf2 = {vf a, b}:

     vf2_from_bf16(p)                         2 VF_LANES elements, in an order of its own
     vf2_load(p), vf2_store(p, v)             as many floats in that order

   Sets that multiply bytes define VB_LANES, the bytes of a vector, of which four lie under each of its 32-bit sums:

     vb                                       the type
     vb_set(x), vb_zero(), vb_load(p), vb_store(p, v), vb_load_n(p, n)
     vb_flip(v)                               every byte + 128: signed ones become unsigned, and back
     vb_minus(v)                              of each sum
     vb_dot(sums, u, s)                       sums + the products of four unsigned bytes with four signed ones
     vb_four(p)                               four bytes under every sum
     vb_split(low, middle, high, v, plus)     the three bytes of whole numbers v + plus in 0 .. 2^24 - 1, VF_LANES each
     vb_interleave(v[4])                      the same bytes of four rows under one sum
     vf_from_sums(v)                          as floats
     vf_untangle(v[4])                        columns back in order, that vb_interleave put in one of its own

   All functions are static inline: no code compiled for one instruction set may be linked into another. */
#ifndef ARNN_KERNELS_VEC_H
#define ARNN_KERNELS_VEC_H

#include <stddef.h>
#include <stdint.h>

#define ARNN_JOIN_(a, b, c) a##b##_##c
#define ARNN_JOIN(a, b, c)  ARNN_JOIN_(a, b, c)
#define ARNN_VEC(what)      ARNN_JOIN(arnn_, ARNN_ISA, what) /* arnn_avx2_what */

#define ARNN_INLINE static inline __attribute__((always_inline))

ARNN_INLINE size_t at_most(size_t count, size_t most) { return count < most ? count : most; }

#if defined(ARNN_VOCABULARY) /* tests: one on emulated instructions */
#include ARNN_VOCABULARY
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#include "kernels/vec_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__) && defined(__F16C__)
#include "kernels/vec_avx2.h"
#elif defined(__aarch64__)
#include "kernels/vec_neon.h"
#else
#error "no vector vocabulary for this instruction set"
#endif

#endif

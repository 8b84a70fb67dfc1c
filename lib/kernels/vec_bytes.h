/* Rows of int8 where the instruction set multiplies bytes: see vec_bytes.c. */
#ifndef ARNN_KERNELS_VEC_BYTES_H
#define ARNN_KERNELS_VEC_BYTES_H

#include "kernels/vec_block.h"

#ifdef VB_LANES

#define VB_QUERY 4096 /* the widest query whose digits are kept */

/* A query in digits of bytes, the least first. */
typedef struct vb_digits {
    unsigned char at[3][VB_QUERY];
    unsigned char start[3][VB_LANES]; /* where sums begin, that they end without the 128 of x + 128 */
    float unit;
} vb_digits;

/* false where the query has no unit. */
bool ARNN_VEC(take_digits)(vb_digits *digits, const float *query, size_t n);

vf ARNN_VEC(score_bytes)(const vb_digits *digits, const unsigned char *const rows[VF_GROUP], size_t n, ahead next);

/* As add_rows. false, and nothing done, where the weights have no unit. */
bool ARNN_VEC(add_bytes)(float *sums, const unsigned char *rows, size_t stride, const float *weights, size_t count,
                         size_t n, ahead next);

#endif

#endif

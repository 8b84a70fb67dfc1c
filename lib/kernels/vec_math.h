/* exp, tanh and sigmoid on vectors. Errors, checked by tests/kernels over their ranges: exp 1.1 ulp, tanh and sigmoid 3
   ulp. The last two also come as fractions, so that who multiplies some divides once. */
#ifndef ARNN_KERNELS_VEC_MATH_H
#define ARNN_KERNELS_VEC_MATH_H

#include "kernels/vec.h"

/* q with e^(k x) = scale (1 + k q), for a k of 1, -1 or -2, from k x = n log 2 + k r, |k r| <= log(2)/2. Added to a
   number whose last bit counts ones, k x / log 2 is rounded, and its last bits are the exponent of 2^n: from n = -127,
   where scale is 0, to n = 128, where it is infinite. log 2 comes in two parts, the first with so few bits that n times
   it is exact. The polynomial stands for (e^r - 1 - r) / r^2: what e^r is off by is 0.06 U at most, its coefficients'
   rounding included (fitted over the whole range, and rounded one after the other). */
ARNN_INLINE vf vf_exp_reduced(vf x, const float k, vf *scale)
{
    const float log2_high = 0x1.62e4p-1f, log2_low = 0x1.7f7d1cp-20f;
    const vf whole = vf_set(0x1.8p23f + 127.0f);
    vf shifted = vf_fma(x, vf_set(k * 0x1.715476p0f), whole), n = vf_sub(shifted, whole);
    vf r = vf_nfma(n, vf_set(log2_low / k), vf_nfma(n, vf_set(log2_high / k), x));
    vf square = vf_mul(r, r);
    vf low = vf_fma(r, vf_set(k * k * 0x1.555492p-3f), vf_set(k * 0x1.fffffcp-2f));
    vf high = vf_fma(r, vf_set(k * k * k * k * 0x1.12397cp-7f), vf_set(k * k * k * 0x1.5558aep-5f));
    high = vf_fma(square, vf_set(k * k * k * k * k * 0x1.6a4e68p-10f), high);
    *scale = vf_exponent(shifted);
    return vf_fma(square, vf_fma(square, high, low), r);
}

/* Below -87.3, where results leave the normal range, 0; above 88, e^88. NaN stays NaN. */
ARNN_INLINE vf vf_exp(vf x)
{
    const float least = -87.3f, most = 88.0f;
    vf scale, q = vf_exp_reduced(vf_max(vf_set(least), vf_min(vf_set(most), x)), 1.0f, &scale);
    return vf_below(x, vf_set(least), vf_zero(), vf_mul(vf_add(vf_set(1.0f), q), scale));
}

/* |tanh x| as a fraction: with e = e^(-2 |x|), (1 - e) / 2 by (1 + e) / 2, which lies in 1/2 .. 1. The first keeps
   relative accuracy near 0. From |x| = 10 on they are the same. */
typedef struct vf_fraction {
    vf over, under;
} vf_fraction;

ARNN_INLINE vf_fraction vf_tanh_fraction(vf x)
{
    const vf half = vf_set(0.5f);
    vf scale, q = vf_exp_reduced(vf_min(vf_set(10.0f), vf_abs(x)), -2.0f, &scale);
    vf over = vf_fma(scale, q, vf_nfma(scale, half, half));
    return (vf_fraction){over, vf_sub(vf_set(1.0f), over)};
}

ARNN_INLINE vf vf_tanh(vf x)
{
    vf_fraction t = vf_tanh_fraction(x);
    return vf_sign(vf_div(t.over, t.under), x);
}

/* With e = e^-|x|, q = e / (1 + e): 1 - q, or q for negative x. It is accurate at both ends, and from x = 4 on 0.6 ulp,
   where 1 / (1 + e) has 1.5: what a gate near 1 gets wrong grows with every step for which a memory is kept. */
ARNN_INLINE vf vf_sigmoid(vf x)
{
    const vf one = vf_set(1.0f);
    vf scale, q = vf_exp_reduced(vf_min(vf_set(88.0f), vf_abs(x)), -1.0f, &scale), e = vf_nfma(scale, q, scale);
    q = vf_div(e, vf_add(one, e));
    return vf_below(x, vf_zero(), q, vf_sub(one, q));
}

/* 1 / sigmoid(x) = 1 + e^-x, for gates that keep nothing: 1 from x = 88 on, infinite below -88.4; not below `least`, -89
   or more. */
ARNN_INLINE vf vf_sigmoid_under(vf x, const float least)
{
    vf scale, q = vf_exp_reduced(vf_max(vf_set(least), vf_min(vf_set(88.0f), x)), -1.0f, &scale);
    return vf_fma(scale, vf_sub(vf_set(1.0f), q), vf_set(1.0f));
}

#endif

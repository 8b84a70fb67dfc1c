/* exp, tanh and sigmoid on vectors. Errors, checked by tests/kernels over their ranges: exp 1.1 ulp, tanh and sigmoid 3
   ulp. */
#ifndef ARNN_KERNELS_VEC_MATH_H
#define ARNN_KERNELS_VEC_MATH_H

#include "kernels/vec.h"

/* x = n log 2 + r, |r| <= log(2)/2; log 2 in two parts, the first with so few bits that n times it is exact. */
ARNN_INLINE vf vf_reduce(vf x, vf *r)
{
    const float log2_high = 0x1.62e4p-1f, log2_low = 0x1.7f7d1cp-20f;
    vf n = vf_round(vf_mul(x, vf_set(0x1.715476p0f)));
    *r = vf_nfma(n, vf_set(log2_low), vf_nfma(n, vf_set(log2_high), x));
    return n;
}

/* (e^r - 1 - r) / r^2 by its Taylor polynomial: the term left out, r^6 / 8!, is 5e-8 of the first. */
ARNN_INLINE vf vf_exp_tail(vf r)
{
    vf p = vf_set(1.0f / 5040.0f);
    p = vf_fma(p, r, vf_set(1.0f / 720.0f));
    p = vf_fma(p, r, vf_set(1.0f / 120.0f));
    p = vf_fma(p, r, vf_set(1.0f / 24.0f));
    p = vf_fma(p, r, vf_set(1.0f / 6.0f));
    return vf_fma(p, r, vf_set(0.5f));
}

/* Of x <= 88. Below -87.3, where results leave the normal range, 0. NaN stays NaN. */
ARNN_INLINE vf vf_exp_to_88(vf x)
{
    const float least = -87.3f;
    vf r, n = vf_reduce(vf_max(vf_set(least), x), &r);
    vf p = vf_add(vf_fma(vf_mul(r, r), vf_exp_tail(r), r), vf_set(1.0f));
    return vf_below(x, vf_set(least), vf_zero(), vf_mul(p, vf_exp2(n)));
}

/* Above 88, e^88. */
ARNN_INLINE vf vf_exp(vf x)
{
    return vf_exp_to_88(vf_min(vf_set(88.0f), x));
}

/* tanh |x| = -E / (2 + E) with E = e^(-2 |x|) - 1, which keeps relative accuracy near 0. From |x| = 10 on it is 1. */
ARNN_INLINE vf vf_tanh(vf x)
{
    vf r, n = vf_reduce(vf_mul(vf_set(-2.0f), vf_min(vf_set(10.0f), vf_abs(x))), &r);
    vf scale = vf_exp2(n), q = vf_fma(vf_mul(r, r), vf_exp_tail(r), r);
    vf e = vf_fma(scale, q, vf_sub(scale, vf_set(1.0f)));
    return vf_sign(vf_abs(vf_div(e, vf_add(e, vf_set(2.0f)))), x);
}

/* With e = e^-|x|, q = e / (1 + e): 1 - q, or q for negative x. It is accurate at both ends, and from x = 4 on 0.6 ulp,
   where 1 / (1 + e) has 1.5: what a gate near 1 gets wrong grows with every step for which a memory is kept. */
ARNN_INLINE vf vf_sigmoid(vf x)
{
    vf one = vf_set(1.0f), e = vf_exp_to_88(vf_sub(vf_zero(), vf_abs(x))), q = vf_div(e, vf_add(one, e));
    return vf_below(x, vf_zero(), q, vf_sub(one, q));
}

#endif

/* Rows of int8 by products of bytes, four to a sum of 32 bits, where the instruction set has them (VB_LANES). Such sums
   are exact; so floats that meet the rows are made whole numbers of 24 bits first, in parts of their largest, and these
   are three digits of 8 bits:

     f = unit t,  t = 2^16 a + 2^8 b + c:  sum_i f_i x_i = unit (2^16 sum a_i x_i + 2^8 sum b_i x_i + sum c_i x_i)

   |f - unit t| <= 2^-24 of the largest |f|: what float32 itself costs. The query's digits are signed and meet the rows
   as x + 128, of which 128 sum a is taken away again; weights have unsigned digits. What has no such unit (nothing but
   zeros, NaN, infinity, the ends of the exponents) is left to the kernels of all types. */
#include "kernels/vec_bytes.h"

#ifdef VB_LANES

#define DIGITS       3
#define LARGEST      8300000.0f  /* |t| of a query: below 127 (2^16 + 2^8 + 1) */
#define LARGEST_PLUS 16777000.0f /* t of a weight: below 2^24 however the product that makes it is rounded */
#define FOUR         4           /* products of a sum */

/* ---- the digits ---- */

/* Whether floats up to `most` have a unit that does not leave the normal range. NaN has none. */
ARNN_INLINE bool has_unit(float most)
{
    return most >= 0x1p-90f && most <= 0x1p90f;
}

/* The largest |f|; NaN where there is one. */
static float largest(const float *f, size_t count)
{
    vf top = vf_zero(), faults = vf_zero();
    for (size_t i = 0; i < count; i += VF_LANES) {
        vf v = vf_abs(vf_load_n(f + i, at_most(count - i, VF_LANES)));
        top = vf_max(top, v);
        faults = vf_add(faults, vf_mul(vf_zero(), v)); /* 0, or NaN */
    }
    return vf_top(top) + vf_sum(faults);
}

bool ARNN_VEC(take_digits)(vb_digits *digits, const float *query, size_t n)
{
    const float most = n <= VB_QUERY ? largest(query, n) : 0.0f;
    if (!has_unit(most))
        return false;
    const vf factor = vf_set(LARGEST / most);
    const vb offset = vb_set(-128);
    vb sums[DIGITS] = {vb_zero(), vb_zero(), vb_zero()};
    for (size_t i = 0; i < n; i += VB_LANES) {
        for (size_t j = i; j < i + VB_LANES; j += VF_LANES) {
            vf f = j < n ? vf_load_n(query + j, at_most(n - j, VF_LANES)) : vf_zero();
            vb_split(&digits->at[0][j], &digits->at[1][j], &digits->at[2][j], vf_mul(f, factor), 0x808080);
        }
        for (size_t d = 0; d < DIGITS; d++) {
            vb signs = vb_flip(vb_load(&digits->at[d][i]));
            vb_store(&digits->at[d][i], signs);
            sums[d] = vb_dot(sums[d], offset, signs); /* offset: 128 as an unsigned byte */
        }
    }
    for (size_t d = 0; d < DIGITS; d++)
        vb_store(digits->start[d], vb_minus(sums[d]));
    digits->unit = most / LARGEST / 127.0f;
    return true;
}

/* The number of three digits' sums, in units. */
ARNN_INLINE vf number(vb a, vb b, vb c)
{
    return vf_fma(vf_from_sums(a), vf_set(0x1p16f), vf_fma(vf_from_sums(b), vf_set(0x1p8f), vf_from_sums(c)));
}

/* ---- scores ---- */

#define ROWS 4 /* that are scored side by side: their sums stay in registers */

/* Sums of ROWS rows with each digit. */
typedef struct row_sums {
    vb a[ROWS], b[ROWS], c[ROWS];
} row_sums;

ARNN_INLINE void score_columns(row_sums *to, const vb_digits *digits, const unsigned char *const rows[ROWS], size_t i,
                               const size_t count)
{
    const vb qa = vb_load(&digits->at[2][i]), qb = vb_load(&digits->at[1][i]), qc = vb_load(&digits->at[0][i]);
    for (size_t r = 0; r < ROWS; r++) {
        const vb x = vb_flip(vb_load_n(rows[r] + i, count));
        to->a[r] = vb_dot(to->a[r], x, qa);
        to->b[r] = vb_dot(to->b[r], x, qb);
        to->c[r] = vb_dot(to->c[r], x, qc);
    }
}

ARNN_INLINE void score_rows(vf scores[ROWS], const vb_digits *digits, const unsigned char *const rows[ROWS], size_t n,
                            ahead next)
{
    row_sums to;
    size_t i = 0;
    for (size_t r = 0; r < ROWS; r++) {
        to.a[r] = vb_load(digits->start[2]);
        to.b[r] = vb_load(digits->start[1]);
        to.c[r] = vb_load(digits->start[0]);
    }
    for (; i + VB_LANES <= n; i += VB_LANES, next.at += ROWS * VB_LANES / 2) {
        fetch(next, ROWS * VB_LANES / 2);
        score_columns(&to, digits, rows, i, VB_LANES);
    }
    if (i < n) {
        fetch(next, ROWS * VB_LANES / 2);
        score_columns(&to, digits, rows, i, n - i);
    }
    for (size_t r = 0; r < ROWS; r++)
        scores[r] = number(to.a[r], to.b[r], to.c[r]);
}

vf ARNN_VEC(score_bytes)(const vb_digits *digits, const unsigned char *const rows[VF_GROUP], size_t n, ahead next)
{
    vf scores[VF_GROUP];
    for (size_t r = 0; r < VF_GROUP; r += ROWS)
        score_rows(scores + r, digits, rows + r, n, ahead_by(next, r * n / 2));
    return vf_mul(vf_sums(scores), vf_set(digits->unit));
}

/* ---- the weighted sum ---- */

/* Weights of a block in digits, the least first. Beyond the last row they are 0. */
typedef struct weight_digits {
    unsigned char at[DIGITS][BLOCK_ROWS];
    float unit;
} weight_digits;

static bool split_weights(weight_digits *digits, const float *weights, size_t count)
{
    const float most = largest(weights, count);
    if (!has_unit(most))
        return false;
    for (size_t r = 0; r < count; r += VF_LANES) {
        vf w = vf_load_n(weights + r, at_most(count - r, VF_LANES));
        vb_split(&digits->at[0][r], &digits->at[1][r], &digits->at[2][r], vf_mul(w, vf_set(LARGEST_PLUS / most)), 0);
    }
    digits->unit = most / LARGEST_PLUS / 127.0f;
    return true;
}

/* Sums of FOUR vectors of columns with each digit. */
typedef struct column_sums {
    vb a[FOUR], b[FOUR], c[FOUR];
} column_sums;

ARNN_INLINE void add_four(column_sums *to, vb x[FOUR], const weight_digits *weights, size_t r)
{
    const vb wa = vb_four(&weights->at[2][r]), wb = vb_four(&weights->at[1][r]), wc = vb_four(&weights->at[0][r]);
    vb_interleave(x);
    for (size_t k = 0; k < FOUR; k++) {
        to->a[k] = vb_dot(to->a[k], wa, x[k]);
        to->b[k] = vb_dot(to->b[k], wb, x[k]);
        to->c[k] = vb_dot(to->c[k], wc, x[k]);
    }
}

ARNN_INLINE void add_columns(float *sums, const column_sums *from, float unit, size_t left)
{
    vf columns[FOUR];
    for (size_t k = 0; k < FOUR; k++)
        columns[k] = number(from->a[k], from->b[k], from->c[k]);
    vf_untangle(columns);
    for (size_t k = 0, i = 0; k < FOUR && i < left; k++, i += VF_LANES) {
        size_t lanes = at_most(left - i, VF_LANES);
        vf_store_n(sums + i, vf_fma(vf_set(unit), columns[k], vf_load_n(sums + i, lanes)), lanes);
    }
}

/* VB_LANES columns, or what is left of them. */
ARNN_INLINE void add_strip(float *sums, const unsigned char *rows, size_t stride, const weight_digits *weights,
                           size_t count, const size_t left, ahead next)
{
    column_sums to;
    vb x[FOUR];
    size_t r = 0;
    for (size_t k = 0; k < FOUR; k++)
        to.a[k] = to.b[k] = to.c[k] = vb_zero();
    for (; r + FOUR <= count; r += FOUR, next.at += FOUR * VB_LANES / 2) {
        fetch(next, FOUR * VB_LANES / 2);
        for (size_t k = 0; k < FOUR; k++)
            x[k] = vb_load_n(rows + (r + k) * stride, left);
        add_four(&to, x, weights, r);
    }
    if (r < count) {
        for (size_t k = 0; k < FOUR; k++)
            x[k] = r + k < count ? vb_load_n(rows + (r + k) * stride, left) : vb_zero();
        add_four(&to, x, weights, r);
    }
    add_columns(sums, &to, weights->unit, left);
}

bool ARNN_VEC(add_bytes)(float *sums, const unsigned char *rows, size_t stride, const float *weights, size_t count,
                         size_t n, ahead next)
{
    weight_digits digits;
    size_t i = 0;
    if (!split_weights(&digits, weights, count))
        return false;
    for (; i + VB_LANES <= n; i += VB_LANES, next.at += count * VB_LANES / 2)
        add_strip(sums + i, rows + i, stride, &digits, count, VB_LANES, next);
    if (i < n)
        add_strip(sums + i, rows + i, stride, &digits, count, n - i, next);
    return true;
}

#endif

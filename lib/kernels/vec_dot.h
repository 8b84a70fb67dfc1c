/* Products of a group of rows with the query, a pair of vectors after the other. */
#ifndef ARNN_KERNELS_VEC_DOT_H
#define ARNN_KERNELS_VEC_DOT_H

#include "kernels/vec_group.h"
#include "kernels/vec_rows.h"

ARNN_INLINE void add_products(vf *sums, vf2 q, vf2 row)
{
    *sums = vf_fma(q.b, row.b, vf_fma(q.a, row.a, *sums));
}

/* What pairs leave over, from column i on: a vector, then the last vector of the row, of which only the columns count
   that are new. */
ARNN_INLINE void add_rest(vf sums[VF_GROUP], const float *query, const group *h, size_t i, size_t n, const int32_t type,
                          float *kept, const bool keep)
{
    const size_t bytes = element_bytes(type);
    if (i + VF_LANES <= n) {
        vf q = vf_load(query + i);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++) {
            vf row = vector_of_row(h->rows[r] + i * bytes, type);
            sums[r] = vf_fma(q, row, sums[r]);
            if (keep)
                vf_store(kept + r * PAIR, row);
        }
        i += VF_LANES;
    }
    if (i < n) {
        const size_t last = n - VF_LANES;
        vf q = vf_load(query + last);
#pragma GCC unroll 16
        for (size_t r = 0; r < VF_GROUP; r++) {
            vf row = vector_of_row(h->rows[r] + last * bytes, type);
            sums[r] = vf_fma(q, vf_last(row, n - i), sums[r]);
            if (keep)
                vf_store(kept + r * PAIR + VF_LANES, row);
        }
    }
}

#endif

/* A block of rows is scored VF_GROUP rows side by side: lane r of the result is row r's. */
#ifndef ARNN_KERNELS_VEC_GROUP_H
#define ARNN_KERNELS_VEC_GROUP_H

#include <math.h>

#include "kernels/vec_block.h"

/* VF_GROUP lanes of a block: absent rows stand for a present one, so that all can be read. */
typedef struct group {
    const unsigned char *rows[VF_GROUP];
} group;

ARNN_INLINE group take_group(const void *rows, size_t stride_bytes, const block *at, size_t lane)
{
    group taken;
    bool whole = lane >= at->begin && lane + VF_GROUP <= at->end;
    for (size_t r = 0; r < VF_GROUP; r++) {
        size_t wanted = lane + r;
        if (!whole)
            wanted = wanted < at->begin ? at->begin : wanted >= at->end ? at->end - 1 : wanted;
        taken.rows[r] = (const unsigned char *)rows + row_of(at, wanted) * stride_bytes;
    }
    return taken;
}

typedef vf group_score(const arnn_query *query, const block *at, size_t lane);

/* Stored as whole vectors: what is loaded as it was stored need not wait for the cache. */
ARNN_INLINE void score_groups(float *e, const arnn_query *query, const block *at, group_score *score)
{
    for (size_t lane = 0; lane < at->rows; lane += VF_LANES) {
        vf groups[VF_LANES / VF_GROUP];
        for (size_t g = 0; g < VF_LANES / VF_GROUP; g++) {
            size_t first = lane + g * VF_GROUP;
            bool present = first < at->end && first + VF_GROUP > at->begin;
            groups[g] = present ? score(query, at, first) : vf_set(-INFINITY);
        }
        vf_store(e + lane, vf_join(groups));
    }
}

#endif

#include "attention/score.h"

#include "arnn.h"

const arnn_score *arnn_score_of(int32_t score)
{
    static const arnn_score *const scores[] = {
        [ARNN_SCORE_DOT] = &arnn_score_dot,
        [ARNN_SCORE_GENERAL] = &arnn_score_general,
        [ARNN_SCORE_ADDITIVE] = &arnn_score_additive,
    };
    return scores[score];
}

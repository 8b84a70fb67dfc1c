/* General (Luong, Pham, Manning 2015): e = scale h' W z. As dot, with the folded matrix given. */
#include "attention/score.h"

static arnn_status fold(float *folded, const arnn_score_weights *weights)
{
    for (size_t i = 0; i < weights->hidden * weights->z; i++)
        folded[i] = (float)((double)weights->scale * (double)weights->general[i]);
    return ARNN_OK;
}

static arnn_read_kind read_kind(const arnn_score_weights *weights, bool bounded)
{
    (void)weights;
    (void)bounded;
    return ARNN_READ_DOT;
}

const arnn_score arnn_score_general = {.name = "general", .fold = fold, .read = read_kind};

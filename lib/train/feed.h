/* Which rows of the top layer a loss is made of. */
#ifndef ARNN_TRAIN_FEED_H
#define ARNN_TRAIN_FEED_H

#include "train/trainer.h"

/* Some consecutive steps of one stream: h and s (count, n) of times first, first + 1, .. of `length`. */
typedef struct arnn_feed {
    size_t stream, first, count, length;
    const float *h, *s;
    float *dh, *ds;      /* (count, n): gradients are added; NULL: none are wanted */
    float *mean, *dmean; /* (2 n): over mean, gathered from feed to feed; begins at 0 */
} arnn_feed;

/* Gives the head the rows that count. */
void arnn_feed_head(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed);

/* After arnn_head_finish: over mean, the mean's gradient becomes that of every step. The feed holds the whole stream.
   */
void arnn_feed_return(const arnn_feed *feed, int32_t over, size_t n);

/* w l summed to their mean, and what else a caller learns. */
void arnn_training_write(arnn_training *training, const arnn_head *head, const arnn_lesson *lesson);

#endif

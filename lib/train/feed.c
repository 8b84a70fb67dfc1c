#include "train/feed.h"

/* ---- what is wanted ---- */

size_t arnn_lesson_length(const arnn_lesson *lesson, size_t stream)
{
    return lesson->sequence.lengths ? lesson->sequence.lengths[stream] : lesson->sequence.steps;
}

static size_t place(const arnn_lesson *lesson, int32_t over, size_t stream, size_t time)
{
    return stream * lesson->wanted_stream_stride + (over == ARNN_OVER_STEPS ? time * lesson->wanted_time_stride : 0);
}

static float weight_of(const arnn_lesson *lesson, size_t stream)
{
    return lesson->examples->weights ? lesson->examples->weights[stream] : 1.0f;
}

static bool counts(const arnn_lesson *lesson, int32_t over, size_t stream, size_t time)
{
    return !lesson->examples->labels || lesson->examples->labels[place(lesson, over, stream, time)] >= 0;
}

double arnn_lesson_weight(const arnn_lesson *lesson, int32_t over)
{
    double sum = 0.0;
    for (size_t j = 0; j < lesson->sequence.count; j++) {
        size_t length = arnn_lesson_length(lesson, j), rows = 0;
        for (size_t t = 0; t < (over == ARNN_OVER_STEPS ? length : length > 0); t++)
            rows += counts(lesson, over, j, t);
        sum += (double)rows * (double)weight_of(lesson, j);
    }
    return sum;
}

/* ---- rows ---- */

static void add_row(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed, arnn_head_row row,
                    size_t time)
{
    size_t wanted = place(lesson, over, feed->stream, time);
    if (!counts(lesson, over, feed->stream, time))
        return;
    row.token = lesson->examples->labels ? lesson->examples->labels[wanted] : 0;
    row.values = lesson->examples->values ? lesson->examples->values + wanted : NULL;
    row.weight = weight_of(lesson, feed->stream);
    row.time = time;
    row.stream = feed->stream;
    arnn_head_add(head, &row);
}

static void add_step(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed, size_t i)
{
    size_t at = i * head->model->desc.hidden;
    arnn_head_row row = {.h = feed->h + at, .s = feed->s + at};
    if (feed->dh) {
        row.dh = feed->dh + at;
        row.ds = feed->ds + at;
    }
    add_row(head, lesson, over, feed, row, feed->first + i);
}

static void every_step(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed)
{
    for (size_t i = 0; i < feed->count; i++)
        add_step(head, lesson, over, feed, i);
}

static void last_step(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed)
{
    if (feed->count > 0 && feed->first + feed->count == feed->length)
        add_step(head, lesson, over, feed, feed->count - 1);
}

/* The mean is made as the steps come, and given when they end. */
static void mean_step(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed)
{
    size_t n = head->model->desc.hidden;
    float share = 1.0f / (float)feed->length;
    for (size_t i = 0; i < feed->count; i++) {
        for (size_t j = 0; j < n; j++) {
            feed->mean[j] += share * feed->h[i * n + j];
            feed->mean[n + j] += share * feed->s[i * n + j];
        }
    }
    arnn_head_row row = {.h = feed->mean, .s = feed->mean + n};
    if (feed->dmean) {
        row.dh = feed->dmean;
        row.ds = feed->dmean + n;
    }
    if (feed->count > 0 && feed->first + feed->count == feed->length)
        add_row(head, lesson, over, feed, row, feed->length - 1);
}

typedef void rows_of(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed);
static rows_of *const overs[] = {
    [ARNN_OVER_STEPS] = every_step,
    [ARNN_OVER_LAST] = last_step,
    [ARNN_OVER_MEAN] = mean_step,
};

void arnn_feed_head(arnn_head *head, const arnn_lesson *lesson, int32_t over, const arnn_feed *feed)
{
    overs[over](head, lesson, over, feed);
}

void arnn_feed_return(const arnn_feed *feed, int32_t over, size_t n)
{
    if (over != ARNN_OVER_MEAN || feed->length == 0)
        return;
    float share = 1.0f / (float)feed->length;
    for (size_t i = 0; i < feed->count; i++) {
        for (size_t j = 0; j < n; j++) {
            feed->dh[i * n + j] += share * feed->dmean[j];
            feed->ds[i * n + j] += share * feed->dmean[n + j];
        }
    }
}

void arnn_training_write(arnn_training *training, const arnn_head *head, const arnn_lesson *lesson)
{
    training->loss = head->sums.loss / lesson->weight;
    training->weight = lesson->weight;
    training->correct = head->sums.correct;
    training->norm = 0.0;
}

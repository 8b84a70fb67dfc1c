#include "train/loss.h"

#include <math.h>

#include "base/status.h"

static void ignore(float *outputs, size_t count)
{
    for (size_t j = 0; j < count; j++)
        outputs[j] = 0.0f;
}

/* The first of the largest. NaN is never larger: then the sums show it. */
static size_t largest(const float *outputs, size_t count)
{
    size_t best = 0;
    for (size_t j = 1; j < count; j++) {
        if (outputs[j] > outputs[best])
            best = j;
    }
    return best;
}

/* outputs = exp(outputs - max); returns their sum. */
static double exponentials(float *outputs, size_t count, float max)
{
    double sum = 0.0;
    for (size_t j = 0; j < count; j++) {
        outputs[j] = expf(outputs[j] - max);
        sum += (double)outputs[j];
    }
    return sum;
}

/* l = log sum_j exp(y_j) - y_target;  dl/dy = softmax(y) - [j = target]. */
static void cross_entropy(arnn_loss_sums *sums, float *outputs, const arnn_wanted *wanted, size_t rows, size_t count,
                          float factor)
{
    for (size_t i = 0; i < rows; i++, outputs += count) {
        float weight = wanted->weights[i];
        if (wanted->tokens[i] < 0 || weight == 0.0f) {
            ignore(outputs, count);
            continue;
        }
        size_t target = (size_t)wanted->tokens[i], best = largest(outputs, count);
        float max = outputs[best], score = outputs[target];
        double sum = exponentials(outputs, count, max);
        sums->loss += (double)weight * (log(sum) + ((double)max - (double)score));
        sums->correct += best == target ? (double)weight : 0.0;
        float share = (float)((double)(weight * factor) / sum);
        for (size_t j = 0; j < count; j++)
            outputs[j] *= share;
        outputs[target] -= weight * factor;
    }
}

#define SIDE 8 /* sums side by side, so that compilers may use vectors */

/* outputs = slope (outputs - values); adds the squares of the differences. */
static void add_squares(double sums[SIDE], float *restrict outputs, const float *restrict values, size_t count,
                        float slope)
{
    for (size_t j = 0; j < count; j++) {
        float off = outputs[j] - values[j];
        sums[j] += (double)off * (double)off;
        outputs[j] = slope * off;
    }
}

/* l = mean over j of (y_j - target_j)^2. */
static void squared_error(arnn_loss_sums *sums, float *outputs, const arnn_wanted *wanted, size_t rows, size_t count,
                          float factor)
{
    const float *values = wanted->values;
    for (size_t i = 0; i < rows; i++, outputs += count, values += count) {
        float weight = wanted->weights[i];
        if (weight == 0.0f) {
            ignore(outputs, count);
            continue;
        }
        double side[SIDE] = {0.0}, sum = 0.0;
        float slope = 2.0f * weight * factor / (float)count;
        for (size_t j = 0; j < count; j += SIDE)
            add_squares(side, outputs + j, values + j, count - j < SIDE ? count - j : SIDE, slope);
        for (size_t j = 0; j < SIDE; j++)
            sum += side[j];
        sums->loss += (double)weight * sum / (double)count;
    }
}

static const arnn_loss losses[] = {
    {.name = "cross entropy", .of_tokens = true, .rows = cross_entropy},
    {.name = "squared error", .of_tokens = false, .rows = squared_error},
};

const arnn_loss *arnn_loss_of(int32_t loss)
{
    if (loss < 0 || (size_t)loss >= sizeof losses / sizeof *losses)
        return NULL;
    return &losses[loss];
}

#include "train/optimiser.h"

#include <math.h>

#include "base/status.h"

/* SGD: b = momentum b + g (the first time b = g, as b begins at 0);  w -= rate b. */
static void sgd(float *values, float *first, float *second, const float *gradients, size_t count,
                const arnn_update *update)
{
    (void)second;
    for (size_t i = 0; i < count; i++) {
        float gradient = update->scale * gradients[i] + update->weight_decay * values[i];
        first[i] = update->momentum * first[i] + gradient;
        values[i] -= update->rate * first[i];
    }
}

/* Kingma, Ba, ICLR 2015. Bias corrections are made in double, once an update. */
static void adam_step(float *values, float *first, float *second, const float *gradients, size_t count,
                      const arnn_update *update, float pulled, float shrunk)
{
    double beta = (double)update->momentum, beta_second = (double)update->second_momentum, n = (double)update->count;
    float rate = (float)((double)update->rate / (1.0 - pow(beta, n)));
    float correction = (float)(1.0 / sqrt(1.0 - pow(beta_second, n)));
    float rest = (float)(1.0 - beta), rest_second = (float)(1.0 - beta_second);
    const arnn_update by = *update; /* a copy, which no store can change: so that several go at once */
    for (size_t i = 0; i < count; i++) {
        float gradient = by.scale * gradients[i] + pulled * values[i];
        float mean = by.momentum * first[i] + rest * gradient;
        float square = by.second_momentum * second[i] + rest_second * gradient * gradient;
        first[i] = mean;
        second[i] = square;
        values[i] = shrunk * values[i] - rate * mean / (sqrtf(square) * correction + by.epsilon);
    }
}

/* Weight decay as part of the gradient. */
static void adam(float *values, float *first, float *second, const float *gradients, size_t count,
                 const arnn_update *update)
{
    adam_step(values, first, second, gradients, count, update, update->weight_decay, 1.0f);
}

/* Loshchilov, Hutter, ICLR 2019: weights decay by themselves. */
static void adamw(float *values, float *first, float *second, const float *gradients, size_t count,
                  const arnn_update *update)
{
    adam_step(values, first, second, gradients, count, update, 0.0f, 1.0f - update->rate * update->weight_decay);
}

static const arnn_optimiser optimisers[] = {
    {.name = "sgd", .moments = 1, .apply = sgd},
    {.name = "adam", .moments = 2, .apply = adam},
    {.name = "adamw", .moments = 2, .apply = adamw},
};

const arnn_optimiser *arnn_optimiser_of(int32_t optimiser)
{
    if (optimiser < 0 || (size_t)optimiser >= sizeof optimisers / sizeof *optimisers)
        return NULL;
    return &optimisers[optimiser];
}

/* ---- in parts ---- */

#define PARTS 64                /* at most */
#define LEAST ((size_t)1 << 14) /* numbers in a part: what takes longer than it takes to call a thread */

static size_t most_of(size_t count)
{
    size_t most = arnn_pieces(count, PARTS);
    return most > LEAST ? most : LEAST;
}

static size_t parts_of(size_t count)
{
    return arnn_pieces(count, most_of(count));
}

static arnn_piece part_of(size_t count, size_t item)
{
    return arnn_piece_of(count, most_of(count), item);
}

typedef struct whole {
    const arnn_optimiser *optimiser;
    float *values, *const *moments;
    const float *gradients;
    size_t count;
    const arnn_update *update;
} whole;

static void update_part(void *context, size_t item, size_t worker)
{
    const whole *all = context;
    arnn_piece at = part_of(all->count, item);
    float *second = all->moments[1] ? all->moments[1] + at.first : NULL;
    (void)worker;
    all->optimiser->apply(all->values + at.first, all->moments[0] + at.first, second, all->gradients + at.first,
                          at.count, all->update);
}

/* From the end on: there gradients were looked at last. */
void arnn_optimise(arnn_threads *threads, const arnn_optimiser *optimiser, float *values,
                   float *const moments[ARNN_MOMENTS], const float *gradients, size_t count, const arnn_update *update)
{
    whole all = {optimiser, values, moments, gradients, count, update};
    arnn_threads_run(threads, update_part, &all, parts_of(count), true);
}

typedef struct squares {
    const float *values;
    size_t count;
    double sums[PARTS];
} squares;

static double squared(const float *values, size_t count)
{
    enum { SIDE = 8 }; /* sums side by side, so that compilers may use vectors */
    double sums[SIDE] = {0.0}, sum = 0.0;
    size_t i = 0;
    for (; i + SIDE <= count; i += SIDE) {
        for (size_t j = 0; j < SIDE; j++)
            sums[j] += (double)values[i + j] * (double)values[i + j];
    }
    for (; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    for (size_t j = 0; j < SIDE; j++)
        sum += sums[j];
    return sum;
}

static void square_part(void *context, size_t item, size_t worker)
{
    squares *all = context;
    arnn_piece at = part_of(all->count, item);
    (void)worker;
    all->sums[item] = squared(all->values + at.first, at.count);
}

double arnn_norm(arnn_threads *threads, const float *values, size_t count)
{
    squares all = {.values = values, .count = count};
    double sum = 0.0;
    arnn_threads_run(threads, square_part, &all, parts_of(count), false);
    for (size_t i = 0; i < parts_of(count); i++)
        sum += all.sums[i];
    return sqrt(sum);
}

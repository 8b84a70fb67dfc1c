/* Lyapunov exponents of wiring none: directions are carried along a trajectory by the step's derivative, and made
   orthonormal again after every step (Benettin, Galgani, Giorgilli, Strelcyn, Meccanica 1980). All in double. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "linalg/analysis.h"
#include "model/random.h"
#include "train/dynamics.h"

/* A layer's state and where it is headed. Directions are rows; d(x) is the direction of x. */
typedef struct flow {
    size_t n, gates, count;        /* directions */
    size_t width;                  /* of a direction: all layers' h, and m of the LSTM */
    double *input, *recurrent;     /* (G n): W_ih x + b_ih, W_hh h + b_hh */
    double *d_input, *d_recurrent; /* (count, G n) */
    double *h, *m;                 /* (n) of the layer, which become the next step's */
    double *d_h, *d_m;             /* in the directions, rows `width` apart */
} flow;

typedef void advance(const flow *f, size_t j);

static double sigmoid(double x)
{
    return 1.0 / (1.0 + exp(-x));
}

static double *direction(const flow *f, double *first, size_t i)
{
    return first + i * f->width;
}

/* Direction i of pre-activation `gate` of unit j, of the products apart. */
static double of_input(const flow *f, size_t i, size_t gate, size_t j)
{
    return f->d_input[i * f->gates * f->n + gate * f->n + j];
}

static double of_recurrent(const flow *f, size_t i, size_t gate, size_t j)
{
    return f->d_recurrent[i * f->gates * f->n + gate * f->n + j];
}

static double of_both(const flow *f, size_t i, size_t gate, size_t j)
{
    return of_input(f, i, gate, j) + of_recurrent(f, i, gate, j);
}

static double pre(const flow *f, size_t gate, size_t j)
{
    return f->input[gate * f->n + j] + f->recurrent[gate * f->n + j];
}

static void rnn_tanh(const flow *f, size_t j)
{
    double h = tanh(pre(f, 0, j));
    for (size_t i = 0; i < f->count; i++)
        direction(f, f->d_h, i)[j] = (1.0 - h * h) * of_both(f, i, 0, j);
    f->h[j] = h;
}

static void rnn_relu(const flow *f, size_t j)
{
    double p = pre(f, 0, j);
    for (size_t i = 0; i < f->count; i++)
        direction(f, f->d_h, i)[j] = p > 0.0 ? of_both(f, i, 0, j) : 0.0;
    f->h[j] = p > 0.0 ? p : 0.0;
}

static void gru(const flow *f, size_t j)
{
    double r = sigmoid(pre(f, 0, j)), u = sigmoid(pre(f, 1, j)), b = f->recurrent[2 * f->n + j];
    double g = tanh(f->input[2 * f->n + j] + r * b), h = f->h[j];
    for (size_t i = 0; i < f->count; i++) {
        double d_r = r * (1.0 - r) * of_both(f, i, 0, j), d_u = u * (1.0 - u) * of_both(f, i, 1, j);
        double d_g = (1.0 - g * g) * (of_input(f, i, 2, j) + d_r * b + r * of_recurrent(f, i, 2, j));
        double *d_h = &direction(f, f->d_h, i)[j];
        *d_h = (1.0 - u) * d_g + u * *d_h + (h - g) * d_u;
    }
    f->h[j] = (1.0 - u) * g + u * h;
}

static void lstm(const flow *f, size_t j)
{
    double i_gate = sigmoid(pre(f, 0, j)), forget = sigmoid(pre(f, 1, j)), g = tanh(pre(f, 2, j));
    double o = sigmoid(pre(f, 3, j)), old = f->m[j], m = forget * old + i_gate * g, t = tanh(m);
    for (size_t i = 0; i < f->count; i++) {
        double *d_m = &direction(f, f->d_m, i)[j];
        *d_m = forget * *d_m + forget * (1.0 - forget) * of_both(f, i, 1, j) * old +
               i_gate * (1.0 - i_gate) * of_both(f, i, 0, j) * g + i_gate * (1.0 - g * g) * of_both(f, i, 2, j);
        direction(f, f->d_h, i)[j] = o * (1.0 - o) * of_both(f, i, 3, j) * t + o * (1.0 - t * t) * *d_m;
    }
    f->m[j] = m;
    f->h[j] = o * t;
}

static advance *const cells[] = {
    [ARNN_CELL_RNN_TANH] = rnn_tanh,
    [ARNN_CELL_RNN_RELU] = rnn_relu,
    [ARNN_CELL_GRU] = gru,
    [ARNN_CELL_LSTM] = lstm,
};

/* ---- the whole model ---- */

typedef struct journey {
    const arnn_model *model;
    flow flow;
    size_t layers, each; /* numbers a layer carries */
    size_t inputs;       /* the widest |x| of a layer */
    double *parameters;  /* all, in the order of the model's */
    double *state;       /* (width): h of each layer, then its m */
    double *directions;  /* (count, width) */
    double *x, *d_x;     /* (inputs), (count, inputs) */
    double *logarithms, *sums, *work;
    double *memory; /* all of it */
} journey;

/* memory NULL: only counts. */
static double *take(double *memory, size_t *used, size_t count)
{
    double *taken = memory ? memory + *used : NULL;
    *used += count;
    return taken;
}

static size_t lay_out(journey *j, double *memory)
{
    flow *f = &j->flow;
    size_t used = 0;
    j->parameters = take(memory, &used, j->model->parameters.values_count);
    j->state = take(memory, &used, f->width);
    j->directions = take(memory, &used, f->count * f->width);
    j->x = take(memory, &used, j->inputs);
    j->d_x = take(memory, &used, f->count * j->inputs);
    j->logarithms = take(memory, &used, f->count);
    j->sums = take(memory, &used, f->count);
    j->work = take(memory, &used, arnn_stretch_work(f->count));
    f->input = take(memory, &used, f->gates * f->n);
    f->recurrent = take(memory, &used, f->gates * f->n);
    f->d_input = take(memory, &used, f->count * f->gates * f->n);
    f->d_recurrent = take(memory, &used, f->count * f->gates * f->n);
    return used;
}

static arnn_status journey_create(journey *j, const arnn_model *model, size_t count, uint64_t seed)
{
    const arnn_model_desc *desc = &model->desc;
    *j = (journey){.model = model, .layers = desc->layers, .each = desc->hidden * (model->cell->has_memory ? 2 : 1)};
    j->flow = (flow){.n = desc->hidden, .gates = model->cell->gates, .count = count, .width = j->each * j->layers};
    for (size_t layer = 0; layer < j->layers; layer++) {
        size_t width = arnn_desc_input_width(desc, layer);
        j->inputs = width > j->inputs ? width : j->inputs;
    }
    j->memory = arnn_alloc(lay_out(j, NULL), sizeof *j->memory);
    float *normal = arnn_alloc_floats(count * j->flow.width);
    if (!j->memory || !normal) {
        arnn_free(j->memory);
        arnn_free(normal);
        return arnn_error_no_memory("Lyapunov exponents");
    }
    lay_out(j, j->memory);
    for (size_t i = 0; i < model->parameters.values_count; i++)
        j->parameters[i] = (double)model->parameters.values[i];
    arnn_random random = arnn_random_of(seed, ARNN_ROLES, 0);
    arnn_random_normal(&random, normal, count * j->flow.width);
    for (size_t i = 0; i < count * j->flow.width; i++)
        j->directions[i] = (double)normal[i];
    arnn_free(normal);
    return ARNN_OK;
}

static const double *parameter(const journey *j, arnn_role role, size_t layer)
{
    return j->parameters +
           (arnn_parameters_of(&j->model->parameters, role, layer)->values - j->model->parameters.values);
}

/* `input` or `recurrent`, and where the directions lead it. */
static void products(const flow *f, double *value, double *d_value, const double *weight, const double *bias,
                     const double *x, const double *d_x, size_t inputs, size_t d_stride)
{
    size_t outputs = f->gates * f->n;
    memcpy(value, bias, outputs * sizeof *value);
    arnn_product_double(value, weight, x, outputs, inputs, 1, outputs, inputs, 1.0);
    arnn_product_double(d_value, weight, d_x, outputs, inputs, f->count, outputs, d_stride, 0.0);
}

/* The layer's h becomes the next one's input, and its directions too; what stands after it, with skip, stays. */
static void hand_up(journey *j, const double *token, size_t layer)
{
    const flow *f = &j->flow;
    size_t own = arnn_desc_input_width(&j->model->desc, 0), width = arnn_desc_input_width(&j->model->desc, layer + 1);
    memcpy(j->x, f->h, f->n * sizeof *j->x);
    memset(j->d_x, 0, f->count * j->inputs * sizeof *j->d_x);
    if (width > f->n)
        memcpy(j->x + f->n, token, own * sizeof *j->x);
    for (size_t i = 0; i < f->count; i++)
        memcpy(j->d_x + i * j->inputs, f->d_h + i * f->width, f->n * sizeof *j->d_x);
}

/* x: the model's input, which no direction changes. */
static void step(journey *j, const double *x)
{
    flow *f = &j->flow;
    memcpy(j->x, x, arnn_desc_input_width(&j->model->desc, 0) * sizeof *x);
    memset(j->d_x, 0, f->count * j->inputs * sizeof *j->d_x);
    for (size_t layer = 0; layer < j->layers; layer++) {
        f->h = j->state + layer * j->each;
        f->m = f->h + f->n;
        f->d_h = j->directions + layer * j->each;
        f->d_m = f->d_h + f->n;
        products(f, f->input, f->d_input, parameter(j, ARNN_WEIGHT_IH, layer), parameter(j, ARNN_BIAS_IH, layer), j->x,
                 j->d_x, arnn_desc_input_width(&j->model->desc, layer), j->inputs);
        products(f, f->recurrent, f->d_recurrent, parameter(j, ARNN_WEIGHT_HH, layer),
                 parameter(j, ARNN_BIAS_HH, layer), f->h, f->d_h, f->n, f->width);
        for (size_t unit = 0; unit < f->n; unit++)
            cells[j->model->desc.cell](f, unit);
        if (layer + 1 < j->layers)
            hand_up(j, x, layer);
    }
}

/* The input of a step, from floats or from the embedding, in double. */
static void read_input(const journey *j, double *x, const arnn_input *in, size_t time)
{
    size_t width = j->model->desc.inputs;
    for (size_t i = 0; i < width; i++) {
        if (in->tokens)
            x[i] = parameter(j, ARNN_EMBED, 0)[(size_t)in->tokens[time * in->time_stride] * width + i];
        else
            x[i] = (double)in->x[time * in->time_stride + i];
    }
}

static bool travel(journey *j, double *x, const arnn_input *in, size_t steps, size_t skip)
{
    flow *f = &j->flow;
    bool whole = arnn_stretch(j->logarithms, j->directions, j->work, f->width, f->count);
    for (size_t time = 0; time < steps && whole; time++) {
        read_input(j, x, in, time);
        step(j, x);
        whole = arnn_stretch(j->logarithms, j->directions, j->work, f->width, f->count);
        for (size_t i = 0; i < f->count && time >= skip; i++)
            j->sums[i] += j->logarithms[i];
    }
    return whole;
}

static int descending(const void *a, const void *b)
{
    double first = *(const double *)a, second = *(const double *)b;
    return (first < second) - (first > second);
}

size_t arnn_dynamics_width(const arnn_model *model)
{
    return model->desc.layers * model->desc.hidden * (model->cell->has_memory ? 2 : 1);
}

arnn_status arnn_dynamics_lyapunov(const arnn_model *model, double *exponents, size_t count, const arnn_input *in,
                                   size_t steps, size_t skip, uint64_t seed)
{
    journey j;
    arnn_status status = journey_create(&j, model, count, seed);
    if (status)
        return status;
    double *x = arnn_alloc(model->desc.inputs, sizeof *x);
    if (!x)
        status = arnn_error_no_memory("an input");
    else if (!travel(&j, x, in, steps, skip))
        status = arnn_error(ARNN_INVALID_ARGUMENT, "LAPACK could not factorise the directions");
    for (size_t i = 0; i < count && !status; i++)
        exponents[i] = j.sums[i] / (double)(steps - skip);
    if (!status)
        qsort(exponents, count, sizeof *exponents, descending);
    arnn_free(x);
    arnn_free(j.memory);
    return status;
}

/* The cells in plain C, as spec and PyTorch write them. */
#include <math.h>

#include "kernels/kernels.h"

/* 1 / (1 + e^-x), but that a value near 1 is rounded once: see vec_math.h. */
static float sigmoid(float x)
{
    float e = expf(-fabsf(x)), q = e / (1.0f + e);
    return x < 0.0f ? q : 1.0f - q;
}

static float relu(float x)
{
    return x < 0.0f ? 0.0f : x; /* NaN stays NaN */
}

void arnn_ref_sigmoid(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = sigmoid(values[i]);
}

void arnn_ref_tanh(float *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = tanhf(values[i]);
}

void arnn_ref_rnn_tanh(const arnn_cell_step *step)
{
    for (size_t i = 0; i < step->streams * step->hidden; i++)
        step->h[i] = tanhf(step->input[i] + step->recurrent[i]);
}

void arnn_ref_rnn_relu(const arnn_cell_step *step)
{
    for (size_t i = 0; i < step->streams * step->hidden; i++)
        step->h[i] = relu(step->input[i] + step->recurrent[i]);
}

void arnn_ref_gru(const arnn_cell_step *step)
{
    size_t n = step->hidden;
    for (size_t b = 0; b < step->streams; b++) {
        const float *input = step->input + b * 3 * n, *recurrent = step->recurrent + b * 3 * n;
        for (size_t i = 0; i < n; i++) {
            float r = sigmoid(input[i] + recurrent[i]);
            float u = sigmoid(input[n + i] + recurrent[n + i]);
            float g = tanhf(input[2 * n + i] + r * recurrent[2 * n + i]);
            step->h[b * n + i] = (1.0f - u) * g + u * step->carried[b * n + i];
        }
    }
}

void arnn_ref_lstm(const arnn_cell_step *step)
{
    size_t n = step->hidden;
    for (size_t b = 0; b < step->streams; b++) {
        const float *input = step->input + b * 4 * n, *recurrent = step->recurrent + b * 4 * n;
        for (size_t j = 0; j < n; j++) {
            float i = sigmoid(input[j] + recurrent[j]);
            float f = sigmoid(input[n + j] + recurrent[n + j]);
            float g = tanhf(input[2 * n + j] + recurrent[2 * n + j]);
            float o = sigmoid(input[3 * n + j] + recurrent[3 * n + j]);
            float m = f * step->memory[b * n + j] + i * g;
            step->m[b * n + j] = m;
            step->h[b * n + j] = o * tanhf(m);
        }
    }
}

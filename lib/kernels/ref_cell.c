/* The cells in plain C, as spec and PyTorch write them, and their derivatives. */
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

void arnn_ref_rnn_tanh(const arnn_cell_step *step)
{
    for (size_t i = 0; i < step->streams * step->hidden; i++)
        step->h[i] = tanhf(step->input[i]);
}

void arnn_ref_rnn_relu(const arnn_cell_step *step)
{
    for (size_t i = 0; i < step->streams * step->hidden; i++)
        step->h[i] = relu(step->input[i]);
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
        const float *input = step->input + b * 4 * n;
        for (size_t j = 0; j < n; j++) {
            float i = sigmoid(input[j]);
            float f = sigmoid(input[n + j]);
            float g = tanhf(input[2 * n + j]);
            float o = sigmoid(input[3 * n + j]);
            float m = f * step->memory[b * n + j] + i * g;
            step->m[b * n + j] = m;
            step->h[b * n + j] = o * tanhf(m);
        }
    }
}

/* dg' = dh (1-u) (1-g^2), du' = dh (s-g) u (1-u), dr' = dg' b r (1-r); the recurrent side has r dg' in place of dg' */
void arnn_ref_gru_back(const arnn_cell_owed *owed)
{
    size_t n = owed->hidden;
    float *input = owed->dp_input, *recurrent = owed->dp_recurrent;
    for (size_t i = 0; i < n; i++) {
        float r = sigmoid(input[i] + recurrent[i]), u = sigmoid(input[n + i] + recurrent[n + i]);
        float b = recurrent[2 * n + i], g = tanhf(input[2 * n + i] + r * b);
        float dg = owed->dh[i] * (1.0f - u) * (1.0f - g * g);
        float du = owed->dh[i] * (owed->carried[i] - g) * u * (1.0f - u);
        float dr = dg * b * r * (1.0f - r);
        input[i] = recurrent[i] = dr;
        input[n + i] = recurrent[n + i] = du;
        input[2 * n + i] = dg;
        recurrent[2 * n + i] = r * dg;
        owed->dcarried[i] = u * owed->dh[i];
    }
}

/* dm = (from later) + dh o (1 - t^2), t = tanh(m) */
void arnn_ref_lstm_back(const arnn_cell_owed *owed)
{
    size_t n = owed->hidden;
    float *p = owed->dp_input;
    for (size_t j = 0; j < n; j++) {
        float i = sigmoid(p[j]), f = sigmoid(p[n + j]), g = tanhf(p[2 * n + j]), o = sigmoid(p[3 * n + j]);
        float t = tanhf(owed->m[j]), dm = owed->dm[j] + owed->dh[j] * o * (1.0f - t * t);
        p[j] = dm * g * i * (1.0f - i);
        p[n + j] = dm * owed->m_prev[j] * f * (1.0f - f);
        p[2 * n + j] = dm * i * (1.0f - g * g);
        p[3 * n + j] = owed->dh[j] * t * o * (1.0f - o);
        owed->dm_prev[j] = dm * f;
        owed->dcarried[j] = 0.0f;
    }
}

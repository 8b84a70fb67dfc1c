// Compiled for this machine with -ffast-math: the loops below become vector code, expf and tanhf too.
#include "cost/plain.hpp"

#include <algorithm>
#include <cblas.h>
#include <cmath>

extern "C" void openblas_set_num_threads(int threads);

namespace cost {

namespace {

void add_scores(float *scores, const float *keys, const float *query, const float *weights, size_t rows, size_t align) {
    for (size_t i = 0; i < rows; i++) {
        const float *key = keys + i * align;
        float score = 0;
        for (size_t j = 0; j < align; j++) {
            score += weights[j] * tanhf(key[j] + query[j]);
        }
        scores[i] = score;
    }
}

void softmax(float *scores, size_t rows) {
    float largest = scores[0], total = 0;
    for (size_t i = 0; i < rows; i++) {
        largest = std::max(largest, scores[i]);
    }
    for (size_t i = 0; i < rows; i++) {
        scores[i] = expf(scores[i] - largest);
        total += scores[i];
    }
    float scale = 1 / total;
    for (size_t i = 0; i < rows; i++) {
        scores[i] *= scale;
    }
}

void weighted_mean(float *mean, const float *rows, const float *weights, int count, int width) {
    cblas_sgemv(CblasRowMajor, CblasTrans, count, width, 1.0f, rows, width, weights, 1, 0.0f, mean, 1);
}

} // namespace

Plain::Plain(const PlainShape &shape)
    : shape_(shape), block_(shape.tapes * shape.rows * row_floats(shape) * sizeof(float)), weights_(shape.rows),
      contexts_((shape.memories ? 2 : 1) * shape.tapes * shape.width) {}

// A tape lies as h (rows, width), keys (rows, align), m (rows, width).
void Plain::fill(size_t row, const float *h, const float *key, const float *m) {
    for (size_t t = 0; t < shape_.tapes; t++) {
        float *at = tape(t);
        std::copy_n(h, shape_.width, at + row * shape_.width);
        at += shape_.rows * shape_.width;
        if (shape_.align) std::copy_n(key, shape_.align, at + row * shape_.align);
        at += shape_.rows * shape_.align;
        if (shape_.memories) std::copy_n(m, shape_.width, at + row * shape_.width);
    }
}

void Plain::read(const float *query, const float *score_weights) {
    int rows = static_cast<int>(shape_.rows), width = static_cast<int>(shape_.width);
    for (size_t t = 0; t < shape_.tapes; t++) {
        const float *h = tape(t), *keys = h + shape_.rows * shape_.width, *m = keys + shape_.rows * shape_.align;
        float *context = &contexts_[t * shape_.width], *scores = weights_.data();
        if (shape_.align) {
            add_scores(scores, keys, query, score_weights, shape_.rows, shape_.align);
        } else {
            cblas_sgemv(CblasRowMajor, CblasNoTrans, rows, width, 1.0f, h, width, query, 1, 0.0f, scores, 1);
        }
        softmax(scores, shape_.rows);
        weighted_mean(context, h, scores, rows, width);
        if (shape_.memories) weighted_mean(context + shape_.tapes * shape_.width, m, scores, rows, width);
    }
}

void plain_relu(float *s, const float *products, const float *bias, size_t streams, size_t width) {
    for (size_t b = 0; b < streams; b++, s += width, products += width) {
        for (size_t i = 0; i < width; i++) {
            s[i] = std::max(0.0f, products[i] + bias[i]);
        }
    }
}

void plain_single_thread() { openblas_set_num_threads(1); }

} // namespace cost

// Attention in double, written from its definition: what a summary is measured against.
#pragma once

#include "cost/model.hpp"

namespace cost {

// A query made ready: q = scale W_K' W_Q z (dot), scale W z (general), u = W_Q z (additive).
using Query = std::vector<double>;

class Exact {
  public:
    Exact(const Model &model, size_t layer);

    Query query(const std::vector<float> &z) const;
    std::vector<double> key(const float *h) const; // W_K h of additive scores
    double product_score(const Query &query, const float *h) const;
    double additive_score(const Query &query, const double *key) const;

  private:
    std::vector<double> times(const std::vector<float> &matrix, size_t rows, const double *x, size_t width) const;

    bool additive_;
    size_t hidden_, align_;
    double scale_;
    std::vector<float> key_, query_, general_, score_; // key_ (k, n), query_ (k, |z|), general_ (n, |z|), score_ (k)
};

// The softmax-weighted mean of rows, each counted `times` times; the largest score may come in any order.
class Mean {
  public:
    explicit Mean(size_t width) : sum_(width, 0.0) {}
    void add(double score, size_t times, const float *row);
    std::vector<double> result() const; // zero where nothing was added

  private:
    std::vector<double> sum_;
    double largest_ = 0, total_ = 0;
};

double largest_difference(const float *ours, const std::vector<double> &exact);

} // namespace cost

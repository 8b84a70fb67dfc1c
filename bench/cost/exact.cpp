#include "cost/exact.hpp"

#include <cmath>

namespace cost {

Exact::Exact(const Model &model, size_t layer)
    : additive_(model.additive()), hidden_(model.hidden), align_(model.align), scale_(model.scale) {
    std::string suffix = "_l" + std::to_string(layer);
    if (model.score == "general") {
        general_ = model.parameter("attn_general" + suffix);
        return;
    }
    key_ = model.parameter("attn_key" + suffix);
    query_ = model.parameter("attn_query" + suffix);
    if (additive_) score_ = model.parameter("attn_score" + suffix);
}

std::vector<double> Exact::times(const std::vector<float> &matrix, size_t rows, const double *x, size_t width) const {
    std::vector<double> y(rows, 0.0);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < width; j++) {
            y[i] += static_cast<double>(matrix[i * width + j]) * x[j];
        }
    }
    return y;
}

Query Exact::query(const std::vector<float> &z) const {
    std::vector<double> x(z.begin(), z.end());
    Query query(hidden_, 0.0);
    if (!general_.empty()) {
        query = times(general_, hidden_, x.data(), x.size());
    } else {
        std::vector<double> u = times(query_, align_, x.data(), x.size());
        if (additive_) return u;
        for (size_t j = 0; j < align_; j++) {
            for (size_t i = 0; i < hidden_; i++) {
                query[i] += static_cast<double>(key_[j * hidden_ + i]) * u[j];
            }
        }
    }
    for (double &value : query) {
        value *= scale_;
    }
    return query;
}

std::vector<double> Exact::key(const float *h) const {
    std::vector<double> x(h, h + hidden_);
    return times(key_, align_, x.data(), hidden_);
}

double Exact::product_score(const Query &query, const float *h) const {
    double score = 0;
    for (size_t i = 0; i < hidden_; i++) {
        score += query[i] * static_cast<double>(h[i]);
    }
    return score;
}

double Exact::additive_score(const Query &query, const double *key) const {
    double score = 0;
    for (size_t j = 0; j < align_; j++) {
        score += static_cast<double>(score_[j]) * std::tanh(key[j] + query[j]);
    }
    return score;
}

void Mean::add(double score, size_t times, const float *row) {
    if (times == 0) return;
    if (total_ == 0 || score > largest_) {
        double shrink = total_ == 0 ? 0 : std::exp(largest_ - score);
        total_ *= shrink;
        for (double &value : sum_) {
            value *= shrink;
        }
        largest_ = score;
    }
    double weight = static_cast<double>(times) * std::exp(score - largest_);
    total_ += weight;
    for (size_t i = 0; i < sum_.size(); i++) {
        sum_[i] += weight * static_cast<double>(row[i]);
    }
}

std::vector<double> Mean::result() const {
    std::vector<double> mean(sum_);
    for (double &value : mean) {
        value = total_ == 0 ? 0 : value / total_;
    }
    return mean;
}

double largest_difference(const float *ours, const std::vector<double> &exact) {
    double largest = 0;
    for (size_t i = 0; i < exact.size(); i++) {
        double difference = std::fabs(static_cast<double>(ours[i]) - exact[i]);
        if (!(difference <= largest)) largest = difference; // a NaN stays
    }
    return largest;
}

} // namespace cost

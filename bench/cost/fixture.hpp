// A model, its exact attention, and past states to fill tapes with. A tape repeats the same random rows, so that the exact
// summary of a tape of any length costs little: a row's score is computed once and counted as often as the row occurs.
#pragma once

#include "cost/exact.hpp"

namespace cost {

struct Fixture {
    static constexpr size_t rows = 1024;

    explicit Fixture(const Task &task);

    const float *h(size_t row) const { return &h_[row % rows * model.hidden]; }
    const float *m(size_t row) const { return &m_[row % rows * model.hidden]; }
    const double *key(size_t row) const { return model.additive() ? &keys_[row % rows * model.align] : nullptr; }
    double score(const Query &query, size_t row) const;
    // How often `row` (below `rows`) occurs among the first `filled` rows of a tape filled from here.
    static size_t occurrences(size_t row, size_t filled) { return (filled + rows - 1 - row) / rows; }

    Model model;
    Exact exact; // of the last layer

  private:
    std::vector<float> h_, m_;  // (rows, hidden), of the size that a tanh cell makes them
    std::vector<double> keys_;  // (rows, align): W_K h of additive scores
};

} // namespace cost

#include "cost/stepper.hpp"

#include <algorithm>

namespace cost {

Stepper::Stepper(const Fixture &fixture, size_t streams, size_t least, size_t most)
    : fixture_(fixture), streams_(streams), least_(least), most_(most),
      x_(random_values(streams * fixture.model.inputs, 1.0f, 13)) {
    arnn_model *model = fixture.model.handle.get();
    cache_ = fixture.model.cache();
    check(arnn_cache_reserve(cache_.get(), streams, most + 2));
    arnn_state *state;
    check(arnn_state_create(&state, model, cache_.get(), streams));
    state_.reset(state);
    refill();
}

// The same rows for every layer, as arnn_state_append wants them: (layers, rows, hidden).
void Stepper::append(size_t stream, size_t rows) {
    const Model &model = fixture_.model;
    std::vector<float> h, m;
    for (size_t l = 0; l < model.layers; l++) {
        h.insert(h.end(), fixture_.h(0), fixture_.h(0) + rows * model.hidden);
        m.insert(m.end(), fixture_.m(0), fixture_.m(0) + rows * model.hidden);
    }
    check(arnn_state_append(state_.get(), stream, h.data(), model.memories() ? m.data() : nullptr, rows));
}

void Stepper::refill() {
    check(arnn_state_reset(state_.get(), nullptr, 0));
    filled_ = rows_ = fixture_.model.before() ? least_ : std::max(least_, size_t{1}) - 1;
    for (size_t stream = 0; stream < streams_; stream++) {
        for (size_t left = filled_; left > 0; left -= std::min(left, Fixture::rows)) {
            append(stream, std::min(left, Fixture::rows));
        }
    }
}

bool Stepper::prepare() {
    if (next_read() <= most_) return false;
    refill();
    return true;
}

void Stepper::step() {
    arnn_input in = {sizeof in, x_.data(), nullptr, 0, 0};
    check(arnn_step(state_.get(), nullptr, &in, nullptr, streams_));
    rows_++;
}

std::vector<float> Stepper::values(size_t stream) const {
    std::vector<float> s(fixture_.model.hidden);
    check(arnn_state_get(state_.get(), s.data(), ARNN_VALUE_S, fixture_.model.layers - 1, stream));
    return s;
}

std::vector<float> Stepper::last_rows(size_t layer, size_t stream, size_t count) const {
    std::vector<float> rows(count * fixture_.model.hidden);
    check(arnn_state_rows(state_.get(), rows.data(), nullptr, layer, stream, rows_ - count, count));
    return rows;
}

std::vector<float> Stepper::attending(size_t stream, const std::vector<float> &s_before) const {
    const Model &model = fixture_.model;
    if (!model.before()) return last_rows(model.layers - 1, stream, 1);
    const float *x = &x_[stream * model.inputs];
    std::vector<float> z(x, x + model.inputs);
    if (model.layers > 1) z = last_rows(model.layers - 2, stream, 1);
    z.insert(z.end(), s_before.begin(), s_before.end());
    return z;
}

double Stepper::max_error() {
    const Model &model = fixture_.model;
    std::vector<std::vector<float>> s_before;
    for (size_t stream = 0; stream < streams_; stream++) {
        s_before.push_back(values(stream));
    }
    size_t read = next_read();
    step();
    double largest = 0;
    for (size_t stream = 0; stream < streams_; stream++) {
        Query query = fixture_.exact.query(attending(stream, s_before[stream]));
        Mean mean(model.hidden);
        for (size_t row = 0; row < std::min(filled_, Fixture::rows); row++) {
            mean.add(fixture_.score(query, row), Fixture::occurrences(row, filled_), fixture_.h(row));
        }
        std::vector<float> own = last_rows(model.layers - 1, stream, rows_ - filled_);
        for (size_t row = filled_; row < read; row++) {
            const float *h = &own[(row - filled_) * model.hidden];
            mean.add(model.additive() ? fixture_.exact.additive_score(query, fixture_.exact.key(h).data())
                                      : fixture_.exact.product_score(query, h), 1, h);
        }
        double error = largest_difference(values(stream).data(), mean.result());
        if (!(error <= largest)) largest = error;
    }
    return largest;
}

} // namespace cost

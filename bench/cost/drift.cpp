#include "cost/drift.hpp"

#include "cost/text.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cost {

namespace {

constexpr size_t points = 10;

// One stream of a model on a tape of its own.
class Reading {
  public:
    explicit Reading(const Model &model) : cache_(model.cache()), width_(model.hidden) {
        arnn_state *state;
        check(arnn_state_create(&state, model.handle.get(), cache_.get(), 1));
        state_.reset(state);
        check(arnn_model_output_width(model.handle.get(), &outputs_));
    }

    void advance(const std::vector<int32_t> &tokens) {
        const size_t steps = tokens.size();
        h.resize(steps * width_);
        s.resize(steps * width_);
        y.resize(steps * outputs_);
        arnn_input in = {sizeof in, nullptr, tokens.data(), 0, 0};
        arnn_output out = {};
        out.struct_size = sizeof out;
        out.h.data = h.data();
        out.s.data = s.data();
        out.y.data = y.data();
        check(arnn_forward(state_.get(), &out, &in, nullptr, nullptr, steps, 1));
    }

    std::vector<float> h, s, y; // of the steps of the last call

  private:
    CacheHandle cache_;
    StateHandle state_;
    size_t width_, outputs_ = 0;
};

Json difference(const std::vector<float> &a, const std::vector<float> &b) {
    double squares = 0, size = 0, most = 0;
    for (size_t i = 0; i < a.size(); i++) {
        const double d = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        squares += d * d;
        size += static_cast<double>(b[i]) * static_cast<double>(b[i]);
        most = std::max(most, std::isnan(d) ? INFINITY : std::fabs(d));
    }
    const double count = static_cast<double>(a.size());
    return Json().add("rms", std::sqrt(squares / count)).add("max", most).add("size", std::sqrt(size / count));
}

Task with_tape(Task task, const std::string &tape) {
    task.values["tape"] = tape;
    return task;
}

} // namespace

Json run_drift(const Task &task) {
    const Model model(task), plain(with_tape(task, "f32"));
    const size_t steps = task.number("steps");
    const std::string text = read_file(task.text("file"), steps);
    Reading reading(model), truth(plain);
    std::vector<Json> drift;
    size_t done = 0;
    for (size_t point = 1; point <= points; point++) {
        const size_t end = text.size() * point / points;
        std::vector<int32_t> tokens;
        for (size_t i = done; i < end; i++) {
            tokens.push_back(static_cast<unsigned char>(text[i]));
        }
        reading.advance(tokens);
        truth.advance(tokens);
        drift.push_back(Json()
                            .add("steps", end)
                            .add("h", difference(reading.h, truth.h))
                            .add("s", difference(reading.s, truth.s))
                            .add("y", difference(reading.y, truth.y)));
        done = end;
    }
    return Json()
        .add("cell", model.cell)
        .add("wiring", model.wiring)
        .add("score", model.score)
        .add("tape", model.tape)
        .add("hidden", model.hidden)
        .add("steps", text.size())
        .add("points", drift);
}

} // namespace cost

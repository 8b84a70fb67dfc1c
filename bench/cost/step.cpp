#include "cost/step.hpp"

#include "cost/clock.hpp"
#include "cost/machine.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

namespace cost {

namespace {

constexpr size_t rest_rows = 8;      // the rest of a step is timed on tapes of up to so many rows
constexpr size_t most_samples = 400; // of one kind in a round

// How far from the wanted length the tapes may be: steps lengthen them.
size_t slack(size_t length) { return std::min(length - 1, std::clamp(length / 32, size_t{2}, size_t{32})); }

PlainShape plain_shape(const Model &model, size_t streams, size_t length) {
    return {streams * model.layers, length, model.hidden, model.additive() ? model.align : 0, model.memories()};
}

std::vector<float> some_query(const Fixture &fixture) {
    const Model &model = fixture.model;
    size_t below = model.layers > 1 ? model.hidden : model.inputs;
    Query query = fixture.exact.query(random_values(model.hidden + (model.before() ? below : 0), 0.5f, 14));
    return std::vector<float>(query.begin(), query.end());
}

std::vector<float> score_weights(const Model &model) {
    if (!model.additive()) return {};
    return model.parameter("attn_score_l" + std::to_string(model.layers - 1));
}

void fill(Plain &plain, const Fixture &fixture, size_t length) {
    std::vector<float> key(fixture.model.additive() ? fixture.model.align : 0);
    for (size_t row = 0; row < length; row++) {
        std::transform(fixture.key(row), fixture.key(row) + key.size(), key.begin(),
                       [](double value) { return static_cast<float>(value); });
        plain.fill(row, fixture.h(row), key.data(), fixture.m(row));
    }
}

} // namespace

StepBench::StepBench(const Fixture &fixture, size_t streams, size_t length, const Budget &budget)
    : fixture_(fixture), streams_(streams), length_(length), budget_(budget),
      stepper_(fixture, streams, length - slack(length), length + slack(length)),
      rest_stepper_(fixture, streams, 0, rest_rows), plain_(plain_shape(fixture.model, streams, length)),
      query_(some_query(fixture)), score_weights_(score_weights(fixture.model)),
      ceiling_(plain_.data(), streams * length * fixture.model.bytes_per_state(), budget.subject_ns) {
    fill(plain_, fixture, length);
    plain_read();
    if (!(plain_error() < 1e-3)) throw std::runtime_error("the plain form's summary is off by more than 0.001");
    ceiling_.choose(budget.loops, true);
    round();
    for (Timed *timed : {&step_, &rest_, &rest_plain_}) {
        calibrate(*timed);
    }
    // A last cache takes in what it has lost only when it is asked for again and again; beyond the caches nothing stays.
    const size_t warm = plain_.bytes() > beyond_caches() ? 0 : plain_.bytes() > last_cache() ? 1 : 4;
    step_.warm = rest_plain_.warm = warm;
}

size_t StepBench::bytes_needed(const Model &model, size_t streams, size_t length) {
    return streams * (length + 2 * slack(length)) * (model.bytes_per_state() + model.plain_bytes_per_state());
}

void StepBench::plain_read() { plain_.read(query_.data(), score_weights_.data()); }

double StepBench::plain_error() {
    Query query(query_.begin(), query_.end());
    Mean mean(fixture_.model.hidden);
    for (size_t row = 0; row < std::min(length_, Fixture::rows); row++) {
        mean.add(fixture_.score(query, row), Fixture::occurrences(row, length_), fixture_.h(row));
    }
    return largest_difference(plain_.context(0), mean.result());
}

// A step after a refill meets caches that are not its own: it is made, but not timed. An interrupted step is made again,
// but not for ever: where another always comes between, that is what a step takes here.
template <class Work> void StepBench::time(Timed &timed, Stepper &stepper, const Work &work) {
    std::vector<double> now;
    size_t chances = timed.count / 2 + 2;
    for (size_t i = 0; now.size() < timed.count; i++) {
        if (stepper.prepare()) work();
        const size_t read = stepper.next_read();
        const long interrupted = interruptions();
        const double start = now_ns();
        work();
        const double ns = now_ns() - start;
        if (i < timed.warm) continue;
        if (interruptions() != interrupted && chances > 0) {
            chances--;
            interrupted_++;
            continue;
        }
        now.push_back(ns);
        timed.read += static_cast<double>(read);
    }
    timed.rounds.push_back(median(now));
    timed.all.insert(timed.all.end(), now.begin(), now.end());
}

// From a first round to a count that fills the budget.
void StepBench::calibrate(Timed &timed) {
    double count = budget_.subject_ns / timed.rounds.back();
    timed = Timed();
    timed.count = static_cast<size_t>(std::clamp(count, 1.0, static_cast<double>(most_samples)));
}

double StepBench::round() {
    const std::array<std::function<void()>, 4> subjects = {
        [this] { time(step_, stepper_, [this] { stepper_.step(); }); },
        [this] { time(rest_, rest_stepper_, [this] { rest_stepper_.step(); }); },
        [this] { time(rest_plain_, rest_stepper_, [this] { rest_stepper_.step(); plain_read(); }); },
        [this] { ceiling_.round(); },
    };
    for (size_t i = 0; i < subjects.size(); i++) {
        subjects[(turn_ + i) % subjects.size()]();
    }
    turn_++;
    return step_.rounds.back();
}

StepResult StepBench::result() {
    const double samples = static_cast<double>(step_.all.size());
    const double read = step_.read / samples - rest_.read / static_cast<double>(rest_.all.size());
    const double streams = static_cast<double>(streams_), length = static_cast<double>(length_);
    std::vector<double> ours, plain, speedup;
    for (size_t i = 0; i < step_.rounds.size(); i++) {
        ours.push_back((step_.rounds[i] - rest_.rounds[i]) / (read * streams));
        plain.push_back((rest_plain_.rounds[i] - rest_.rounds[i]) / (length * streams));
        speedup.push_back(plain[i] / ours[i]);
    }
    // Else the read is lost in the noise of the rest.
    const bool told = read >= static_cast<double>(rest_rows) && median(ours) > 3 * median_error(ours);
    const double nothing = std::numeric_limits<double>::quiet_NaN();
    StepResult result;
    result.samples = step_.all.size();
    result.median_ns = median(step_.all);
    result.p99_ns = percentile(step_.all, 0.99);
    result.step_low_ns = percentile(step_.rounds, 0.1);
    result.step_high_ns = percentile(step_.rounds, 0.9);
    result.rest_ns = median(rest_.all);
    result.plain_ns = median(plain) * length * streams;
    result.ns_per_state = told ? median(ours) : nothing;
    result.gbps = static_cast<double>(fixture_.model.bytes_per_state()) / result.ns_per_state;
    result.ceiling_gbps = ceiling_.gbps();
    result.ceiling_fraction = result.gbps / result.ceiling_gbps;
    result.speedup_plain = told ? median(speedup) : nothing;
    result.speedup_low = told ? percentile(speedup, 0.1) : nothing;
    result.speedup_high = told ? percentile(speedup, 0.9) : nothing;
    stepper_.prepare();
    result.max_error = stepper_.max_error();
    return result;
}

Json StepBench::json(const StepResult &result) const {
    const Model &model = fixture_.model;
    return Json()
        .add("cell", model.cell)
        .add("wiring", model.wiring)
        .add("score", model.score)
        .add("tape", model.tape)
        .add("hidden", model.hidden)
        .add("streams", streams_)
        .add("threads", model.threads)
        .add("length", length_)
        .add("median_ns", result.median_ns)
        .add("p99_ns", result.p99_ns)
        .add("ns_per_state", result.ns_per_state)
        .add("bytes_per_state", model.bytes_per_state())
        .add("gbps", result.gbps)
        .add("ceiling_gbps", result.ceiling_gbps)
        .add("ceiling_fraction", result.ceiling_fraction)
        .add("speedup_plain", result.speedup_plain)
        .add("max_error", result.max_error);
}

Json StepBench::spread(const StepResult &result) const {
    return Json()
        .add("samples", result.samples)
        .add("interrupted", interrupted_)
        .add("rounds", step_.rounds.size())
        .add("step_low_ns", result.step_low_ns)
        .add("step_high_ns", result.step_high_ns)
        .add("rest_ns", result.rest_ns)
        .add("plain_ns", result.plain_ns)
        .add("speedup_low", result.speedup_low)
        .add("speedup_high", result.speedup_high);
}

Json StepBench::ceiling() const {
    return Json().add("bytes", streams_ * length_ * fixture_.model.bytes_per_state()).add("gbps", ceiling_.gbps()).add("loop", ceiling_.best_loop());
}

} // namespace cost

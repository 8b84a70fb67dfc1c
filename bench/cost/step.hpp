// One row of the report: a step of `streams` streams that each read `length` past states.
//
// Four things take turns in every round: the step; the rest of the step (the same step on almost empty tapes); the rest
// and then the plain form's read, so that the rival meets the same caches; and the read ceiling over the plain form's
// bytes. The read is the step without the rest, on both sides: loads, scores, softmax, sum, and also the weights that a
// long tape pushes out of the caches.
#pragma once

#include "cost/ceiling.hpp"
#include "cost/json.hpp"
#include "cost/plain.hpp"
#include "cost/stepper.hpp"

namespace cost {

struct Budget {
    size_t rounds;
    double subject_ns; // time for each of the four in a round
    size_t loops;      // read loops that compete for the ceiling in a round
};

struct StepResult {
    double median_ns, p99_ns, ns_per_state, gbps, ceiling_gbps, ceiling_fraction, speedup_plain, max_error;
    double rest_ns, plain_ns, step_low_ns, step_high_ns, speedup_low, speedup_high;
    size_t samples;
};

class StepBench {
  public:
    StepBench(const Fixture &fixture, size_t streams, size_t length, const Budget &budget);

    double round(); // median ns of a step in this round
    StepResult result();
    Json json(const StepResult &result) const;
    Json spread(const StepResult &result) const;
    Json ceiling() const;

    // Bytes that a measurement takes, tapes of both sides.
    static size_t bytes_needed(const Model &model, size_t streams, size_t length);

  private:
    struct Timed { // steps of one kind
        size_t count = 1, warm = 1;
        std::vector<double> all, rounds; // ns of single steps, medians of rounds
        double read = 0;                 // past states read per stream, summed over `all`
    };
    template <class Work> void time(Timed &timed, Stepper &stepper, const Work &work);
    void calibrate(Timed &timed);
    void plain_read();
    double plain_error();

    const Fixture &fixture_;
    size_t streams_, length_, turn_ = 0, interrupted_ = 0;
    Budget budget_;
    Stepper stepper_, rest_stepper_;
    Plain plain_;
    std::vector<float> query_, score_weights_;
    Ceiling ceiling_;
    Timed step_, rest_, rest_plain_;
};

} // namespace cost

// A batch of streams whose tapes are kept near a wanted length while steps lengthen them.
#pragma once

#include "cost/fixture.hpp"

namespace cost {

class Stepper {
  public:
    // Steps read from `least` to `most` past states of each stream; then the tapes are filled again.
    Stepper(const Fixture &fixture, size_t streams, size_t least, size_t most);

    bool prepare(); // refills the tapes where the next step would leave the range, and says whether it did
    void step();    // one step of all streams
    size_t next_read() const { return rows_ + (fixture_.model.before() ? 0 : 1); } // past states, per stream

    // Makes one more step: the largest error of its summaries in the last layer, over all streams, against double.
    double max_error();

  private:
    void refill();
    void append(size_t stream, size_t rows);
    std::vector<float> values(size_t stream) const;             // s of the last layer
    std::vector<float> last_rows(size_t layer, size_t stream, size_t count) const; // the newest rows of a tape
    std::vector<float> attending(size_t stream, const std::vector<float> &s_before) const; // z of the last step

    const Fixture &fixture_;
    size_t streams_, least_, most_;
    size_t filled_ = 0, rows_ = 0; // rows from the fixture, rows in all
    CacheHandle cache_;
    StateHandle state_;
    std::vector<float> x_; // (streams, inputs)
};

} // namespace cost

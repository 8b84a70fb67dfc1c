// Read ceilings: how fast this machine can read given bytes and do nothing with them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cost {

// Reads every byte of first .. first + bytes - 1 into registers once; first is aligned to 64, bytes a multiple of 4.
using ReadLoop = void (*)(const char *first, size_t bytes);

struct NamedLoop {
    std::string name; // "256-bit loads, 4 streams, prefetch 1024"
    ReadLoop loop;
    bool turns = false; // forward and back in turn, piece by piece
};

// All that this processor can run: load widths x concurrent streams of loads x prefetch distances.
const std::vector<NamedLoop> &read_loops();

// The best loops for one working set, timed again in every round: speeds drift with the neighbours.
class Ceiling {
  public:
    // The working set must have been written: memory that never was is one page of zeros.
    Ceiling(const char *first, size_t bytes, double budget_ns) : first_(first), bytes_(bytes), budget_ns_(budget_ns) {}

    // Tries all loops and keeps so many; and these again forward and back, where what they are held against turns, too.
    void choose(size_t kept, bool turns);
    double round();                        // times each of them; the best of this round
    double median_ns(size_t passes) const; // of single passes of each in turn; that of the best
    double gbps() const { return best_; }  // the best that was reached in any round
    const std::string &best_loop() const { return best_loop_; }

  private:
    double speed(const NamedLoop &named, size_t bytes, double budget_ns) const;

    const char *first_;
    size_t bytes_;
    double budget_ns_;
    std::vector<NamedLoop> loops_;
    std::string best_loop_;
    double best_ = 0;
};

} // namespace cost

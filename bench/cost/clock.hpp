// Time, and what a list of measurements says.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <sys/resource.h>
#include <vector>

namespace cost {

inline double now_ns() {
    return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// How often the system has taken the processor from this thread to give it to another: what was timed meanwhile is not
// the measured thing's own time.
inline long interruptions() {
#ifdef RUSAGE_THREAD
    rusage usage;
    if (getrusage(RUSAGE_THREAD, &usage) == 0) return usage.ru_nivcsw;
#endif
    return 0;
}

// The value below which a fraction p of the samples lie (nearest rank); NaN where there are none.
inline double percentile(std::vector<double> samples, double p) {
    if (samples.empty()) return std::numeric_limits<double>::quiet_NaN();
    size_t rank = static_cast<size_t>(std::max(0.0, std::ceil(p * static_cast<double>(samples.size())) - 1));
    std::nth_element(samples.begin(), samples.begin() + static_cast<std::ptrdiff_t>(rank), samples.end());
    return samples[rank];
}

inline double median(const std::vector<double> &samples) { return percentile(samples, 0.5); }

// How far the median of so many samples may lie from the true one: 0.93 of the interquartile range over the root of
// their number, as for a normal distribution.
inline double median_error(const std::vector<double> &samples) {
    double range = percentile(samples, 0.75) - percentile(samples, 0.25);
    return 0.93 * range / std::sqrt(static_cast<double>(samples.size()));
}

} // namespace cost

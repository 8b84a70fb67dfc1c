#include "cost/ceiling.hpp"

#include "cost/clock.hpp"
#include "cost/machine.hpp"

#include <algorithm>
#include <limits>
#include <map>

namespace cost {

namespace {

constexpr size_t block = 256;                // bytes that each stream of loads takes in turn
constexpr size_t piece = size_t{256} * 1024; // bytes that are read forward, whichever way a pass goes

// An empty asm statement that wants the vector in a register: the load is kept, and nothing but the load is done.
// Loads that do not fill a block are read as words at the end.
#define READ_LOOP(name, TARGET, VECTOR, REGISTER)                                                                      \
    template <size_t streams, size_t ahead> TARGET void name(const char *first, size_t bytes) {                        \
        size_t part = bytes / streams / block * block;                                                                 \
        for (size_t i = 0; i < part; i += block) {                                                                     \
            for (size_t s = 0; s < streams; s++) {                                                                     \
                const char *at = first + s * part + i;                                                                 \
                for (size_t line = 0; ahead != 0 && line < block; line += 64) {                                        \
                    __builtin_prefetch(at + ahead + line);                                                             \
                }                                                                                                      \
                for (size_t j = 0; j < block; j += sizeof(VECTOR)) {                                                   \
                    VECTOR loaded = *reinterpret_cast<const VECTOR *>(at + j);                                         \
                    asm volatile("" : : REGISTER(loaded));                                                             \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (size_t i = streams * part; i < bytes; i += sizeof(float)) {                                               \
            unsigned loaded = *reinterpret_cast<const unsigned *>(first + i);                                          \
            asm volatile("" : : "r"(loaded));                                                                          \
        }                                                                                                              \
    }

#define ADD_LOOP(loops, bits, name, streams, ahead)                                                                    \
    loops.push_back({std::to_string(bits) + "-bit loads, " + std::to_string(streams) +                                 \
                         (streams == 1 ? " stream" : " streams") +                                                     \
                         (ahead == 0 ? "" : ", prefetch " + std::to_string(ahead)),                                    \
                     name<streams, ahead>})

#define ADD_STREAMS(loops, bits, name, ahead)                                                                          \
    ADD_LOOP(loops, bits, name, 1, ahead);                                                                             \
    ADD_LOOP(loops, bits, name, 2, ahead);                                                                             \
    ADD_LOOP(loops, bits, name, 4, ahead);                                                                             \
    ADD_LOOP(loops, bits, name, 8, ahead)

#define ADD_LOOPS(loops, bits, name)                                                                                   \
    ADD_STREAMS(loops, bits, name, 0);                                                                                 \
    ADD_STREAMS(loops, bits, name, 1024);                                                                              \
    ADD_STREAMS(loops, bits, name, 4096)

using Words = unsigned long __attribute__((may_alias));
using Bits128 = float __attribute__((vector_size(16), may_alias));

#if defined(__x86_64__)
using Bits256 = float __attribute__((vector_size(32), may_alias));
using Bits512 = float __attribute__((vector_size(64), may_alias));
READ_LOOP(read_128, , Bits128, "x")
READ_LOOP(read_256, __attribute__((target("avx"))), Bits256, "x")
READ_LOOP(read_512, __attribute__((target("avx512f"))), Bits512, "v")
#elif defined(__aarch64__)
READ_LOOP(read_128, , Bits128, "w")
#else
READ_LOOP(read_words, , Words, "r")
#endif

std::vector<NamedLoop> loops_of_this_processor() {
    std::vector<NamedLoop> loops;
#if defined(__x86_64__)
    ADD_LOOPS(loops, 128, read_128);
    if (__builtin_cpu_supports("avx")) {
        ADD_LOOPS(loops, 256, read_256);
    }
    if (__builtin_cpu_supports("avx512f")) {
        ADD_LOOPS(loops, 512, read_512);
    }
#elif defined(__aarch64__)
    ADD_LOOPS(loops, 128, read_128);
#else
    ADD_LOOPS(loops, 8 * sizeof(Words), read_words);
#endif
    return loops;
}

// One pass. What is more than a cache holds goes faster forward and back in turn: the end of a pass is still there when
// the next one begins with it.
void read_once(const NamedLoop &named, const char *first, size_t bytes, bool back) {
    if (!named.turns) {
        named.loop(first, bytes);
        return;
    }
    const size_t pieces = (bytes + piece - 1) / piece;
    for (size_t i = 0; i < pieces; i++) {
        const size_t at = (back ? pieces - 1 - i : i) * piece;
        named.loop(first + at, std::min(piece, bytes - at));
    }
}

} // namespace

const std::vector<NamedLoop> &read_loops() {
    static const std::vector<NamedLoop> loops = loops_of_this_processor();
    return loops;
}

double Ceiling::speed(const NamedLoop &named, size_t bytes, double budget_ns) const {
    if (bytes <= beyond_caches()) read_once(named, first_, bytes, true);
    size_t passes = 1;
    for (int chances = 3;;) {
        const long interrupted = interruptions();
        const double start = now_ns();
        for (size_t i = 0; i < passes; i++) {
            read_once(named, first_, bytes, i % 2 == 1);
        }
        const double time = now_ns() - start;
        if (interruptions() != interrupted && chances-- > 0) continue;
        if (time >= budget_ns) return static_cast<double>(passes * bytes) / time;
        passes *= 2;
    }
}

// Beyond the caches the same loops are best whatever the size: there the choice is made once, on a part.
void Ceiling::choose(size_t kept, bool turns) {
    static std::vector<NamedLoop> ranked_beyond;
    const bool beyond = bytes_ > beyond_caches();
    std::vector<NamedLoop> ranked = beyond ? ranked_beyond : std::vector<NamedLoop>();
    if (ranked.empty()) {
        std::multimap<double, NamedLoop, std::greater<double>> by_speed;
        for (const NamedLoop &named : read_loops()) {
            size_t bytes = std::min(bytes_, beyond_caches());
            double once = speed(named, bytes, budget_ns_ / 8);
            by_speed.emplace(std::max(once, speed(named, bytes, budget_ns_ / 8)), named);
        }
        for (const auto &entry : by_speed) {
            ranked.push_back(entry.second);
        }
        if (beyond) ranked_beyond = ranked;
    }
    ranked.resize(std::min(kept, ranked.size()));
    loops_ = ranked;
    for (NamedLoop &named : ranked) {
        named.name += ", forward and back";
        named.turns = true;
        if (turns && !beyond) loops_.push_back(named);
    }
}

double Ceiling::round() {
    double round_best = 0;
    for (const NamedLoop &named : loops_) {
        const double now = speed(named, bytes_, budget_ns_ / static_cast<double>(loops_.size()));
        round_best = std::max(round_best, now);
        if (now <= best_) continue;
        best_ = now;
        best_loop_ = named.name;
    }
    return round_best;
}

double Ceiling::median_ns(size_t passes) const {
    std::vector<std::vector<double>> times(loops_.size());
    for (size_t i = 0; i < passes; i++) {
        for (size_t loop = 0; loop < loops_.size(); loop++) {
            const double start = now_ns();
            read_once(loops_[loop], first_, bytes_, i % 2 == 1);
            times[loop].push_back(now_ns() - start);
        }
    }
    double least = std::numeric_limits<double>::infinity();
    for (const std::vector<double> &own : times) {
        least = std::min(least, median(own));
    }
    return least;
}

} // namespace cost

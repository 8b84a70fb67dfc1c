// What is timed without an interpreter between the calls: our reads and steps, OpenBLAS gemv and sgemm, the ceilings.
#include "cost/block.hpp"
#include "cost/ceiling.hpp"
#include "cost/clock.hpp"
#include "cost/plain.hpp"

#include <arnn.h>
#include <cblas.h>
#include <cstring>
#include <vector>

extern "C" void openblas_set_num_threads(int threads);
extern "C" char *openblas_get_corename(void);

namespace {

// The median of so many calls in nanoseconds, each timed by itself; negative where one fails.
template <class Work> double median_ns(size_t repeats, const Work &work) {
    std::vector<double> times;
    for (size_t i = 0; i < repeats; i++) {
        const double start = cost::now_ns();
        if (!work(i)) return -1;
        times.push_back(cost::now_ns() - start);
    }
    return cost::median(times);
}

} // namespace

// What follows gives medians of calls.
extern "C" {

// Reads.
double peers_attend(float *contexts, const float *queries, const arnn_rows *rows, size_t batch, size_t width,
                    int32_t type, float scale, size_t repeats) {
    return median_ns(repeats, [&](size_t) {
        return arnn_attend(contexts, nullptr, nullptr, queries, rows, batch, width, 0, type, scale) == ARNN_OK;
    });
}

// Single steps of all `count` streams; x: (step, stream, inputs), or tokens: (stream), the same in
// every step.
double peers_steps(arnn_state *state, float *s, const float *x, const int32_t *tokens, size_t inputs, size_t count,
                   size_t steps) {
    arnn_input in = {};
    arnn_output out = {};
    in.struct_size = sizeof in;
    out.struct_size = sizeof out;
    out.s.data = s;
    in.tokens = tokens;
    return median_ns(steps, [&](size_t i) {
        if (x) in.x = x + i * count * inputs;
        return arnn_step(state, &out, &in, nullptr, count) == ARNN_OK;
    });
}

cost::Plain *peers_plain_create(const float *h, size_t rows, size_t width) {
    auto *plain = new cost::Plain({1, rows, width, 0, false});
    for (size_t i = 0; i < rows; i++) {
        plain->fill(i, h + i * width, nullptr, nullptr);
    }
    return plain;
}

double peers_plain(cost::Plain *plain, float *context, size_t width, const float *query, int threads, size_t repeats) {
    openblas_set_num_threads(threads);
    const double time = median_ns(repeats, [&](size_t) { return plain->read(query, nullptr), true; });
    std::memcpy(context, plain->context(0), width * sizeof *context);
    return time;
}

void peers_plain_destroy(cost::Plain *plain) { delete plain; }

// Steps s (streams, n) = max(0, x W' + bias) from the same x (streams, n).
double peers_sgemm(float *s, const float *x, const float *weights, const float *bias, int streams, int n, int threads,
                   size_t repeats) {
    cost::Block products(sizeof(float) * static_cast<size_t>(streams) * static_cast<size_t>(n));
    float *y = products.floats();
    openblas_set_num_threads(threads);
    return median_ns(repeats, [&](size_t) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, streams, n, n, 1.0f, x, n, weights, n, 0.0f, y, n);
        cost::plain_relu(s, y, bias, static_cast<size_t>(streams), static_cast<size_t>(n));
        return true;
    });
}

const char *peers_core() { return openblas_get_corename(); }

// Loops that do nothing but load these bytes, in the order in which an arnn_attend and the peers read them call by
// call: who turns at the end finds there what a cache still holds. first is aligned to 64.
cost::Ceiling *peers_ceiling_create(const char *first, size_t bytes) {
    auto *ceiling = new cost::Ceiling(first, bytes, 8e6);
    ceiling->choose(3, false);
    return ceiling;
}

// The best of them.
double peers_ceiling_ns(cost::Ceiling *ceiling, size_t repeats) { return ceiling->median_ns(repeats); }

void peers_ceiling_destroy(cost::Ceiling *ceiling) { delete ceiling; }

// Gbyte/s that one core can read of a working set of so many bytes.
double peers_read_ceiling(size_t bytes) {
    cost::Block block(bytes);
    std::memset(block.floats(), 1, bytes);
    cost::Ceiling ceiling(block.data(), bytes, 4e6);
    ceiling.choose(3, false);
    for (int i = 0; i < 5; i++) {
        ceiling.round();
    }
    return ceiling.gbps();
}

} // extern "C"

namespace {

#if defined(__x86_64__)
// Ten sums, enough to hide the latency of an fma, written out so that no compiler can keep them anywhere but in registers.
#define FMA(register, number) "vfmadd231ps %%" register "15, %%" register "15, %%" register number "\n\t"
#define TEN_FMAS(register)                                                                                             \
    FMA(register, "0") FMA(register, "1") FMA(register, "2") FMA(register, "3") FMA(register, "4")                     \
    FMA(register, "5") FMA(register, "6") FMA(register, "7") FMA(register, "8") FMA(register, "9")
#define CLEAR(number) "vxorps %%xmm" number ", %%xmm" number ", %%xmm" number "\n\t"
#define TOUCHED "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm15"

constexpr size_t fma_loops = 200000;

void clear_sums() {
    asm volatile(CLEAR("0") CLEAR("1") CLEAR("2") CLEAR("3") CLEAR("4") CLEAR("5") CLEAR("6")
                     CLEAR("7") CLEAR("8") CLEAR("9") CLEAR("15")
                 :
                 :
                 : TOUCHED);
}

void fmas_256() {
    for (size_t i = 0; i < fma_loops; i++) asm volatile(TEN_FMAS("ymm") : : : TOUCHED);
}

void fmas_512() {
    for (size_t i = 0; i < fma_loops; i++) asm volatile(TEN_FMAS("zmm") : : : TOUCHED);
}
#endif

} // namespace

// Gflop/s of one core in float32; 0 where it is not known.
extern "C" double peers_flop_ceiling(void) {
    double best = 0;
#if defined(__x86_64__)
    const bool wide = __builtin_cpu_supports("avx512f");
    if (!wide && !(__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))) return 0;
    for (int round = 0; round < 9; round++) {
        clear_sums(); // numbers that are no numbers could be slow
        const double start = cost::now_ns();
        (wide ? fmas_512 : fmas_256)();
        best = std::max(best, 2.0 * 10 * fma_loops * (wide ? 16 : 8) / (cost::now_ns() - start));
    }
#endif
    return best;
}

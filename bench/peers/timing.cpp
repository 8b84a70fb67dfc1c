// What is timed without an interpreter between the calls: our reads and steps, two OpenBLAS gemv, the ceilings.
#include "cost/block.hpp"
#include "cost/ceiling.hpp"
#include "cost/clock.hpp"
#include "cost/plain.hpp"

#include <arnn.h>
#include <cstring>

extern "C" void openblas_set_num_threads(int threads);

extern "C" {

// Nanoseconds of `repeats` reads; negative where one fails.
double peers_attend(float *contexts, const float *queries, const arnn_rows *rows, size_t batch, size_t width,
                    int32_t type, float scale, size_t repeats) {
    const double start = cost::now_ns();
    for (size_t i = 0; i < repeats; i++) {
        if (arnn_attend(contexts, nullptr, nullptr, queries, rows, batch, width, 0, type, scale) != ARNN_OK) return -1;
    }
    return cost::now_ns() - start;
}

// Nanoseconds of `steps` single steps of all `count` streams; x: (step, stream, inputs).
double peers_steps(arnn_state *state, float *s, const float *x, size_t inputs, size_t count, size_t steps) {
    arnn_input in = {};
    arnn_output out = {};
    in.struct_size = sizeof in;
    out.struct_size = sizeof out;
    out.s.data = s;
    const double start = cost::now_ns();
    for (size_t i = 0; i < steps; i++) {
        in.x = x + i * count * inputs;
        if (arnn_step(state, &out, &in, nullptr, count) != ARNN_OK) return -1;
    }
    return cost::now_ns() - start;
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
    const double start = cost::now_ns();
    for (size_t i = 0; i < repeats; i++) {
        plain->read(query, nullptr);
    }
    const double time = cost::now_ns() - start;
    std::memcpy(context, plain->context(0), width * sizeof *context);
    return time;
}

void peers_plain_destroy(cost::Plain *plain) { delete plain; }

// Gbyte/s that one core can read of a working set of so many bytes.
double peers_read_ceiling(size_t bytes) {
    cost::Block block(bytes);
    std::memset(block.floats(), 1, bytes);
    cost::Ceiling ceiling(block.data(), bytes, 4e6);
    ceiling.choose(3);
    for (int i = 0; i < 5; i++) {
        ceiling.round();
    }
    return ceiling.gbps();
}

} // extern "C"

namespace {

// Ten sums of 32 bytes, or of 64 where the processor has such registers: enough to hide the latency of an fma.
template <size_t bytes> inline __attribute__((always_inline)) double flops() {
    using Vector = float __attribute__((vector_size(bytes)));
    Vector sums[10] = {}, factor = {};
    double best = 0;
    constexpr size_t loops = 200000;
    for (int round = 0; round < 7; round++) {
        const double start = cost::now_ns();
        for (size_t i = 0; i < loops; i++) {
#pragma GCC unroll 10
            for (Vector &sum : sums) {
                sum = sum * factor + factor;
            }
#pragma GCC unroll 10
            for (Vector &sum : sums) {
                asm volatile("" : "+v"(sum));
            }
        }
        best = std::max(best, 2.0 * 10 * loops * (bytes / sizeof(float)) / (cost::now_ns() - start));
    }
    return best;
}

#if defined(__x86_64__)
__attribute__((target("avx2,fma"), optimize("fp-contract=fast"))) double flops_256() { return flops<32>(); }
__attribute__((target("avx512f"), optimize("fp-contract=fast"))) double flops_512() { return flops<64>(); }
#endif

} // namespace

// Gflop/s of one core in float32.
extern "C" double peers_flop_ceiling(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return flops_512();
    if (__builtin_cpu_supports("avx2")) return flops_256();
    return flops<16>();
#else
    return 0; // not known
#endif
}

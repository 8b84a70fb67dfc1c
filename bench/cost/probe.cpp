#include "cost/probe.hpp"

#include "cost/clock.hpp"
#include "cost/plain.hpp"

#include <algorithm>
#include <cblas.h>
#include <string>
#include <vector>

extern "C" char *openblas_get_corename(void);

namespace cost {

namespace {

constexpr size_t width = 512;

template <class Work> double best_ns(const Work &work) {
    double best = std::numeric_limits<double>::infinity(), spent = 0;
    while (spent < 2e7) {
        const double start = now_ns();
        work();
        const double ns = now_ns() - start;
        best = std::min(best, ns);
        spent += ns;
    }
    return best;
}

double plain_read_ns(size_t rows) {
    Plain plain({1, rows, width, 0, false});
    const std::vector<float> row(width, 0.01f);
    for (size_t i = 0; i < rows; i++) {
        plain.fill(i, row.data(), nullptr, nullptr);
    }
    return best_ns([&] { plain.read(row.data(), nullptr); });
}

double product_ns(size_t streams) {
    const std::vector<float> x(streams * width, 0.01f), weights(width * width, 0.01f);
    std::vector<float> y(x.size());
    const int n = width;
    return best_ns([&] {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(streams), n, n, 1.0f, x.data(), n,
                    weights.data(), n, 0.0f, y.data(), n);
    });
}

} // namespace

Json probe() {
    return Json()
        .add("core", std::string(openblas_get_corename()))
        .add("read_512_ns", plain_read_ns(512))
        .add("read_8192_ns", plain_read_ns(8192))
        .add("product_1_ns", product_ns(1))
        .add("product_8_ns", product_ns(8))
        .add("product_32_ns", product_ns(32));
}

} // namespace cost

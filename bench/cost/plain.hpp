// The plain form of attention, the rival: per stream and layer two OpenBLAS gemv over a contiguous tape and a softmax
// between them. Additive scores: a key cache, and one vectorised tanh per element in place of the first gemv.
#pragma once

#include "cost/block.hpp"

#include <vector>

namespace cost {

struct PlainShape {
    size_t tapes, rows, width; // tapes = streams x layers
    size_t align;              // width of the additive key cache; 0 where the score is a product
    bool memories;             // a second set of rows under the same weights
};

class Plain {
  public:
    explicit Plain(const PlainShape &shape);

    // Row `row` of every tape: h (width), and where the shape has them the key (align) and m (width).
    void fill(size_t row, const float *h, const float *key, const float *m);
    // Reads every tape; the contexts are in context() until the next read. query: (width), or (align) with score weights.
    void read(const float *query, const float *score_weights);
    const float *context(size_t tape) const { return &contexts_[tape * shape_.width]; }

    // The bytes that read() reads, all in one block.
    const char *data() const { return block_.data(); }
    size_t bytes() const { return block_.bytes(); }

  private:
    float *tape(size_t index) { return block_.floats() + index * shape_.rows * row_floats(shape_); }
    static size_t row_floats(const PlainShape &shape) {
        return shape.width + shape.align + (shape.memories ? shape.width : 0);
    }

    PlainShape shape_;
    Block block_;
    std::vector<float> weights_, contexts_;
};

// What follows the product in a step of the plainest cell: s (streams, width) = max(0, products + bias).
void plain_relu(float *s, const float *products, const float *bias, size_t streams, size_t width);

// Keeps OpenBLAS on the calling thread.
void plain_single_thread();

} // namespace cost

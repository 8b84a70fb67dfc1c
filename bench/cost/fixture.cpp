#include "cost/fixture.hpp"

namespace cost {

Fixture::Fixture(const Task &task)
    : model(task), exact(model, model.layers - 1), h_(random_values(rows * model.hidden, 0.5f, 11)),
      m_(random_values(rows * model.hidden, 0.5f, 12)) {
    for (size_t row = 0; row < rows && model.additive(); row++) {
        std::vector<double> key = exact.key(h(row));
        keys_.insert(keys_.end(), key.begin(), key.end());
    }
}

double Fixture::score(const Query &query, size_t row) const {
    return model.additive() ? exact.additive_score(query, key(row)) : exact.product_score(query, h(row));
}

} // namespace cost

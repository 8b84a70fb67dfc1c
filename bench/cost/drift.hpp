// What a smaller tape type costs in accuracy when its error is fed back: two streams of one model read the same text, one
// on a float32 tape, one on a tape of the type, and drift apart.
#pragma once

#include "cost/json.hpp"
#include "cost/model.hpp"

namespace cost {

// task: file, steps, and the model's values; `tape` is the type. After every tenth of the steps a point: the root mean
// square and the largest difference of h, s and y since the point before.
Json run_drift(const Task &task);

} // namespace cost

// Real text through a model, byte by byte: many pieces as ragged streams on growing tapes, or the whole as one stream.
#pragma once

#include "cost/json.hpp"
#include "cost/model.hpp"

namespace cost {

// The first `bytes` bytes of a file (0: all of them).
std::string read_file(const std::string &path, size_t bytes);

// task: form=pieces (cut at blank lines, at the latest after `longest` bytes) or form=whole; file, bytes (0: all),
// streams, seconds (stop then; 0: never), and the model's values.
Json run_text(const Task &task);

} // namespace cost

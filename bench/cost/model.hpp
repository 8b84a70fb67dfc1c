// The model under measurement, and owners of the library's handles.
#pragma once

#include "arnn.h"
#include "cost/task.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cost {

// Throws std::runtime_error with the library's own sentence.
void check(arnn_status status);

template <auto destroy> struct Destroyer {
    template <class Handle> void operator()(Handle *handle) const { destroy(handle); }
};
using ModelHandle = std::unique_ptr<arnn_model, Destroyer<arnn_model_destroy>>;
using CacheHandle = std::unique_ptr<arnn_cache, Destroyer<arnn_cache_destroy>>;
using StateHandle = std::unique_ptr<arnn_state, Destroyer<arnn_state_destroy>>;

struct Model {
    explicit Model(const Task &task);

    std::string cell, wiring, score, tape; // tape: "f32", "f16", "bf16", "i8"
    size_t hidden, inputs, layers, align, vocab, window, sinks, outputs, threads;
    float scale;
    ModelHandle handle;

    bool before() const { return wiring == "before"; }
    bool additive() const { return score == "additive"; }
    bool memories() const { return before() && cell == "lstm"; } // rows of m lie beside those of h
    size_t query_width() const { return additive() ? align : hidden; }
    // Bytes that attention must read for one past state of one stream: h, the additive score's keys, m; of all layers.
    // Keys and m are float32 with a float32 tape, else bfloat16.
    size_t bytes_per_state() const;
    // The same of a float32 tape, which the plain form reads.
    size_t plain_bytes_per_state() const;
    CacheHandle cache() const; // an empty one, of the model's tape type and threads
    std::vector<float> parameter(const std::string &name) const;
};

// Uniform in [-size, size), from a seed; the same on every machine.
std::vector<float> random_values(size_t count, float size, uint64_t seed);

} // namespace cost

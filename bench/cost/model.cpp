#include "cost/model.hpp"

#include <map>
#include <random>
#include <stdexcept>

namespace cost {

namespace {

using Names = std::map<std::string, int32_t>;
const Names cells = {{"rnn", ARNN_CELL_RNN_TANH}, {"relu", ARNN_CELL_RNN_RELU},
                     {"gru", ARNN_CELL_GRU}, {"lstm", ARNN_CELL_LSTM}};
const Names wirings = {{"none", ARNN_WIRING_NONE}, {"after", ARNN_WIRING_AFTER},
                       {"beside", ARNN_WIRING_BESIDE}, {"before", ARNN_WIRING_BEFORE}};
const Names types = {{"f32", ARNN_TYPE_F32}, {"f16", ARNN_TYPE_F16}, {"bf16", ARNN_TYPE_BF16}, {"i8", ARNN_TYPE_I8}};
const Names scores = {{"dot", ARNN_SCORE_DOT}, {"general", ARNN_SCORE_GENERAL}, {"additive", ARNN_SCORE_ADDITIVE}};

int32_t constant(const Names &names, const std::string &name) {
    auto found = names.find(name);
    if (found == names.end()) throw std::invalid_argument("plan: there is no \"" + name + "\"");
    return found->second;
}

} // namespace

void check(arnn_status status) {
    if (status != ARNN_OK) throw std::runtime_error(std::string(arnn_status_string(status)) + ": " + arnn_last_error());
}

Model::Model(const Task &task)
    : cell(task.text("cell")), wiring(task.text("wiring")), score(task.text("score")),
      tape(task.text("tape")), hidden(task.number("hidden")),
      inputs(task.number("inputs")), layers(task.number("layers")), align(task.number("align")),
      vocab(task.number("vocab")), window(task.number("window")), sinks(task.number("sinks")),
      outputs(task.number("outputs")), threads(task.number("threads")),
      scale(static_cast<float>(task.real("scale"))) {
    arnn_model_desc desc;
    check(arnn_model_desc_default(&desc, sizeof desc));
    desc.cell = constant(cells, cell);
    desc.wiring = constant(wirings, wiring);
    desc.score = constant(scores, score);
    desc.scale = scale;
    desc.inputs = inputs;
    desc.hidden = hidden;
    desc.layers = layers;
    desc.vocab = vocab;
    desc.align = align;
    desc.window = window;
    desc.sinks = sinks;
    desc.outputs = outputs;
    arnn_model *made;
    check(arnn_model_create(&made, &desc));
    handle.reset(made);
    check(arnn_model_init(made, 1));
}

size_t Model::bytes_per_state() const {
    const size_t bytes = tape == "f32" ? 4 : tape == "i8" ? 1 : 2, beside = tape == "f32" ? 4 : 2;
    return layers * (hidden * bytes + ((memories() ? hidden : 0) + (additive() ? align : 0)) * beside);
}

size_t Model::plain_bytes_per_state() const {
    return layers * (hidden + (memories() ? hidden : 0) + (additive() ? align : 0)) * sizeof(float);
}

CacheHandle Model::cache() const {
    arnn_cache_desc desc;
    check(arnn_cache_desc_default(&desc, sizeof desc));
    desc.tape_type = constant(types, tape);
    desc.memory_type = desc.key_type = tape == "f32" ? ARNN_TYPE_F32 : ARNN_TYPE_BF16;
    desc.threads = static_cast<int32_t>(threads);
    arnn_cache *made;
    check(arnn_cache_create(&made, handle.get(), &desc));
    return CacheHandle(made);
}

std::vector<float> Model::parameter(const std::string &name) const {
    size_t count = arnn_model_parameter_count(handle.get());
    for (size_t i = 0; i < count; i++) {
        const char *found;
        size_t rank, shape[2];
        check(arnn_model_parameter(handle.get(), &found, &rank, shape, i));
        if (name != found) continue;
        std::vector<float> values(shape[0] * shape[1]);
        check(arnn_model_read(handle.get(), values.data(), found, values.size()));
        return values;
    }
    throw std::runtime_error("the model has no parameter " + name);
}

std::vector<float> random_values(size_t count, float size, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<float> values(count);
    for (float &value : values) {
        value = size * (static_cast<float>(random() >> 40) / (1 << 23) - 1.0f);
    }
    return values;
}

} // namespace cost

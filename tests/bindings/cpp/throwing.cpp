// arnn.hpp with exceptions: owners, spans and errors. Writes the file that is its argument. Prints what is wrong.
#include <arnn.hpp>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <type_traits>
#include <vector>
#if __cplusplus >= 202002L
#include <span>
#endif

int returning(); // the form without exceptions, in the same program

namespace {

int wrong;

void expect(bool right, const char *what)
{
    if (!right)
        wrong += std::printf("%s\n", what) > 0;
}

template <class F> void refused(F call, arnn_status status, const char *words)
{
    try {
        call();
    } catch (const arnn::Error &error) {
        expect(error.status() == status && std::strstr(error.what(), words) != nullptr, error.what());
        expect(std::strcmp(error.status_string(), arnn_status_string(status)) == 0, error.status_string());
        return;
    }
    expect(false, words);
}

template <class T> constexpr bool moves_only()
{
    return !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
           std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
}
static_assert(moves_only<arnn::Model>() && moves_only<arnn::Cache>() && moves_only<arnn::State>());
static_assert(moves_only<arnn::Record>() && moves_only<arnn::Trainer>());
static_assert(!std::is_convertible_v<std::vector<double> &, arnn::Span<float>>);
static_assert(!std::is_convertible_v<const std::vector<float> &, arnn::Span<float>>);
static_assert(std::is_convertible_v<const std::vector<float> &, arnn::Span<const float>>);

arnn::ModelDesc small()
{
    arnn::ModelDesc desc;
    desc.inputs = 3;
    desc.hidden = 4;
    return desc;
}

arnn::Model model_of(const arnn::ModelDesc &desc)
{
    arnn::Model model = arnn::Model::create(desc);
    model.init(1);
    return model;
}

void spans()
{
    std::vector<float> vector(3);
    std::array<float, 2> array{};
    float plain[4] = {};
    const arnn::Span<float> from_vector = vector, from_plain = plain;
    const arnn::Span<const float> from_array = array, from_span = from_vector;
    expect(from_vector.size() == 3 && from_plain.data() == plain && from_plain.size() == 4, "spans of a vector, an array");
    expect(from_array.size() == 2 && from_span.data() == vector.data(), "spans of const elements");
#if __cplusplus >= 202002L
    const arnn::Span<const float> from_standard = std::span<float>(plain, 3);
    expect(from_standard.size() == 3 && from_standard.data() == plain, "a span of a std::span");
#endif
    expect(arnn::Span<float>().empty() && !arnn::Span<float>(plain, 0).data(), "an empty span is null");
}

void defaults()
{
    arnn_model_desc desc;
    arnn_cache_desc cache;
    arnn_load_options options;
    arnn_model_desc_default(&desc, sizeof desc);
    arnn_cache_desc_default(&cache, sizeof cache);
    arnn_load_options_default(&options, sizeof options);
    const arnn::ModelDesc ours;
    const arnn::CacheDesc our_cache;
    expect(ours.struct_size == sizeof desc && ours.hidden == desc.hidden && ours.wiring == desc.wiring, "ModelDesc");
    expect(our_cache.struct_size == sizeof cache && our_cache.max_bytes == cache.max_bytes, "CacheDesc");
    expect(arnn::LoadOptions().struct_size == options.struct_size, "LoadOptions");
    expect(arnn::version() == arnn_version() && std::strlen(arnn::build_info()) > 10, "version, build_info");
    expect(arnn::constant("ARNN_CELL_GRU") == ARNN_CELL_GRU, "constant");
    refused([] { (void)arnn::constant("ARNN_CELL"); }, ARNN_NOT_FOUND, "ARNN_CELL");
}

void models()
{
    arnn::ModelDesc desc = small();
    desc.outputs = 2;
    arnn::Model model = model_of(desc), other = std::move(model);
    expect(!model && other && other.output_width() == 2 && other.describe().align == 4, "a moved model");
    refused([&] { model.init(1); }, ARNN_INVALID_ARGUMENT, "model");
    expect(other.parameter(0).size() == 12 && std::strcmp(other.parameter(0).name, "weight_ih_l0") == 0, "parameter");
    std::vector<float> values(12, 0.5f), back(12);
    other.write("weight_ih_l0", values);
    other.read("weight_ih_l0", back);
    expect(back == values && std::strlen(other.kernels()) > 2, "a parameter written and read");
    refused([&] { other.read("weight_ih_l0", arnn::Span<float>(back.data(), 11)); }, ARNN_SHAPE, "11");
    refused([&] { (void)other.parameter(99); }, ARNN_NOT_FOUND, "99");
    desc.cell = 99;
    refused([&] { (void)arnn::Model::create(desc); }, ARNN_INVALID_ARGUMENT, "99");
    other.set_weight_type(ARNN_TYPE_BF16);
    std::vector<unsigned char> bytes(other.save_memory());
    expect(other.save_memory(bytes) == bytes.size(), "save_memory");
    arnn::Model loaded = arnn::Model::load_memory(bytes);
    loaded.read("weight_ih_l0", back);
    expect(back == values, "a parameter saved and loaded");
    refused([&] { (void)arnn::Model::load_memory({}); }, ARNN_FORMAT, "");
    refused([] { (void)arnn::Model::load("/nowhere/at.all"); }, ARNN_IO, "/nowhere/at.all");
    refused([&] { other.save("/nowhere/at.all"); }, ARNN_IO, "/nowhere");
    arnn::Model given(other.release()); // a handle given up, and taken over
    expect(!other && given.output_width() == 2, "release");
    expect(!arnn::Model().get() && !arnn::Model().kernels(), "an empty model");
    refused([] { (void)arnn::Cache::create(arnn::Model()); }, ARNN_INVALID_ARGUMENT, "model");
    refused([] { (void)arnn::Record::create(arnn::Model(), arnn::RecordDesc()); }, ARNN_INVALID_ARGUMENT, "model");
    refused([&] { (void)arnn::Trainer::create(model); }, ARNN_INVALID_ARGUMENT, "model");
}

void caches()
{
    const arnn::Model model = model_of(small());
    arnn::CacheDesc desc;
    desc.page_rows = 16;
    arnn::Cache cache = arnn::Cache::create(model, desc);
    expect(cache.page().rows == 16 && cache.bytes().allocated == 0, "page, bytes");
    cache.reserve(2, 16);
    expect(cache.bytes().allocated >= 2 * cache.page().bytes && cache.bytes().used == 0, "reserve");
    desc.page_rows = 17;
    refused([&] { (void)arnn::Cache::create(model, desc); }, ARNN_INVALID_ARGUMENT, "17");
    refused([&] { (void)arnn::State::create(model, 1); }, ARNN_INVALID_ARGUMENT, "cache");
    const arnn::Cache other = std::move(cache);
    expect(other.page().rows == 16, "a moved cache");
    refused([&] { cache.reserve(1, 16); }, ARNN_INVALID_ARGUMENT, "cache");
    refused([&] { (void)cache.bytes(); }, ARNN_INVALID_ARGUMENT, "cache");
    refused([&] { (void)arnn::State::create(model, cache, 1); }, ARNN_INVALID_ARGUMENT, "cache");
}

void states()
{
    arnn::Model model = model_of(small());
    arnn::State state = arnn::State::create(model, arnn::Cache::create(model), 2);
    const std::vector<float> x(6, 0.5f), h(8, 0.25f);
    std::vector<float> y(8), four(4), weights(3);
    const arnn::Output out = {y, {}, {}, {}, {}, 0, 0};
    const arnn::Input in = {x, {}, 0, 0};
    state.append(1, h, {}, 2);
    state.step(out, in);
    expect(state.streams() == 2 && state.length(0) == 1 && state.length(1) == 3, "streams, length");
    float sum = 0;
    const arnn::LastRead last = state.weights(weights, 0, 1);
    for (float weight : weights)
        sum += weight;
    expect(std::fabs(sum - 1) < 1e-6f && last.zero == 0 && std::isfinite(last.logsumexp), "weights");
    state.rows(four, {}, 0, 1, 1, 1);
    expect(four[3] == 0.25f && !state.lost(0), "rows, lost");
    state.set(ARNN_VALUE_S, 0, 0, four);
    state.get(four, ARNN_VALUE_S, 0, 0);
    expect(four[0] == 0.25f, "set, get");
    const std::vector<float> before = y;
    state.step(out, in, std::vector<std::size_t>());
    state.reset(arnn::Span<const std::size_t>());
    expect(y == before && state.length(1) == 3, "no stream at all");
    state.reset(std::array<std::size_t, 1>{1});
    expect(state.length(0) == 1 && state.length(1) == 0, "one stream reset");
    state.reset();
    expect(state.length(0) == 0, "all reset");
    refused([&] { model.init(2); }, ARNN_BUSY, "");
    arnn::State other = std::move(state);
    refused([&] { state.step(out, in); }, ARNN_INVALID_ARGUMENT, "state");
    refused([&] { state.get(four, ARNN_VALUE_S, 0, 0); }, ARNN_INVALID_ARGUMENT, "state");
    other = arnn::State();
    model.init(2);
}

void shapes()
{
    const arnn::Model model = model_of(small());
    arnn::State state = arnn::State::create(model, arnn::Cache::create(model), 2);
    std::vector<float> x(6), y(8), map(4);
    arnn::Input in = {{x.data(), 5}, {}, 0, 0};
    arnn::Output out;
    refused([&] { state.step(out, in); }, ARNN_SHAPE, "x has 5 elements, expected at least 6");
    refused([&] { state.forward(out, in, 2); }, ARNN_SHAPE, "expected at least 12");
    in.x = x;
    out.y = arnn::Array({y.data(), 7});
    refused([&] { state.step(out, in); }, ARNN_SHAPE, "y has 7 elements, expected at least 8");
    out.y = arnn::Array(y, 0, 5);
    refused([&] { state.step(out, in); }, ARNN_SHAPE, "y has 8 elements, expected at least 9");
    out.y = arnn::Array(y, 0, SIZE_MAX);
    refused([&] { state.step(out, in); }, ARNN_SHAPE, "y has 8");
    out.y = {};
    out.map = map;
    out.map_columns = 3;
    refused([&] { state.step(out, in); }, ARNN_SHAPE, "map has 4 elements, expected at least 6");
    out.map = {};
    refused([&] { state.forward(out, in, 1, std::vector<std::size_t>{1}); }, ARNN_SHAPE, "lengths has 1");
    refused([&] { state.get({y.data(), 3}, ARNN_VALUE_S, 0, 0); }, ARNN_SHAPE, "expected 4");
    refused([&] { state.set(ARNN_VALUE_S, 0, 0, y); }, ARNN_SHAPE, "values has 8");
    refused([&] { state.append(0, y, {}, 1); }, ARNN_SHAPE, "h has 8 elements, expected 4");
    refused([&] { state.rows(y, {}, 0, 0, 0, 1); }, ARNN_SHAPE, "h has 8");
    expect(state.length(0) == 0, "nothing has changed");
    state.forward(out, in, 1, std::vector<std::size_t>{1, 0});
    expect(state.length(0) == 1 && state.length(1) == 0, "lengths");
}

void attention()
{
    const std::vector<float> queries = {1, 0}, rows = {1, 0, 0, 1};
    std::vector<float> whole(2), left(2), right(2), sum(1), a(1), b(1), weights(2);
    const arnn_rows both = {rows.data(), 2, 0}, first = {rows.data(), 1, 0}, second = {rows.data() + 2, 1, 0};
    arnn::attend(whole, sum, weights, queries, {&both, 1}, 2);
    arnn::attend(left, a, {}, queries, {&first, 1}, 2);
    arnn::attend(right, b, {}, queries, {&second, 1}, 2);
    arnn::attend_merge(left, a, right, b, 2);
    expect(std::fabs(whole[0] - left[0]) < 1e-6f && std::fabs(sum[0] - a[0]) < 1e-6f, "attend, attend_merge");
    expect(std::fabs(weights[0] - 0.7310586f) < 1e-6f, "weights of attend");
    refused([&] { arnn::attend(whole, sum, {}, rows, {&both, 1}, 2); }, ARNN_SHAPE, "queries has 4 elements, expected 2");
    refused([&] { arnn::attend_merge(whole, sum, rows, a, 2); }, ARNN_SHAPE, "other_contexts has 4");
}

/* The gradient of sum_t y_t of a plain cell with respect to its biases, against a difference quotient. */
void gradients()
{
    arnn::ModelDesc desc = small();
    desc.outputs = 1;
    arnn::Model model = model_of(desc);
    arnn::RecordDesc room;
    room.streams = 1;
    room.steps = 5;
    arnn::Record record = arnn::Record::create(model, room), moved = std::move(record);
    expect(arnn::Record::bytes(model, room) > 0 && moved.state().streams() == 1, "a record's bytes, its state");
    std::vector<float> x(15, 0.25f), y(5), ones(5, 1.0f), gradient(model.parameter_floats()), initial(4), dx(15);
    arnn::Input in;
    in.x = x;
    arnn::Output out;
    out.y = y;
    const auto loss = [&] {
        moved.state().reset();
        moved.forward(out, in, 5);
        return double(y[0]) + double(y[1]) + double(y[2]) + double(y[3]) + double(y[4]);
    };
    const double before = loss();
    arnn::Gradient to;
    to.parameters = gradient;
    to.x = dx;
    to.s = initial;
    arnn::OutputGradient from;
    from.y = ones;
    moved.backward(to, from);
    refused([&] { moved.backward(to, from); }, ARNN_NOT_FOUND, "");
    for (std::size_t p = 0; p < model.parameter_count(); p++) {
        if (std::strcmp(model.parameter(p).name, "bias_ih_l0") != 0)
            continue;
        const float *slope = gradient.data() + model.parameter_offset(p);
        std::vector<float> bias(4);
        model.read("bias_ih_l0", bias);
        bias[2] += 0x1p-10f;
        model.write("bias_ih_l0", bias);
        expect(std::fabs((loss() - before) * 1024 - double(slope[2])) < 0.01 && slope[2] != 0, "the gradient of a bias");
    }
    expect(dx[0] != 0 && initial[0] != 0, "gradients of x and s_0");
    to.s = {initial.data(), 3};
    refused([&] { moved.backward(to, from); }, ARNN_SHAPE, "s has 3 elements, expected 4");
    to.parameters = dx;
    refused([&] { moved.backward(to, from); }, ARNN_SHAPE, "parameters has 15");
    ones.pop_back();
    from.y = ones;
    refused([&] { moved.backward(to, from); }, ARNN_SHAPE, "y has 4");
    refused([&] { moved.forward(out, in, 6); }, ARNN_SHAPE, "x has 15");
    refused([&] { record.backward(to, {}); }, ARNN_INVALID_ARGUMENT, "record");
    refused([&] { (void)model.parameter_offset(99); }, ARNN_NOT_FOUND, "99");
}

arnn::Examples examples_of(const std::vector<float> &x, const std::vector<std::int32_t> &labels)
{
    arnn::Examples examples;
    examples.x = x;
    examples.labels = labels;
    examples.steps = 5;
    examples.count = 1;
    return examples;
}

void training(const char *file)
{
    arnn::ModelDesc desc = small();
    desc.outputs = 2;
    arnn::Model model = model_of(desc);
    arnn::Trainer trainer = arnn::Trainer::create(model), moved = std::move(trainer);
    const std::vector<float> x(15, 0.25f);
    const std::vector<std::int32_t> labels(5, 1);
    const arnn::Examples examples = examples_of(x, labels);
    const double before = moved.evaluate(examples).loss;
    expect(moved.step(examples, 0.01f).loss == before && moved.updates() == 1, "a step of training");
    moved.gradients(examples);
    expect(moved.gradient().size() == model.parameter_floats() && moved.update(0.01f) > 0, "gradients, update");
    expect(moved.evaluate(examples).loss < before && moved.updates() == 2, "something is learnt");
    refused([&] { moved.update(0.01f); }, ARNN_UNSUPPORTED, "");
    refused([&] { moved.step(examples_of(x, {1, 1, 1, 1}), 0.01f); }, ARNN_SHAPE, "labels has 4 elements");
    refused([&] { moved.step(examples_of({1, 2}, labels), 0.01f); }, ARNN_SHAPE, "x has 2 elements");
    refused([&] { moved.step(examples_of(x, {1, 1, 9, 1, 1}), 0.01f); }, ARNN_INVALID_ARGUMENT, "9");
    refused([&] { trainer.step(examples, 0.01f); }, ARNN_INVALID_ARGUMENT, "trainer");
    refused([&] { moved.save("/nowhere/at.all"); }, ARNN_IO, "/nowhere");
    refused([&] { moved.load("/nowhere/at.all"); }, ARNN_IO, "/nowhere");
    arnn::TrainerDesc last;
    last.over = ARNN_OVER_LAST;
    arnn::Trainer of_last = arnn::Trainer::create(model, last);
    of_last.step(examples_of(x, {1}), 0.01f); // one label a stream
    moved.save(file);
    moved.step(examples, 0.01f);
    moved.load(file);
    expect(moved.updates() == 2, "a checkpoint is gone back to");
    refused([&] { (void)arnn::Model::load(file); }, ARNN_FORMAT, "first.");
    arnn::LoadOptions options;
    options.ignore_unknown = 1;
    const arnn::Model loaded = arnn::Model::load(file, options);
    expect(loaded.parameter_floats() == model.parameter_floats(), "the model in a checkpoint");
}

void tools()
{
    std::vector<std::int32_t> tokens(2);
    const std::vector<float> logits = {0, 3, 1, 2, 0, 1};
    arnn::sample(tokens, logits, 3, 0, 0, 1, 0);
    expect(tokens[0] == 1 && tokens[1] == 0, "sample");
    refused([&] { arnn::sample(tokens, logits, 4, 0, 0, 1, 0); }, ARNN_SHAPE, "logits has 6 elements, expected 8");
    arnn::ModelDesc desc = small();
    desc.cell = ARNN_CELL_GRU;
    desc.wiring = ARNN_WIRING_NONE;
    desc.outputs = 1;
    arnn::Model model = model_of(desc);
    std::vector<double> radii(3), exponents(1);
    model.spectral_radius(radii, 0);
    expect(std::fabs(radii[2] - 1) < 1e-5, "an orthogonal matrix has radius 1");
    refused([&] { model.spectral_radius(exponents, 0); }, ARNN_SHAPE, "radii has 1 elements, expected 3");
    const std::vector<float> x(30, 0.25f), states = {1, 0, 0, 0, 0, 1, 0, 0}, targets = {3, 4};
    arnn::Input in;
    in.x = x;
    model.lyapunov(exponents, in, 10, 2, 1);
    expect(exponents[0] < 0 && std::isfinite(exponents[0]), "a still input is forgotten");
    refused([&] { model.lyapunov(exponents, in, 11, 2, 1); }, ARNN_SHAPE, "x has 30 elements, expected at least 33");
    std::vector<float> weight(4), bias(1);
    model.fit_readout(states, targets, 2, 1e-6);
    model.read("readout.weight", weight);
    model.read("readout.bias", bias);
    expect(std::fabs(weight[1] + bias[0] - 4) < 1e-3f, "fit_readout");
    refused([&] { model.fit_readout(states, targets, 1, 1e-6); }, ARNN_SHAPE, "states has 8 elements, expected 4");
}

} // namespace

int main(int, char **argv)
{
    spans();
    defaults();
    models();
    caches();
    states();
    shapes();
    attention();
    gradients();
    training(argv[1]);
    tools();
    return wrong + returning() != 0;
}

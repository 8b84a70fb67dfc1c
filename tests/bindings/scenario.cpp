// The scenario of this folder's README in C++. Usage: scenario FILE, where FILE is written.
#include <arnn.hpp>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

constexpr std::size_t streams = 3, layers = 2, inputs = 5, hidden = 24, outputs = 3, past_rows = 16, sequence = 57, learned = 20;
constexpr std::uint32_t set_streamed = 100, set_sequence = 101, set_learned = 102, set_wanted = 103;

// FNV-1a over the bits of results, and the sum of the outputs.
class Ledger
{
public:
    template <class C> void eat(const C &container)
    {
        const auto *byte = reinterpret_cast<const unsigned char *>(container.data());
        for (std::size_t i = 0; i < container.size() * sizeof(*container.data()); i++)
            digest_ = (digest_ ^ byte[i]) * UINT64_C(1099511628211);
    }
    void add(const std::vector<float> &values)
    {
        for (float value : values)
            sum_ += double(value);
    }
    void say(const char *what)
    {
        std::printf("%s %.6f\n", what, sum_);
        sum_ = 0;
    }
    std::uint64_t digest() const
    {
        return digest_;
    }

private:
    std::uint64_t digest_ = UINT64_C(14695981039346656037);
    double sum_ = 0;
};

float number(std::uint32_t set, std::uint32_t i)
{
    std::uint32_t u = (set * 4099 + i + 1) * UINT32_C(2654435769);
    u ^= u >> 15;
    u *= UINT32_C(739982445);
    u ^= u >> 12;
    return float(std::int32_t(u >> 21) - 1024) / 4096;
}

void put_input(std::vector<float> &x, std::uint32_t set, std::size_t time, std::size_t stream)
{
    for (std::size_t i = 0; i < inputs; i++)
        x.push_back(4 * number(set, std::uint32_t((time * streams + stream) * inputs + i)));
}

arnn::Model make_model()
{
    arnn::ModelDesc desc;
    desc.cell = ARNN_CELL_GRU;
    desc.wiring = ARNN_WIRING_BESIDE;
    desc.score = ARNN_SCORE_DOT;
    desc.start_row = ARNN_START_ZERO;
    desc.recency = 1;
    desc.source = ARNN_SOURCE_HS;
    desc.scale = 0.25f;
    desc.inputs = inputs;
    desc.hidden = hidden;
    desc.layers = layers;
    desc.align = 16;
    desc.window = 24;
    desc.sinks = 2;
    desc.outputs = outputs;
    arnn::Model model = arnn::Model::create(desc);
    for (std::size_t p = 0; p < model.parameter_count(); p++) {
        const arnn::Parameter parameter = model.parameter(p);
        std::vector<float> values(parameter.size());
        for (std::size_t i = 0; i < values.size(); i++)
            values[i] = number(std::uint32_t(p), std::uint32_t(i));
        model.write(parameter.name, values);
    }
    return model;
}

arnn::State make_state(const arnn::Model &model)
{
    arnn::CacheDesc desc;
    desc.page_rows = 16;
    desc.streams = streams;
    desc.rows = 64;
    const arnn::Cache cache = arnn::Cache::create(model, desc); // which the state keeps alive
    return arnn::State::create(model, cache, streams);
}

void stream(Ledger &ledger, arnn::State &state, std::size_t first, std::size_t steps)
{
    for (std::size_t time = first; time < first + steps; time++) {
        std::vector<std::size_t> awake;
        std::vector<float> x;
        for (std::size_t b = 0; b < streams; b++) {
            if ((time + b) % (b + 2) != 0) {
                awake.push_back(b);
                put_input(x, set_streamed, time, b);
            }
        }
        std::vector<float> y(awake.size() * outputs);
        arnn::Input in;
        in.x = x;
        arnn::Output out;
        out.y = y;
        state.step(out, in, awake);
        ledger.eat(y);
        ledger.add(y);
    }
}

void eat_weights(Ledger &ledger, const arnn::State &state)
{
    for (std::size_t b = 0; b < streams; b++) {
        std::vector<float> weights(state.length(b));
        const arnn::LastRead last = state.weights(weights, layers - 1, b);
        ledger.eat(weights);
        ledger.eat(std::array<float, 2>{last.zero, last.logsumexp});
    }
}

using Values = std::array<std::array<float, hidden>, layers>;

struct Past {
    std::array<std::array<float, past_rows * hidden>, layers> rows;
    Values s, h;
};

Past take(Ledger &ledger, const arnn::State &state, std::size_t b)
{
    Past past;
    for (std::size_t layer = 0; layer < layers; layer++) {
        state.rows(past.rows[layer], {}, layer, b, state.length(b) - past_rows, past_rows);
        state.get(past.s[layer], ARNN_VALUE_S, layer, b);
        state.get(past.h[layer], ARNN_VALUE_H, layer, b);
    }
    ledger.eat(past.rows);
    ledger.eat(past.s);
    ledger.eat(past.h);
    return past;
}

void give(const Past &past, arnn::State &state, std::size_t b)
{
    state.append(b, {past.rows[0].data(), layers * past_rows * hidden}, {}, past_rows);
    for (std::size_t layer = 0; layer < layers; layer++) {
        state.set(ARNN_VALUE_S, layer, b, past.s[layer]);
        state.set(ARNN_VALUE_H, layer, b, past.h[layer]);
    }
}

void run_sequence(Ledger &ledger, arnn::State &state)
{
    std::vector<float> x;
    for (std::size_t time = 0; time < sequence; time++)
        for (std::size_t b = 0; b < streams; b++)
            put_input(x, set_sequence, time, b);
    std::vector<float> y(sequence * streams * outputs), s(sequence * streams * hidden);
    std::vector<float> map(sequence * streams * sequence), map_zero(sequence * streams);
    arnn::Input in;
    in.x = x;
    arnn::Output out;
    out.y = y;
    out.s = s;
    out.map = map;
    out.map_zero = map_zero;
    out.map_layer = layers - 1;
    out.map_columns = sequence;
    state.forward(out, in, sequence, std::array<std::size_t, streams>{40, 0, sequence});
    for (const std::vector<float> &array : {y, s, map, map_zero})
        ledger.eat(array);
    ledger.add(y);
}

void evaluate(Ledger &ledger, const arnn::Trainer &trainer, const arnn::Examples &examples, const char *what)
{
    const arnn::Training training = trainer.evaluate(examples);
    ledger.eat(std::array<double, 1>{training.loss});
    std::printf("%s %.6f\n", what, training.loss);
}

void train(Ledger &ledger, arnn::Model &model)
{
    arnn::TrainerDesc desc;
    desc.loss = ARNN_LOSS_SQUARED_ERROR;
    desc.optimiser = ARNN_OPTIMISER_ADAMW;
    desc.weight_decay = 0.015625f;
    desc.clip = 0.5f;
    desc.dropout = 0.25f;
    desc.readout_dropout = 0.25f;
    desc.seed = 7;
    desc.streams = streams;
    desc.steps = learned;
    arnn::Trainer trainer = arnn::Trainer::create(model, desc);
    std::vector<float> x, values(learned * streams * outputs);
    for (std::size_t time = 0; time < learned; time++)
        for (std::size_t b = 0; b < streams; b++)
            put_input(x, set_learned, time, b);
    for (std::size_t i = 0; i < values.size(); i++)
        values[i] = 4 * number(set_wanted, std::uint32_t(i));
    const std::array<std::size_t, streams> lengths = {learned, 7, 0};
    const std::array<float, streams> weights = {1, 0.5f, 2};
    arnn::Examples examples;
    examples.x = x;
    examples.values = values;
    examples.lengths = lengths;
    examples.weights = weights;
    examples.steps = learned;
    examples.count = streams;
    evaluate(ledger, trainer, examples, "loss before");
    for (int update = 0; update < 5; update++) {
        const arnn::Training training = trainer.step(examples, 0.015625f);
        ledger.eat(std::array<double, 2>{training.loss, training.norm});
    }
    evaluate(ledger, trainer, examples, "loss after");
}

std::vector<char> bytes_of(const char *path)
{
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void run(const char *path)
{
    Ledger ledger;
    std::vector<Past> pasts;
    arnn::Model model = make_model();
    {
        arnn::State state = make_state(model);
        stream(ledger, state, 0, 200);
        ledger.say("streamed");
        eat_weights(ledger, state);
        for (std::size_t b = 0; b < streams; b++)
            pasts.push_back(take(ledger, state, b));
        state.reset();
        run_sequence(ledger, state);
        ledger.say("sequence");
    }
    train(ledger, model);
    model.save(path);
    ledger.eat(bytes_of(path));
    const arnn::Model loaded = arnn::Model::load(path);
    arnn::State state = make_state(loaded);
    for (std::size_t b = 0; b < streams; b++)
        give(pasts[b], state, b);
    stream(ledger, state, 200, 20);
    ledger.say("streamed on");
    std::printf("digest %016" PRIx64 "\n", ledger.digest());
}

} // namespace

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    try {
        run(argv[1]);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}

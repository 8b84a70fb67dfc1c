// arnn.hpp without exceptions: every call gives a result that says whether it succeeded. Compiled with -fno-exceptions.
#include <arnn.hpp>
#include <cstdio>
#include <cstring>
#include <vector>

static_assert(!ARNN_EXCEPTIONS);

int returning();

int returning()
{
    int wrong = 0;
    const auto expect = [&wrong](bool right, const char *what) {
        if (!right)
            wrong += std::printf("without exceptions: %s\n", what) > 0;
    };
    arnn::ModelDesc desc;
    desc.vocab = 7;
    desc.hidden = 4;
    auto created = arnn::Model::create(desc);
    expect(bool(created) && created.status() == ARNN_OK && *created.what() == '\0', "a model");
    arnn::Model model = std::move(created).value();
    expect(bool(model.init(1)), "init");
    arnn::Cache cache = arnn::Cache::create(model).value();
    arnn::State state = arnn::State::create(model, cache, 1).value();
    const std::int32_t token = 3, bad = 7;
    std::vector<float> y(4);
    arnn::Output out;
    out.y = y;
    arnn::Input in;
    in.tokens = {&token, 1};
    expect(bool(state.step(out, in)) && y[0] != 0, "a step");
    in.tokens = {&bad, 1};
    const auto refused = state.step(out, in);
    expect(!refused && refused.status() == ARNN_INVALID_ARGUMENT && std::strstr(refused.what(), "7"), refused.what());
    expect(state.length(0).value() == 1, "nothing has changed");
    out.y = arnn::Array({y.data(), 3});
    const auto small = state.step(out, in);
    expect(small.status() == ARNN_SHAPE && std::strstr(small.what(), "y has 3 elements"), small.what());
    expect(std::strcmp(small.status_string(), arnn_status_string(ARNN_SHAPE)) == 0, small.status_string());
    desc.cell = 99;
    auto none = arnn::Model::create(desc);
    expect(!none && none.status() == ARNN_INVALID_ARGUMENT && !none.value(), "no model");
    arnn::State moved = std::move(state);
    expect(state.step(out, in).status() == ARNN_INVALID_ARGUMENT && state.streams() == 0, "a state that was moved from");
    expect(!arnn::State::create(model, 1) && !moved.length(9), "no cache, no such stream");
    return wrong;
}

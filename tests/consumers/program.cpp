// The same program in C++.
#include <array>
#include <arnn.hpp>
#include <cstdio>

int main()
{
    arnn::ModelDesc desc;
    desc.inputs = 3;
    desc.hidden = 8;
    arnn::Model model = arnn::Model::create(desc);
    model.init(1);
    arnn::State state = arnn::State::create(model, arnn::Cache::create(model), 1);
    const std::array<float, 3> x = {0.5f, -0.25f, 1.0f};
    std::array<float, 8> y{};
    arnn::Input in;
    in.x = x;
    arnn::Output out;
    out.y = y;
    state.step(out, in);
    std::printf("%d %.6f\n", int(arnn::version()), double(y[0]));
}

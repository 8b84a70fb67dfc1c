/*
 * arnn in C++17: the functions of arnn.h as members of owners that move and do not copy. The manual is arnn.h; what is
 * said here is only what differs. A program that streams one sequence of token ids:
 *
 *     arnn::ModelDesc desc;                                   // descriptions begin with their defaults
 *     desc.vocab = 256;
 *     arnn::Model model = arnn::Model::create(desc);
 *     model.init(1);
 *     arnn::Cache cache = arnn::Cache::create(model);
 *     arnn::State state = arnn::State::create(model, cache, 1);
 *     std::vector<float> summary(256);
 *     for (int c; (c = std::getchar()) != EOF;) {
 *         const std::int32_t token = c;
 *         arnn::Input in;
 *         in.tokens = {&token, 1};
 *         arnn::Output out;
 *         out.y = summary;
 *         state.step(out, in);
 *     }
 *
 * Errors. A function that returns Returns<T> here returns T and throws arnn::Error, which carries the status and the
 * sentence. Where exceptions are off (-fno-exceptions), or ARNN_EXCEPTIONS is defined as 0, it returns a Result<T>: the
 * status, the sentence and the value, which the compiler asks you to look at. Both forms may live in one program.
 *
 * Arrays are spans, a pointer and a number of elements, made from any contiguous container (std::vector, std::array,
 * std::span, an array); an empty one is a null pointer to C. They are checked before the call: one too small, strides
 * included, or where a size must be exact another one, is ARNN_SHAPE and names both numbers. Constants and arnn_rows are
 * C's.
 *
 * Owners. Model, Cache, State, Record and Trainer move and do not copy; what was moved from, or never made, is refused as
 * a null pointer. They keep alive what they rest on, so that they may end in any order, but for Record::state(), which
 * ends with its record.
 *
 * Threads, as in arnn.h: any number may read a Model and make caches and states on it; what changes its parameters needs it
 * alone. A Cache and all States on it belong to one thread at a time, and so does a Record or a Trainer. Nothing here
 * locks: who moves an owner to another thread moves what it rests on.
 */
#ifndef ARNN_HPP
#define ARNN_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "arnn.h"

#ifndef ARNN_EXCEPTIONS
#if defined(__cpp_exceptions) || defined(__EXCEPTIONS) || defined(_CPPUNWIND)
#define ARNN_EXCEPTIONS 1
#else
#define ARNN_EXCEPTIONS 0
#endif
#endif

#if ARNN_EXCEPTIONS
#include <stdexcept>
#endif

namespace arnn {

/* ---- Spans ------------------------------------------------------------------------------------------------------- */

/* A pointer and a number of elements, which it does not own. */
template <class T> class Span
{
public:
    constexpr Span() noexcept = default;
    constexpr Span(T *data, std::size_t size) noexcept : data_(data), size_(size)
    {
    }
    template <std::size_t N> constexpr Span(T (&array)[N]) noexcept : data_(array), size_(N)
    {
    }
    /* From what has data() and size(), and elements that differ from T in const at most. */
    template <class C, class E = std::remove_pointer_t<decltype(std::declval<C &>().data())>,
              class = decltype(std::declval<C &>().size()),
              class = std::enable_if_t<std::is_convertible_v<E (*)[], T (*)[]> &&
                                       !std::is_same_v<std::remove_cv_t<std::remove_reference_t<C>>, Span>>>
    constexpr Span(C &&container) noexcept : data_(container.data()), size_(container.size())
    {
    }
    constexpr T *data() const noexcept
    {
        return size_ != 0 ? data_ : nullptr;
    }
    constexpr std::size_t size() const noexcept
    {
        return size_;
    }
    constexpr bool empty() const noexcept
    {
        return size_ == 0;
    }

private:
    T *data_ = nullptr;
    std::size_t size_ = 0;
};

/* ---- Descriptions ------------------------------------------------------------------------------------------------ */

/* C's descriptions, filled with their defaults. From a library older than this header struct_size is 0, and is refused
   where it is used. */
struct ModelDesc : arnn_model_desc {
    ModelDesc() noexcept : arnn_model_desc()
    {
        arnn_model_desc_default(this, sizeof(arnn_model_desc));
    }
};
struct CacheDesc : arnn_cache_desc {
    CacheDesc() noexcept : arnn_cache_desc()
    {
        arnn_cache_desc_default(this, sizeof(arnn_cache_desc));
    }
};
struct LoadOptions : arnn_load_options {
    LoadOptions() noexcept : arnn_load_options()
    {
        arnn_load_options_default(this, sizeof(arnn_load_options));
    }
};

struct RecordDesc : arnn_record_desc {
    RecordDesc() noexcept : arnn_record_desc()
    {
        arnn_record_desc_default(this, sizeof(arnn_record_desc));
    }
};

struct TrainerDesc : arnn_trainer_desc {
    TrainerDesc() noexcept : arnn_trainer_desc()
    {
        arnn_trainer_desc_default(this, sizeof(arnn_trainer_desc));
    }
};

/* What came out of a step of learning. */
struct Training : arnn_training {
    Training() noexcept : arnn_training()
    {
        arnn_training_default(this, sizeof(arnn_training));
    }
};

/* A parameter's name, which lives as long as the model, and its shape; shape[1] is 1 where the rank is 1. */
struct Parameter {
    const char *name = nullptr;
    std::size_t rank = 0;
    std::size_t shape[2] = {0, 0};
    std::size_t size() const noexcept
    {
        return shape[0] * shape[1];
    }
};

/* Bytes of a cache's pages; rows and bytes of one page. */
struct CacheBytes {
    std::size_t allocated = 0, used = 0;
};
struct CachePage {
    std::size_t rows = 0, bytes = 0;
};

/* What arnn_state_weights says besides the weights. */
struct LastRead {
    float zero = 0, logsumexp = 0;
};

/* An output array (time, stream, width); empty: not wanted. Strides of 0: dense. */
struct Array {
    Span<float> data;
    std::size_t time_stride = 0, stream_stride = 0;
    Array() noexcept = default;
    Array(Span<float> to, std::size_t time = 0, std::size_t stream = 0) noexcept
        : data(to), time_stride(time), stream_stride(stream)
    {
    }
    template <class C, class = std::enable_if_t<std::is_convertible_v<C &&, Span<float>>>>
    Array(C &&container) noexcept : data(std::forward<C>(container))
    {
    }
};

/* As arnn_input and arnn_output. */
struct Input {
    Span<const float> x;
    Span<const std::int32_t> tokens;
    std::size_t time_stride = 0, stream_stride = 0;
};
struct Output {
    Array y, h, s, map, map_zero;
    std::size_t map_layer = 0, map_columns = 0;
};

/* As arnn_examples; what is empty is not there. */
struct Examples {
    Span<const float> x;
    Span<const std::int32_t> tokens;
    std::size_t time_stride = 0, stream_stride = 0;
    Span<const std::int32_t> labels;
    Span<const float> values;
    std::size_t wanted_time_stride = 0, wanted_stream_stride = 0;
    Span<const float> weights;
    Span<const std::size_t> lengths;
    std::size_t steps = 0, count = 0;
    bool carry = false;
};

/* As arnn_output_gradient and arnn_gradient; empty: zero, and not wanted. */
struct OutputGradient {
    Array y, h, s;
};
struct Gradient {
    Span<float> parameters;
    Array x;
    Span<float> s, m, h;
};

/* ---- The build --------------------------------------------------------------------------------------------------- */

inline std::int32_t version() noexcept
{
    return arnn_version();
}
inline const char *build_info() noexcept
{
    return arnn_build_info();
}

/* ---- Errors ------------------------------------------------------------------------------------------------------ */

#if ARNN_EXCEPTIONS

/* What is thrown: the status, and arnn_last_error() as what(). */
class Error : public std::runtime_error
{
public:
    Error(arnn_status status, const char *sentence) : std::runtime_error(sentence), status_(status)
    {
    }
    arnn_status status() const noexcept
    {
        return status_;
    }
    /* A few words for the status ("no memory"). */
    const char *status_string() const noexcept
    {
        return arnn_status_string(status_);
    }

private:
    arnn_status status_;
};

inline namespace throwing {
template <class T> using Returns = T;

#else

/* What is returned: the status, the sentence (valid until the next error on this thread), and the value, which is empty
   after an error. */
template <class T> class [[nodiscard]] Result
{
public:
    Result(arnn_status status, const char *sentence, T &&value) noexcept
        : status_(status), sentence_(sentence), value_(std::move(value))
    {
    }
    explicit operator bool() const noexcept
    {
        return status_ == ARNN_OK;
    }
    arnn_status status() const noexcept
    {
        return status_;
    }
    const char *status_string() const noexcept
    {
        return arnn_status_string(status_);
    }
    const char *what() const noexcept
    {
        return sentence_;
    }
    T &value() & noexcept
    {
        return value_;
    }
    T &&value() && noexcept
    {
        return std::move(value_);
    }

private:
    arnn_status status_;
    const char *sentence_;
    T value_;
};

/* The value of functions that have none. */
struct Nothing {
};
template <> class [[nodiscard]] Result<void> : public Result<Nothing>
{
public:
    using Result<Nothing>::Result;
};

inline namespace returning {
template <class T> using Returns = Result<T>;

#endif

namespace detail {

/* A status and its sentence: C's, or one that was made here. */
struct Outcome {
    arnn_status status = ARNN_OK;
    const char *sentence = "";
    Outcome() noexcept = default;
    Outcome(arnn_status of_c) noexcept : status(of_c), sentence(of_c != ARNN_OK ? arnn_last_error() : "")
    {
    }
    Outcome(arnn_status of_us, const char *said) noexcept : status(of_us), sentence(said)
    {
    }
    bool failed() const noexcept
    {
        return status != ARNN_OK;
    }
};

inline Outcome refuse(const char *what, std::size_t size, const char *expected, std::size_t number) noexcept
{
    static thread_local char sentence[160];
    std::snprintf(sentence, sizeof sentence, "%s has %zu elements, expected %s%zu", what, size, expected, number);
    return {ARNN_SHAPE, sentence};
}

inline Outcome exactly(const char *what, std::size_t size, std::size_t expected) noexcept
{
    return size == expected ? Outcome() : refuse(what, size, "", expected);
}

#if ARNN_EXCEPTIONS
template <class T> T give(Outcome outcome, T value)
{
    if (outcome.failed())
        throw Error(outcome.status, outcome.sentence);
    return value;
}
inline void give(Outcome outcome)
{
    if (outcome.failed())
        throw Error(outcome.status, outcome.sentence);
}
#else
template <class T> Result<T> give(Outcome outcome, T value) noexcept
{
    return {outcome.status, outcome.sentence, outcome.failed() ? T() : std::move(value)};
}
inline Result<void> give(Outcome outcome) noexcept
{
    return {outcome.status, outcome.sentence, Nothing()};
}
#endif

/* Sums and products that stay at SIZE_MAX once they are too large. */
inline std::size_t times(std::size_t a, std::size_t b) noexcept
{
    return b != 0 && a > SIZE_MAX / b ? SIZE_MAX : a * b;
}
inline std::size_t plus(std::size_t a, std::size_t b) noexcept
{
    return a > SIZE_MAX - b ? SIZE_MAX : a + b;
}

/* Steps and streams of a run. */
struct Extent {
    std::size_t steps, count;
};

/* Whether an array that is there holds (steps, count, width) at its strides. */
inline Outcome holds(const char *what, const void *data, std::size_t size, const Extent &of, std::size_t width,
                     std::size_t time_stride, std::size_t stream_stride) noexcept
{
    if (!data || of.steps == 0 || of.count == 0 || width == 0)
        return {};
    const std::size_t stream = stream_stride != 0 ? stream_stride : width;
    const std::size_t time = time_stride != 0 ? time_stride : times(of.count, stream);
    const std::size_t last = plus(times(of.steps - 1, time), times(of.count - 1, stream));
    const std::size_t needed = plus(last, width);
    return size >= needed ? Outcome() : refuse(what, size, "at least ", needed);
}

inline Outcome holds(const char *what, const Array &array, const Extent &of, std::size_t width) noexcept
{
    return holds(what, array.data.data(), array.data.size(), of, width, array.time_stride, array.stream_stride);
}

inline arnn_array to_c(const Array &array) noexcept
{
    arnn_array made = {};
    made.data = array.data.data();
    made.time_stride = array.time_stride;
    made.stream_stride = array.stream_stride;
    return made;
}

inline arnn_input to_c(const Input &in) noexcept
{
    arnn_input made = {};
    arnn_input_default(&made, sizeof made);
    made.x = in.x.data();
    made.tokens = in.tokens.data();
    made.time_stride = in.time_stride;
    made.stream_stride = in.stream_stride;
    return made;
}

inline arnn_output to_c(const Output &out) noexcept
{
    arnn_output made = {};
    arnn_output_default(&made, sizeof made);
    made.y = to_c(out.y);
    made.h = to_c(out.h);
    made.s = to_c(out.s);
    made.map = to_c(out.map);
    made.map_zero = to_c(out.map_zero);
    made.map_layer = out.map_layer;
    made.map_columns = out.map_columns;
    return made;
}

inline arnn_output_gradient to_c(const OutputGradient &from) noexcept
{
    arnn_output_gradient made = {};
    arnn_output_gradient_default(&made, sizeof made);
    made.y = to_c(from.y);
    made.h = to_c(from.h);
    made.s = to_c(from.s);
    return made;
}

inline arnn_gradient to_c(const Gradient &to) noexcept
{
    arnn_gradient made = {};
    arnn_gradient_default(&made, sizeof made);
    made.parameters = to.parameters.data();
    made.x = to_c(to.x);
    made.s = to.s.data();
    made.m = to.m.data();
    made.h = to.h.data();
    return made;
}

inline arnn_examples to_c(const Examples &of) noexcept
{
    arnn_examples made = {};
    arnn_examples_default(&made, sizeof made);
    made.x = of.x.data();
    made.tokens = of.tokens.data();
    made.time_stride = of.time_stride;
    made.stream_stride = of.stream_stride;
    made.labels = of.labels.data();
    made.values = of.values.data();
    made.wanted_time_stride = of.wanted_time_stride;
    made.wanted_stream_stride = of.wanted_stream_stride;
    made.weights = of.weights.data();
    made.lengths = of.lengths.data();
    made.steps = of.steps;
    made.count = of.count;
    made.carry = of.carry ? 1 : 0;
    return made;
}

struct Destroy {
    bool borrowed = false;
    void operator()(arnn_model *handle) const noexcept
    {
        arnn_model_destroy(handle);
    }
    void operator()(arnn_cache *handle) const noexcept
    {
        arnn_cache_destroy(handle);
    }
    void operator()(arnn_state *handle) const noexcept
    {
        if (!borrowed)
            arnn_state_destroy(handle);
    }
    void operator()(arnn_record *handle) const noexcept
    {
        arnn_record_destroy(handle);
    }
    void operator()(arnn_trainer *handle) const noexcept
    {
        arnn_trainer_destroy(handle);
    }
};

/* What arrays of a model are measured with. */
struct Sizes {
    std::size_t inputs = 0, hidden = 0, layers = 0, gates = 0, source = 0, width = 0, floats = 0;

    Outcome measure(const arnn_model *model) noexcept
    {
        ModelDesc desc;
        const arnn_status status = arnn_model_describe(model, &desc);
        inputs = desc.inputs;
        hidden = desc.hidden;
        layers = desc.layers;
        gates = desc.cell == ARNN_CELL_LSTM ? 4 : desc.cell == ARNN_CELL_GRU ? 3 : 1;
        source = times(hidden, desc.source == ARNN_SOURCE_HS ? 2 : 1);
        floats = arnn_model_parameter_floats(model);
        return status != ARNN_OK ? status : arnn_model_output_width(model, &width);
    }

    /* Of a run. */
    Outcome fit(const Output &out, const Input &in, Span<const std::size_t> lengths, const Extent &of) const noexcept
    {
        Outcome outcome = holds("x", in.x.data(), in.x.size(), of, inputs, in.time_stride, in.stream_stride);
        if (!outcome.failed())
            outcome = holds("tokens", in.tokens.data(), in.tokens.size(), of, 1, in.time_stride, in.stream_stride);
        if (!outcome.failed())
            outcome = fit(out.y, out.h, out.s, of);
        if (!outcome.failed())
            outcome = holds("map", out.map, of, out.map_columns);
        if (!outcome.failed())
            outcome = holds("map_zero", out.map_zero, of, 1);
        if (!outcome.failed() && !lengths.empty())
            outcome = exactly("lengths", lengths.size(), of.count);
        return outcome;
    }
    Outcome fit(const Array &y, const Array &h, const Array &s, const Extent &of) const noexcept
    {
        Outcome outcome = holds("y", y, of, width);
        if (!outcome.failed())
            outcome = holds("h", h, of, hidden);
        if (!outcome.failed())
            outcome = holds("s", s, of, hidden);
        return outcome;
    }

    /* Of the pass back. */
    Outcome fit(const Gradient &to, const Extent &of) const noexcept
    {
        Outcome outcome = holds("x", to.x, of, inputs);
        if (!outcome.failed() && !to.parameters.empty())
            outcome = exactly("parameters", to.parameters.size(), floats);
        if (!outcome.failed())
            outcome = initial("s", to.s, of);
        if (!outcome.failed())
            outcome = initial("m", to.m, of);
        if (!outcome.failed())
            outcome = initial("h", to.h, of);
        return outcome;
    }
    /* Of what a model learns from; wanted: the steps of which something is wanted. */
    Outcome fit(const Examples &of, std::size_t wanted) const noexcept
    {
        const Input in = {of.x, of.tokens, of.time_stride, of.stream_stride};
        const Extent labels = {wanted, of.count};
        Outcome outcome = fit(Output(), in, of.lengths, {of.steps, of.count});
        if (!outcome.failed())
            outcome = holds("labels", of.labels.data(), of.labels.size(), labels, 1, of.wanted_time_stride,
                            of.wanted_stream_stride);
        if (!outcome.failed())
            outcome = holds("values", of.values.data(), of.values.size(), labels, width, of.wanted_time_stride,
                            of.wanted_stream_stride);
        if (!outcome.failed() && !of.weights.empty())
            outcome = exactly("weights", of.weights.size(), of.count);
        return outcome;
    }
    Outcome initial(const char *what, Span<float> values, const Extent &of) const noexcept
    {
        return values.empty() ? Outcome() : exactly(what, values.size(), times(times(layers, of.count), hidden));
    }
};

/* What owners have in common: the handle, for C's functions; get() is null where there is none. */
template <class Handle> class Owner
{
public:
    Owner() noexcept = default;
    /* Takes a handle over. */
    explicit Owner(Handle *handle, bool borrowed = false) noexcept : handle_(handle, Destroy{borrowed})
    {
    }
    Handle *get() const noexcept
    {
        return handle_.get();
    }
    Handle *release() noexcept
    {
        return handle_.release();
    }
    explicit operator bool() const noexcept
    {
        return handle_ != nullptr;
    }

private:
    std::unique_ptr<Handle, Destroy> handle_;
};

} // namespace detail

/* The value of a constant of arnn.h. */
inline Returns<std::int32_t> constant(const std::string &name)
{
    std::int32_t value = 0;
    const arnn_status status = arnn_constant(name.c_str(), &value);
    return detail::give(status, value);
}

/* ---- Model ------------------------------------------------------------------------------------------------------- */

class Model : public detail::Owner<arnn_model>
{
public:
    using Owner::Owner;

    static Returns<Model> create(const ModelDesc &desc)
    {
        arnn_model *made = nullptr;
        const arnn_status status = arnn_model_create(&made, &desc);
        return detail::give(status, Model(made));
    }
    static Returns<Model> load(const std::string &path, const LoadOptions &options = LoadOptions())
    {
        arnn_model *made = nullptr;
        const arnn_status status = arnn_model_load(&made, path.c_str(), &options);
        return detail::give(status, Model(made));
    }
    static Returns<Model> load_memory(Span<const unsigned char> data, const LoadOptions &options = LoadOptions())
    {
        static const unsigned char none = 0;
        arnn_model *made = nullptr;
        const void *from = data.empty() ? &none : data.data();
        const arnn_status status = arnn_model_load_memory(&made, from, data.size(), &options);
        return detail::give(status, Model(made));
    }

    Returns<void> init(std::uint64_t seed)
    {
        return detail::give(arnn_model_init(get(), seed));
    }
    Returns<void> set_weight_type(std::int32_t type)
    {
        return detail::give(arnn_model_set_weight_type(get(), type));
    }
    Returns<ModelDesc> describe() const
    {
        ModelDesc desc;
        const arnn_status status = arnn_model_describe(get(), &desc);
        return detail::give(status, desc);
    }
    const char *kernels() const noexcept
    {
        return arnn_model_kernels(get());
    }
    Returns<std::size_t> output_width() const
    {
        std::size_t width = 0;
        const arnn_status status = arnn_model_output_width(get(), &width);
        return detail::give(status, width);
    }

    std::size_t parameter_count() const noexcept
    {
        return arnn_model_parameter_count(get());
    }
    Returns<Parameter> parameter(std::size_t index) const
    {
        Parameter found;
        const arnn_status status = arnn_model_parameter(get(), &found.name, &found.rank, found.shape, index);
        return detail::give(status, found);
    }
    /* All parameters as one array: how many floats, and where one begins. */
    std::size_t parameter_floats() const noexcept
    {
        return arnn_model_parameter_floats(get());
    }
    Returns<std::size_t> parameter_offset(std::size_t index) const
    {
        std::size_t offset = 0;
        const arnn_status status = arnn_model_parameter_offset(get(), &offset, index);
        return detail::give(status, offset);
    }
    Returns<void> read(const std::string &name, Span<float> values) const
    {
        return detail::give(arnn_model_read(get(), values.data(), name.c_str(), values.size()));
    }
    Returns<void> write(const std::string &name, Span<const float> values)
    {
        return detail::give(arnn_model_write(get(), name.c_str(), values.data(), values.size()));
    }

    /* The readout that fits best: states (rows, |r|), targets (rows, outputs). */
    Returns<void> fit_readout(Span<const float> states, Span<const float> targets, std::size_t rows, double penalty)
    {
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(get());
        if (!outcome.failed())
            outcome = detail::exactly("states", states.size(), detail::times(rows, sizes.source));
        if (!outcome.failed())
            outcome = detail::exactly("targets", targets.size(), detail::times(rows, sizes.width));
        if (!outcome.failed())
            outcome = arnn_model_fit_readout(get(), states.data(), targets.data(), rows, penalty);
        return detail::give(outcome);
    }
    /* radii: one a gate. */
    Returns<void> spectral_radius(Span<double> radii, std::size_t layer) const
    {
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(get());
        if (!outcome.failed())
            outcome = detail::exactly("radii", radii.size(), sizes.gates);
        if (!outcome.failed())
            outcome = arnn_model_spectral_radius(get(), radii.data(), layer);
        return detail::give(outcome);
    }
    /* As many exponents as there is room for. */
    Returns<void> lyapunov(Span<double> exponents, const Input &in, std::size_t steps, std::size_t skip,
                           std::uint64_t seed) const
    {
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(get());
        if (!outcome.failed())
            outcome = sizes.fit(Output(), in, {}, {steps, 1});
        if (!outcome.failed()) {
            const arnn_input from = detail::to_c(in);
            outcome = arnn_model_lyapunov(get(), exponents.data(), exponents.size(), &from, steps, skip, seed);
        }
        return detail::give(outcome);
    }

    Returns<void> save(const std::string &path) const
    {
        return detail::give(arnn_model_save(get(), path.c_str()));
    }
    /* The number of bytes; they are written where `to` is not empty. */
    Returns<std::size_t> save_memory(Span<unsigned char> to = {}) const
    {
        std::size_t bytes = 0;
        const arnn_status status = arnn_model_save_memory(get(), to.data(), to.size(), &bytes);
        return detail::give(status, bytes);
    }
};

/* ---- Cache ------------------------------------------------------------------------------------------------------- */

class Cache : public detail::Owner<arnn_cache>
{
public:
    using Owner::Owner;

    static Returns<Cache> create(const Model &model, const CacheDesc &desc = CacheDesc())
    {
        arnn_cache *made = nullptr;
        const arnn_status status = arnn_cache_create(&made, model.get(), &desc);
        return detail::give(status, Cache(made));
    }
    Returns<void> reserve(std::size_t streams, std::size_t rows)
    {
        return detail::give(arnn_cache_reserve(get(), streams, rows));
    }
    Returns<CacheBytes> bytes() const
    {
        CacheBytes bytes;
        const arnn_status status = arnn_cache_bytes(get(), &bytes.allocated, &bytes.used);
        return detail::give(status, bytes);
    }
    Returns<CachePage> page() const
    {
        CachePage page;
        const arnn_status status = arnn_cache_page(get(), &page.rows, &page.bytes);
        return detail::give(status, page);
    }
};

/* ---- State and running ------------------------------------------------------------------------------------------- */

class State : public detail::Owner<arnn_state>
{
public:
    State() noexcept = default;

    static Returns<State> create(const Model &model, const Cache &cache, std::size_t streams)
    {
        return make(model, cache.get(), streams);
    }
    /* Without a cache, for models with wiring none. */
    static Returns<State> create(const Model &model, std::size_t streams)
    {
        return make(model, nullptr, streams);
    }

    std::size_t streams() const noexcept
    {
        return arnn_state_streams(get());
    }
    Returns<std::size_t> length(std::size_t stream) const
    {
        std::size_t length = 0;
        const arnn_status status = arnn_state_length(get(), &length, stream);
        return detail::give(status, length);
    }
    /* All streams; or those given, none if none is given. */
    Returns<void> reset()
    {
        return detail::give(arnn_state_reset(get(), nullptr, 0));
    }
    Returns<void> reset(Span<const std::size_t> streams)
    {
        const std::size_t none = 0;
        return detail::give(arnn_state_reset(get(), streams.empty() ? &none : streams.data(), streams.size()));
    }

    /* values: hidden floats. */
    Returns<void> get(Span<float> values, std::int32_t which, std::size_t layer, std::size_t stream) const
    {
        detail::Outcome outcome = exactly("values", values.size(), sizes_.hidden);
        if (!outcome.failed())
            outcome = arnn_state_get(get(), values.data(), which, layer, stream);
        return detail::give(outcome);
    }
    Returns<void> set(std::int32_t which, std::size_t layer, std::size_t stream, Span<const float> values)
    {
        detail::Outcome outcome = exactly("values", values.size(), sizes_.hidden);
        if (!outcome.failed())
            outcome = arnn_state_set(get(), which, layer, stream, values.data());
        return detail::give(outcome);
    }
    /* h (layers, rows, hidden); m the same, where the model keeps it, else empty. */
    Returns<void> append(std::size_t stream, Span<const float> h, Span<const float> m, std::size_t rows)
    {
        const std::size_t size = detail::times(detail::times(sizes_.layers, rows), sizes_.hidden);
        detail::Outcome outcome = exactly("h", h.size(), size);
        if (!outcome.failed() && !m.empty())
            outcome = exactly("m", m.size(), size);
        if (!outcome.failed())
            outcome = arnn_state_append(get(), stream, h.data(), m.data(), rows);
        return detail::give(outcome);
    }
    /* h (rows, hidden); m the same, or empty where it is not wanted. */
    Returns<void> rows(Span<float> h, Span<float> m, std::size_t layer, std::size_t stream, std::size_t first,
                       std::size_t rows) const
    {
        const std::size_t size = detail::times(rows, sizes_.hidden);
        detail::Outcome outcome = exactly("h", h.size(), size);
        if (!outcome.failed() && !m.empty())
            outcome = exactly("m", m.size(), size);
        if (!outcome.failed())
            outcome = arnn_state_rows(get(), h.data(), m.data(), layer, stream, first, rows);
        return detail::give(outcome);
    }
    /* Whether a stream's 8-bit tape was given a NaN. */
    Returns<bool> lost(std::size_t stream) const
    {
        std::int32_t lost = 0;
        const arnn_status status = arnn_state_lost(get(), &lost, stream);
        return detail::give(status, lost != 0);
    }
    /* weights: empty where they are not wanted. */
    Returns<LastRead> weights(Span<float> weights, std::size_t layer, std::size_t stream) const
    {
        LastRead last;
        const arnn_status status = arnn_state_weights(get(), weights.data(), &last.zero, &last.logsumexp, layer, stream,
                                                      weights.size());
        return detail::give(status, last);
    }

    /* One step: of all streams, or of those given (none, if none is given). */
    Returns<void> step(const Output &out, const Input &in)
    {
        return detail::give(run(out, in, nullptr, {}, {1, streams()}, true));
    }
    Returns<void> step(const Output &out, const Input &in, Span<const std::size_t> streams)
    {
        return detail::give(run(out, in, streams.data(), {}, {1, streams.size()}, true));
    }
    /* Whole sequences: of all streams, or of those given. lengths: one a stream, or empty where all make all steps. */
    Returns<void> forward(const Output &out, const Input &in, std::size_t steps, Span<const std::size_t> lengths = {})
    {
        return detail::give(run(out, in, nullptr, lengths, {steps, streams()}, false));
    }
    Returns<void> forward(const Output &out, const Input &in, std::size_t steps, Span<const std::size_t> lengths,
                          Span<const std::size_t> streams)
    {
        return detail::give(run(out, in, streams.data(), lengths, {steps, streams.size()}, false));
    }

    using Owner::get;

private:
    friend class Record;
    detail::Sizes sizes_;

    State(arnn_state *handle, const detail::Sizes &sizes, bool borrowed) noexcept
        : Owner(handle, borrowed), sizes_(sizes)
    {
    }

    static Returns<State> make(const Model &model, arnn_cache *cache, std::size_t streams)
    {
        arnn_state *made = nullptr;
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(model.get());
        if (!outcome.failed())
            outcome = arnn_state_create(&made, model.get(), cache, streams);
        return detail::give(outcome, State(made, sizes, false));
    }
    detail::Outcome exactly(const char *what, std::size_t size, std::size_t expected) const
    {
        return get() ? detail::exactly(what, size, expected) : detail::Outcome(); /* C refuses a null state */
    }
    detail::Outcome run(const Output &out, const Input &in, const std::size_t *streams, Span<const std::size_t> lengths,
                        const detail::Extent &of, bool single)
    {
        const detail::Outcome outcome = sizes_.fit(out, in, lengths, of);
        if (outcome.failed())
            return outcome;
        const arnn_output to = detail::to_c(out);
        const arnn_input from = detail::to_c(in);
        return single ? arnn_step(get(), &to, &from, streams, of.count)
                      : arnn_forward(get(), &to, &from, lengths.data(), streams, of.steps, of.count);
    }
};

/* ---- Gradients --------------------------------------------------------------------------------------------------- */

class Record : public detail::Owner<arnn_record>
{
public:
    Record() noexcept = default;

    static Returns<Record> create(const Model &model, const RecordDesc &desc)
    {
        arnn_record *made = nullptr;
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(model.get());
        if (!outcome.failed())
            outcome = arnn_record_create(&made, model.get(), &desc);
        return detail::give(outcome, Record(made, sizes));
    }
    /* The bytes that a record would take. */
    static Returns<std::size_t> bytes(const Model &model, const RecordDesc &desc)
    {
        std::size_t bytes = 0;
        const arnn_status status = arnn_record_bytes(model.get(), &desc, &bytes);
        return detail::give(status, bytes);
    }
    /* The record's own state, borrowed: not to be used after the record has ended. */
    State state() noexcept
    {
        return State(arnn_record_state(get()), sizes_, true);
    }
    /* All streams that there is room for, or `count` of them. lengths: one a stream, or empty. */
    Returns<void> forward(const Output &out, const Input &in, std::size_t steps, Span<const std::size_t> lengths = {})
    {
        return forward(out, in, steps, lengths, arnn_state_streams(arnn_record_state(get())));
    }
    Returns<void> forward(const Output &out, const Input &in, std::size_t steps, Span<const std::size_t> lengths,
                          std::size_t count)
    {
        const detail::Extent of = {steps, count};
        detail::Outcome outcome = sizes_.fit(out, in, lengths, of);
        if (!outcome.failed()) {
            const arnn_output to = detail::to_c(out);
            const arnn_input from = detail::to_c(in);
            outcome = arnn_record_forward(get(), &to, &from, lengths.data(), steps, count);
            last_ = outcome.failed() ? detail::Extent{0, 0} : of;
        }
        return detail::give(outcome);
    }
    /* Arrays are shaped as those of the last run. */
    Returns<void> backward(const Gradient &to, const OutputGradient &from)
    {
        detail::Outcome outcome = sizes_.fit(from.y, from.h, from.s, last_);
        if (!outcome.failed() && last_.count != 0)
            outcome = sizes_.fit(to, last_);
        if (!outcome.failed()) {
            const arnn_gradient gradient = detail::to_c(to);
            const arnn_output_gradient owed = detail::to_c(from);
            outcome = arnn_record_backward(get(), &gradient, &owed);
        }
        return detail::give(outcome);
    }

private:
    Record(arnn_record *handle, const detail::Sizes &sizes) noexcept : Owner(handle), sizes_(sizes)
    {
    }
    detail::Sizes sizes_;
    detail::Extent last_ = {0, 0};
};

/* ---- Training ---------------------------------------------------------------------------------------------------- */

class Trainer : public detail::Owner<arnn_trainer>
{
public:
    Trainer() noexcept = default;

    static Returns<Trainer> create(Model &model, const TrainerDesc &desc = TrainerDesc())
    {
        arnn_trainer *made = nullptr;
        detail::Sizes sizes;
        detail::Outcome outcome = sizes.measure(model.get());
        if (!outcome.failed())
            outcome = arnn_trainer_create(&made, model.get(), &desc);
        return detail::give(outcome, Trainer(made, sizes, desc.over == ARNN_OVER_STEPS));
    }
    Returns<Training> step(const Examples &examples, float rate)
    {
        const arnn_examples from = detail::to_c(examples);
        Training training;
        detail::Outcome outcome = fit(examples);
        if (!outcome.failed())
            outcome = arnn_trainer_step(get(), &training, &from, rate);
        return detail::give(outcome, training);
    }
    Returns<Training> gradients(const Examples &examples)
    {
        const arnn_examples from = detail::to_c(examples);
        Training training;
        detail::Outcome outcome = fit(examples);
        if (!outcome.failed())
            outcome = arnn_trainer_gradients(get(), &training, &from);
        return detail::give(outcome, training);
    }
    Returns<Training> evaluate(const Examples &examples) const
    {
        const arnn_examples from = detail::to_c(examples);
        Training training;
        detail::Outcome outcome = fit(examples);
        if (!outcome.failed())
            outcome = arnn_trainer_evaluate(get(), &training, &from);
        return detail::give(outcome, training);
    }
    /* The norm of the gradient before clipping. */
    Returns<double> update(float rate)
    {
        double norm = 0;
        const arnn_status status = arnn_trainer_update(get(), &norm, rate);
        return detail::give(status, norm);
    }
    /* Lives as long as the trainer. */
    Span<float> gradient() noexcept
    {
        return {arnn_trainer_gradient(get()), get() ? sizes_.floats : 0};
    }
    std::uint64_t updates() const noexcept
    {
        return arnn_trainer_updates(get());
    }
    Returns<void> save(const std::string &path) const
    {
        return detail::give(arnn_trainer_save(get(), path.c_str()));
    }
    Returns<void> load(const std::string &path)
    {
        return detail::give(arnn_trainer_load(get(), path.c_str()));
    }

private:
    Trainer(arnn_trainer *handle, const detail::Sizes &sizes, bool over_steps) noexcept
        : Owner(handle), sizes_(sizes), over_steps_(over_steps)
    {
    }
    detail::Outcome fit(const Examples &examples) const noexcept
    {
        return get() ? sizes_.fit(examples, over_steps_ ? examples.steps : 1) : detail::Outcome();
    }
    detail::Sizes sizes_;
    bool over_steps_ = true;
};

/* Chooses a token for each row of logits (as many as tokens, width). */
inline Returns<void> sample(Span<std::int32_t> tokens, Span<const float> logits, std::size_t width, float temperature,
                            std::size_t top, std::uint64_t seed, std::uint64_t draw)
{
    detail::Outcome outcome = detail::exactly("logits", logits.size(), detail::times(tokens.size(), width));
    if (!outcome.failed())
        outcome = arnn_sample(tokens.data(), logits.data(), tokens.size(), width, temperature, top, seed, draw);
    return detail::give(outcome);
}

/* ---- Attention alone --------------------------------------------------------------------------------------------- */

/* As many queries as there are rows, all of one width; logsumexp and weights: empty where they are not wanted.
   What the rows point to is not checked. */
inline Returns<void> attend(Span<float> contexts, Span<float> logsumexp, Span<float> weights, Span<const float> queries,
                            Span<const arnn_rows> rows, std::size_t width, std::int32_t type = ARNN_TYPE_F32,
                            float scale = 1.0f)
{
    const std::size_t batch = rows.size(), size = detail::times(batch, width);
    const std::size_t stride = batch != 0 ? weights.size() / batch : 0;
    detail::Outcome outcome = detail::exactly("contexts", contexts.size(), size);
    if (!outcome.failed())
        outcome = detail::exactly("queries", queries.size(), size);
    if (!outcome.failed() && !logsumexp.empty())
        outcome = detail::exactly("logsumexp", logsumexp.size(), batch);
    if (!outcome.failed())
        outcome = detail::exactly("weights", weights.size(), detail::times(stride, batch));
    if (!outcome.failed())
        outcome = arnn_attend(contexts.data(), logsumexp.data(), weights.data(), queries.data(), rows.data(), batch,
                              width, stride, type, scale);
    return detail::give(outcome);
}

inline Returns<void> attend_merge(Span<float> contexts, Span<float> logsumexps, Span<const float> other_contexts,
                                  Span<const float> other_logsumexps, std::size_t width)
{
    const std::size_t batch = logsumexps.size(), size = detail::times(batch, width);
    detail::Outcome outcome = detail::exactly("contexts", contexts.size(), size);
    if (!outcome.failed())
        outcome = detail::exactly("other_contexts", other_contexts.size(), size);
    if (!outcome.failed())
        outcome = detail::exactly("other_logsumexps", other_logsumexps.size(), batch);
    if (!outcome.failed())
        outcome = arnn_attend_merge(contexts.data(), logsumexps.data(), other_contexts.data(), other_logsumexps.data(),
                                    batch, width);
    return detail::give(outcome);
}

} // namespace throwing, or returning
} // namespace arnn

#endif

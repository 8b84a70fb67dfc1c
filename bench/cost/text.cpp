#include "cost/text.hpp"

#include "cost/clock.hpp"

#include <cmath>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace cost {

namespace {

constexpr size_t chunk = 64; // steps between two looks at the clock, and before a finished stream gets its next piece

using Pieces = std::vector<std::vector<int32_t>>;

} // namespace

std::string read_file(const std::string &path, size_t bytes) {
    std::ifstream file(path, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file) throw std::runtime_error("cannot read " + path);
    if (bytes != 0 && text.size() > bytes) text.resize(bytes);
    if (text.empty()) throw std::runtime_error(path + " is empty");
    return text;
}

namespace {

// Every byte belongs to one piece; a blank line ends one, or `longest` bytes do.
Pieces cut(const std::string &text, bool whole, size_t longest) {
    Pieces pieces;
    for (size_t at = 0; at < text.size();) {
        size_t blank = whole ? text.npos : text.find("\n\n", at);
        size_t end = std::min(at + longest, blank == text.npos ? text.size() : blank + 2);
        auto bytes = reinterpret_cast<const unsigned char *>(text.data());
        pieces.emplace_back(bytes + at, bytes + end);
        at = end;
    }
    return pieces;
}

// Streams that take pieces from one list: who has finished one empties its tape and takes the next.
class Reader {
  public:
    Reader(const Model &model, const Pieces &pieces, size_t streams)
        : model_(model), pieces_(pieces), current_(streams), at_(streams, 0), tokens_(streams * chunk),
          lengths_(streams) {
        cache_ = model.cache();
        arnn_state *state;
        check(arnn_state_create(&state, model.handle.get(), cache_.get(), streams));
        state_.reset(state);
        for (size_t &piece : current_) {
            piece = next_++;
        }
    }

    // Bytes read in up to `chunk` steps; 0 when nothing is left.
    size_t advance() {
        size_t total = 0;
        for (size_t j = 0; j < current_.size(); j++) {
            if (current_[j] < pieces_.size() && at_[j] == pieces_[current_[j]].size()) take_next(j);
            const bool done = current_[j] >= pieces_.size();
            lengths_[j] = done ? 0 : std::min(chunk, pieces_[current_[j]].size() - at_[j]);
            for (size_t i = 0; i < lengths_[j]; i++) {
                tokens_[j * chunk + i] = pieces_[current_[j]][at_[j] + i];
            }
            at_[j] += lengths_[j];
            total += lengths_[j];
        }
        arnn_input in = {sizeof in, nullptr, tokens_.data(), 1, chunk};
        if (total != 0) check(arnn_forward(state_.get(), nullptr, &in, lengths_.data(), nullptr, chunk, lengths_.size()));
        return total;
    }

    void check_finite() const {
        std::vector<float> s(model_.hidden);
        for (size_t j = 0; j < current_.size(); j++) {
            check(arnn_state_get(state_.get(), s.data(), ARNN_VALUE_S, model_.layers - 1, j));
            for (float value : s) {
                if (!std::isfinite(value)) throw std::runtime_error("a summary of the text is not finite");
            }
        }
    }

  private:
    void take_next(size_t j) {
        current_[j] = next_++;
        at_[j] = 0;
        if (current_[j] < pieces_.size()) check(arnn_state_reset(state_.get(), &j, 1));
    }

    const Model &model_;
    const Pieces &pieces_;
    size_t next_ = 0;
    std::vector<size_t> current_, at_; // per stream: its piece, and how many bytes of it are read
    std::vector<int32_t> tokens_;      // (streams, chunk)
    std::vector<size_t> lengths_;
    CacheHandle cache_;
    StateHandle state_;
};

void print_progress(const std::string &form, size_t done, size_t bytes) {
    Json().add("progress", Json().add("form", form).add("done", done).add("bytes", bytes)).print();
}

} // namespace

Json run_text(const Task &task) {
    const Model model(task);
    const std::string form = task.text("form"), text = read_file(task.text("file"), task.number("bytes"));
    const Pieces pieces = form == "whole" ? cut(text, true, text.size())
                                          : cut(text, false, std::max(task.number("longest"), size_t{1}));
    const size_t streams = std::min(task.number("streams"), pieces.size());
    Reader reader(model, pieces, streams);
    const double start = now_ns();
    const double limit = task.number("seconds") == 0 ? std::numeric_limits<double>::infinity() : task.real("seconds");
    double told = start, seconds = 0;
    size_t done = 0;
    for (size_t read; seconds < limit && (read = reader.advance()) != 0; seconds = (now_ns() - start) * 1e-9) {
        done += read;
        if (now_ns() - told < 2e8) continue;
        told = now_ns();
        print_progress(form, done, text.size());
    }
    reader.check_finite();
    return Json()
        .add("form", form)
        .add("cell", model.cell)
        .add("wiring", model.wiring)
        .add("score", model.score)
        .add("hidden", model.hidden)
        .add("inputs", model.inputs)
        .add("layers", model.layers)
        .add("window", model.window)
        .add("sinks", model.sinks)
        .add("tape", model.tape)
        .add("streams", streams)
        .add("threads", model.threads)
        .add("pieces", pieces.size())
        .add("text_bytes", text.size())
        .add("bytes", done)
        .add("seconds", seconds)
        .add("bytes_per_second", static_cast<double>(done) / seconds);
}

} // namespace cost

// Measures what the plan on standard input asks for, one line each, and writes a line of JSON for everything it learns.
// Every line of the plan is a google-benchmark with manual time; its iterations are the rounds.
#include "cost/clock.hpp"
#include "cost/drift.hpp"
#include "cost/machine.hpp"
#include "cost/probe.hpp"
#include "cost/step.hpp"
#include "cost/text.hpp"

#include <benchmark/benchmark.h>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

namespace {

using namespace cost;

constexpr double broken_ceiling = 1.05;
bool failed = false;
double deadline_ns = std::numeric_limits<double>::infinity();

// google-benchmark's own report is not wanted: only what it has to complain of.
class Complaints : public benchmark::BenchmarkReporter {
  public:
    bool ReportContext(const Context &) override { return true; }
    void ReportRuns(const std::vector<Run> &runs) override {
        for (const Run &run : runs) {
            if (!run.error_occurred) continue;
            failed = true;
            Json().add("error", run.benchmark_name() + ": " + run.error_message).print();
        }
    }
};

// Neighbouring lines of a plan mostly have one model.
const Fixture &fixture_of(const Task &task) {
    static std::unique_ptr<Fixture> fixture;
    static std::map<std::string, std::string> made_for;
    std::map<std::string, std::string> model = task.values;
    model.erase("length");
    model.erase("streams");
    if (!fixture || model != made_for) {
        fixture = std::make_unique<Fixture>(task);
        made_for = model;
    }
    return *fixture;
}

// Why a row must be left out; empty where it can be measured.
std::string obstacle(const Task &task) {
    if (now_ns() > deadline_ns) return "no time left";
    if (task.number("length") == 0) throw std::invalid_argument("plan: a step reads at least one past state");
    const size_t needed = StepBench::bytes_needed(fixture_of(task).model, task.number("streams"), task.number("length"));
    if (available_bytes() == 0 || needed <= available_bytes() / 10 * 8) return "";
    return "not enough memory";
}

// With every loop competing, and for longer.
Budget careful(const Budget &budget) { return {2 * budget.rounds, budget.subject_ns, read_loops().size()}; }

void run_step(benchmark::State &state, const Task &task, const Budget &budget) {
    const std::string reason = obstacle(task);
    if (!reason.empty()) {
        Json().add("left_out", task.name()).add("reason", reason).print();
        for (auto _ : state) {
            state.SetIterationTime(0);
        }
        return;
    }
    const Fixture &fixture = fixture_of(task);
    auto bench = std::make_unique<StepBench>(fixture, task.number("streams"), task.number("length"), budget);
    for (auto _ : state) {
        state.SetIterationTime(bench->round() * 1e-9);
    }
    StepResult result = bench->result();
    if (result.ceiling_fraction > broken_ceiling) {
        Json().add("again", task.name()).print();
        bench.reset(); // its tapes first: two of them may not fit
        bench = std::make_unique<StepBench>(fixture, task.number("streams"), task.number("length"), careful(budget));
        for (size_t i = 0; i < careful(budget).rounds; i++) {
            bench->round();
        }
        result = bench->result();
    }
    Json().add("ceiling", bench->ceiling()).print();
    Json().add("step", bench->json(result)).add("spread", bench->spread(result)).print();
    if (result.ceiling_fraction > broken_ceiling) {
        failed = true;
        Json().add("error", task.name() + ": faster than the read ceiling, twice; the ceiling is broken").print();
    }
}

void run_task(benchmark::State &state, const Task &task, const Budget &budget) {
    try {
        if (task.kind == "step") {
            run_step(state, task, budget);
            return;
        }
        for (auto _ : state) {
            const double start = now_ns();
            Json().add(task.kind.c_str(), task.kind == "text" ? run_text(task) : run_drift(task)).print();
            state.SetIterationTime((now_ns() - start) * 1e-9);
        }
    } catch (const std::exception &error) {
        state.SkipWithError(error.what());
    }
}

void register_plan(const std::vector<Task> &plan, const Budget &budget) {
    for (const Task &task : plan) {
        if (task.kind != "step" && task.kind != "text" && task.kind != "drift") throw std::invalid_argument("plan: no kind " + task.kind);
        benchmark::RegisterBenchmark(task.name().c_str(), [=](benchmark::State &state) { run_task(state, task, budget); })
            ->Iterations(task.kind == "step" ? static_cast<int64_t>(budget.rounds) : 1)
            ->UseManualTime();
    }
}

} // namespace

int main(int argc, char **argv) {
    benchmark::Initialize(&argc, argv);
    try {
        plain_single_thread();
        if (argc == 2 && std::string(argv[1]) == "probe") {
            probe().print();
            return 0;
        }
        if (argc != 4) throw std::invalid_argument("usage: bench_cost ROUNDS MILLISECONDS SECONDS < plan, or bench_cost probe");
        const Task arguments = {"arguments", {{"rounds", argv[1]}, {"milliseconds", argv[2]}, {"seconds", argv[3]}}};
        if (arguments.number("seconds") != 0) deadline_ns = now_ns() + arguments.real("seconds") * 1e9;
        const Budget budget = {arguments.number("rounds"), arguments.real("milliseconds") * 1e6, 3};
        Json().add("machine", machine()).print();
        register_plan(read_plan(std::cin), budget);
        Complaints complaints;
        benchmark::RunSpecifiedBenchmarks(&complaints);
    } catch (const std::exception &error) {
        std::fprintf(stderr, "bench_cost: %s\n", error.what());
        return 2;
    }
    return failed ? 1 : 0;
}

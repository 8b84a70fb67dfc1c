"""bench/run cost: what a step costs against the number of past states it reads, and how fast real text runs."""

import datetime
import json
import os
import pathlib
import platform
import re
import resource
import subprocess
import sys
import time

import blas_core
import plan
import report

QUICK_SECONDS = 48  # after which no further steps are measured


class Progress:
    """One line that moves on a terminal; elsewhere a line for each curve and each text."""

    def __init__(self, steps):
        self.terminal = sys.stderr.isatty()
        self.steps, self.done, self.shown, self.start = steps, 0, None, time.monotonic()
        self.left_out = {}  # steps by reason

    def show(self, text, key):
        seconds = time.monotonic() - self.start
        if self.terminal:
            print(f"\r\033[K{seconds:4.0f} s  {text}"[:100], end="", file=sys.stderr, flush=True)
        elif key != self.shown:
            print(f"{seconds:4.0f} s  {text}", file=sys.stderr, flush=True)
        self.shown = key

    def step(self, row):
        self.done += 1
        self.show(f"steps {self.done}/{self.steps}: {report.title(row)}, {row['length']:,} past states",
                  report.configuration(row))

    def text(self, progress):
        share = 100 * progress["done"] // progress["bytes"]
        self.show(f"text ({progress['form']}): {share} % of {progress['bytes']:,} bytes", progress["form"])

    def note(self, text):
        self.clear()
        print(f"bench/run: {text}", file=sys.stderr, flush=True)

    def clear(self):
        if self.terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def spread_row(row, spread):
    return {**{key: row[key] for key in (*report.KEYS, "length")}, **spread}


def run(options, tasks, core):
    """Feeds the plan to the program and gathers what it writes; the figures, and whether all went well."""
    rounds, milliseconds, seconds = (5, 8, QUICK_SECONDS) if options.quick else (7, 25, 0)
    figures = {"machine": {}, "ceilings": [], "step": [], "spread": [], "fit": [], "text": [], "drift": []}
    progress = Progress(sum(line.startswith("step") for line in tasks))
    with subprocess.Popen([options.program, str(rounds), str(milliseconds), str(seconds)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True, env=blas_core.environment(core)) as program:
        program.stdin.write("\n".join(tasks) + "\n")
        program.stdin.close()
        for printed in program.stdout:
            take(json.loads(printed), figures, progress)
    progress.clear()
    for reason, names in progress.left_out.items():
        progress.note(f"left out, {reason}: {', '.join(names)}")
    if program.returncode < 0:
        progress.note(f"{options.program.name} was ended by signal {-program.returncode}")
    return figures, program.returncode == 0


def take(event, figures, progress):
    if "step" in event:
        figures["step"].append(event["step"])
        figures["spread"].append(spread_row(event["step"], event["spread"]))
        progress.step(event["step"])
    elif "progress" in event:
        progress.text(event["progress"])
    elif "left_out" in event:
        progress.done += 1
        progress.left_out.setdefault(event["reason"], []).append(event["left_out"])
    elif "again" in event:
        progress.note(f"{event['again']}: above the read ceiling, measured again")
    elif "error" in event:
        progress.note(event["error"])
    elif "ceiling" in event:
        figures["ceilings"].append(event["ceiling"])
    else:
        for key in ("machine", "text", "drift"):
            if key in event:
                figures[key] = event[key] if key == "machine" else figures[key] + [event[key]]


def processor():
    try:
        found = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def complete(figures, others):
    figures["machine"].update(processor=processor(), cores=os.cpu_count(), system=platform.platform(),
                              others=others, time=datetime.datetime.now().astimezone().isoformat(timespec="seconds"))
    figures["fit"] = report.fits(figures["step"], figures["spread"], figures["machine"]["caches"])
    return figures


def busy_seconds():
    """Processor time of all programs on this machine and, where it is a virtual one, of its neighbours; less our own."""
    try:
        words = pathlib.Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    except OSError:
        return None
    user, nice, system, _, _, irq, softirq, steal = map(int, words[:8])
    own = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK") - own.ru_utime - own.ru_stime


def disturbance(figures):
    """A sentence where other programs took more than a twentieth of a processor; else nothing."""
    others = figures["machine"]["others"]
    if others is None or others < 0.05:
        return ""
    samples = sum(spread["samples"] for spread in figures["spread"])
    interrupted = sum(spread["interrupted"] for spread in figures["spread"])
    steps = f", {interrupted:,} of {samples:,} steps were interrupted" if samples else ""
    return (f"Other programs took {others:.1f} processors meanwhile{steps}:"
            "\nmost figures are worse than this machine's own.")


def head(machine):
    caches = ", ".join(f"L{cache['level']} {report.bytes_text(cache['bytes'])}" for cache in machine["caches"])
    return f"{machine['processor']}, {machine['cores']} cores; {caches}\n{machine['build_info']}\n{machine['blas']}"


def write(options, figures):
    """The figures and the plot; False where there can be no plot."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"written: {options.json}")
    if not figures["step"]:
        return True
    try:
        import plot  # late: only here matplotlib is needed
    except ImportError as error:
        print(f"bench/run: no plot: {error}", file=sys.stderr)
        return False
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    plot.draw(figures, options.plot)
    print(f"written: {options.plot}")
    return True


def show(figures):
    print(head(figures["machine"]))
    if figures["step"]:
        print(report.step_table(figures["step"], figures["fit"]) + "\n\n" + report.LEGEND)
    if figures["text"]:
        print("\n" + report.text_table(figures["text"]))
    if figures["drift"]:
        print("\n" + report.drift_table(figures["drift"]))
    if disturbance(figures):
        print("\n" + disturbance(figures))


def main(arguments):
    options = plan.parse(arguments)
    if options.check:
        return 0
    path = plan.text_path(options) if options.part != "step" else None
    tasks = plan.text_plan(options, path) if options.part in ("all", "text") else []
    tasks += plan.drift_plan(options, path) if options.part in ("all", "drift") else []
    tasks += plan.step_plan(options) if options.part in ("all", "step") else []
    cores = blas_core.candidates(options.program)
    if not cores:
        return 1
    before, start = busy_seconds(), time.monotonic()
    figures, well = run(options, tasks, cores[0]["setting"])
    others = before and (busy_seconds() - before) / (time.monotonic() - start)
    if not figures["machine"]:
        return 1
    figures["machine"] |= {"blas": blas_core.sentence(cores), "blas_cores": cores}
    show(complete(figures, others))
    print()
    drawn = write(options, figures)
    return 0 if well and drawn else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

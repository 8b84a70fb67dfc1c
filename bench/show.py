"""What the shows have in common: options, a budget fixed beforehand, runs side by side, a report."""

import argparse
import datetime
import json
import multiprocessing
import os
import pathlib
import platform
import queue
import signal
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
# Okabe and Ito's colours, which the colour-blind tell apart.
COLOURS = {"none": "#707070", "after": "#D55E00", "beside": "#0072B2", "before": "#009E73"}


def parser(name, what, more):
    made = argparse.ArgumentParser(prog=f"bench/run {name}", description=what, epilog=more, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="one seed, fewer models and updates: about a minute")
    made.add_argument("--seeds", metavar="N", type=int, help="runs of every model (3; with --quick 1)")
    made.add_argument("--jobs", metavar="N", type=int, default=len(os.sched_getaffinity(0)),
                      help="runs side by side, a thread each (as many as there are processors)")
    made.add_argument("--json", metavar="FILE", type=pathlib.Path, default=TOP / f"build/report/{name}.json",
                      help=f"where the figures go (build/report/{name}.json)")
    made.add_argument("--plot", metavar="FILE", type=pathlib.Path, default=TOP / f"build/report/{name}.svg",
                      help=f"where the plot goes: .svg, .png or .pdf (build/report/{name}.svg)")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    return made


def parse(made, arguments):
    options = made.parse_args(arguments)
    options.seeds = options.seeds or (1 if options.quick else 3)
    if options.seeds < 1 or options.jobs < 1:
        made.error("--seeds, --jobs: at least 1")
    if options.plot.suffix not in (".svg", ".png", ".pdf"):
        made.error("--plot: the name must end in .svg, .png or .pdf")
    return options


class Progress:
    """One line that moves on a terminal; elsewhere a line for each run that is done."""

    def __init__(self, runs):
        self.terminal, self.runs, self.done, self.start = sys.stderr.isatty(), runs, 0, time.monotonic()

    def show(self, text, finished):
        self.done += finished
        line = f"{time.monotonic() - self.start:5.0f} s  {self.done}/{self.runs}  {text}"
        if self.terminal:
            print(f"\r\033[K{line}"[:118], end="\n" if finished else "", file=sys.stderr, flush=True)
        elif finished:
            print(line, file=sys.stderr, flush=True)


_said = None


def _begin(said):
    global _said
    _said = said
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which ends runs through their parent


def say(text):
    """From within a run: where it stands."""
    if _said:
        _said.put((text, 0))


def _guarded(task):
    work, plan, name = task
    began = time.monotonic()
    result = work(plan)
    seconds = time.monotonic() - began
    _said.put((f"{name}: {result.get('says', 'done')} ({seconds:.0f} s)", 1))
    return {**plan, **result, "seconds": seconds}


def run(work, plans, options, name):
    """work(plan) of every plan, side by side in processes of their own; results in the order of the plans. Interrupted, it
    gives those that were done."""
    os.environ["OPENBLAS_NUM_THREADS"] = str(max(1, options.jobs // len(plans)))  # processors are shared among the runs
    context = multiprocessing.get_context("spawn")
    said, progress = context.Queue(), Progress(len(plans))
    with context.Pool(min(options.jobs, len(plans)), _begin, (said,)) as pool:
        pending = [pool.apply_async(_guarded, ((work, plan, name(plan)),)) for plan in plans]
        try:
            while not (all(one.ready() for one in pending) and said.empty()):
                try:
                    progress.show(*said.get(timeout=0.2))
                except queue.Empty:
                    pass
        except KeyboardInterrupt:
            print(f"\nbench/run: interrupted; {progress.done} of {len(plans)} runs are reported", file=sys.stderr)
            pending = [one for one in pending if one.ready()]
        return [one.get() for one in pending]


def machine(build_info):
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "build_info": build_info,
            "system": platform.platform(),
            "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}


def write(options, figures, draw):
    """The figures and the plot; False where there can be no plot."""
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"written: {options.json}")
    try:
        import matplotlib
    except ImportError as error:
        print(f"bench/run: no plot: {error}", file=sys.stderr)
        return False
    matplotlib.use("agg")
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    for path in draw(figures, options.plot):
        print(f"written: {path}")
    return True


def start(main):
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

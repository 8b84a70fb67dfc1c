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
    more += "  Stopped (Ctrl-C), it reports the runs that were done; of every model the first seeds are trained first.\n"
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


def span(seconds):
    """As people say it."""
    minutes = round(seconds / 60)
    return f"{seconds:.0f} s" if seconds < 90 else f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


class Progress:
    """One line that moves on a terminal; elsewhere a line for each run that is done. Equal parts of the work take equal times:
    that says how long the rest takes."""

    def __init__(self, runs, clock=time.monotonic):
        self.terminal, self.runs, self.done, self.clock, self.start = sys.stderr.isatty(), runs, 0, clock, clock()
        self.parts = {}  # of runs that are at work, from 0 to 1

    def left(self):
        """Seconds; None while nothing is known."""
        done = self.done + sum(self.parts.values())
        return (self.clock() - self.start) * (self.runs - done) / done if done else None

    def show(self, name, part, text):
        finished = part is None
        self.parts[name] = part
        if finished:
            del self.parts[name]
            self.done += 1
        left = self.left()
        rest = "" if left is None or self.done == self.runs else f"  {span(left)} left"
        line = f"{span(self.clock() - self.start):>6}  {self.done}/{self.runs}{rest}  {name}: {text}"
        if self.terminal:
            print(f"\r\033[K{line}"[:118], end="\n" if finished else "", file=sys.stderr, flush=True)
        elif finished:
            print(line, file=sys.stderr, flush=True)


_said = _name = None


def _begin(said):
    global _said
    _said = said
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # which ends runs through their parent


def say(part, text):
    """From within a run: how much of it is done, from 0 to 1, and where it stands."""
    if _said:
        _said.put((_name, part, text))


def _guarded(task):
    global _name
    work, plan, _name = task
    began = time.monotonic()
    result = work(plan)
    seconds = time.monotonic() - began
    _said.put((_name, None, f"{result.get('says', 'done')} ({span(seconds)})"))
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
            soon = time.monotonic() + 2  # a run says that it is done just before its result is here
            while sum(one.ready() for one in pending) < progress.done and time.monotonic() < soon:
                time.sleep(0.01)
            pending = [one for one in pending if one.ready()]
            print(f"\nbench/run: interrupted; {len(pending)} of {len(plans)} runs are reported", file=sys.stderr)
            if not pending:
                raise
        return [one.get() for one in pending]


def machine(build_info):
    return {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "build_info": build_info,
            "system": platform.platform(),
            "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds")}


def extent(figures):
    """What plots say of the seeds, and of runs that an interruption has left out."""
    done, planned, seeds = len(figures["runs"]), figures["planned"], figures["budget"]["seeds"]
    return f"{seeds} seed{'s' * (seeds != 1)}" + (f" ({done} of {planned} runs: interrupted)" if done < planned else "")


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
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # of `timeout`, say: what was done is reported
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

"""bench/run gradient: how the time of a gradient grows with the number of steps, and from where on the past decides it."""

import argparse
import itertools
import os
import pathlib
import sys
import time

import show

LENGTHS = tuple(128 << i for i in range(7))
QUICK = LENGTHS[:5]
TERMS = ("constant", "steps", "pairs")  # 1, T, T^2
PARTS = ("forward", "backward")
HELP = """
what is measured
  A recorded run and the pass back over it, in one process, the best of some repeats for every number of steps T from 128 to
  8,192 (--quick: to 2,048). Products of a step cost the same at every step; a read of the past costs what there is of it. So
  the time is fitted by c + a T + b T^2 (c, a, b >= 0, relative errors): the past takes over at T = a / b.
"""


def parse(arguments):
    made = argparse.ArgumentParser(prog="bench/run gradient", description=__doc__, epilog=HELP, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="shorter sequences: about twenty seconds")
    made.add_argument("--cell", choices=("rnn", "gru", "lstm"), default="rnn")
    made.add_argument("--wiring", choices=("none", "after", "beside", "before"), default="after")
    made.add_argument("--score", choices=("dot", "general", "additive"), default="dot")
    made.add_argument("--hidden", metavar="N", type=int, default=256)
    made.add_argument("--streams", metavar="N", type=int, default=8)
    made.add_argument("--threads", metavar="N", type=int, default=len(os.sched_getaffinity(0)))
    for name in ("json", "svg"):
        option = "--plot" if name == "svg" else "--json"
        made.add_argument(option, metavar="FILE", type=pathlib.Path, default=show.TOP / f"build/report/gradient.{name}",
                          help=f"where it goes (build/report/gradient.{name})")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = made.parse_args(arguments)
    if min(options.hidden, options.streams, options.threads) < 1:
        made.error("--hidden, --streams, --threads: at least 1")
    if options.plot.suffix not in (".svg", ".png", ".pdf"):
        made.error("--plot: the name must end in .svg, .png or .pdf")
    return options


class Run:
    """A record of T steps."""

    def __init__(self, options, steps):
        import learn
        import numpy as np
        self.learn, self.steps, self.streams = learn, steps, options.streams
        scaled = {} if options.wiring == "none" or options.score == "additive" else {"scale": 0.25}
        score = {} if options.wiring == "none" else {"score": options.score}
        self.model = learn.Model(1, cell=options.cell, wiring=options.wiring, inputs=options.hidden, hidden=options.hidden,
                                 **score, **scaled)
        desc = learn._fill("record_desc", {"streams": options.streams, "steps": steps, "threads": options.threads})
        size = learn.ffi.new("size_t *")
        learn.call("arnn_record_bytes", self.model.handle, desc, size)
        self.bytes = size[0]
        self.record = learn._own("record", "arnn_record_create", self.model.handle, desc)
        draw, shape = np.random.default_rng(3), (steps, options.streams, options.hidden)
        self.x, self.owed = (draw.standard_normal(shape, np.float32) for _ in range(2))
        self.gradient = np.zeros(self.model.parameters(), np.float32)
        new, pointer = learn.ffi.new, learn._pointer
        self.source = new("arnn_input *", {"struct_size": learn.ffi.sizeof("arnn_input"), "x": pointer("float", self.x)})
        self.given = new("arnn_output_gradient *", {"struct_size": learn.ffi.sizeof("arnn_output_gradient")})
        self.given.h.data = pointer("float", self.owed)
        self.to = new("arnn_gradient *", {"struct_size": learn.ffi.sizeof("arnn_gradient"),
                                          "parameters": pointer("float", self.gradient)})

    def times(self):
        """Seconds forward and back."""
        null, learn = self.learn.ffi.NULL, self.learn
        learn.call("arnn_state_reset", learn.lib.arnn_record_state(self.record), null, 0)
        began = time.perf_counter()
        learn.call("arnn_record_forward", self.record, null, self.source, null, self.steps, self.streams)
        middle = time.perf_counter()
        learn.call("arnn_record_backward", self.record, self.to, self.given)
        return middle - began, time.perf_counter() - middle


def measure(options, steps, seconds):
    """The best of what fits into so many seconds, but of two runs at least."""
    run, found, end = Run(options, steps), [], time.monotonic() + seconds
    while len(found) < 2 or time.monotonic() < end:
        found.append(run.times())
    best = [min(times) for times in zip(*found)]
    return {"steps": steps, "forward": best[0], "backward": best[1], "bytes": run.bytes, "repeats": len(found)}


def fit(steps, seconds):
    """The c, a, b >= 0 of c + a T + b T^2 whose relative errors are least."""
    import numpy as np
    steps, seconds = (np.asarray(values, float) for values in (steps, seconds))
    terms = np.stack([steps ** power for power in range(3)], 1) / seconds[:, None]
    best = None
    for count in range(1, 4):
        for chosen in itertools.combinations(range(3), count):
            weights = np.zeros(3)
            scale = np.abs(terms[:, chosen]).max(0)
            weights[list(chosen)] = np.linalg.lstsq(terms[:, chosen] / scale, np.ones(len(steps)), rcond=None)[0] / scale
            error = np.square(terms @ weights - 1).sum()
            if (weights >= 0).all() and (best is None or error < best[0] - 1e-9):  # few terms, unless more tell more
                best = error, weights
    return dict(zip(TERMS, map(float, best[1])))


def takes_over(fitted):
    """T from which on the past costs more than the steps; None where it never does."""
    return fitted["steps"] / fitted["pairs"] if fitted["pairs"] > 0 else None


def table(rows, fits):
    lines = [f"  {'T':>6}{'forward':>12}{'backward':>12}{'together':>12}{'a step':>12}{'memory':>12}"]
    for row in rows:
        both = row["forward"] + row["backward"]
        lines.append(f"  {row['steps']:>6,}{1e3 * row['forward']:>9.2f} ms{1e3 * row['backward']:>9.2f} ms{1e3 * both:>9.2f} ms"
                     f"{1e6 * both / row['steps']:>9.1f} us{row['bytes'] / 2**20:>8.1f} MiB")
    for part, fitted in fits.items():
        place = takes_over(fitted)
        end = f"the past takes over at T = {place:,.0f}" if place else "the past costs nothing that shows"
        lines.append(f"  {part}: {1e3 * fitted['constant']:.2f} ms + {1e6 * fitted['steps']:.1f} us T + "
                     f"{1e9 * fitted['pairs']:.2f} ns T^2: {end}")
    return "\n".join(lines)


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    import gradient_plot
    import learn
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    lengths, rows = QUICK if options.quick else LENGTHS, []
    for steps in lengths:
        rows.append(measure(options, steps, 1.5 if options.quick else 4))
        print(f"T = {steps:,}: {1e3 * (rows[-1]['forward'] + rows[-1]['backward']):.1f} ms", file=sys.stderr, flush=True)
    fits = {part: fit(lengths, [row[part] for row in rows]) for part in PARTS}
    fits["together"] = fit(lengths, [row["forward"] + row["backward"] for row in rows])
    shape = {name: getattr(options, name) for name in ("cell", "wiring", "score", "hidden", "streams", "threads")}
    print(f"{', '.join(f'{name} {value}' for name, value in shape.items())}\n{table(rows, fits)}\n")
    figures = {"machine": show.machine(learn.build_info()), "shape": shape, "rows": rows, "fits": fits}
    return 0 if show.write(options, figures, gradient_plot.draw) else 1


if __name__ == "__main__":
    show.start(main)

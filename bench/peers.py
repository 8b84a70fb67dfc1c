"""bench/run peers: this library against OpenBLAS, PyTorch and JAX, in one run, in turn, with equally many threads."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import sys
import time

from peers import cases, process
from peers.process import TOP, say

ROUNDS, QUICK_ROUNDS = 9, 5     # medians are of so many samples a side, taken in turn
LONGEST = 25e9                  # ns that the rounds of a case may take: long calls get fewer
SIZES = [1 << power for power in range(18, 30)]


def parse(arguments):
    made = argparse.ArgumentParser(prog="bench/run peers", description=__doc__.split(": ", 1)[1], allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter,
                                   epilog="groups\n" + "\n".join(f"  {name:10}{what}" for name, what in cases.GROUPS.items())
                                   + "\n\nInstalls PyTorch and JAX into build/peers-venv first (about 1.5 GB).")
    made.add_argument("--quick", action="store_true", help="fewer cases, shorter ones without targets: some three minutes")
    made.add_argument("--only", metavar="GROUP,GROUP,..", default=",".join(cases.GROUPS), help="only these groups")
    made.add_argument("--against", metavar="PEER", help="of these only the cases with this peer: autograd, blocked, jax ..")
    made.add_argument("--rounds", metavar="N", type=int, help=f"samples a side ({ROUNDS}; with --quick {QUICK_ROUNDS})")
    made.add_argument("--json", metavar="FILE", type=pathlib.Path,
                      help="where the figures go (build/report/peers.json; with --only peers-GROUP.json); a table for the"
                      " README goes beside it, as .md")
    made.add_argument("--plot", metavar="FILE", type=pathlib.Path,
                      help="where the plot goes: .svg, .png or .pdf (beside the figures, .svg)")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = made.parse_args(arguments)
    some = options.only != made.get_default("only")
    options.only = [name for name in options.only.split(",") if name]
    for name in options.only:
        if name not in cases.GROUPS:
            made.error(f"--only: there is no group {name}")
    options.rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
    if options.rounds < 1:
        made.error("--rounds: at least 1")
    options.json = options.json or TOP / f"build/report/peers{'-' + '-'.join(options.only) if some else ''}.json"
    options.plot = options.plot or options.json.with_suffix(".svg")
    if options.plot.suffix not in (".svg", ".png", ".pdf"):
        made.error("--plot: the name must end in .svg, .png or .pdf")
    return options


def disagreement(ours, theirs, one):
    """How far the results are apart, and how far they may be; the largest of ours is the measure."""
    import numpy as np  # late: options are checked without it

    ours, theirs = np.load(ours), np.load(theirs)
    ours = ours.reshape(theirs.shape)
    coarse = {"f32": 2e-3, "f16": 1e-2, "bf16": 5e-2, "i8": 5e-2}
    bound = max(coarse[one[key]] for key in ("tape", "peer_tape", "weights"))
    return float(np.abs(ours - theirs).max() / np.abs(ours).max()), bound


class Comparison:
    """One run: the processes, the ceilings, the rivals' kernels."""

    def __init__(self, options, cores):
        import blas_core

        self.options, self.workers = options, process.Workers()
        self.core = cores[0]["setting"]
        self.rivals = {side: [found["setting"] for found in blas_core.near(cores, kind)]
                       for side, kind in (("blas", "read"), ("sgemm", "product"))}
        about = self.workers.get("ours", 1, self.core)
        self.build_info = about.ask(about=1)["about"]
        self.ceilings = about.ask(ceilings=SIZES)

    def sides(self, one):
        """[(worker, side)]: ours first, in one process with what shares its rows."""
        ours = self.workers.get("ours", one["threads"], self.core)
        side = one["against"]
        if side in (None, "ceiling"):
            return [(ours, side or "ours")]
        if side in self.rivals:
            return [(ours, "ours")] + [(self.workers.get(side, 2, core), side) for core in self.rivals[side]]
        if side == "one thread":
            return [(ours, "ours"), (self.workers.get(side, 1, self.core), side)]
        return [(ours, "ours"), (self.workers.get("jax" if side == "jax" else "torch", one["threads"], self.core), side)]

    def samples(self, one, forms):
        """forms: {name: (worker, what it told)}. In turn, ours among them; threads that still spin fall asleep between."""
        taken = {name: [] for name in forms}
        length = sum(told["call_ns"] * told["calls"] for _, told in forms.values())
        rounds = max(1, min(self.options.rounds, int(LONGEST / length)))
        pause = 0.05 if one["threads"] > 1 or one["against"] in self.rivals else 0.005
        for _ in range(rounds):
            for name, (worker, told) in forms.items():
                again = 3 if rounds < 3 and told["call_ns"] < LONGEST / 10 else 1
                taken[name] += [worker.ask(time=name)["ns"] for _ in range(again)]
                time.sleep(pause)
        return taken

    def compare(self, one):
        from peers import memory, reckon

        alone = one["group"] in ("training", "memory") and one["wiring"] != "none"  # memory is that of new processes
        self.workers.enter(json.dumps(one) if alone else one["group"])
        forms, apart = {}, {}
        for worker, side in self.sides(one):
            for name, told in worker.ask(prepare=one, side=side)["forms"].items():
                forms[name] = worker, told
        for name, (_, told) in forms.items():
            if name == "ours" or not told["path"]:
                continue
            apart[name], bound = disagreement(forms["ours"][1]["path"], told["path"], one)
            if not apart[name] <= bound:
                raise RuntimeError(f"{name}: results differ by {apart[name]:.2g}, allowed is {bound:g}")
        taken = self.samples(one, forms)
        mine = taken.pop("ours")
        if one["group"] == "memory":
            worker, told = forms["ours"]
            return memory.row(one, sorted(mine)[len(mine) // 2], worker.ask(counted=one)["counted"], told["peak"])
        row = reckon.row(one, mine, taken, self.ceilings)
        if alone:
            row |= {"ours_bytes": forms["ours"][1]["peak"], "peer_bytes": forms[row["peer"]][1]["peak"]}
        return row | {"differs": max(apart.values(), default=None), "samples": len(mine)}


def title(one):
    return ", ".join(str(one[key]) for key in ("group", "against", "cell", "tape", "hidden", "streams", "length", "threads"))


def measure(options, comparison, figures):
    """Case after case; what fails is told of and left out."""
    from peers import alone

    plan, start, terminal = cases.plan(options), time.monotonic(), sys.stderr.isatty()
    try:
        for number, one in enumerate(plan):
            line = f"{time.monotonic() - start:4.0f} s  {number + 1}/{len(plan)}  {title(one)}"
            print(f"\r\033[K{line}"[:100] if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
            try:
                figures["memory" if one["group"] == "memory" else "peers"].append(comparison.compare(one))
            except Exception as error:  # whatever it is, the other cases go on
                figures["left_out"].append(f"{title(one)}: {error}")
                comparison.workers.close()
        if terminal:
            print("\r\033[K", end="", file=sys.stderr)
        comparison.workers.close()
        try:
            rows, figures["text"], figures["drift"], well = alone.run(options, comparison.ceilings, comparison.core)
            figures["peers"] += rows
            if not well:
                figures["left_out"].append("some of what bench_cost measures")
        except Exception as error:
            figures["left_out"].append(f"what bench_cost measures: {type(error).__name__}: {error}")
    except KeyboardInterrupt:
        say("interrupted; what was measured is reported")
    figures["machine"]["seconds"] = time.monotonic() - start


def write(options, figures, page):
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"written: {options.json}")
    options.json.with_suffix(".md").write_text(page)
    print(f"written: {options.json.with_suffix('.md')}")
    if not figures["peers"]:
        return True
    try:
        from peers import picture
    except ImportError as error:
        say(f"no plot: {error}")
        return False
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    picture.draw(figures, options.plot)
    print(f"written: {options.plot}")
    return True


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    import blas_core
    from peers import alone, claims, told
    import cost

    if not process.install():
        return 1
    cores = blas_core.candidates(alone.PROGRAM)
    if not cores:
        say("OpenBLAS could not be tried")
        return 1
    before, start = cost.busy_seconds(), time.monotonic()
    comparison = Comparison(options, cores)
    figures = {"machine": {"processor": cost.processor(), "cores": os.cpu_count(), "system": platform.platform(),
                           "build_info": comparison.build_info, "blas": blas_core.sentence(cores), "blas_cores": cores,
                           "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds")},
               "ceilings": comparison.ceilings, "peers": [], "memory": [], "text": [], "drift": [], "left_out": []}
    measure(options, comparison, figures)
    figures["machine"]["others"] = before and (cost.busy_seconds() - before) / (time.monotonic() - start)
    figures["targets"] = claims.judged(figures)
    print(told.terminal(figures))
    for line in figures["left_out"]:
        say(f"left out: {line}")
    return 0 if write(options, figures, told.page(figures)) and not figures["left_out"] else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

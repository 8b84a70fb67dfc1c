"""bench/run peers: arnn against what people use for the same, in one run, in turn, results compared first."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
VENV = TOP / "build/peers-venv"
PACKAGES = ("torch==2.13.0", "jax==0.10.0", "numpy", "cffi", "matplotlib")
GROUPS = ("reads", "steps", "cells", "sequences", "training", "training-cells")


def parser():
    made = argparse.ArgumentParser(prog="bench/run peers", description=__doc__, allow_abbrev=False)
    made.add_argument("--quick", action="store_true", help="fewer lengths and rounds: some minutes")
    made.add_argument("--only", choices=GROUPS, action="append", help="measure only this group (may be given again)")
    made.add_argument("--json", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/peers.json",
                      help="where the figures go (build/report/peers.json)")
    made.add_argument("--plot", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/peers.svg",
                      help="where the plot goes (build/report/peers.svg)")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    made.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return made


class Plan:
    """How much is measured."""

    def __init__(self, quick):
        self.rounds, self.least = (5, 2e6) if quick else (9, 2e7)
        self.lengths = (1024, 8192) if quick else (1024, 8192, 16384, 65536, 131072)
        self.sequence_steps = (256,) if quick else (512, 2048)
        self.training_steps = (64,) if quick else (512, 1024)

    def versus(self, ours, peer, rounds=None):
        from peers.timing import versus
        return versus(ours, peer, min(rounds or self.rounds, self.rounds), self.least)


def install():
    """Says what it will take, then makes the venv; once for each list of packages."""
    made = VENV / "made"
    if made.is_file() and made.read_text() == " ".join(PACKAGES):
        return
    print(f"bench/run: installing {', '.join(PACKAGES)} into {VENV.relative_to(TOP)}: about 1.5 GB", file=sys.stderr)
    subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    subprocess.run([VENV / "bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", *PACKAGES],
                   check=True)
    made.write_text(" ".join(PACKAGES))


def measure(options):
    from peers import reads, sequences, training

    plan, start, rows = Plan(options.quick), time.monotonic(), []
    parts = dict(zip(GROUPS, (reads.reads, reads.steps, sequences.cells, sequences.sequences, training.attending,
                              training.cells)))
    for name in options.only or GROUPS:
        for row in parts[name](plan):
            rows.append(row)
            text = f"{time.monotonic() - start:5.0f} s  {name}: {row['cell']} {row['hidden']} {row['length']:,} {row['peer']}"
            end = "\r\033[K" if sys.stderr.isatty() else "\n"
            print(text[:100], end=end, file=sys.stderr, flush=True)
    return rows


def machine():
    from peers.library import ffi, lib
    return ffi.string(lib.arnn_build_info()).decode()


def main(arguments):
    options = parser().parse_args(arguments)
    if options.check:
        return 0
    if not options.inside:
        install()
        environment = dict(os.environ, ARNN_LIBRARY=str(TOP / "build/bench-build/lib/libarnn.so"),
                           OPENBLAS_NUM_THREADS=os.environ.get("OPENBLAS_NUM_THREADS", "2"), JAX_PLATFORMS="cpu")
        return subprocess.run([VENV / "bin/python", __file__, "--inside", *arguments], env=environment).returncode
    from peers import draw, targets

    rows = measure(options)
    print(machine())
    print(targets.table(rows))
    print("\nours, theirs, how many times slower theirs is (median of rounds in turn); * below what it is to reach")
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine(), "peers": rows}, indent=1) + "\n")
    draw.ratios(rows, options.plot)
    print(f"written: {options.json}\nwritten: {options.plot}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

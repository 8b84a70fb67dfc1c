"""bench/run peers: this library against OpenBLAS, PyTorch and JAX, in one run, in turn, with equally many threads."""

import argparse
import datetime
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

from peers import cases, reckon

TOP = pathlib.Path(__file__).resolve().parent.parent
VENV = TOP / "build/peers-venv"
REQUIREMENTS = TOP / "bench/peers/requirements.txt"
ROUNDS = 5  # medians are of so many samples a side, taken in turn
COUNTED = """Counted: medians of calls; blas and step of ours, and the reads, are looped in C (the library's own call), the peers in
Python as people run them, dispatch included. sequence, cells, training: one call of ours against one call or loop of
theirs. The best of a peer's forms counts. + reaches its target, - does not. OpenBLAS runs on at most as many threads."""


def parse(arguments):
    made = argparse.ArgumentParser(prog="bench/run peers", description=__doc__.split(": ", 1)[1], allow_abbrev=False,
                                   epilog="Installs PyTorch and JAX into build/peers-venv first (about 1.8 GB).")
    made.add_argument("--quick", action="store_true", help="fewer and smaller cases: about two minutes")
    made.add_argument("--only", metavar="GROUP", choices=cases.GROUPS, help="one of " + ", ".join(cases.GROUPS))
    made.add_argument("--json", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/peers.json",
                      help="where the figures go (build/report/peers.json)")
    made.add_argument("--plot", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/peers.svg",
                      help="where the plot goes: .svg, .png or .pdf (build/report/peers.svg)")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = made.parse_args(arguments)
    if options.plot.suffix not in (".svg", ".png", ".pdf"):
        made.error("--plot: the name must end in .svg, .png or .pdf")
    return options


def say(text):
    print(f"bench/run: {text}", file=sys.stderr, flush=True)


def install():
    """PyTorch and JAX in a venv of their own; False where they cannot be had."""
    wanted = REQUIREMENTS.read_text() + sys.version
    made = VENV / "made"
    if made.exists() and made.read_text() == wanted:
        return True
    say(f"installing PyTorch and JAX into {VENV}: about 1.8 GB on disk, some minutes")
    for command in ([sys.executable, "-m", "venv", VENV],
                    [VENV / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]):
        if subprocess.run(command).returncode:
            say("they could not be installed")
            return False
    made.write_text(wanted)
    return True


class Worker:
    """A side in a process of its own."""

    def __init__(self, side, threads):
        count = str(threads)
        environment = {**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "JAX_PLATFORMS": "cpu",
                       "OPENBLAS_NUM_THREADS": count}
        if threads == 1:
            environment["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self.process = subprocess.Popen([VENV / "bin/python", TOP / "bench/peers/worker.py", side], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)

    def ask(self, **order):
        try:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        answer = json.loads(line) if line else {"error": "the process ended"}
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended already
        self.process.wait()


def disagreement(ours, theirs, one):
    """How far the results are apart, and how far they may be; the largest of ours is the measure."""
    import numpy as np  # late: options are checked without it

    ours, theirs = np.load(ours), np.load(theirs)
    ours = ours.reshape(theirs.shape)
    coarse = {"f32": 2e-3, "f16": 1e-2, "bf16": 5e-2, "i8": 5e-2}
    bound = max(coarse[one[key]] for key in ("tape", "peer_tape", "weights"))
    return float(np.abs(ours - theirs).max() / np.abs(ours).max()), bound


def compare(one, rounds, ceilings):
    sides = []
    try:
        sides = [Worker("ours", one["threads"]), Worker(one["against"], one["threads"])]
        ours, peer = sides
        ours_path = ours.ask(prepare=one)["forms"]["ours"]
        forms = peer.ask(prepare=one)["forms"]
        apart = {}
        for name, path in forms.items():
            apart[name], bound = disagreement(ours_path, path, one)
            if not apart[name] <= bound:
                raise RuntimeError(f"{name}: results differ by {apart[name]:.2g}, allowed is {bound:g}")
        samples, theirs = [], {name: [] for name in forms}
        for _ in range(rounds):
            samples.append(ours.ask(time="ours")["ns"])
            for name in forms:
                time.sleep(0.005)  # threads of the other side that still spin fall asleep
                theirs[name].append(peer.ask(time=name)["ns"])
            time.sleep(0.005)
        return reckon.row(one, samples, theirs, ceilings) | {"differs": max(apart.values())}
    finally:
        for side in sides:
            side.close()


def title(one):
    return ", ".join(str(one[key]) for key in ("group", "against", "cell", "tape", "hidden", "streams", "length", "threads"))


def run(options):
    plan, left_out = cases.plan(options), []
    about = Worker("ours", 1)
    sizes = [1 << 18, 1 << 20, 1 << 22, 1 << 24, 1 << 26, 1 << 28]
    ceilings = about.ask(ceilings=sizes)
    figures = {"machine": {"cores": os.cpu_count(), "system": platform.platform(), "build_info": about.ask(about=1)["about"],
                           "time": datetime.datetime.now().astimezone().isoformat(timespec="seconds")},
               "ceilings": ceilings, "peers": []}
    about.close()
    start, terminal = time.monotonic(), sys.stderr.isatty()
    try:
        for number, one in enumerate(plan):
            line = f"{time.monotonic() - start:4.0f} s  {number + 1}/{len(plan)}  {title(one)}"
            print(f"\r\033[K{line}"[:100] if terminal else line, end="" if terminal else "\n", file=sys.stderr, flush=True)
            try:
                figures["peers"].append(compare(one, ROUNDS, ceilings))
            except RuntimeError as error:
                left_out.append(f"{title(one)}: {error}")
    except KeyboardInterrupt:
        say("interrupted; what was measured is reported")
    if terminal:
        print("\r\033[K", end="", file=sys.stderr)
    figures["left_out"] = left_out
    return figures


def write(options, figures):
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"written: {options.json}")
    try:
        from peers import picture
    except ImportError as error:
        say(f"no plot: {error}")
        return False
    options.plot.parent.mkdir(parents=True, exist_ok=True)
    picture.draw(figures["peers"], options.plot)
    print(f"written: {options.plot}")
    return True


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    if not install():
        return 1
    figures = run(options)
    print(figures["machine"]["build_info"])
    read = ", ".join(f"{size >> 10} KiB {gbps:.0f}" for size, gbps in figures["ceilings"]["read"])
    print(f"one core: {figures['ceilings']['flops']:.0f} Gflop/s; reads GB/s: {read}")
    print(reckon.table(figures["peers"], cases.GROUPS))
    print("\n" + COUNTED)
    for line in figures["left_out"]:
        say(f"left out: {line}")
    return 0 if write(options, figures) and not figures["left_out"] else 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

"""One side of the comparison, in a process of its own: reads orders from standard input, a line of JSON each."""

import importlib
import json
import pathlib
import re
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import numpy as np  # noqa: E402

MODULES = {"torch": "with_torch", "autograd": "with_torch", "blocked": "with_torch", "flash": "with_torch",
           "jax": "with_jax"}
SAMPLE_NS = 20e6  # a sample is as many calls as fit
SHORT_NS = 50e6   # before a sample of shorter calls there are some that are not timed ..
WARM = 4          # .. so many: a last cache takes in what it has lost only when it is asked for again and again
LONG_NS = 3e9     # of longer calls even the first one counts


def resident(field):
    """Bytes of memory that this process has (VmRSS), or had at most (VmHWM)."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(field + r":\s*(\d+) kB", status)[1]) << 10


def forget_peak():
    pathlib.Path("/proc/self/clear_refs").write_text("5")


def prepare(side, one, folder):
    """The forms of this side: name, run, calls a sample; each one's result, time and memory."""
    module = importlib.import_module("peers." + MODULES.get(side, "ours"))
    importlib.import_module("peers.data")
    forget_peak()
    before = resident("VmRSS")
    forms, told = {}, {}
    for number, (name, (run, result)) in enumerate(module.make(one, side).items()):
        first = run(1)
        peak = resident("VmHWM") - before
        path = f"{folder}/{number}.npy"
        found = result()
        if found is not None:
            np.save(path, np.array(found, np.float32))
        start = time.perf_counter_ns()
        if first < LONG_NS:
            run(1)
        took = time.perf_counter_ns() - start if first < LONG_NS else first
        calls = max(1, int(SAMPLE_NS / took))
        forms[name] = run, calls, took
        told[name] = {"path": None if found is None else path, "call_ns": took, "first_ns": first, "calls": calls,
                      "peak": peak}
    return forms, told


def main():
    forms = {}
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            order = json.loads(line)
            try:
                if "prepare" in order:
                    forms = {}
                    forms, told = prepare(order["side"], order["prepare"], folder)
                    answer = {"forms": told}
                elif "ceilings" in order:
                    timing = importlib.import_module("peers.ours").timing
                    answer = {"flops": timing.peers_flop_ceiling(),
                              "read": [[size, timing.peers_read_ceiling(size)] for size in order["ceilings"]]}
                elif "about" in order:
                    answer = {"about": importlib.import_module("peers.ours").build_info()}
                elif "counted" in order:
                    answer = {"counted": importlib.import_module("peers.ours").counted(order["counted"])}
                else:
                    run, calls, took = forms[order["time"]]
                    if took < SHORT_NS:
                        run(WARM)
                    answer = {"ns": run(calls)}
            except Exception as error:  # told to the one who asked, who goes on with other cases
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

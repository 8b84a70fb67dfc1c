"""One side of the comparison, in a process of its own: reads orders from standard input, a line of JSON each."""

import importlib
import json
import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import numpy as np  # noqa: E402

MODULES = {"blas": "ours", "torch": "with_torch", "autograd": "with_torch", "blocked": "with_torch", "jax": "with_jax",
           "ours": "ours"}
SAMPLE_NS = 20e6  # a sample is as many calls as fit


def prepare(side, one, folder):
    """The forms of this side: name, run, calls a sample; and each one's result."""
    module = importlib.import_module("peers." + MODULES[side])
    made = {"gemv, softmax, gemv": module.blas(one)} if side == "blas" else module.make(one)
    forms = {}
    for number, (name, (run, result)) in enumerate(made.items()):
        run(1)
        path = f"{folder}/{number}.npy"
        np.save(path, np.array(result(), np.float32))
        start = time.perf_counter_ns()
        run(1)
        forms[name] = run, max(1, int(SAMPLE_NS / (time.perf_counter_ns() - start))), path
    return forms


def main(side):
    forms = {}
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            order = json.loads(line)
            try:
                if "prepare" in order:
                    forms = {}
                    forms = prepare(side, order["prepare"], folder)
                    answer = {"forms": {name: path for name, (_, _, path) in forms.items()}}
                elif "ceilings" in order:
                    timing = importlib.import_module("peers.ours").timing
                    answer = {"flops": timing.peers_flop_ceiling(),
                              "read": [[size, timing.peers_read_ceiling(size)] for size in order["ceilings"]]}
                elif "about" in order:
                    answer = {"about": importlib.import_module("peers.ours").build_info()}
                else:
                    run, calls, _ = forms[order["time"]]
                    answer = {"ns": run(calls)}
            except Exception as error:  # told to the one who asked, who goes on with other cases
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

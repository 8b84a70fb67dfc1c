"""The processes in which the sides run, each with the environment that serves it best."""

import json
import os
import pathlib
import subprocess
import sys

TOP = pathlib.Path(__file__).resolve().parents[2]
VENV = TOP / "build/peers-venv"
REQUIREMENTS = TOP / "bench/peers/requirements.txt"


def say(text):
    print(f"bench/run: {text}", file=sys.stderr, flush=True)


def install():
    """PyTorch and JAX in a venv of their own; False where they cannot be had."""
    wanted = REQUIREMENTS.read_text() + sys.version
    made = VENV / "made"
    if made.exists() and made.read_text() == wanted:
        return True
    say(f"installing PyTorch and JAX into {VENV}: about 1.5 GB on disk (several more where PyTorch comes with CUDA),"
        " some minutes")
    for command in ([sys.executable, "-m", "venv", VENV],
                    [VENV / "bin/python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", REQUIREMENTS]):
        if subprocess.run(command).returncode:
            say("they could not be installed")
            return False
    made.write_text(wanted)
    return True


def environment(threads, core):
    """Of every side. Huge pages for what malloc gives: the library asks for them by itself."""
    count = str(threads)
    made = {**os.environ, "OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count,
            "JAX_PLATFORMS": "cpu", "THP_MEM_ALLOC_ENABLE": "1", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    if threads == 1:
        made["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    if core:
        made["OPENBLAS_CORETYPE"] = core
    return made


class Worker:
    """A side in a process of its own."""

    def __init__(self, threads, core):
        self.process = subprocess.Popen([VENV / "bin/python", TOP / "bench/peers/worker.py"], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(threads, core))

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


class Workers:
    """Processes by what they are for: made when first asked for, kept while the group lasts."""

    def __init__(self):
        self.made, self.group = {}, None

    def enter(self, group):
        if group != self.group:
            self.close()
            self.group = group

    def get(self, side, threads, core=None):
        key = side, threads, core
        if key not in self.made:
            self.made[key] = Worker(threads, core)
        return self.made[key]

    def close(self):
        for worker in self.made.values():
            worker.close()
        self.made = {}

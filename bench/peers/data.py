"""Numbers that all sides make from the same seeds."""

import mmap
import time

import numpy as np

from peers import cases

HUGE_PAGE = 2 << 20


def place(values):
    """The same numbers where a cache line begins, in huge pages where the system gives them: what the library's own tapes
    have, and what a rival deserves. (NumPy's large arrays begin 16 bytes behind a page.)"""
    room = mmap.mmap(-1, values.nbytes + HUGE_PAGE)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        room.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(room, np.uint8)
    placed = whole[-whole.ctypes.data % HUGE_PAGE:][:values.nbytes].view(values.dtype).reshape(values.shape)
    placed[...] = values
    return placed


def median_ns(work, repeats):
    """A sample: the median of so many calls, each by itself, so that one that was interrupted does not count."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter_ns()
        work()
        times.append(time.perf_counter_ns() - start)
    return float(np.median(times))


def tape(one):
    """Rows (stream, row, width) within -1 .. 1, and queries (stream, width)."""
    draw = np.random.default_rng(1)
    n = one["hidden"]
    part = np.tanh(draw.standard_normal((one["streams"], min(one["length"], 4096), n), np.float32))
    rows = np.tile(part, (1, -(-one["length"] // part.shape[1]), 1))[:, :one["length"]]
    return np.ascontiguousarray(rows), draw.standard_normal((one["streams"], n), np.float32) / 4


def parameters(one):
    draw = np.random.default_rng(2)
    n, gates = one["hidden"], cases.GATES.get(one["cell"], 1)
    names = {"weight_ih_l0": (gates * n, n), "weight_hh_l0": (gates * n, n), "bias_ih_l0": (gates * n,),
             "bias_hh_l0": (gates * n,)}
    if one["wiring"] != "none":
        names |= {"attn_key_l0": (n, n), "attn_query_l0": (n, n)}
    return {name: draw.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(n)) for name, shape in names.items()}


def compared(one):
    """The parameters whose gradients of the first update are compared."""
    return ["weight_ih_l0", "weight_hh_l0"] + (["attn_query_l0"] if one["wiring"] != "none" else [])


def inputs(one, steps):
    """x (time, stream, d) and what y = h (or s) ought to be, for training."""
    draw = np.random.default_rng(3)
    shape = (steps, one["streams"], one["hidden"])
    return draw.standard_normal(shape, np.float32), np.tanh(draw.standard_normal(shape, np.float32))

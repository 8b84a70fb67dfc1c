"""What is compared: each case is a dictionary that both sides understand."""

try:
    import numpy as np
except ImportError:
    np = None  # options are checked without it

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
GROUPS = {
    "blas": "the read against two OpenBLAS gemv and a softmax (float32)",
    "sdpa": "the read against PyTorch's scaled_dot_product_attention with K = V = H",
    "usual": "the read against PyTorch as usually written: key cache, bmm, softmax, bmm",
    "step": "a whole step (cell, query, append, read) at 128 past states against PyTorch written out the same way",
    "cells": "nn.RNN, GRU, LSTM, wiring none, forward",
    "sequence": "whole sequences against a PyTorch loop and jax.lax.scan",
    "training": "forward, backward and Adam",
}


def case(group, against, unit="call", **shape):
    made = dict(group=group, against=against, cell="rnn", wiring="after", score="dot", tape="f32", weights="f32",
                hidden=512, streams=1, length=1, threads=1, peer_tape="f32")
    return {**made, "unit": unit, **shape}


def reads(quick):
    made = []
    for length in (1024, 8192) if quick else (512, 1024, 8192, 32768, 65536):
        for tape in ("f32", "f16", "bf16", "i8"):
            target = {"f32": 1.9, "f16": 3.5, "bf16": 3.5, "i8": 5.5}[tape] if length >= 8192 else None
            made.append(case("blas", "blas", length=length, tape=tape, target=target))
    small = [(8, 1024)] if quick else [(1, 1024), (8, 1024), (1, 8192)]
    for streams, length in small:
        for tape in ("f32", "bf16"):
            made.append(case("sdpa", "torch", length=length, streams=streams, tape=tape, peer_tape=tape, target=1.5))
    for streams in (8,) if quick else (1, 8):
        made.append(case("sdpa", "torch", length=65536 // streams, streams=streams, target=1.2))
        for tape, target in ("bf16", 1.05), ("i8", 1.5):
            made.append(case("sdpa", "torch", length=131072 // streams, streams=streams, tape=tape, peer_tape="bf16",
                             target=target))
    for streams, length in [(8, 1024)] if quick else [(8, 1024), (1, 8192), (1, 65536)]:
        made.append(case("usual", "torch", length=length, streams=streams, target=None))
    return made


def steps(quick):
    made = []
    for hidden, weights, target in (128, "f32", 6), (512, "f32", 1.3), (512, "bf16", 4), (512, "i8", None):
        made.append(case("step", "torch", "step", hidden=hidden, weights=weights, length=128, target=target))
    return made


def cells(quick, group, target, threads, length):
    return [case(group, "torch", "step", cell=cell, wiring="none", hidden=hidden, streams=streams, threads=count,
                 length=length, target=target)
            for cell in GATES for hidden in (128, 512) for streams in ((8,) if quick else (1, 8, 32))
            for count in ((2,) if quick else threads)]


def sequences(quick):
    length = 512 if quick else 2048
    return [case("sequence", against, hidden=256, streams=8, length=length, threads=2, target=5)
            for against in ("torch", "jax")]


def training(quick):
    shape = dict(hidden=256, streams=8, threads=2)
    made = [case("training", "autograd", length=length, target=100 if length == 1024 else None, **shape)
            for length in ((128,) if quick else (256, 1024))]
    made += [case("training", "blocked", length=length, target=5, **shape)
             for length in ((256,) if quick else (512, 1024, 2048))]
    made += [case("training", "jax", length=128 if quick else 512, target=20, **shape)]
    return made + cells(quick, "training", 1.2, (2,), 64)


def plan(options):
    quick = options.quick
    made = reads(quick) + steps(quick) + cells(quick, "cells", 1.3, (1, 2), 64) + sequences(quick) + training(quick)
    return [one for one in made if options.only in (None, one["group"])]


# ---- Numbers that both sides make from the same seed -----------------------------------------------------------------

def tape(one):
    """Rows (stream, row, width) within -1 .. 1, and queries (stream, width)."""
    draw = np.random.default_rng(1)
    n = one["hidden"]
    part = np.tanh(draw.standard_normal((one["streams"], min(one["length"], 4096), n), np.float32))
    rows = np.tile(part, (1, -(-one["length"] // part.shape[1]), 1))[:, :one["length"]]
    return np.ascontiguousarray(rows), draw.standard_normal((one["streams"], n), np.float32) / 4


def parameters(one):
    draw = np.random.default_rng(2)
    n, gates = one["hidden"], GATES[one["cell"]]
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

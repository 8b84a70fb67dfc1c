"""What is compared: each case is a dictionary that both sides understand. Its claim names the target that it is judged by;
a case without one is shown only."""

GATES = {"rnn": 1, "gru": 3, "lstm": 4}
TAPES = ("f32", "f16", "bf16", "i8")
GROUPS = {
    "ceiling": "the read alone against loops that only load the same bytes in the same order (the ratio is a share)",
    "blas": "(a) the read against two OpenBLAS gemv and a softmax (float32)",
    "sdpa": "(b) the read against PyTorch's scaled_dot_product_attention with K = V = H",
    "usual": "(c) the read against PyTorch as usually written: key cache, bmm, softmax, bmm",
    "step": "(b) a whole step (cell, query, append, read) at 128 past states against PyTorch written out the same way",
    "product": "the recurrent product: a step of a plain rnn with relu, against sgemm and a loop for bias and relu",
    "threads": "a step on two threads against one",
    "cells": "(d) nn.RNN, GRU, LSTM, wiring none, forward",
    "sequence": "(e), (f) whole sequences against a PyTorch loop over preallocated tensors and jax.lax.scan",
    "training": "forward, backward and Adam",
    "memory": "what a training step of ours keeps, 1,024 steps",
    "additive": "additive scores, align 512: the read in a step, share of the read ceiling for its bytes",
    "text": "the whole text as one stream, window 1,024, hidden 256",
    "drift": "10,000 steps of the text on tapes of each type, against a float32 tape",
}


def case(group, against, unit="call", **shape):
    made = dict(group=group, against=against, cell="rnn", wiring="after", score="dot", tape="f32", weights="f32",
                hidden=512, streams=1, length=1, threads=1, peer_tape="f32", target=None, claim=None)
    return {**made, "unit": unit, **shape}


def ceilings(quick):
    """From L2, from L3, and, at 262,144 states, from memory."""
    width = {"f32": "f32", "f16": "16", "bf16": "16", "i8": "i8"}
    target = {"f32": 0.92, "16": 0.85, "i8": 0.70}
    made = [case("ceiling", "ceiling", length=512, target=0.65, claim="l2")]
    for length in (8192,) if quick else (8192, 65536, 262144):
        made += [case("ceiling", "ceiling", length=length, tape=tape, peer_tape=tape, target=target[width[tape]],
                      claim="ceiling " + width[tape]) for tape in TAPES]
    return made


def blas(quick):
    target = {"f32": 1.9, "f16": 3.5, "bf16": 3.5, "i8": 5.5}
    claim = {"f32": "blas f32", "f16": "blas 16", "bf16": "blas 16", "i8": "blas i8"}
    made = []
    for length in (1024, 8192) if quick else (512, 1024, 8192, 32768, 65536):
        judged = length >= 8192
        made += [case("blas", "blas", length=length, tape=tape, target=target[tape] if judged else None,
                      claim=claim[tape] if judged else None) for tape in TAPES]
    return made


def reads(quick):
    made = []
    for streams, length in [(8, 1024)] if quick else [(1, 1024), (8, 1024), (1, 8192), (1, 16384)]:
        made += [case("sdpa", "torch", length=length, streams=streams, tape=tape, peer_tape=tape, target=1.5,
                      claim="sdpa near") for tape in ("f32", "bf16")]
    for streams in (8,) if quick else (1, 8):
        made.append(case("sdpa", "torch", length=65536 // streams, streams=streams, target=1.2, claim="sdpa f32"))
        for tape, target in ("bf16", 1.05), ("i8", 1.5):
            made.append(case("sdpa", "torch", length=131072 // streams, streams=streams, tape=tape, peer_tape="bf16",
                             target=target, claim=f"sdpa {tape}"))
    for streams, length in [(8, 1024)] if quick else [(8, 1024), (1, 8192), (1, 65536)]:
        made.append(case("usual", "torch", length=length, streams=streams))
    return made


def steps(quick):
    wanted = [(128, "f32", 6, "step 128"), (512, "f32", 1.3, "step 512"), (512, "bf16", 4, "step 512 16"),
              (512, "f16", 4, "step 512 16"), (512, "i8", None, None)]
    return [case("step", "torch", "step", hidden=hidden, weights=weights, length=128, target=target, claim=claim)
            for hidden, weights, target, claim in wanted]


def products(quick):
    return [case("product", "sgemm", "step", cell="relu", wiring="none", streams=streams, target=target, claim=claim)
            for streams, target, claim in ((1, None, None), (4, 5, "product 4"), (8, 4, "product 8"), (16, 3, "product 16"),
                                           (32, 2.2, "product 32"))]


def threads(quick):
    shapes = [(8, 1024)] if quick else [(8, 128), (8, 1024), (8, 8192), (1, 65536)]
    return [case("threads", "one thread", "step", streams=streams, length=length, threads=2, target=1.85,
                 claim=f"threads {streams}") for streams, length in shapes]


def cells(quick, group, target, counts, length):
    return [case(group, "torch", "step", cell=cell, wiring="none", hidden=hidden, streams=streams, threads=count,
                 length=length, target=target, claim=group)
            for cell in GATES for hidden in (128, 512) for streams in ((8,) if quick else (1, 8, 32))
            for count in ((2,) if quick else counts)]


def sequences(quick):
    length, target = (512, None) if quick else (2048, 5)
    return [case("sequence", against, hidden=256, streams=8, length=length, threads=2, target=target,
                 claim=target and f"sequence {against}") for against in ("torch", "jax")]


def training(quick):
    """The lengths of --quick are shorter than those of the targets, and are not judged."""
    wanted = [("autograd", 256, None), ("autograd", 1024, 100), ("jax", 512, 20)]
    wanted += [(against, length, 5) for against in ("blocked", "flash") for length in (512, 1024, 2048)]
    if quick:
        wanted = [("autograd", 128, None), ("jax", 128, None), ("blocked", 256, None), ("flash", 256, None)]
    made = [case("training", against, hidden=256, streams=8, threads=2, length=length, target=target,
                 claim=target and against) for against, length, target in wanted]
    return made + cells(quick, "training", 1.2, (2,), 64)


def memory(quick):
    """Ours alone; judged by what the library counts."""
    limit = {"rnn": 10, "gru": 16, "lstm": 18}
    return [case("memory", None, cell=cell, hidden=256, streams=8, threads=2, length=1024, limit=limit[cell]) for cell in GATES]


def plan(options):
    """The cases of all groups but those that bench_cost measures."""
    made = []
    for part in ceilings, blas, reads, steps, products, threads:
        made += part(options.quick)
    made += cells(options.quick, "cells", 1.3, (1, 2), 64)
    for part in sequences, training, memory:
        made += part(options.quick)
    return [one for one in made if one["group"] in options.only and options.against in (None, one["against"])]

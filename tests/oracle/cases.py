"""Random models and inputs for the tests: everything follows from a seed, and a seed from what the case is called."""
import itertools
import zlib
from dataclasses import dataclass

import numpy as np

from oracle import ATTENDING, GATES, Description

SIZES = (1, 3, 17, 64, 130)
STEPS = 7
STREAMS = 4


def generator(*name):
    return np.random.default_rng(zlib.crc32(repr(name).encode()))


def combinations(wiring, cell, score):
    """Start x recency x layers and skip x window and sinks of one wiring, cell and score; sizes drawn by the name."""
    stacks = ((1, 0), (2, 0), (2, 1), (3, 0), (3, 1))
    if wiring not in ATTENDING:
        options = [("none", 0, stack, "whole") for stack in stacks]
    else:
        options = itertools.product(("none", "zero"), (0, 1), stacks, ("whole", "window", "sinks"))
    for start_row, recency, (layers, skip), reach in options:
        random = generator(wiring, cell, score, start_row, recency, layers, skip, reach)
        yield describe(random, wiring=wiring, cell=cell, score=score, start_row=start_row, recency=recency,
                       layers=layers, skip=skip, reach=reach)


def describe(random, reach, **chosen):
    """A description with the given choices and all else drawn at random."""
    draw = lambda values: values[random.integers(len(values))]
    attends = chosen["wiring"] in ATTENDING
    window = int(draw((random.integers(1, STEPS + 3), random.integers(10, 35)))) if reach != "whole" else 0
    align = draw((0,) + SIZES) if attends else 0
    scales = (1.0, 0.5, float(np.float32(1 / np.sqrt(align or 64))))
    return Description(
        inputs=draw(SIZES), hidden=draw(SIZES), vocab=draw((0, 0, 0, 1, 17)), align=align,
        window=window, sinks=int(draw((1, 2, 3, 15, 16, 17))) if reach == "sinks" else 0,
        source=draw(("h", "s", "hs")) if chosen["wiring"] in ("after", "beside") else "h",
        outputs=draw((0,) + SIZES), scale=draw(scales) if attends else 1.0,
        **chosen)


def parameters(random, description, gain=1.0):
    """Weights (in double, as float32 holds them) under which states are of order one and scores of one to three."""
    values = {}
    for name, shape in description.shapes().items():
        width = shape[-1] if len(shape) == 2 else 1
        size = gain / np.sqrt(width) if name.startswith("weight") else 1 / np.sqrt(width)
        if name.startswith("attn_score"):
            size = 3 / np.sqrt(shape[0])
        value = size * random.normal(size=shape)
        if name.startswith("attn_recency"):
            value = random.uniform(0.4, 0.8, size=1) * random.choice([-1, 1])
        values[name] = np.float32(value).astype(np.float64)
    return values


def contractive(random, description):
    """Weights under which a small error fades from step to step, for runs that are compared at their end."""
    return parameters(random, description, gain=0.4 / GATES[description.cell] ** 0.5)


@dataclass
class Case:
    """A model and a batch on it: x (streams, steps, d) or tokens (streams, steps), lengths, what streams begin with."""

    description: Description
    parameters: dict
    x: np.ndarray
    lengths: np.ndarray
    appended: list  # per stream: h (layers, rows, n)
    memories: list  # per stream: m likewise, or None
    initial: list  # per stream: {"s": (layers, n), ..}, or nothing
    order: np.ndarray  # in which the streams are given to a step


def inputs(random, description, *shape):
    if description.vocab:
        return random.integers(description.vocab, size=shape).astype(np.int32)
    return random.normal(size=shape + (description.inputs,)).astype(np.float32)


def case(random, description, streams=STREAMS, steps=STEPS, make=parameters):
    lengths = random.integers(0, steps + 1, size=streams)
    lengths[:1], lengths[1:2] = steps, 0
    return Case(description, make(random, description), inputs(random, description, streams, steps), lengths,
                *_past(random, description, streams), random.permutation(streams))


def _past(random, description, streams):
    """Some streams begin with rows on their tape, some with initial values, some with nothing."""
    layers, n = description.layers, description.hidden
    draw = lambda *shape: random.uniform(-1, 1, size=shape).astype(np.float32)
    rows = [int(random.choice([0, random.integers(1, 5), random.integers(10, 40)])) for _ in range(streams)]
    appended = [draw(layers, count * description.attends, n) for count in rows]
    memories = [draw(*h.shape) if description.keeps_memories else None for h in appended]
    carried = ["s"] + ["m"] * description.carries_memory + ["h"] * (description.wiring == "beside")
    initial = [{which: draw(layers, n) for which in carried} if random.integers(2) else {} for _ in range(streams)]
    return appended, memories, initial


def lively(random, description):
    """Weights of order one under which no gate is saturated, no relu is off and no gate's effect is lost."""
    values = {}
    for name, shape in description.shapes().items():
        size = random.uniform(*((0.3, 0.6) if name.startswith("bias_ih") else (0.5, 1)), size=shape)
        sign = 1 if description.cell == "rnn_relu" and name[:2] in ("we", "bi") else random.choice([-1, 1], size=shape)
        values[name] = np.float32(size * sign).astype(np.float64)
    return values


def one_at_a_time(random, description):
    """One step of many streams, each of which lets one column of one matrix speak: x, s or h has one number, all else
    is zero, and in `before` the tape has one row, likewise. One layer. Gates want several numbers: at one of them
    their effect may vanish (a GRU's u where s = g)."""
    n, d, wiring = description.hidden, description.inputs, description.wiring
    heads = {"none": ("x", "s"), "after": ("x", "s"), "beside": ("x", "s", "h"), "before": ("x", "row")}[wiring]
    numbers = (1,) if GATES[description.cell] == 1 else (1, -1, 0.4, -0.4)
    cases = [{head: number * one} for head in heads for one in np.eye(d if head == "x" else n, dtype=np.float32)
             for number in numbers]
    return _one_step(random, description, lively(random, description), cases)


def one_query_at_a_time(random, description):
    """Each stream has all rows with one 1 on its tape, and a query made from one column: so weights and logsumexp show
    every element of a score's matrices. In `before` the query is x and s; in `after`, h = x by a relu cell."""
    n, d = description.hidden, description.inputs
    values = lively(random, description)
    heads = [("x", d), ("s", n)] if description.wiring == "before" else [("x", n)]
    if description.wiring == "after":
        values["weight_ih_l0"], values["bias_ih_l0"], values["bias_hh_l0"] = np.eye(n), np.zeros(n), np.zeros(n)
    cases = [{head: one, "row": np.eye(n, dtype=np.float32)} for head, width in heads
             for one in np.eye(width, dtype=np.float32)]
    return _one_step(random, description, values, cases)


def _one_step(random, description, values, cases):
    n, before = description.hidden, description.wiring == "before"
    x = np.stack([case.get("x", np.zeros(description.inputs, dtype=np.float32)) for case in cases])[:, None]
    draw = lambda rows: random.uniform(0.5, 1, size=(1, rows, n)).astype(np.float32)
    appended, memories, initial = [], [], []
    for case in cases:
        row = np.atleast_2d(case.get("row", np.zeros((int(before), n), dtype=np.float32)))[None]
        appended.append(row)
        memories.append(draw(row.shape[1]) if description.keeps_memories else None)
        initial.append({which: case[which][None] for which in ("s", "h") if which in case})
        if description.carries_memory:
            initial[-1]["m"] = draw(1)[:, 0]
    lengths = np.ones(len(cases), dtype=int)
    return Case(description, values, x, lengths, appended, memories, initial, random.permutation(len(cases)))

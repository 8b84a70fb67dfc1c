"""Gradients of every combination against central differences of the oracle, in double, along random directions in every
parameter, in the inputs and in the initial values."""
import copy
import os

import numpy as np
import pytest

import cases
import library
import recorded
import oracle
from check import double
from record import begin_oracle

SCORES = ("dot", "general", "additive")
KINDS = [("none", cell, "dot") for cell in oracle.GATES] + [
    (wiring, cell, score) for wiring in oracle.ATTENDING for cell in oracle.GATES for score in SCORES]
STEP = 1e-5
RELATIVE, ABSOLUTE = 1e-4, 1e-4  # rounding in float32 along some steps of a recurrence
# One in so many of the combinations, which differ from table to table: the plain ones take longest, and differ from the
# others in kernels that have tests of their own.
SHARE = 24 if os.environ["ARNN_ISA"] in ("ref", "blas") else 5


def weighted(case, owed):
    """The loss: the outputs' product with what they are owed."""
    total = 0.0
    for stream, length in enumerate(case.lengths):
        run = begin_oracle(case, stream)
        for step in range(length):
            for name, values in zip(("y", "h", "s"), run.step(case.x[stream, step])):
                if name in owed:
                    total += np.sum(double(owed[name][stream, step]) * values)
    return total


def nudged(case, name, direction, size):
    """The case with one parameter, x, or the initial values of one kind moved."""
    moved = copy.copy(case)
    if name in case.parameters:
        moved.parameters = dict(case.parameters, **{name: case.parameters[name] + size * direction})
    elif name == "x":
        moved.x = double(case.x) + size * direction
    else:
        moved.initial = [dict(values) for values in case.initial]
        for stream, values in enumerate(moved.initial):
            zero = np.zeros((case.description.layers, case.description.hidden))
            values[name] = double(values.get(name, zero)) + size * direction[:, stream]
    return moved


def slope(case, owed, name, direction):
    """By central differences of two sizes (Richardson), which takes their own error to the fourth order. Small steps
    where the recurrence has kinks: a difference across one is no slope."""
    small = STEP / 100 if case.description.cell == "rnn_relu" else STEP
    difference = lambda size: (weighted(nudged(case, name, direction, size), owed) -
                               weighted(nudged(case, name, direction, -size), owed)) / (2 * size)
    return (4 * difference(small) - difference(2 * small)) / 3


def record_of(case, past=40, threads=1):
    model = library.Model(case.description, case.parameters)
    record = recorded.Record(model, len(case.x), case.x.shape[1], past, threads)
    for stream, initial in enumerate(case.initial):
        for which, values in initial.items():
            for layer in range(case.description.layers):
                record.state.set(which, layer, stream, values[layer])
        if case.appended[stream].shape[1]:
            record.state.append(stream, case.appended[stream], case.memories[stream])
    return record


def owed_of(random, case, names=("y", "h", "s")):
    widths = {"y": case.description.output_width, "h": case.description.hidden, "s": case.description.hidden}
    return {name: random.normal(size=case.x.shape[:2] + (widths[name],)).astype(np.float32) for name in names}


def check(case, random, names=("y", "h", "s")):
    record, owed = record_of(case), owed_of(random, case, names)
    record.forward(case.x, case.lengths)
    found = record.backward(owed)
    for name, gradient in found.items():
        direction = random.normal(size=gradient.shape)
        got = np.sum(np.where(gradient == library.UNWRITTEN, 0, double(gradient)) * direction)
        expected = slope(case, owed, name, direction)
        size = np.linalg.norm(np.where(gradient == library.UNWRITTEN, 0, double(gradient))) * np.linalg.norm(direction)
        assert abs(got - expected) <= RELATIVE * size + ABSOLUTE, (
            f"{name}: {got} where differences give {expected}, in\n    {case.description}")
    return found


def small(description):
    """Sizes at which a case takes milliseconds."""
    width = lambda value: {1: 1, 3: 2, 17: 3, 64: 4, 130: 5}.get(value, value)
    return description.but(inputs=width(description.inputs), hidden=width(description.hidden),
                           align=width(description.align), outputs=width(description.outputs),
                           vocab=min(description.vocab, 5))


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_all_combinations(wiring, cell, score):
    """Start x recency x layers x skip x window and sinks, readouts, tokens, pasts and initial values at random."""
    for description in cases.combinations(wiring, cell, score):
        random = cases.generator("gradient", os.environ["ARNN_ISA"], description)
        if random.integers(SHARE) == 0:
            make = cases.contractive if cell == "rnn_relu" else cases.parameters  # else scores grow to hundreds
            check(cases.case(random, small(description), streams=3, steps=5, make=make), random)

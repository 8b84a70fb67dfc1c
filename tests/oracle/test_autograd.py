"""Gradients of every combination of cell, wiring, score, start, recency, layers, skip, window and sinks against those
that PyTorch's autograd makes of the plain loop in double; readouts, tokens, pasts, lengths and initial values at random.
"""
import numpy as np
import pytest

import cases
import library
from bounds import U
from check import double
from test_gradients import KINDS, owed_of, record_of, small

torch = pytest.importorskip("torch")
import autograd  # noqa: E402  (needs torch)

# What is compared: runs whose outputs agree so far; they all do, at these sizes.
ALIKE = 1e-5
# How far a gradient may lie from the double one: a part of its own norm (roundings along its sums), and a part of the
# norm of all (of numbers that cancel: what a softmax owes sums to zero). Found: 0.4 of it at most.
RELATIVE, SHARED = 256 * U, 128 * U


def agree(outputs, expected, lengths):
    """Where steps were made."""
    made = np.arange(next(iter(outputs.values())).shape[1]) < lengths[:, None]
    return all(np.allclose(values[made], expected[name][made], rtol=0, atol=ALIKE) for name, values in outputs.items())


def check(description):
    random = cases.generator("autograd", description)
    make = cases.contractive if description.cell == "rnn_relu" else cases.parameters  # else scores grow to hundreds
    case = cases.case(random, small(description), streams=3, steps=5, make=make)
    record, owed = record_of(case), owed_of(random, case)
    outputs = record.forward(case.x, case.lengths)
    found = record.backward(owed)
    expected, gradients = autograd.gradients(case, owed)
    assert agree(outputs, expected, case.lengths), case.description
    whole = np.sqrt(sum(np.sum(values ** 2) for values in gradients.values()))
    for name, gradient in found.items():
        error = np.where(gradient == library.UNWRITTEN, 0, double(gradient)) - gradients[name]
        bound = RELATIVE * np.linalg.norm(gradients[name]) + SHARED * whole
        assert np.linalg.norm(error) <= bound, f"{name}: off by {np.linalg.norm(error) / bound} times its bound in\n" \
            f"    {case.description}"


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_all_combinations(wiring, cell, score):
    torch.set_num_threads(1)
    for description in cases.combinations(wiring, cell, score):
        check(description)

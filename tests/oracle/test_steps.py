"""Every combination, step by step from the library's own tape, s, m and h, against the oracle, within bounds.py."""
import numpy as np
import pytest

import cases
import library
import oracle
from check import Check, double, excess
from oracle import Description
from record import begin, begin_oracle, record

SCORES = ("dot", "general", "additive")
KINDS = [("none", cell, "dot") for cell in oracle.GATES] + [
    (wiring, cell, score) for wiring in oracle.ATTENDING for cell in oracle.GATES for score in SCORES]


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_all_combinations(wiring, cell, score):
    """Start x recency x layers x skip x window and sinks, with sizes, input, readout and pasts drawn at random."""
    for description in cases.combinations(wiring, cell, score):
        case = cases.case(cases.generator("combination", description), description)
        model = library.Model(description)
        assert model.shapes() == description.shapes() and model.output_width() == description.output_width, description
        check = Check(case, record(case))
        assert check.excess <= 1, check


@pytest.mark.parametrize("wiring", ["none", "after", "beside", "before"])
@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("n", cases.SIZES)
def test_one_weight_at_a_time(wiring, cell, n):
    """Inputs under which one column of one matrix speaks: no element of weight_ih or weight_hh can be off here
    without being seen (test_oracle.py)."""
    description = Description(cell=cell, wiring=wiring, inputs=n, hidden=n)
    check = Check(case := cases.one_at_a_time(cases.generator("one weight", description), description), record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("wiring, cell", [("after", "rnn_relu"), ("before", "gru"), ("before", "lstm")])
@pytest.mark.parametrize("score, k", [("dot", 64), ("dot", 1), ("general", 0), ("additive", 2), ("additive", 17)])
@pytest.mark.parametrize("n", cases.SIZES[1:])
def test_one_query_at_a_time(wiring, cell, score, k, n):
    """The same for the matrices of the scores."""
    description = Description(cell=cell, wiring=wiring, score=score, inputs=n, hidden=n, align=k)
    check = Check(case := cases.one_query_at_a_time(cases.generator("query", description), description), record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("seed", range(40))
def test_random_models(seed):
    """Everything at random: wiring, cell, score, options, sizes up to 130, one to nine streams."""
    random = cases.generator("random", seed)
    draw = lambda values: values[random.integers(len(values))]
    wiring, cell, score = KINDS[random.integers(len(KINDS))]
    attends = wiring != "none"
    description = cases.describe(
        random, draw(("whole", "window", "sinks")) if attends else "whole", wiring=wiring, cell=cell, score=score,
        start_row=draw(("none", "zero")) if attends else "none", recency=int(attends and random.integers(2)),
        layers=int(random.integers(1, 4)), skip=int(random.integers(2)))
    description = description.but(inputs=int(random.integers(1, 131)), hidden=int(random.integers(1, 131)))
    case = cases.case(random, description, streams=int(random.integers(2, 10)), steps=int(random.integers(1, 20)))
    check = Check(case, record(case))
    assert check.excess <= 1, f"seed {seed}: {check}"


@pytest.mark.parametrize("cell", oracle.GATES)
def test_small_numbers_keep_their_relative_accuracy(cell):
    """Inputs, states and biases of 1e-6: tanh of a small number is not to be made by subtraction from one."""
    description = Description(cell=cell, wiring="none", inputs=17, hidden=17)
    random = cases.generator("small", cell)
    case = cases.case(random, description, streams=8, steps=1)
    case.x *= np.float32(1e-6)
    case.initial = [{}] * 8
    for name in ("bias_ih_l0", "bias_hh_l0"):
        case.parameters[name] = double(np.float32(case.parameters[name] * 1e-6))
    check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("scale", [10.0, 100.0, 1e4])
@pytest.mark.parametrize("cell", oracle.GATES)
def test_saturated_gates(cell, scale):
    """Large inputs of both signs: gates at 0 and 1, relu far from 0, no infinity and no NaN."""
    description = Description(cell=cell, wiring="none", inputs=17, hidden=17)
    case = cases.case(cases.generator("saturated", cell, scale), description, streams=8, steps=3)
    case.x *= np.float32(scale)
    with np.errstate(over="ignore"):
        check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("cell, score, scale", [
    (cell, score, scale) for cell in ("rnn_tanh", "rnn_relu") for score in SCORES for scale in (10.0, 1000.0)])
def test_large_scores(cell, score, scale):
    """Scores up to about 1e4, where softmax picks one row: by a large scale, or by a large v and large keys."""
    description = Description(cell=cell, score=score, inputs=17, hidden=64, scale=scale if score != "additive" else 1.0)
    case = cases.case(cases.generator("large", cell, score, scale), description)
    if score == "additive":
        case.parameters["attn_score_l0"] *= scale
    case.parameters = {name: double(np.float32(values)) for name, values in case.parameters.items()}
    check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("cell", ["rnn_tanh", "rnn_relu"])
@pytest.mark.parametrize("gain", [8.0, 30.0, 200.0])
def test_additive_with_large_keys_and_queries_that_cancel(cell, gain):
    """W_Q = -W_K in `after`: the newest row's p and y cancel however large; clamped exponents would miss it."""
    description = Description(cell=cell, score="additive", inputs=17, hidden=17)
    case = cases.case(cases.generator("cancel", cell, gain), description)
    keys = np.float32(case.parameters["attn_key_l0"] * gain).astype(np.float64)
    case.parameters.update(attn_key_l0=keys, attn_query_l0=-keys)
    check = Check(case, record(case))
    assert check.excess <= 1, check


def test_scale_is_not_for_additive_scores():
    description = Description(score="additive", inputs=3, hidden=17, scale=5.0)
    case = cases.case(cases.generator("unscaled"), description)
    check = Check(case, record(case))
    assert check.excess <= 1, check


# ---- Steps, sequences and chunks ------------------------------------------------------------------------------------

CHUNKS = [(7,), (1, 6), (3, 1, 3), (0, 7, 0)]


def by_steps(case):
    """Outputs (time, streams, width) of single steps, and all that the state holds in the end."""
    state, outputs = begin(case), []
    for step in range(case.x.shape[1]):
        streams = [int(stream) for stream in case.order if case.lengths[stream] > step]
        outputs.append((streams, state.step(case.x[streams, step], streams)))
    return outputs, held(case, state)


def held(case, state):
    """Every value of a state, and the newest rows that it must have, by layer and stream."""
    values = {}
    description = case.description
    for layer, stream in np.ndindex(description.layers, len(state)):
        for which in ["s"] + ["m"] * description.carries_memory + ["h"] * (description.wiring == "beside"):
            values[which, layer, stream] = state.get(which, layer, stream)
        length = state.length(stream)
        rows = min(length, description.window or length)
        if description.attends and rows:
            newest = state.rows(layer, stream, length - rows, rows, description.keeps_memories)
            values["rows", layer, stream] = np.stack(newest)
    return values


def same(first, second, exact):
    return np.array_equal(first, second) if exact else np.allclose(first, second, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_sequence_is_its_steps_in_any_cutting(wiring, cell, score, exact):
    """Bit for bit with every table but blas; there, close, under contractive weights."""
    for description in list(cases.combinations(wiring, cell, score))[::7]:
        case = cases.case(cases.generator("cutting", description), description, make=cases.contractive)
        steps, end = by_steps(case)
        for chunks in CHUNKS:
            state, at = begin(case), 0
            for chunk in chunks:
                lengths = np.clip(case.lengths - at, 0, chunk)[case.order]
                x = np.moveaxis(case.x[case.order, at:at + chunk], 1, 0)
                found = state.forward(x, lengths, case.order)
                for step in range(chunk):
                    streams, expected = steps[at + step]
                    columns = [list(case.order).index(stream) for stream in streams]
                    for name, values in expected.items():
                        assert same(found[name][step, columns], values, exact), (name, at + step, chunks, description)
                    rest = np.delete(found["h"][step], columns, axis=0)
                    assert np.all(rest == library.UNWRITTEN), (chunks, description)
                at += chunk
            for name, values in held(case, state).items():
                assert same(values, end[name], exact), (name, chunks, description)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_free_runs_stay_with_the_oracle(wiring, cell, score):
    """Forty steps under contractive weights; nothing is handed over in between."""
    for description in list(cases.combinations(wiring, cell, score))[3::19]:
        random = cases.generator("free", description)
        case = cases.case(random, description, streams=3, steps=40, make=cases.contractive)
        found = begin(case).forward(np.moveaxis(case.x, 1, 0), case.lengths)
        for stream, length in enumerate(case.lengths):
            run = begin_oracle(case, stream)
            for step in range(length):
                for name, values in zip(("y", "h", "s"), run.step(case.x[stream, step])):
                    assert excess(double(found[name][step, stream]), values, 2e-4) <= 1, (name, step, description)

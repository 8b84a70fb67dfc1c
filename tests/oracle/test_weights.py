"""arnn_state_weights and the map of a sequence: against the oracle, all wirings and scores, and against each other."""
import numpy as np
import pytest

import cases
import library
import oracle
from check import Check, double
from oracle import Description
from record import begin, record

KINDS = [(wiring, score) for wiring in oracle.ATTENDING for score in ("dot", "general", "additive")]
REACHES = [(0, 0), (1, 0), (4, 0), (3, 2), (2, 9)]


def described(wiring, score, reach, start_row, recency):
    return Description(cell="gru", wiring=wiring, score=score, inputs=3, hidden=17, layers=2, window=reach[0],
                       sinks=reach[1], start_row=start_row, recency=recency)


@pytest.mark.parametrize("wiring, score", KINDS)
@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("start_row", ["none", "zero"])
@pytest.mark.parametrize("recency", [0, 1])
def test_weights(wiring, score, reach, start_row, recency):
    """Each step's weights agree with the oracle, are zero exactly where a row is not read, and sum to one."""
    description = described(wiring, score, reach, start_row, recency)
    case = cases.case(cases.generator("weights", description), description, steps=10)
    found = record(case)
    check = Check(case, found)
    assert check.excess <= 1, check
    for layer, stream in np.ndindex(2, len(case.x)):
        own = case.appended[stream].shape[1]
        for step in range(case.lengths[stream]):
            on_tape = own + step + (wiring != "before")
            read = oracle.rows_read(description, found.weights.shape[-1], on_tape)
            weights, zero = double(found.weights[layer, stream, step]), found.zero[layer, stream, step]
            assert np.all(weights[read] > 0) and not np.any(weights[~read])
            assert (zero > 0) == (start_row == "zero")
            assert weights.sum() + zero == pytest.approx(float(np.any(read) or start_row == "zero"), abs=1e-6)


@pytest.mark.parametrize("wiring, score", KINDS)
@pytest.mark.parametrize("reach", REACHES)
@pytest.mark.parametrize("start_row", ["none", "zero"])
def test_the_map_is_the_weights_of_every_step(wiring, score, reach, start_row, exact):
    """The map of a sequence is that of its steps bit for bit, and that of a step is what arnn_state_weights tells."""
    description = described(wiring, score, reach, start_row, 1)
    case = cases.case(cases.generator("map", description), description, steps=10, make=cases.contractive)
    columns = 10 + max(h.shape[1] for h in case.appended)
    for layer in (0, 1):
        x = np.moveaxis(case.x, 1, 0)
        maps = begin(case).forward(x, case.lengths, want=(), map_layer=layer, map_columns=columns)
        state = begin(case)
        for step in range(10):
            streams = np.flatnonzero(case.lengths > step)
            single = state.step(case.x[streams, step], streams, want=(), map_layer=layer, map_columns=columns + 3)
            for column, stream in enumerate(streams):
                told, zero, _ = state.weights(layer, stream, columns)
                close = dict(rtol=0, atol=0) if exact else dict(rtol=1e-4, atol=1e-6)
                assert np.allclose(single["map"][column, :columns], maps["map"][step, stream], **close)
                assert np.allclose(single["map_zero"][column], maps["map_zero"][step, stream], **close)
                assert not np.any(single["map"][column, columns:])
                assert np.allclose(told, single["map"][column, :columns], rtol=1e-5, atol=1e-9)
                assert np.allclose(zero, single["map_zero"][column], rtol=1e-5, atol=1e-9)
            rest = np.flatnonzero(case.lengths <= step)
            assert np.all(maps["map"][step, rest] == library.UNWRITTEN)


@pytest.mark.parametrize("score", ["dot", "general"])
@pytest.mark.parametrize("rows", [2, 5, 700])
def test_weights_of_equal_huge_scores_are_equal_and_sum_to_one(score, rows):
    """Equal rows, scores of 400 to 4e4: a logsumexp rounded to float32 is off by up to 2e-3, weights must not be."""
    description = Description(wiring="before", score=score, inputs=3, hidden=17, scale=3e4)
    random = cases.generator("huge weights", score, rows)
    model = library.Model(description, cases.parameters(random, description))
    state = library.State(model, library.Cache(model), 1)
    state.append(0, np.repeat(random.normal(size=(1, 1, 17)), rows, axis=1))
    found = state.step(cases.inputs(random, description, 1), map_layer=0, map_columns=rows + 1)
    told, _, logsumexp = state.weights(0, 0, rows + 1)
    assert abs(logsumexp) > 400
    for weights in (told, found["map"][0]):
        assert weights[:rows] == pytest.approx(1 / rows, rel=1e-5)


def test_before_reads_nothing_at_first():
    description = Description(wiring="before", inputs=3, hidden=5)
    parameters = cases.parameters(cases.generator("first"), description)
    model = library.Model(description, parameters)
    state = library.State(model, library.Cache(model), 1)
    with pytest.raises(library.ArnnError, match="ARNN_NOT_FOUND"):
        state.weights(0, 0, 4)
    state.step(np.ones((1, 3)))
    weights, zero, logsumexp = state.weights(0, 0, 4)
    assert not np.any(weights) and zero == 0 and logsumexp == -np.inf


def test_weights_are_gone_after_reset_and_append():
    description = Description(inputs=3, hidden=5)
    model = library.Model(description, cases.parameters(cases.generator("gone"), description))
    state = library.State(model, library.Cache(model), 1)
    for undo in (state.reset, lambda: state.append(0, np.zeros((1, 2, 5)))):
        state.step(np.ones((1, 3)))
        state.weights(0, 0, 9)
        undo()
        with pytest.raises(library.ArnnError, match="ARNN_NOT_FOUND"):
            state.weights(0, 0, 9)


def test_too_few_columns_are_refused_before_anything_is_computed():
    description = Description(inputs=3, hidden=5)
    model = library.Model(description, cases.parameters(cases.generator("columns"), description))
    state = library.State(model, library.Cache(model), 1)
    with pytest.raises(library.ArnnError, match="ARNN_SHAPE"):
        state.forward(np.ones((4, 1, 3)), map_layer=0, map_columns=3)
    assert state.length(0) == 0
    state.forward(np.ones((4, 1, 3)), map_layer=0, map_columns=4)
    with pytest.raises(library.ArnnError, match="ARNN_SHAPE"):
        state.weights(0, 0, 3)

"""What is easily forgotten: saved pasts, shared caches, resets, wide rows, empty calls, states without a limit."""
import numpy as np
import pytest

import cases
import library
import oracle
from cases import inputs
from check import Check, double
from oracle import Description
from record import begin, record
from test_steps import KINDS, held, same


def described(name, wiring, cell, score):
    """A description of two layers, with sizes drawn by the name; the whole tape is read."""
    random = cases.generator(name, wiring, cell, score)
    return random, cases.describe(random, "whole", wiring=wiring, cell=cell, score=score, start_row="none", layers=2,
                                  skip=1, recency=int(wiring != "none"))


def steps_on(state, x, streams):
    return [state.step(values, streams) for values in x]


def equal(first, second, exact):
    return all(same(a[name], b[name], exact) for a, b in zip(first, second) for name in a)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_saved_past_goes_on_as_if_never_interrupted(wiring, cell, score, exact):
    """Rows read from a tape and appended to another, values read and set: the next steps are the same, bit for bit."""
    random, description = described("saved", wiring, cell, score)
    model = library.Model(description, cases.contractive(random, description))
    cache = library.Cache(model) if description.attends else None
    state, copy = library.State(model, cache, 2), library.State(model, cache, 3)
    x = inputs(random, description, 9, 1)
    steps_on(state, x[:5], [1])
    if description.attends:
        rows = [state.rows(layer, 1, 0, 5, description.keeps_memories) for layer in (0, 1)]
        copy.append(2, *np.swapaxes(rows, 0, 1) if description.keeps_memories else [np.array(rows)])
    for which in ["s"] + ["m"] * description.carries_memory + ["h"] * (wiring == "beside"):
        for layer in (0, 1):
            copy.set(which, layer, 2, state.get(which, layer, 1))
    assert equal(steps_on(state, x[5:], [1]), steps_on(copy, x[5:], [2]), exact)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_stream_that_was_reset_is_a_new_one(wiring, cell, score, exact):
    random, description = described("reset", wiring, cell, score)
    case = cases.case(random, description, streams=3, steps=4, make=cases.contractive)
    case.lengths[:] = 4
    case.initial, case.appended = [{}] * 3, [np.zeros((2, 0, description.hidden))] * 3
    state = begin(case)
    x = np.moveaxis(case.x, 1, 0)
    first = state.forward(x)
    before = {key: values for key, values in held(case, state).items() if key[-1] != 1}
    state.reset([1])
    assert state.length(1) == 0 and not np.any(state.get("s", 0, 1))
    assert all(np.array_equal(values, held(case, state)[key]) for key, values in before.items())
    again = state.forward(x[:, 1:2], streams=[1])
    assert all(same(again[name][:, 0], first[name][:, 1], exact) for name in again)
    state.reset()
    assert equal([state.forward(x)], [first], exact)


@pytest.mark.parametrize("wiring, cell, score", KINDS[4::5])
def test_states_on_one_cache_do_not_meet(wiring, cell, score, exact):
    """Three states take pages in turn from one cache; one of them goes, the others stay as they are."""
    random, description = described("shared", wiring, cell, score)
    model = library.Model(description, cases.contractive(random, description))
    cache = library.Cache(model)
    rows = cache.page()[0]
    x = inputs(random, description, 3, 6, 2)
    past = random.uniform(-1, 1, size=(3, 2, rows - 3, description.hidden))
    together, single = [], []
    states = [library.State(model, cache, 2) for _ in range(3)]
    for state, h in zip(states, past):
        state.append(1, h, h if description.keeps_memories else None)
    for step in range(6):
        if step == 4:
            states.pop(0).close()
        together.append([state.step(x[index + (step >= 4), step]) for index, state in enumerate(states)])
    for index in range(3):
        state = library.State(model, library.Cache(model), 2)
        state.append(1, past[index], past[index] if description.keeps_memories else None)
        single.append(steps_on(state, x[index], None))
    for step in range(6):
        first = step >= 4
        assert equal(together[step], [single[index][step] for index in range(first, 3)], exact)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_nothing_asked_nothing_done(wiring, cell, score):
    """Lengths of zero, no steps, no streams: every value, row and weight is as it was."""
    random, description = described("nothing", wiring, cell, score)
    case = cases.case(random, description, streams=3, steps=2)
    state = begin(case)
    state.forward(np.moveaxis(case.x, 1, 0))
    told = lambda: [state.weights(layer, stream, 50)[0] for layer in (0, 1) for stream in range(3)]
    before, weights = held(case, state), told() if description.attends else []
    empty = np.zeros_like(case.x)
    found = state.forward(np.moveaxis(empty, 1, 0), lengths=[0, 0, 0])
    assert all(np.all(values == library.UNWRITTEN) for values in found.values())
    state.forward(np.moveaxis(empty[:, :0], 1, 0))
    state.forward(np.moveaxis(empty[:0], 1, 0), streams=[])
    state.step(empty[:0, 0], streams=[])
    after = held(case, state)
    assert before.keys() == after.keys() and all(np.array_equal(before[key], after[key]) for key in before)
    assert not description.attends or np.array_equal(weights, told())


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
@pytest.mark.parametrize("n, wiring", [(256, "after"), (511, "before"), (512, "beside"), (1000, "after")])
def test_wide_rows_over_pages(score, n, wiring):
    description = Description(wiring=wiring, score=score, inputs=5, hidden=n, align=n if n < 300 else 65)
    page = library.Cache(library.Model(description)).page()[0]
    random = cases.generator("wide", description)
    case = cases.case(random, description, streams=3, steps=2)
    case.lengths[:] = 2
    case.appended = [random.uniform(-1, 1, size=(1, rows, n)).astype(np.float32) for rows in (1, page, 2 * page + 9)]
    case.memories = [None] * 3
    check = Check(case, record(case, page))
    assert check.excess <= 1, check


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_model_of_zeros(wiring, cell, score):
    """As arnn_model_create makes it: all scores are equal, all states zero, and nothing is NaN."""
    description = Description(wiring=wiring, cell=cell, score=score, inputs=3, hidden=5)
    model = library.Model(description)
    state = library.State(model, library.Cache(model) if description.attends else None, 1)
    found = state.forward(np.ones((6, 1, 3)))
    assert not np.any(found["h"]) and not np.any(found["s"])
    if description.attends:
        rows = 5 if wiring == "before" else 6
        weights, _, logsumexp = state.weights(0, 0, 6)
        assert weights[:rows] == pytest.approx(1 / rows, rel=1e-6)
        assert logsumexp == pytest.approx(np.log(rows), rel=1e-6)


@pytest.mark.parametrize("score", ["dot", "general"])
@pytest.mark.parametrize("scale", [0.0, -1.0, 1e-30])
def test_unusual_scales(score, scale):
    description = Description(score=score, inputs=3, hidden=17, scale=float(np.float32(scale)))
    case = cases.case(cases.generator("scale", description), description)
    check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("size", [10.0, 1000.0])
def test_relu_states_have_no_limit(wiring, size):
    """Additive scores of relu states of any size, with small keys: |h| <= 1 does not hold here."""
    description = Description(cell="rnn_relu", wiring=wiring, score="additive", inputs=17, hidden=17, align=9)
    random = cases.generator("unlimited", wiring, size)
    case = cases.case(random, description)
    case.appended = [np.float32(h * size) for h in case.appended]
    case.x *= np.float32(size)
    keys = case.parameters["attn_key_l0"]
    case.parameters["attn_query_l0"] = -np.resize(keys, (9, description.query_inputs(0)))
    check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("cell", ["rnn_tanh", "gru", "lstm"])
def test_appended_rows_and_initial_values_beyond_one(cell):
    """Rows and summaries of size 20 in an additive model with ordinary keys: right, though no cell would make them."""
    description = Description(cell=cell, score="additive", inputs=17, hidden=17)
    case = cases.case(cases.generator("beyond", cell), description)
    case.appended = [np.float32(h * 20) for h in case.appended]
    case.initial = [{which: np.float32(values * 20) for which, values in initial.items()} for initial in case.initial]
    check = Check(case, record(case))
    assert check.excess <= 1, check


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_model_comes_back_from_its_bytes(wiring, cell, score):
    random, description = described("bytes", wiring, cell, score)
    parameters = cases.parameters(random, description)
    model = library.Model(description, parameters)
    data = model.save_memory()
    again = library.Model.load(data)
    assert again.describe() == model.describe() and again.save_memory() == data
    for name, values in parameters.items():
        assert np.array_equal(again.read(name), values)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_recency_over_a_long_past(score):
    """A slow decay over two pages, and one so steep that only the newest rows weigh."""
    for beta in (1e-3, 0.25, 30.0, -1e-3):
        description = Description(score=score, inputs=3, hidden=3, recency=1, start_row="zero")
        random = cases.generator("recency", score, beta)
        case = cases.case(random, description, streams=2, steps=2)
        case.lengths[:] = 2
        case.appended = [random.uniform(-1, 1, size=(1, rows, 3)).astype(np.float32) for rows in (1100, 511)]
        case.parameters["attn_recency_l0"] = double(np.float32([beta]))
        check = Check(case, record(case))
        assert check.excess <= 1, check

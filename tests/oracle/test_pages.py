"""Tapes of several pages: reading across them, windows and sinks that cut them, recycling, and a cache that is full."""
import numpy as np
import pytest

import cases
import oracle
from check import Check
from library import ArnnError, Cache, Model, State
from oracle import Description
from record import Record, record
from test_steps import held

SCORES = ("dot", "general", "additive")
SMALL = Description(inputs=3, hidden=3, score="general")


def page_rows(description):
    return Cache(Model(description)).page()[0]


def reaches(page):
    """Windows and sinks around a page's size: (window, sinks)."""
    return [(0, 0), (5, 0), (page - 1, 0), (page, 2), (page + 1, page), (2 * page + 3, page + 1), (7, 3 * page)]


def with_long_pasts(name, description, lengths, steps=4):
    """A case whose streams begin with so many rows."""
    random = cases.generator("pages", name, description)
    case = cases.case(random, description, streams=len(lengths), steps=steps)
    draw = lambda rows: random.uniform(-1, 1, size=(description.layers, rows, description.hidden)).astype(np.float32)
    case.appended = [draw(rows) for rows in lengths]
    case.memories = [draw(rows) if description.keeps_memories else None for rows in lengths]
    case.lengths[:] = steps
    return case


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("reach", range(7))
def test_reading_across_pages(wiring, score, reach):
    """Steps on tapes that end just before, at and after the end of a page."""
    for n, cell in ((3, "gru"), (17, "lstm")):
        description = Description(cell=cell, wiring=wiring, score=score, inputs=3, hidden=n, layers=2)
        page = page_rows(description)
        window, sinks = reaches(page)[reach]
        description = description.but(window=window, sinks=sinks, start_row=("none", "zero")[reach % 2],
                                      recency=int(reach % 3 == 0))
        case = with_long_pasts("across", description, (page - 2, page - 1, page, 2 * page + 1, 3 * page + 7))
        case.parameters.update({f"attn_recency_l{layer}": np.array([2.0 ** -7]) for layer in range(description.recency * 2)})
        check = Check(case, record(case))
        assert check.excess <= 1, check


def record_forward(case):
    """A record of one arnn_forward; one layer, no memory, no past but initial values."""
    description, (streams, steps) = case.description, case.x.shape[:2]
    state = State(model := Model(description, case.parameters), Cache(model), streams)
    found = state.forward(np.moveaxis(case.x, 1, 0), map_layer=0, map_columns=steps)
    found = {name: np.moveaxis(values, 0, 1) for name, values in found.items()}
    values = lambda which: np.concatenate([np.zeros_like(found[which][:, :1]), found[which]], axis=1)[None]
    logsumexp = np.zeros((1, streams, steps), dtype=np.float32)
    outputs = {name: found[name] for name in ("y", "h", "s")}
    return Record(values("s"), values("s") * 0, values("h"), found["h"][None], found["h"][None] * 0, outputs,
                  found["map"][None], found["map_zero"][None, ..., 0], logsumexp), state


@pytest.mark.parametrize("wiring, cell, score", [
    ("after", "rnn_tanh", "dot"), ("beside", "gru", "general"), ("before", "rnn_relu", "additive"),
    ("after", "gru", "additive"), ("beside", "rnn_tanh", "dot"), ("before", "gru", "general")])
@pytest.mark.parametrize("reach", range(7))
def test_long_sequences(wiring, cell, score, reach):
    """A sequence over three pages, each of its steps and its whole map, from its own h and s."""
    description = Description(cell=cell, wiring=wiring, score=score, inputs=3, hidden=3, align=1 if score == "additive" else 0)
    page = page_rows(description)
    window, sinks = reaches(page)[reach]
    description = description.but(window=window, sinks=sinks, start_row=("none", "zero")[reach % 2])
    random = cases.generator("long", description)
    steps = 2 * page + 5
    case = cases.Case(description, cases.contractive(random, description), cases.inputs(random, description, 1, steps),
                      np.array([steps]), [np.zeros((1, 0, 3))], [None], [{}], np.array([0]))
    result, _ = record_forward(case)
    check = Check(case, result)
    check.found.pop("logsumexp_l0")  # a sequence does not tell it
    assert check.excess <= 1, check


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rows_are_kept_as_they_were_given(wiring, cell):
    """Rows appended in pieces and all at once are the same tape, and read back as they were, in any pieces."""
    description = SMALL.but(cell=cell, wiring=wiring, layers=2)
    page = page_rows(description)
    case = with_long_pasts("kept", description, (3 * page + 2,), steps=1)
    h, m = case.appended[0], case.memories[0]
    state = State(model := Model(description, case.parameters), Cache(model), 2)
    state.append(0, h, m)
    for start, end in ((0, 1), (1, page), (page, page), (page, 2 * page + 1), (2 * page + 1, 3 * page + 2)):
        state.append(1, h[:, start:end], None if m is None else m[:, start:end])
    for stream in (0, 1):
        assert state.length(stream) == 3 * page + 2
        for layer in (0, 1):
            for first, rows in ((0, 3 * page + 2), (page - 1, 2), (2 * page, 1), (3 * page + 2, 0)):
                got = state.rows(layer, stream, first, rows, description.keeps_memories)
                got, kept = (got, None) if m is None else got
                assert np.array_equal(got, h[layer, first:first + rows])
                assert m is None or np.array_equal(kept, m[layer, first:first + rows])
    found = state.step(np.repeat(case.x[:, 0], 2, axis=0))
    assert all(np.array_equal(values[0], values[1]) for values in found.values())


def begun(description, count, steps, **room):
    """A state of `count` streams with contractive weights on a cache of this room, and inputs for so many steps."""
    random = cases.generator("begun", description, count, steps)
    model = Model(description, cases.contractive(random, description))
    cache = Cache(model, **room)
    return State(model, cache, count), cache, cases.inputs(random, description, steps, count)


@pytest.mark.parametrize("window, sinks", [(1, 0), (5, 0), (5, 3), (40, 1), (70, 33), (300, 100)])
@pytest.mark.parametrize("layers", [1, 3])
def test_a_window_recycles_pages(window, sinks, layers):
    """In the room of a million rows, which a window makes small, streams run on for ever; nothing more is allocated."""
    description = SMALL.but(window=window, sinks=sinks, layers=layers)
    page = page_rows(description)
    steps = 5 * page + window + sinks
    state, cache, x = begun(description, 2, steps, streams=2, rows=10 ** 6, max_bytes=0)
    room, most = cache.bytes()[0], 0
    for step in range(0, steps, 7):
        state.forward(x[step:step + 7])
        allocated, used = cache.bytes()
        most = max(most, used)
        assert allocated == room and used <= room
    rows = window + sinks
    assert most <= 2 * (-(-rows // page) + 3) * cache.page()[1], "more pages than window and sinks can touch"
    assert state.length(0) == steps
    state.reset()
    assert cache.bytes() == (room, 0)


def test_single_steps_in_the_least_room():
    """Streams of different ages, stepped in turn, in the room that their window needs."""
    description = SMALL.but(window=9, sinks=2)
    page = page_rows(description)
    state, cache, x = begun(description, 3, 4 * page, streams=3, rows=10 ** 6, max_bytes=0)
    for step in range(4 * page):
        streams = [stream for stream in range(3) if step % (stream + 1) == 0]
        state.step(x[step, streams], streams)
    assert state.length(0) == 4 * page


def test_rows_left_behind_are_gone_and_the_others_stay():
    description = SMALL.but(window=5, sinks=2)
    page = page_rows(description)
    state, _, x = begun(description, 1, 4 * page, streams=1)
    h = state.forward(x)["h"][:, 0]
    end = 4 * page
    assert np.array_equal(state.rows(0, 0, 0, 2), h[:2])
    assert np.array_equal(state.rows(0, 0, end - 5, 5), h[end - 5:])
    with pytest.raises(ArnnError, match="ARNN_NOT_FOUND"):
        state.rows(0, 0, 2 * page - 1, 1)
    with pytest.raises(ArnnError, match="ARNN_NOT_FOUND"):
        state.rows(0, 0, end, 1)


def unchanged_by(case, state, cache, action):
    """The action fails because the cache is full, and afterwards all is as it was."""
    before = held(case, state), [state.length(stream) for stream in range(len(state))], cache.bytes()
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        action()
    after = held(case, state), [state.length(stream) for stream in range(len(state))], cache.bytes()
    assert before[1:] == after[1:] and before[0].keys() == after[0].keys()
    assert all(np.array_equal(values, after[0][key]) for key, values in before[0].items())


@pytest.mark.parametrize("wiring, cell", [("after", "lstm"), ("beside", "lstm"), ("before", "lstm"), ("after", "rnn_tanh")])
def test_a_full_cache_changes_nothing(wiring, cell):
    description = SMALL.but(wiring=wiring, cell=cell, layers=2)
    page = page_rows(description)
    state, cache, x = begun(description, 2, 3 * page, streams=3, rows=page, max_bytes=0)
    case = cases.Case(description, None, None, None, None, None, None, None)
    state.forward(x[:page - 1])
    rows = np.zeros((2, 2 * page, 3), dtype=np.float32)
    memories = rows if description.keeps_memories else None
    unchanged_by(case, state, cache, lambda: state.append(0, rows, memories))
    unchanged_by(case, state, cache, lambda: state.forward(x[:2 + page]))
    state.step(x[0])
    unchanged_by(case, state, cache, lambda: state.step(x[1]))  # a page for one stream, none for the other
    state.step(x[1, :1], [0])
    unchanged_by(case, state, cache, lambda: state.step(x[1, 1:], [1]))
    state.reset([0])
    state.step(x[1, 1:], [1])
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        cache.reserve(3, page + 1)


def test_a_cache_grows_to_its_limit():
    page, size = Cache(Model(SMALL)).page()
    state, cache, x = begun(SMALL, 1, 5 * page, max_bytes=2 * size)
    state.forward(x[:2 * page])
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        state.step(x[0])
    assert cache.bytes() == (2 * size, 2 * size)
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        Cache(Model(SMALL), streams=3, rows=1, max_bytes=2 * size)

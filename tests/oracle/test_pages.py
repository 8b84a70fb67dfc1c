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
PAGE = 16  # rows of a page wherever a test does not say otherwise


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
@pytest.mark.parametrize("page", [16, 512])
def test_reading_across_pages(wiring, score, reach, page):
    """Steps on tapes that end just before, at and after the end of a page."""
    for n, cell in ((3, "gru"), (17, "lstm")):
        window, sinks = reaches(page)[reach]
        description = Description(cell=cell, wiring=wiring, score=score, inputs=3, hidden=n, layers=2, window=window,
                                  sinks=sinks, start_row=("none", "zero")[reach % 2], recency=int(reach % 3 == 0))
        case = with_long_pasts("across", description, (page - 2, page - 1, page, 2 * page + 1, 3 * page + 7))
        if description.recency:
            case.parameters.update(attn_recency_l0=np.array([2.0 ** -7]), attn_recency_l1=np.array([-2.0 ** -7]))
        check = Check(case, record(case, page))
        assert check.excess <= 1, check


def record_forward(case, page_rows):
    """A record of one arnn_forward; one layer, no memory, no past."""
    description, (streams, steps) = case.description, case.x.shape[:2]
    state = State(model := Model(description, case.parameters), Cache(model, page_rows=page_rows), streams)
    found = state.forward(np.moveaxis(case.x, 1, 0), map_layer=0, map_columns=steps)
    found = {name: np.moveaxis(values, 0, 1) for name, values in found.items()}
    values = lambda which: np.concatenate([np.zeros_like(found[which][:, :1]), found[which]], axis=1)[None]
    outputs = {name: found[name] for name in ("y", "h", "s")}
    return Record(values("s"), values("s") * 0, values("h"), found["h"][None], found["h"][None] * 0, outputs,
                  found["map"][None], found["map_zero"][None, ..., 0], np.zeros((1, streams, steps), dtype=np.float32))


@pytest.mark.parametrize("wiring, cell, score", [
    ("after", "rnn_tanh", "dot"), ("beside", "gru", "general"), ("before", "rnn_relu", "additive"),
    ("after", "gru", "additive"), ("beside", "rnn_tanh", "dot"), ("before", "gru", "general")])
@pytest.mark.parametrize("reach", range(7))
def test_long_sequences(wiring, cell, score, reach):
    """A sequence over six pages, each of its steps and its whole map, from its own h and s."""
    window, sinks = reaches(PAGE)[reach]
    description = Description(cell=cell, wiring=wiring, score=score, inputs=3, hidden=17, window=window, sinks=sinks,
                              start_row=("none", "zero")[reach % 2])
    random = cases.generator("long", description)
    steps = 5 * PAGE + 5
    case = cases.Case(description, cases.contractive(random, description), cases.inputs(random, description, 1, steps),
                      np.array([steps]), [np.zeros((1, 0, 17))], [None], [{}], np.array([0]))
    check = Check(case, record_forward(case, PAGE))
    check.found.pop("logsumexp_l0")  # a sequence does not tell it
    assert check.excess <= 1, check


def test_a_long_sequence_over_pages_of_the_usual_length():
    description = Description(score="dot", inputs=3, hidden=3)
    steps = Cache(Model(description)).page()[0] + 99
    random = cases.generator("usual")
    case = cases.Case(description, cases.contractive(random, description), cases.inputs(random, description, 1, steps),
                      np.array([steps]), [np.zeros((1, 0, 3))], [None], [{}], np.array([0]))
    check = Check(case, record_forward(case, 0))
    check.found.pop("logsumexp_l0")
    assert check.excess <= 1, check


@pytest.mark.parametrize("page", [16, 128])
@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rows_are_kept_as_they_were_given(wiring, cell, page):
    """Rows appended in pieces and all at once are the same tape, and read back as they were, in any pieces."""
    description = SMALL.but(cell=cell, wiring=wiring, layers=2)
    case = with_long_pasts("kept", description, (3 * page + 2,), steps=1)
    h, m = case.appended[0], case.memories[0]
    state = State(model := Model(description, case.parameters), Cache(model, page_rows=page), 2)
    state.append(0, h, m)
    for start, end in ((0, 1), (1, page), (page, page), (page, 2 * page + 1), (2 * page + 1, 3 * page + 2)):
        state.append(1, h[:, start:end], None if m is None else m[:, start:end])
    for stream, layer in np.ndindex(2, 2):
        assert state.length(stream) == 3 * page + 2
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
    cache = Cache(model, page_rows=PAGE, **room)
    return State(model, cache, count), cache, cases.inputs(random, description, steps, count)


@pytest.mark.parametrize("window, sinks", [(1, 0), (5, 0), (5, 3), (15, 1), (16, 16), (17, 17), (40, 1), (70, 33)])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("chunk", [1, 7, 50])
def test_a_window_recycles_pages(window, sinks, layers, chunk):
    """In the room of a million rows, which a window makes small, streams run on for ever; nothing more is allocated."""
    description = SMALL.but(window=window, sinks=sinks, layers=layers)
    steps = 6 * PAGE + 3 * window + sinks
    state, cache, x = begun(description, 2, steps, streams=2, rows=10 ** 6, max_bytes=0)
    room, most = cache.bytes()[0], 0
    for step in range(0, steps, chunk):
        state.forward(x[step:step + chunk])
        allocated, used = cache.bytes()
        most = max(most, used)
        assert allocated == room and used <= room
    assert most <= 2 * (-(-(window + sinks) // PAGE) + 3) * cache.page()[1], "more than window and sinks can touch"
    assert state.length(0) == steps
    state.reset()
    assert cache.bytes() == (room, 0)


def test_single_steps_in_the_least_room():
    """Streams of different ages, stepped in turn, in the room that their window needs."""
    state, _, x = begun(SMALL.but(window=9, sinks=2), 3, 8 * PAGE, streams=3, rows=10 ** 6, max_bytes=0)
    for step in range(8 * PAGE):
        streams = [stream for stream in range(3) if step % (stream + 1) == 0]
        state.step(x[step, streams], streams)
    assert state.length(0) == 8 * PAGE


@pytest.mark.parametrize("rows", [3, 15, 16, 17, 40, 200])
def test_appending_in_the_least_room(rows):
    """Rows given in any portions recycle pages as steps do."""
    description = SMALL.but(window=9, sinks=2)
    state, cache, x = begun(description, 1, 1, streams=1, rows=10 ** 6, max_bytes=0)
    for _ in range(600 // rows):
        state.append(0, np.full((1, rows, 3), 0.5))
        state.step(x[0])
    assert cache.bytes()[1] <= cache.bytes()[0]


def test_rows_left_behind_are_gone_and_the_others_stay():
    state, _, x = begun(SMALL.but(window=5, sinks=2), 1, 4 * PAGE, streams=1)
    h, end = state.forward(x)["h"][:, 0], 4 * PAGE
    assert np.array_equal(state.rows(0, 0, 0, 2), h[:2])
    assert np.array_equal(state.rows(0, 0, end - 5, 5), h[end - 5:])
    for gone in (2 * PAGE - 1, end):
        with pytest.raises(ArnnError, match="ARNN_NOT_FOUND"):
            state.rows(0, 0, gone, 1)


def unchanged_by(case, state, cache, action):
    """The action fails because the cache is full, and afterwards all is as it was."""
    before = held(case, state), [state.length(stream) for stream in range(len(state))], cache.bytes()
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        action()
    after = held(case, state), [state.length(stream) for stream in range(len(state))], cache.bytes()
    assert before[1:] == after[1:] and before[0].keys() == after[0].keys()
    assert all(np.array_equal(values, after[0][key]) for key, values in before[0].items())


@pytest.mark.parametrize("wiring, cell", [
    ("after", "lstm"), ("beside", "lstm"), ("before", "lstm"), ("after", "rnn_tanh")])
def test_a_full_cache_changes_nothing(wiring, cell):
    description = SMALL.but(wiring=wiring, cell=cell, layers=2)
    state, cache, x = begun(description, 2, 3 * PAGE, streams=3, rows=PAGE, max_bytes=0)
    case = cases.Case(description, None, None, None, None, None, None, None)
    state.forward(x[:PAGE - 1])
    rows = np.zeros((2, 2 * PAGE, 3), dtype=np.float32)
    memories = rows if description.keeps_memories else None
    unchanged_by(case, state, cache, lambda: state.append(0, rows, memories))
    unchanged_by(case, state, cache, lambda: state.forward(x[:2 + PAGE]))
    state.step(x[0])
    unchanged_by(case, state, cache, lambda: state.step(x[1]))  # a page for one stream, none for the other
    state.step(x[1, :1], [0])
    unchanged_by(case, state, cache, lambda: state.step(x[1, 1:], [1]))
    state.reset([0])
    state.step(x[1, 1:], [1])
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        cache.reserve(3, PAGE + 1)


def test_a_cache_grows_to_its_limit():
    size = Cache(Model(SMALL), page_rows=PAGE).page()[1]
    state, cache, x = begun(SMALL, 1, 5 * PAGE, max_bytes=2 * size)
    state.forward(x[:2 * PAGE])
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        state.step(x[0])
    assert cache.bytes() == (2 * size, 2 * size)
    with pytest.raises(ArnnError, match="ARNN_FULL"):
        Cache(Model(SMALL), streams=3, rows=1, max_bytes=2 * size, page_rows=PAGE)


def test_a_model_without_tapes_may_have_a_cache():
    description = Description(wiring="none", inputs=3, hidden=3)
    model = Model(description, cases.parameters(cases.generator("tapeless"), description))
    cache = Cache(model, streams=2, rows=100)
    x = cases.inputs(cases.generator("tapeless"), description, 5, 2)
    found, expected = (State(model, used, 2).forward(x) for used in (cache, None))
    assert all(np.array_equal(found[name], expected[name]) for name in found)
    assert cache.page() == (0, 0) and cache.bytes() == (0, 0)

"""Gradients over more than one block of steps, from chunk to chunk and in any company, and what is promised of them."""
import dataclasses
import os

import numpy as np
import pytest

import cases
import library
import recorded
from oracle import GATES, Description
from record import begin
from test_gradients import KINDS, check, owed_of, record_of, small

BLOCK = 32  # steps whose older rows are read by one product (ARNN_BLOCK_STEPS)


def drawn(*name, steps, streams=3, dense=False, **chosen):
    """A small case whose errors fade; its name decides all that is not chosen. dense: vectors, not tokens."""
    random = cases.generator("runs", os.environ["ARNN_ISA"], *name)
    chosen = dict({"start_row": "zero" if random.integers(2) else "none", "recency": int(random.integers(2)),
                   "layers": 1, "skip": 0, "reach": str(random.choice(["whole", "window", "sinks"]))}, **chosen)
    if chosen["wiring"] == "none":
        chosen.update(start_row="none", recency=0, reach="whole")
    description = small(cases.describe(random, **chosen))
    description = description.but(vocab=0) if dense else description
    return random, cases.case(random, description, streams=streams, steps=steps, make=cases.contractive)


@pytest.mark.skipif(os.environ["ARNN_ISA"] in ("ref", "blas"), reason="takes its time; kernels have tests of their own")
@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_several_blocks(wiring, cell, score):
    """One step more than a block, so that rows are owed to across its edge, against differences of the oracle."""
    random, case = drawn(wiring, cell, score, steps=BLOCK + 3, streams=1, wiring=wiring, cell=cell, score=score)
    check(case, random)


@pytest.mark.parametrize("wiring, cell, score", [("none", "lstm", "dot"), ("after", "rnn_tanh", "dot"), ("before", "gru", "general"),
                                                 ("beside", "gru", "additive"), ("after", "lstm", "additive")])
def test_matrices_of_several_parts(wiring, cell, score):
    """Wider than what is packed, multiplied or handed to a thread at once (ARNN_PART_OUTPUTS, ARNN_PART_ROWS)."""
    random = cases.generator("wide", wiring, cell, score)
    plain = {"start_row": "none", "recency": 0, "layers": 2, "skip": 1, "reach": "whole"}
    d = small(cases.describe(random, wiring=wiring, cell=cell, score=score, **plain))
    d = d.but(vocab=0, inputs=70, hidden=130, align=d.align and 140)
    check(cases.case(random, d, streams=2, steps=20, make=cases.contractive), random)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
def test_a_chunk_is_a_run_on_a_past_that_is_constant(wiring, cell, score, exact):
    """A record that goes on gives the bits of a fresh one that was given the rows and values as constants."""
    random, case = drawn("chunks", wiring, cell, score, steps=2 * BLOCK + 2, wiring=wiring, cell=cell, score=score,
                         layers=2)
    steps, d = BLOCK + 1, case.description
    going = recorded.Record(library.Model(d, case.parameters), len(case.x), steps, 2 * BLOCK)
    going.forward(case.x[:, :steps])
    fresh = recorded.Record(library.Model(d, case.parameters), len(case.x), steps, 2 * BLOCK)
    for stream in range(len(case.x)):
        if d.attends:
            rows = [going.state.rows(layer, stream, 0, steps, d.keeps_memories) for layer in range(2)]
            h, m = zip(*rows) if d.keeps_memories else (rows, None)
            fresh.state.append(stream, np.stack(h), np.stack(m) if m else None)
        for which in ["s"] + ["m"] * d.carries_memory + ["h"] * (d.wiring == "beside"):
            for layer in range(2):
                fresh.state.set(which, layer, stream, going.state.get(which, layer, stream))
    owed = {name: values[:, steps:] for name, values in owed_of(random, case).items()}
    for got, expected in zip(*(run_of(record, case.x[:, steps:], owed) for record in (going, fresh))):
        for name in expected:
            assert alike(got[name], expected[name], exact), name


def alike(one, other, exact):
    return np.array_equal(one, other) if exact else np.allclose(one, other, rtol=1e-5, atol=1e-5)


def run_of(record, x, owed, lengths=None, **layout):
    return record.forward(x, lengths), record.backward(owed, **layout)


@pytest.mark.parametrize("wiring", ("after", "before", "beside"))
@pytest.mark.parametrize("score", ("dot", "general", "additive"))
def test_the_pass_back_adds_and_writes_only_where_steps_were_made(wiring, score, exact):
    """Gradients of parameters join what is there; padding is neither read (NaN) nor written; the forward results are
    those of the ordinary run, to the bit but with the table blas."""
    random, case = drawn("padding", wiring, score, steps=BLOCK + 8, wiring=wiring, cell="lstm", score=score, dense=True)
    case.lengths[:] = BLOCK + 8, 0, 5
    d, owed = case.description, owed_of(random, case)
    outputs, found = run_of(record_of(case), case.x, owed, case.lengths)
    for values in owed.values():
        for stream, length in enumerate(case.lengths):
            values[stream, length:] = np.nan
    record = record_of(case)
    flat = np.full(library.lib.arnn_model_parameter_floats(record.model.handle), 3, dtype=np.float32)
    record.forward(case.x, case.lengths)
    again = record.backward(owed, gradients=flat)
    for name in d.shapes():
        assert np.allclose(again[name], found[name] + 3, rtol=1e-5, atol=1e-5), name
    for name in ("x", "s"):
        assert np.array_equal(again[name], found[name])
    for stream, length in enumerate(case.lengths):
        assert np.all((found["x"][stream] == library.UNWRITTEN).all(axis=-1) == (np.arange(BLOCK + 8) >= length))
        assert np.all(np.isfinite(found["x"][stream]))
    ordinary = begin(case, page_rows=0).forward(case.x.swapaxes(0, 1), case.lengths)
    for name, values in outputs.items():
        assert alike(values.swapaxes(0, 1), ordinary[name], exact), name


@pytest.mark.parametrize("wiring, score", [("none", "dot")] + [
    (wiring, score) for wiring in ("after", "before", "beside") for score in ("dot", "additive")])
def test_company(wiring, score, exact):
    """What a stream's own values and inputs are owed does not depend on its company or threads; NaN in one stream
    stays out of the others."""
    random, case = drawn("company", wiring, score, steps=BLOCK + 5, wiring=wiring, cell="gru", score=score, dense=True)
    case.lengths[:] = BLOCK + 5
    owed = owed_of(random, case)
    alone = run_of(record_of(case), case.x, owed)[1]
    threaded = run_of(record_of(case, threads=2), case.x, owed)[1]
    for name, values in alone.items():
        assert alike(values, threaded[name], exact), name
    x = np.copy(case.x)
    x[1, 3] = np.nan
    case.x = x
    found = run_of(record_of(case), case.x, owed)[1]
    assert np.all(np.isnan(found["weight_ih_l0"]))
    for stream in (0, 2):
        for name in ("x", "s"):
            one, other = (values[name][stream] if name == "x" else values[name][:, stream] for values in (found, alone))
            assert alike(one, other, exact), name


@pytest.mark.parametrize("wiring, score", [("none", "dot")] + [
    (wiring, score) for wiring in ("after", "before", "beside") for score in ("dot", "additive")])
def test_company_of_wide_streams(wiring, score, exact):
    """The same, alone or one of three, in either layout, where every product is large enough for any kernel."""
    random, small_one = drawn("wide company", wiring, score, steps=1, wiring=wiring, cell="lstm", score=score, dense=True)
    d = small_one.description.but(inputs=17, hidden=19, outputs=21, align=small_one.description.align and 18)
    case = cases.case(random, d, streams=3, steps=BLOCK + 5, make=cases.contractive)
    case.lengths[:] = BLOCK + 5
    owed = owed_of(random, case)
    first = dataclasses.replace(case, **{name: getattr(case, name)[:1] for name in (
        "x", "lengths", "appended", "memories", "initial")})
    alone = run_of(record_of(first), first.x, {name: values[:1] for name, values in owed.items()})[1]
    for time_major in (False, True):
        among = run_of(record_of(case), case.x, owed, time_major=time_major)[1]
        assert alike(alone["x"][0], among["x"][0], exact)
        assert alike(alone["s"][:, 0], among["s"][:, 0], exact)


@pytest.mark.parametrize("wiring, cell", [("after", cell) for cell in GATES] + [("before", cell) for cell in GATES])
@pytest.mark.parametrize("score", ("dot", "general", "additive"))
def test_a_window_of_one_is_the_ordinary_cell(wiring, cell, score):
    """Forward and backward; a softmax over one row has no gradient."""
    random = cases.generator("one", wiring, cell, score)
    d = Description(cell=cell, wiring=wiring, score=score, inputs=3, hidden=5, align=4, window=1)
    plain = Description(cell=cell, wiring="none", inputs=3, hidden=5)
    case = cases.case(random, d, steps=BLOCK + 9, make=cases.contractive)
    case.initial, case.lengths[:] = [{} for _ in case.x], BLOCK + 9
    owed = owed_of(random, case, ("h",))
    fresh = lambda description: recorded.Record(
        library.Model(description, {name: case.parameters[name] for name in description.shapes()}), *case.x.shape[:2])
    expected, got = (run_of(fresh(description), case.x, owed)[1] for description in (plain, d))
    for name in got:
        wanted = expected[name] if name in expected else np.zeros_like(got[name])
        if name == "s" and wiring == "before":  # which acts through the first query alone, that has nothing to read
            wanted = np.zeros_like(got[name])
        size = np.linalg.norm(wanted) + np.linalg.norm(expected["weight_hh_l0"])
        assert np.linalg.norm(got[name] - wanted) <= 2e-6 * size, name


def test_two_runs_back_are_two_runs(exact):
    """A record is used again and again: nothing of an earlier run is left in it."""
    random, case = drawn("again", steps=BLOCK + 2, wiring="before", cell="lstm", score="additive", layers=2, skip=1)
    case.appended = [h[:, :0] for h in case.appended]
    case.initial = [{} for _ in case.initial]
    record, owed = record_of(case), owed_of(random, case)
    first = run_of(record, case.x, owed, case.lengths)
    record.state.reset()
    run_of(record, case.x[:, ::-1], owed)
    record.state.reset()
    second = run_of(record, case.x, owed, case.lengths)
    for one, other in zip(first, second):
        for name in one:
            assert alike(one[name], other[name], exact), name


@pytest.mark.parametrize("vocab", (0, 5))
@pytest.mark.parametrize("wiring", ("none", "before"))
def test_gradients_of_inputs_are_made_only_where_somebody_needs_them(vocab, wiring, exact):
    """All else is the same where they are not wanted; an embedding needs them."""
    random = cases.generator("unwanted", vocab, wiring)
    d = Description(cell="gru", wiring=wiring, inputs=3, hidden=5, vocab=vocab, layers=2, skip=1)
    case = cases.case(random, d, streams=3, steps=BLOCK + 2, make=cases.contractive)
    owed = owed_of(random, case)
    found = []
    for want in (("x", "s"), ("s",)):
        record = record_of(case)
        record.forward(case.x, case.lengths)
        found.append(record.backward(owed, want))
    assert not vocab or np.any(found[1]["embed.weight"])
    for name in found[1]:
        assert alike(found[0][name], found[1][name], exact), name


@pytest.mark.parametrize("cell, wiring, score", [(cell, wiring, score) for cell in GATES for wiring, score in (
    ("none", "dot"), ("after", "dot"), ("beside", "general"), ("before", "dot"), ("before", "additive"))])
def test_bytes(cell, wiring, score):
    """The formula of the header, for so many steps that whole pages are added; nothing grows as steps squared."""
    d = Description(cell=cell, wiring=wiring, score=score, inputs=24, hidden=48, align=16 * (wiring != "none"))
    model, streams, size = library.Model(d).init(1), 3, library.ffi.new("size_t *")

    def floats(steps, past=0, of=model):
        library.call("arnn_record_bytes", of.handle, recorded.Record.desc(streams, steps, past), size)
        return size[0] // 4

    n, x, query = d.hidden, d.inputs, (16 if score == "additive" else d.hidden)
    lstm, before = cell == "lstm", wiring == "before"
    expected = x + n + n + x + GATES[cell] * n * (2 if cell == "gru" else 1)
    if d.attends:
        expected += 3 * n + query + 1 + 64
    if lstm:
        expected += 3 * n + n if before else n
    if score == "additive":
        expected += 3 * d.k
    for steps in (2048, 8192):
        assert floats(2 * steps) - floats(steps) == expected * steps * streams
    assert floats(2048, of=library.Model(d.but(vocab=5)).init(1)) - floats(2048) == 2048 * streams
    past = 64 + 2 * n + 2 * n * (lstm and before) + 3 * d.k * (score == "additive") if d.attends else 0
    assert floats(64, 8192) - floats(64, 4096) == 4096 * past * streams

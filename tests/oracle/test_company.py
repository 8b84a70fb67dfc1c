"""Company never matters: a stream's numbers are the same to the last bit whatever runs beside it, in whatever order,
step by step or in chunks, in whatever layout. With table blas they are close, and with every table a NaN stays in its
stream."""
import numpy as np
import pytest

import cases
import library
import oracle
from cases import inputs
from oracle import Description
from test_steps import KINDS, same

STEPS = 6


class Run:
    """A state of streams and what each stream has given so far, by name."""

    def __init__(self, description, parameters, streams, page_rows=0):
        self.description = description
        self.model = library.Model(description, parameters)
        cache = library.Cache(self.model, page_rows=page_rows) if description.attends else None
        self.state = library.State(self.model, cache, streams)
        self.given = [{} for _ in range(streams)]
        self.done = np.zeros(streams, dtype=int)

    def run(self, x, streams, lengths, single, layout):
        """x (streams, steps, ..) of all streams; these go on by so many steps."""
        options = {"layout": layout}
        if self.description.attends:
            options.update(map_layer=self.description.layers - 1, map_columns=STEPS + 601)
        steps = 1 if single else int(np.max(lengths))
        given = np.full((steps, len(streams)) + x.shape[2:], library.UNWRITTEN, dtype=x.dtype)
        for column, (stream, length) in enumerate(zip(streams, lengths)):
            given[:length, column] = x[stream, self.done[stream]:self.done[stream] + length]
        if single:
            found = {name: values[None] for name, values in self.state.step(given[0], streams, **options).items()}
        else:
            found = self.state.forward(given, lengths, streams, **options)
        for column, (stream, length) in enumerate(zip(streams, lengths)):
            for name, values in found.items():
                self.given[stream].setdefault(name, []).extend(values[:length, column])
                assert np.all(values[length:, column] == library.UNWRITTEN)
            self.done[stream] += length


def alone(description, parameters, x, past, page_rows=0):
    """One stream by itself, by single steps."""
    run = Run(description, parameters, 1, page_rows)
    begin(run, 0, past)
    for _ in range(x.shape[0]):
        run.run(x[None], [0], [1], True, "time")
    return run


def begin(run, stream, past):
    description = run.description
    if past is not None:
        run.state.append(stream, past, past if description.keeps_memories else None)


def in_company(random, description, parameters, x, pasts, page_rows):
    """All streams, in random groups of random order, by steps or by chunks of ragged lengths, in random layouts."""
    run = Run(description, parameters, len(x), page_rows)
    for stream, past in enumerate(pasts):
        begin(run, stream, past)
    while np.any(run.done < x.shape[1]):
        streams = random.permutation(np.flatnonzero(run.done < x.shape[1]))
        streams = streams[:random.integers(1, len(streams) + 1)]
        single = bool(random.integers(2))
        lengths = np.ones(len(streams), dtype=int) if single else np.minimum(
            random.integers(0, 4, size=len(streams)), x.shape[1] - run.done[streams])
        run.run(x, streams, lengths, single, ("time", "streams", "gaps")[random.integers(3)])
    return run


def agree(first, second, stream, exact):
    """Whether stream 0 of the first run gave and holds what the stream of the second did and does."""
    description = first.description
    for name, values in first.given[0].items():
        assert same(np.array(values), np.array(second.given[stream][name]), exact), (name, stream, description)
    for layer in range(description.layers):
        for which in ["s"] + ["m"] * description.carries_memory + ["h"] * (description.wiring == "beside"):
            assert same(first.state.get(which, layer, 0), second.state.get(which, layer, stream), exact), description
        if description.attends:
            ours, others = first.state.weights(layer, 0, STEPS + 601), second.state.weights(layer, stream, STEPS + 601)
            assert all(same(*pair, exact) for pair in zip(ours, others)), ("weights", layer, stream, description)


def drawn(random, wiring, cell, score):
    """A description of this kind, small ones and wide ones."""
    attends = wiring != "none"
    draw = lambda values: values[random.integers(len(values))]
    return cases.describe(random, draw(("whole", "window", "sinks")) if attends else "whole", wiring=wiring, cell=cell,
                          score=score, start_row=draw(("none", "zero")) if attends else "none",
                          recency=int(attends and random.integers(2)), layers=int(random.integers(1, 3)),
                          skip=int(random.integers(2)))


@pytest.mark.parametrize("wiring, cell, score", KINDS)
@pytest.mark.parametrize("streams", [2, 5, 8, 17, 70])
def test_company_never_matters(wiring, cell, score, streams, exact):
    random = cases.generator("company", wiring, cell, score, streams)
    description = drawn(random, wiring, cell, score)
    parameters = cases.contractive(random, description)
    x = inputs(random, description, streams, STEPS)
    shape = (description.layers, int(random.integers(1, 600)), description.hidden)
    pasts = [random.uniform(-1, 1, size=shape).astype(np.float32) if random.integers(3) == 0 and description.attends
             else None for _ in range(streams)]
    page_rows = int(random.choice([0, 16, 64]))
    company = in_company(random, description, parameters, x, pasts, page_rows)
    for stream in random.permutation(streams)[:6]:
        agree(alone(description, parameters, x[stream], pasts[stream], page_rows), company, stream, exact)


@pytest.mark.parametrize("n, d", [(130, 17), (64, 130), (17, 64), (32, 16), (256, 33)])
@pytest.mark.parametrize("cell", oracle.GATES)
def test_every_batch_size_gives_the_same(n, d, cell, exact):
    """Equal streams in batches of 1 to 70 are equal to each other and to the stream alone."""
    random = cases.generator("sizes", n, d, cell)
    description = Description(cell=cell, inputs=d, hidden=n, outputs=5)
    parameters = cases.contractive(random, description)
    x = np.repeat(inputs(random, description, 1, 2), 70, axis=0)
    first = alone(description, parameters, x[0], None).given[0]
    for streams in range(1, 71):
        run = Run(description, parameters, streams)
        run.run(x, np.arange(streams), np.full(streams, 2), False, "time")
        for stream, name in np.ndindex(streams, 2):
            name = ("h", "y")[name]
            assert same(np.array(first[name]), np.array(run.given[stream][name]), exact), (streams, stream, name)


@pytest.mark.parametrize("wiring, cell, score", KINDS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_number_stays_in_its_stream_and_is_seen_there(wiring, cell, score, bad, exact):
    """One stream gets a NaN or an infinity at step 2: the others do not change, and NaN shows from then on."""
    random = cases.generator("bad", wiring, cell, score)
    description = drawn(random, wiring, cell, score).but(vocab=0, window=0, sinks=0)
    parameters = cases.contractive(random, description)
    x = inputs(random, description, 5, STEPS)
    runs = []
    for values in (x, x.copy()):
        if runs:
            values[3, 2, 0] = bad
        runs.append(Run(description, parameters, 5))
        with np.errstate(invalid="ignore"):
            runs[-1].run(values, np.arange(5), np.full(5, STEPS), False, "time")
    for stream in (0, 1, 2, 4):
        for name, values in runs[0].given[stream].items():
            assert same(np.array(values), np.array(runs[1].given[stream][name]), exact), (name, stream, description)
    for name in ("h", "s", "y"):
        good, seen = (np.array(run.given[3][name]) for run in runs)
        assert same(good[:2], seen[:2], exact)
        if np.isnan(bad):
            assert np.all(np.isnan(seen[2:])), (name, description)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
@pytest.mark.parametrize("wiring", oracle.ATTENDING)
def test_an_unread_row_is_skipped_not_multiplied_by_zero(wiring, score):
    """Rows of NaN that a window leaves out do not show, on the same page or on another."""
    description = Description(wiring=wiring, score=score, inputs=3, hidden=17, window=4, sinks=1)
    for bad in (3, 700):
        found = []
        for filling in (np.nan, 0.5):
            random = cases.generator("unread", description, bad)
            past = random.uniform(-1, 1, size=(1, bad + 8, 17)).astype(np.float32)
            past[:, 1:bad] = filling
            run = Run(description, cases.parameters(random, description), 1)
            begin(run, 0, past)
            x = inputs(random, description, 4, 1)
            found.append([run.state.step(values)["s"] for values in x])
        assert np.all(np.isfinite(found)) and np.array_equal(*found)

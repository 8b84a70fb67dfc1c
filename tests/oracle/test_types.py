"""Tapes of other element types: what rows become of, every step from the rounded tape, and the bounds of the header."""
import numpy as np
import pytest

import bounds
import cases
import library
import oracle
from check import Check, double, excess
from record import record

SLACK = {"f32": 0, "f16": 2.0 ** -12, "bf16": 2.0 ** -9, "i8": 1 / 254}  # of numbers within [-1, 1]
STORED = {"f32": np.float32, "f16": np.float16, "bf16": np.uint16, "i8": np.int8}


def stored(kind, values):
    """Elements of a kind, in the bits that a tape holds; an independent way of rounding."""
    values = np.float32(values)
    if kind == "bf16":
        bits = values.view(np.uint32)
        return ((bits.astype(np.uint64) + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)
    if kind == "i8":
        return np.clip(np.rint(np.float32(127) * values), -127, 127).astype(np.int8)
    return values.astype(STORED[kind])


def meant(kind, elements):
    if kind == "bf16":
        return (elements.astype(np.uint32) << 16).view(np.float32)
    return np.float32(elements) / np.float32(127 if kind == "i8" else 1)


class TypedCheck(Check):
    """One layer: h is the output, and keys were made from it; what is read are the tape's rounded rows."""

    def __init__(self, case, run, types):
        self.types = types
        self.exact = np.zeros_like(run.rows[0], dtype=np.float64)
        for stream, (h, m) in enumerate(zip(case.appended, case.memories)):
            count, kind = h.shape[1], types["tape_type"]
            self.exact[stream, :count] = h[0]
            run.rows[0, stream, :count] = meant(kind, stored(kind, h[0]))
            if m is not None:
                run.memories[0, stream, :count] = meant(types["memory_type"], stored(types["memory_type"], m[0]))
        super().__init__(case, run)

    def _layer(self, layer, x):
        h = double(self.record.outputs["h"])
        np.put_along_axis(self.exact, self.own[..., None], np.where(self.valid[..., None], h, 0), axis=1)
        on_tape = np.take_along_axis(self.record.rows[0], self.own[..., None], axis=1)
        self._note("row", on_tape, double(meant(self.types["tape_type"], stored(self.types["tape_type"], h))), 0)
        wiring, record = self.description.wiring, self.record
        before, after = (double(values[0]) for values in (record.s[:, :, :-1], record.s[:, :, 1:]))
        m = bounds.Near(double(record.m[0, :, :-1]))
        if wiring == "before":
            m = self._read(0, np.concatenate([x, before], axis=-1), self.own)
            self._cell(0, x, after, m, h)
            return h
        self._read(0, h, self.own + 1)
        if wiring == "beside":
            self._cell(0, np.concatenate([x, before], axis=-1), double(record.h[0, :, :-1]), m, h)
        else:
            self._cell(0, x, before, m, h)
        return h

    def _cell(self, layer, x, s, m, h):
        expected, memory = oracle.cell(self.description, self.parameters, 0, bounds.Near(x), bounds.Near(s), m)
        self._note("h", h, expected.value, expected.bound)
        if self.description.carries_memory:
            self._note("m", self.record.m[0, :, 1:], memory.value, memory.bound)
        if self.description.keeps_memories:
            got = np.take_along_axis(self.record.memories[0], self.own[..., None], axis=1)
            slack = 2.0 ** -8 if self.types["memory_type"] == "bf16" else 0
            self._note("m", got, memory.value, memory.bound + slack * np.abs(memory.value))

    def _key_slack(self):
        """What bfloat16 takes from the scores: of an exponent 2^-9 |v|_1, of W_K h itself 2^-8 sum |v_j (W_K h)_j|."""
        key, v = self.parameters["attn_key_l0"], np.abs(self.parameters["attn_score_l0"])
        exponents = self.description.cell != "rnn_relu" and np.max(np.sum(np.abs(key), axis=1)) <= 34
        return 2.0 ** -9 * np.sum(v) if exponents else 2.0 ** -8 * (np.abs(self.exact @ key.T) @ v)[:, None, :]

    def _read(self, layer, z, on_tape):
        description, record, values = self.description, self.record, self.parameters
        rows = double(record.rows[0])
        scored = self.exact if description.score == "additive" else rows
        memories = double(record.memories[0]) if description.keeps_memories else None
        aged = oracle.recency(description, values, 0, rows.shape[-2], on_tape)
        reading = oracle.read(description, values, 0, z, scored, memories, on_tape)
        reading.summary = reading.weights @ rows
        zeros = oracle.zero_row(rows)
        padded = lambda array, last: np.concatenate([array, last], axis=-1)
        weights = padded(reading.weights, reading.zero[..., None])
        e = np.abs(oracle.scores(description, values, 0, z, np.concatenate([scored, zeros], axis=-2)))
        d = bounds.score(description, values, 0, z, np.concatenate([scored, zeros], axis=-2))
        d[..., -1] *= description.score == "additive"
        if description.score == "additive" and self.types["key_type"] == "bf16":
            d[..., :-1] += self._key_slack()
        e = np.where(weights > 0, e + padded(np.broadcast_to(np.abs(aged), e[..., :-1].shape), np.zeros_like(e[..., :1])), 0)
        slack = bounds.softmax(d + 2 * bounds.U * (e + np.max(e, axis=-1, keepdims=True)), weights,
                               np.concatenate([rows, zeros], axis=-2),
                               None if memories is None else np.concatenate([memories, zeros], axis=-2), reading)
        if self.types["tape_type"] == "i8":  # weights may be whole numbers of 24 bits, in parts of the largest
            sizes = double(weights > 0) @ np.abs(np.concatenate([rows, zeros], axis=-2))
            slack = (slack[0] + bounds.U * np.max(weights, axis=-1, keepdims=True) * sizes, *slack[1:])
        read = oracle.rows_read(description, rows.shape[-2], on_tape)
        for name, got, value, bound in (("s", record.s[0, :, 1:], reading.summary, slack[0]),
                                        ("weights", record.weights[0], reading.weights, np.where(read, slack[2], 0)),
                                        ("zero", record.zero[0], reading.zero, slack[3]),
                                        ("logsumexp", record.logsumexp[0], reading.logsumexp, slack[4])):
            self._note(name, got, value, bound)
        return None if memories is None else bounds.Near(reading.memory, slack[1])


def kinds_of(cell):
    return ("f32", "bf16") if cell == "rnn_relu" else tuple(SLACK)


@pytest.mark.parametrize("score", ("dot", "general", "additive"))
@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("cell", oracle.GATES)
def test_every_step_from_the_rounded_tape(cell, wiring, score):
    for kind in kinds_of(cell):
        random = cases.generator("types", cell, wiring, score, kind)
        for reach in ("whole", "window", "sinks"):
            types = {"tape_type": kind, "memory_type": random.choice(["f32", "bf16"]),
                     "key_type": random.choice(["f32", "bf16"])}
            description = cases.describe(random, reach, wiring=wiring, cell=cell, score=score, layers=1, skip=0,
                                         start_row=str(random.choice(["none", "zero"])),
                                         recency=int(random.integers(2)))
            case = cases.case(random, description, steps=12)
            check = TypedCheck(case, record(case, **types), types)
            assert check.excess <= 1, f"{types}: {check}"


@pytest.mark.parametrize("kind", SLACK)
@pytest.mark.parametrize("width", [1, 3, 17, 64, 130, 512])
def test_bounds_of_the_header(kind, width):
    """One read, against the unrounded rows in double: no score, weight or element of the mean is off by more than the
    header says, and they are off by some of it."""
    random = cases.generator("bounds", kind, width)
    worst = 0.0
    for count in (1, 5, 33, 700):
        rows = random.uniform(-1, 1, size=(count, width)).astype(np.float32)
        query = (random.normal(size=(1, width)) / np.sqrt(width)).astype(np.float32)
        contexts, logsumexp, weights = library.attend(query.copy(), [stored(kind, rows)], kind=kind)
        scores = double(rows) @ double(query[0])
        true_weights, true_logsumexp = oracle.softmax(scores[None])
        e = np.sum(np.abs(double(query))) * SLACK[kind]
        rounding = 1e-5
        assert abs(logsumexp[0] - true_logsumexp[0]) <= e + rounding
        assert np.sum(np.abs(weights[0, :count] - true_weights[0])) <= 2 * np.tanh(e / 2) + rounding
        error = np.max(np.abs(contexts[0] - true_weights[0] @ double(rows)))
        assert error <= SLACK[kind] + 2 * np.tanh(e / 2) + rounding
        worst = max(worst, error / (SLACK[kind] + 2 * np.tanh(e / 2) + rounding))
    assert kind == "f32" or worst > 0.02


@pytest.mark.parametrize("kind", SLACK)
@pytest.mark.parametrize("width", [1, 7, 16, 33, 130])
def test_attend_on_stored_rows(kind, width):
    """Against the stored rows themselves the only error is that of float32; rows may lie apart."""
    random = cases.generator("attend stored", kind, width)
    wide = stored(kind, random.uniform(-1, 1, size=(100, width + 3)))
    tapes = [wide[:count, :width] for count in (0, 1, 8, 31, 100)]
    queries = random.normal(size=(len(tapes), width)).astype(np.float32)
    plain = library.attend(queries.copy(), [meant(kind, np.ascontiguousarray(tape)) for tape in tapes])
    for got, expected in zip(library.attend(queries.copy(), tapes, kind=kind), plain):
        np.testing.assert_allclose(got, expected, rtol=3e-5, atol=3e-6)


def model_of(cell, **more):
    description = oracle.Description(cell=cell, inputs=4, hidden=9, **more)
    return library.Model(description, cases.parameters(cases.generator("lost", cell), description))


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
def test_int8_tells_of_nan(wiring, exact):
    """The stream with the NaN is lost until it is reset; the others know nothing of it."""
    model = model_of("rnn_tanh", wiring=wiring)
    state = library.State(model, library.Cache(model, tape_type="i8"), 2)
    twin = library.State(model, library.Cache(model, tape_type="i8"), 1)
    x = np.ones((2, 4), dtype=np.float32)
    for step in range(3):
        x[0] = np.nan if step == 1 else 1
        both, alone = state.step(x), twin.step(x[1:])
        assert [state.lost(0), state.lost(1)] == [int(step >= 1), 0]
        np.testing.assert_allclose(both["s"][1], alone["s"][0], rtol=0 if exact else 1e-5, atol=0 if exact else 1e-6)
        assert np.all(np.isnan(both["h"][0])) == (step >= 1)
    weights, _, logsumexp = state.weights(0, 0, 3)
    assert np.isnan(logsumexp) and np.isnan(weights[0]) and np.all(np.isnan(state.rows(0, 0, 1, 1)))
    state.reset([0])
    assert state.lost(0) == 0 and np.all(np.isfinite(state.step(np.ones((2, 4)))["s"]))


def test_what_is_refused():
    def refused(status, word, make):
        with pytest.raises(library.ArnnError, match=word) as error:
            make()
        assert error.value.status == status

    relu, gru = model_of("rnn_relu"), model_of("gru")
    for kind in ("f16", "i8"):
        refused("ARNN_UNSUPPORTED", "relu", lambda: library.Cache(relu, tape_type=kind))
        refused("ARNN_UNSUPPORTED", "memory_type", lambda: library.Cache(gru, memory_type=kind))
        refused("ARNN_UNSUPPORTED", "key_type", lambda: library.Cache(gru, key_type=kind))
    library.Cache(relu, tape_type="bf16")
    state = library.State(gru, library.Cache(gru, tape_type="i8"), 1)
    state.set("s", 0, 0, np.ones(9))
    for value in (1.001, np.nan, -np.inf):
        refused("ARNN_INVALID_ARGUMENT", "values", lambda: state.set("s", 0, 0, np.full(9, value)))
    np.testing.assert_array_equal(state.get("s", 0, 0), np.ones(9))


# ---- weights ----


def rounded(kind, values):
    """Weights as steps use them, every row for itself."""
    if kind != "i8":
        return meant(kind, stored(kind, values))
    unit = np.max(np.abs(np.float32(values)), axis=1, keepdims=True)
    return unit * meant(kind, stored(kind, np.float32(values) / unit))


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("wiring", ("none", "after", "beside"))
@pytest.mark.parametrize("kind", ("f16", "bf16", "i8"))
def test_rounded_weights_are_the_weights(cell, wiring, kind, exact):
    """A model of rounded weights runs as one into which they were written so; of 16 bits, to the last bit."""
    random = cases.generator("weights", cell, wiring, kind)
    description = oracle.Description(cell=cell, wiring=wiring, score="general" if wiring != "none" else "dot", layers=2,
                                     inputs=33, hidden=34, outputs=5)
    values = cases.contractive(random, description)
    model, plain = library.Model(description, values), library.Model(description, values)
    model.set_weight_type(kind)
    for name, value in values.items():
        parts = [value]
        if name.startswith("weight_ih") and wiring == "beside":  # x and s are rounded apart: each has its own product
            parts = np.split(value, [value.shape[1] - 34], axis=1)
        if value.ndim == 2:
            plain.write(name, np.concatenate([rounded(kind, part) for part in parts], axis=1))
    states = [library.State(each, library.Cache(each) if wiring != "none" else None, 7) for each in (model, plain)]
    x = random.normal(size=(9, 7, 33)).astype(np.float32)
    got, expected = (state.forward(x)["y"] for state in states)
    if kind == "i8" or not exact:
        np.testing.assert_allclose(got, expected, rtol=2e-5, atol=2e-6)
    else:
        np.testing.assert_array_equal(got, expected)
    with pytest.raises(library.ArnnError, match="rest on the model"):
        model.set_weight_type("f32")
    model.set_weight_type(kind)
    np.testing.assert_array_equal(model.read("weight_hh_l1"), np.float32(values["weight_hh_l1"]))


@pytest.mark.parametrize("wiring", ("none", "beside"))
def test_changed_weights_are_made_ready_anew(wiring, exact):
    """A model that has run goes on with other weights, of other types, as one that is new."""
    description = oracle.Description(cell="lstm", wiring=wiring, score="dot", layers=2, inputs=33, hidden=34, outputs=5)
    random = cases.generator("anew", wiring)
    x = random.normal(size=(5, 3, 33)).astype(np.float32)

    def run(model):
        return library.State(model, library.Cache(model) if wiring != "none" else None, 3).forward(x)["y"]
    used = library.Model(description, cases.contractive(random, description))
    for kind in ("f32", "i8", "i8", "bf16", "f32", "f32"):
        values = cases.contractive(random, description)
        for name, value in values.items():
            used.write(name, value)
        used.set_weight_type(kind)
        new = library.Model(description, values)
        new.set_weight_type(kind)
        for _ in range(2):
            if exact:
                np.testing.assert_array_equal(run(used), run(new))
            else:
                np.testing.assert_allclose(run(used), run(new), rtol=2e-5, atol=2e-6)

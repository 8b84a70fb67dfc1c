"""The oracle holds against numbers made by hand and naive loops; the check accepts rounding and nothing more."""
import itertools
import math
import os

import numpy as np
import pytest

import bounds
import cases
import oracle
from check import Check, excess
from oracle import Description, Stream
from record import record_oracle

pytestmark = pytest.mark.skipif(os.environ["ARNN_ISA"] != "ref", reason="does not run the library, so once is enough")
SMALL = Description(inputs=3, hidden=4, align=5)


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


def run(description, parameters, x):
    stream = Stream(description, parameters)
    return np.array([stream.step(value)[1:] for value in x]), stream


def scalar(cell, **more):
    """A model of width one with weight_ih 0.5, 0.6 .., weight_hh -0.2, -0.1 .., bias_ih 0.1, bias_hh 0.3."""
    description = Description(cell=cell, wiring="none", inputs=1, hidden=1)
    gates = np.arange(oracle.GATES[cell])[:, None] / 10
    return description, {"weight_ih_l0": 0.5 + gates, "weight_hh_l0": -0.2 + gates,
                         "bias_ih_l0": np.full(len(gates), 0.1), "bias_hh_l0": np.full(len(gates), 0.3)}


def test_rnn_by_hand():
    h, _ = run(*scalar("rnn_tanh"), [[2.0], [-1.0]])
    first = math.tanh(0.5 * 2 + 0.1 + 0.3)
    assert h[:, 0, 0] == pytest.approx([first, math.tanh(-0.5 + 0.1 - 0.2 * first + 0.3)], rel=1e-15)
    h, _ = run(*scalar("rnn_relu"), [[2.0], [-1.0]])
    assert h[:, 0, 0] == pytest.approx([1.4, 0.0], rel=1e-15)


def test_gru_by_hand():
    h, _ = run(*scalar("gru"), [[2.0], [-1.0]])
    s = 0.0
    for x, value in zip((2.0, -1.0), h[:, 0, 0]):
        r = sigmoid(0.5 * x + 0.1 - 0.2 * s + 0.3)
        u = sigmoid(0.6 * x + 0.1 - 0.1 * s + 0.3)
        s = (1 - u) * math.tanh(0.7 * x + 0.1 + r * (0.0 * s + 0.3)) + u * s
        assert value == pytest.approx(s, rel=1e-14)


def test_lstm_by_hand():
    h, _ = run(*scalar("lstm"), [[2.0], [-1.0]])
    s = m = 0.0
    for x, value in zip((2.0, -1.0), h[:, 0, 0]):
        i = sigmoid(0.5 * x + 0.1 - 0.2 * s + 0.3)
        f = sigmoid(0.6 * x + 0.1 - 0.1 * s + 0.3)
        g = math.tanh(0.7 * x + 0.1 + 0.0 * s + 0.3)
        o = sigmoid(0.8 * x + 0.1 + 0.1 * s + 0.3)
        m = f * m + i * g
        s = o * math.tanh(m)
        assert value == pytest.approx(s, rel=1e-14)


def test_attention_by_hand():
    """Width one, rows 1 and -1, query 2: scores 0.5 . 3 . 2 (+1, -1) with scale 0.5, key 3, query weight 1."""
    description = Description(inputs=1, hidden=1, scale=0.5)
    parameters = {"attn_key_l0": np.array([[3.0]]), "attn_query_l0": np.array([[1.0]])}
    rows = np.array([[1.0], [-1.0]])
    reading = oracle.read(description, parameters, 0, np.array([[2.0]]), rows, None, np.array([2]))
    assert reading.weights[0] == pytest.approx([sigmoid(6), sigmoid(-6)], rel=1e-14)
    assert reading.summary[0, 0] == pytest.approx(math.tanh(3), rel=1e-14)
    assert reading.logsumexp[0] == pytest.approx(math.log(2 * math.cosh(3)), rel=1e-14)
    zero = oracle.read(description.but(start_row="zero"), parameters, 0, np.array([[2.0]]), rows, None, np.array([2]))
    assert zero.zero[0] == pytest.approx(1 / (1 + 2 * math.cosh(3)), rel=1e-14)
    assert np.sum(zero.weights) + zero.zero[0] == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_scores_are_the_naive_ones(score):
    random = cases.generator("naive", score)
    description = SMALL.but(score=score, scale=0.7)
    p = cases.parameters(random, description)
    rows, z = random.normal(size=(6, 4)), random.normal(size=(2, 4))
    got = oracle.scores(description, p, 0, z, rows)
    for query, row in itertools.product(range(2), range(6)):
        if score == "general":
            w = p["attn_general_l0"]
            value = 0.7 * sum(rows[row, a] * w[a, b] * z[query, b] for a in range(4) for b in range(4))
        else:
            key, own = ([sum(w[c] * v[c] for c in range(4)) for w in p[f"attn_{name}_l0"]]
                        for name, v in (("key", rows[row]), ("query", z[query])))
            value = 0.7 * sum(a * b for a, b in zip(key, own)) if score == "dot" else sum(
                v * math.tanh(a + b) for v, a, b in zip(p["attn_score_l0"], key, own))
        assert got[query, row] == pytest.approx(value, rel=1e-12)


def test_attention_is_the_naive_matrix_form():
    """A whole sequence's summaries at once: softmax of a lower triangle, times H."""
    random = cases.generator("matrix form")
    p = cases.parameters(random, SMALL)
    h, stream = run(SMALL, p, random.normal(size=(8, 3)))
    tape = np.array(stream.rows[0])
    e = (tape @ p["attn_query_l0"].T) @ (tape @ p["attn_key_l0"].T).T
    a = np.exp(e) * np.tri(8)
    assert h[:, 1] == pytest.approx(a / a.sum(axis=1, keepdims=True) @ tape, rel=1e-12)


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("wiring", ["after", "before"])
@pytest.mark.parametrize("score", ["dot", "general", "additive"])
def test_window_one_is_the_ordinary_cell(cell, wiring, score):
    random = cases.generator("window one", cell, wiring, score)
    description = SMALL.but(cell=cell, wiring=wiring, score=score, window=1, layers=2, skip=1)
    p, x = cases.parameters(random, description), random.normal(size=(6, 3))
    expected, _ = run(description.but(wiring="none", window=0), p, x)
    assert run(description, p, x)[0][:, 0] == pytest.approx(expected[:, 0], rel=1e-13)


@pytest.mark.parametrize("wiring", ["after", "beside"])
def test_the_first_summary_is_the_first_state(wiring):
    random = cases.generator("first")
    description = SMALL.but(wiring=wiring, recency=1)
    h, _ = run(description, cases.parameters(random, description), random.normal(size=(1, 3)))
    assert np.array_equal(h[0, 0], h[0, 1])


def test_before_begins_with_nothing():
    random = cases.generator("nothing")
    description = SMALL.but(cell="lstm", wiring="before")
    h, stream = run(description, cases.parameters(random, description), random.normal(size=(1, 3)))
    assert not np.any(h[0, 1]) and stream.readings[0].logsumexp[0] == -np.inf and not np.any(stream.readings[0].memory)


def test_rows_read():
    window = SMALL.but(window=3)
    assert list(oracle.rows_read(SMALL, 5, 4)) == [True] * 4 + [False]
    assert list(oracle.rows_read(window, 7, 6)) == [False] * 3 + [True] * 3 + [False]
    assert list(oracle.rows_read(window.but(sinks=2), 7, 6)) == [True, True, False, True, True, True, False]
    assert list(oracle.rows_read(window.but(sinks=2), 5, 4)) == [True] * 4 + [False]
    assert list(oracle.rows_read(window, 3, 0)) == [False] * 3


def test_recency_counts_from_the_newest_row():
    taken = oracle.recency(SMALL.but(recency=1), {"attn_recency_l0": np.array([0.5])}, 0, 4, np.array([3]))
    assert list(taken[0][:3]) == [1.0, 0.5, 0.0]


def test_softmax_over_nothing():
    weights, logsumexp = oracle.softmax(np.full((2, 3), -np.inf))
    assert not np.any(weights) and np.all(logsumexp == -np.inf)


# ---- The check ------------------------------------------------------------------------------------------------------


def test_the_bound_of_a_product_is_neither_broken_nor_loose():
    """Plain float32 summation, the worst order, stays within the bound, and its largest error is a fair part of it."""
    random = cases.generator("summation")
    for n in cases.SIZES[1:]:
        x, w = random.normal(size=(2, 4000, n)).astype(np.float32)
        total = np.zeros(4000, dtype=np.float32)
        for column in range(n):
            total += x[:, column] * w[:, column]
        x, w = x.astype(float), w.astype(float)
        worst = excess(total, np.sum(x * w, axis=1), bounds.rounding(n, np.sum((x * w) ** 2, axis=1)))
        assert 0.1 < worst < 0.6, n


ATTENTION = [(wiring, score) for wiring in oracle.ATTENDING for score in ("dot", "general", "additive")]


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("wiring, score", [("none", "dot")] + ATTENTION)
@pytest.mark.parametrize("n", [17, 130])
def test_the_check_accepts_rounding_and_sees_a_parameter_that_is_off(wiring, score, cell, n):
    """The oracle's own run, rounded to float32, is accepted; with any parameter multiplied by 1 + 1e-4 it is not."""
    description = Description(cell=cell, wiring=wiring, score=score, inputs=n, hidden=n, layers=2, outputs=n,
                              recency=int(wiring != "none"))
    case = cases.case(cases.generator("off", description), description, streams=8, steps=9)
    record = record_oracle(case)
    assert Check(case, record).excess < 0.5
    for name, values in case.parameters.items():
        found = Check(case, record, {**case.parameters, name: values * (1 + 1e-4)})
        assert found.excess > 1, f"{name} may be off in {description}"


def elements_may_be_off(random, case, start, off=1e-4):
    """Names elements that may be off without being seen, of some tried in each parameter called `start`.."""
    record = record_oracle(case)
    assert Check(case, record).excess < 0.5
    for name, values in case.parameters.items():
        for index in random.permutation(values.size)[:6] if name.startswith(start) else ():
            changed = values.copy()
            changed.flat[index] *= 1 + off
            if Check(case, record, {**case.parameters, name: changed}).excess <= 1:
                yield f"{name}[{index}]"


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("wiring", ["none", "after", "beside", "before"])
@pytest.mark.parametrize("n", [1, 17, 64])
def test_the_check_sees_one_weight_that_is_off(wiring, cell, n):
    description = Description(cell=cell, wiring=wiring, inputs=n, hidden=n)
    random = cases.generator("one weight", description)
    off = 1e-4 if oracle.GATES[cell] == 1 else 4e-4  # a sigmoid hides three quarters at least
    assert not list(elements_may_be_off(random, cases.one_at_a_time(random, description), "weight", off))


@pytest.mark.parametrize("wiring, cell", [("after", "rnn_relu"), ("before", "gru"), ("before", "lstm")])
@pytest.mark.parametrize("score, k", [("dot", 64), ("general", 0), ("additive", 2)])
@pytest.mark.parametrize("n", [17, 64])
def test_the_check_sees_one_attention_weight_that_is_off(wiring, cell, score, k, n):
    description = Description(cell=cell, wiring=wiring, score=score, inputs=n, hidden=n, align=k)
    random = cases.generator("one attention weight", description)
    assert not list(elements_may_be_off(random, cases.one_query_at_a_time(random, description), "attn"))

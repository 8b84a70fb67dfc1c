"""What the library computes, in double precision: cells, wirings, scores, the read, stacks and the readout.

Written for reading, one formula a line, and independent of the library. Every function broadcasts over leading axes, so
that the same lines serve one step of one stream (class Stream below) and, in check.py, all steps of a batch at once.
`cell` uses nothing but operators and NumPy functions, so that it also runs on numbers that carry an error bound
(bounds.Near).

    d input width   n hidden width   k alignment width   z what the query is made from   rows: the tape (rows, n)
"""
import dataclasses
from dataclasses import dataclass

import numpy as np

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}
ATTENDING = ("after", "beside", "before")


@dataclass(frozen=True)
class Description:
    """arnn_model_desc with its defaults; constants by the end of their names ("gru" is ARNN_CELL_GRU)."""

    cell: str = "rnn_tanh"
    wiring: str = "after"
    score: str = "dot"
    attention_start: str = "spread"
    start_row: str = "none"
    recency: int = 0
    skip: int = 0
    source: str = "h"
    scale: float = 1.0
    recency_start: float = float(np.float32(0.1))
    inputs: int = 256
    hidden: int = 256
    layers: int = 1
    vocab: int = 0
    align: int = 0
    window: int = 0
    sinks: int = 0
    outputs: int = 0

    @property
    def attends(self):
        return self.wiring in ATTENDING

    @property
    def k(self):
        return self.align or self.hidden

    @property
    def keeps_memories(self):
        """Whether the tape has a second kind of row, the LSTM's memory."""
        return self.cell == "lstm" and self.wiring == "before"

    @property
    def carries_memory(self):
        return self.cell == "lstm" and self.wiring != "before"

    def layer_inputs(self, layer):
        return self.inputs if layer == 0 else self.hidden + (self.inputs if self.skip else 0)

    def query_inputs(self, layer):
        return self.hidden + (self.layer_inputs(layer) if self.wiring == "before" else 0)

    @property
    def readout_inputs(self):
        return self.hidden * (2 if self.source == "hs" else 1)

    @property
    def output_width(self):
        return self.outputs or self.readout_inputs

    def but(self, **changes):
        return dataclasses.replace(self, **changes)

    def shapes(self):
        """Shapes of all parameters by name."""
        n, gates, shapes = self.hidden, GATES[self.cell], {}
        if self.vocab:
            shapes["embed.weight"] = (self.vocab, self.inputs)
        for layer in range(self.layers):
            width = self.layer_inputs(layer) + (n if self.wiring == "beside" else 0)
            shapes[f"weight_ih_l{layer}"] = (gates * n, width)
            shapes[f"weight_hh_l{layer}"] = (gates * n, n)
            shapes[f"bias_ih_l{layer}"] = shapes[f"bias_hh_l{layer}"] = (gates * n,)
            if self.attends:
                shapes.update(self._attention_shapes(layer))
        if self.outputs:
            shapes["readout.weight"] = (self.outputs, self.readout_inputs)
            shapes["readout.bias"] = (self.outputs,)
        return shapes

    def _attention_shapes(self, layer):
        shapes, query = {}, self.query_inputs(layer)
        if self.score == "general":
            shapes[f"attn_general_l{layer}"] = (self.hidden, query)
        else:
            shapes[f"attn_key_l{layer}"] = (self.k, self.hidden)
            shapes[f"attn_query_l{layer}"] = (self.k, query)
        if self.score == "additive":
            shapes[f"attn_score_l{layer}"] = (self.k,)
        if self.recency:
            shapes[f"attn_recency_l{layer}"] = (1,)
        return shapes


# ---- Cells ---------------------------------------------------------------------------------------------------------


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def rnn_tanh(own, recurrent, s, m):
    return np.tanh(own(0) + recurrent(0)), None


def rnn_relu(own, recurrent, s, m):
    return np.maximum(own(0) + recurrent(0), 0), None


def gru(own, recurrent, s, m):
    r = sigmoid(own(0) + recurrent(0))
    u = sigmoid(own(1) + recurrent(1))
    g = np.tanh(own(2) + r * recurrent(2))
    return (1 - u) * g + u * s, None


def lstm(own, recurrent, s, m):
    i = sigmoid(own(0) + recurrent(0))
    f = sigmoid(own(1) + recurrent(1))
    g = np.tanh(own(2) + recurrent(2))
    o = sigmoid(own(3) + recurrent(3))
    m = f * m + i * g
    return o * np.tanh(m), m


CELLS = {"rnn_tanh": rnn_tanh, "rnn_relu": rnn_relu, "gru": gru, "lstm": lstm}


def cell(description, parameters, layer, x, s, m):
    """One step of the cell: x (.., width of weight_ih), s (.., n), m (.., n) or None; gives h and the LSTM's m."""
    n = description.hidden
    own = x @ parameters[f"weight_ih_l{layer}"].T + parameters[f"bias_ih_l{layer}"]
    recurrent = s @ parameters[f"weight_hh_l{layer}"].T + parameters[f"bias_hh_l{layer}"]
    gate = lambda sums: lambda index: sums[..., index * n:(index + 1) * n]
    return CELLS[description.cell](gate(own), gate(recurrent), s, m)


# ---- Attention -----------------------------------------------------------------------------------------------------


def rows_read(description, rows, on_tape):
    """Which of `rows` rows are read when on_tape (..) of them are there (.., rows)."""
    on_tape = np.asarray(on_tape)[..., None]
    index = np.arange(rows)
    there = index < on_tape
    if not description.window:
        return there
    return there & ((index >= on_tape - description.window) | (index < description.sinks))


def scores(description, parameters, layer, z, rows):
    """Scores (.., queries, rows) of rows (.., rows, n) against queries made from z (.., queries, |z|)."""
    get = lambda name: parameters[f"attn_{name}_l{layer}"]
    transpose = lambda a: np.swapaxes(a, -1, -2)
    if description.score == "general":
        return description.scale * (z @ get("general").T) @ transpose(rows)
    keys, queries = rows @ get("key").T, z @ get("query").T
    if description.score == "dot":
        return description.scale * queries @ transpose(keys)
    return np.tanh(keys[..., None, :, :] + queries[..., :, None, :]) @ get("score")


def recency(description, parameters, layer, rows, on_tape):
    """What age takes from a score (.., rows): beta times the distance from the newest row on the tape, which has 0."""
    if not description.recency:
        return 0.0
    return parameters[f"attn_recency_l{layer}"] * (np.asarray(on_tape)[..., None] - 1 - np.arange(rows))


@dataclass
class Reading:
    """What attention gives: summary (.., n), memory (.., n) or None, weights (.., rows), zero (..), logsumexp (..)."""

    summary: np.ndarray
    memory: np.ndarray
    weights: np.ndarray
    zero: np.ndarray
    logsumexp: np.ndarray


def read(description, parameters, layer, z, rows, memories, on_tape):
    """Reads the first on_tape (.., queries) of rows (.., rows, n) with z (.., queries, |z|)."""
    count = rows.shape[-2]
    e = scores(description, parameters, layer, z, rows) - recency(description, parameters, layer, count, on_tape)
    e = np.where(rows_read(description, count, on_tape), e, -np.inf)
    if description.start_row == "zero":
        zero = scores(description, parameters, layer, z, zero_row(rows))
    else:
        zero = np.full(e.shape[:-1] + (1,), -np.inf)
    weights, logsumexp = softmax(np.concatenate([e, zero], axis=-1))
    weights, zero = weights[..., :-1], weights[..., -1]
    return Reading(weights @ rows, None if memories is None else weights @ memories, weights, zero, logsumexp)


def zero_row(rows):
    return np.zeros(rows.shape[:-2] + (1, rows.shape[-1]))


def softmax(e):
    """Weights and logsumexp over the last axis; over nothing but -inf the weights are zero, never NaN."""
    top = np.max(e, axis=-1, keepdims=True, initial=-np.inf)
    parts = np.exp(e - np.where(np.isfinite(top), top, 0))
    total = np.sum(parts, axis=-1, keepdims=True)
    with np.errstate(divide="ignore"):
        return parts / np.where(total > 0, total, 1), (top + np.log(total))[..., 0]


def source(description, h, s):
    """What the readout reads of the top layer's h and s (.., n)."""
    return np.concatenate([{"h": h, "s": s}[name] for name in description.source], axis=-1)


def readout(description, parameters, r):
    return r @ parameters["readout.weight"].T + parameters["readout.bias"] if description.outputs else r


# ---- A stream, step by step ----------------------------------------------------------------------------------------


class Stream:
    """One stream that runs freely in double. s, m, h (layers, n); tapes: lists of rows per layer."""

    def __init__(self, description, parameters):
        self.description, self.parameters = description, parameters
        self.s, self.m, self.h = np.zeros((3, description.layers, description.hidden))
        self.rows = [[] for _ in range(description.layers)]
        self.memories = [[] for _ in range(description.layers)]
        self.readings = [None] * description.layers

    def append(self, h, m=None):
        """Rows h (layers, rows, n), and m for a tape that keeps memories."""
        for layer in range(self.description.layers):
            self.rows[layer].extend(h[layer])
            if m is not None:
                self.memories[layer].extend(m[layer])

    def step(self, x):
        """x (d), or a token id; gives y, and h and s of the top layer."""
        x = self.parameters["embed.weight"][x] if self.description.vocab else x
        h = x
        for layer in range(self.description.layers):
            below = np.concatenate([h, x]) if layer and self.description.skip else h
            h = getattr(self, "_" + self.description.wiring)(layer, below)
        s = self.s[-1].copy()
        return readout(self.description, self.parameters, source(self.description, h, s)), h, s

    def _cell(self, layer, x, s, m):
        return cell(self.description, self.parameters, layer, x, s, m)

    def _read(self, layer, z):
        shape = (-1, self.description.hidden)
        memories = np.reshape(self.memories[layer], shape) if self.description.keeps_memories else None
        reading = read(self.description, self.parameters, layer, z[None], np.reshape(self.rows[layer], shape), memories,
                       np.array([len(self.rows[layer])]))
        self.readings[layer] = reading
        return reading.summary[0], None if memories is None else reading.memory[0]

    def _none(self, layer, x):
        self.s[layer], m = self._cell(layer, x, self.s[layer], self.m[layer])
        self.m[layer] = 0 if m is None else m
        return self.s[layer].copy()

    def _after(self, layer, x):
        h, m = self._cell(layer, x, self.s[layer], self.m[layer])
        return self._keep_and_read(layer, h, m)

    def _beside(self, layer, x):
        h, m = self._cell(layer, np.concatenate([x, self.s[layer]]), self.h[layer], self.m[layer])
        self.h[layer] = h
        return self._keep_and_read(layer, h, m)

    def _keep_and_read(self, layer, h, m):
        self.m[layer] = 0 if m is None else m
        self.rows[layer].append(h)
        self.s[layer], _ = self._read(layer, h)
        return h

    def _before(self, layer, x):
        self.s[layer], m = self._read(layer, np.concatenate([x, self.s[layer]]))
        h, m = self._cell(layer, x, self.s[layer], m)
        self.rows[layer].append(h)
        if m is not None:
            self.memories[layer].append(m)
        return h

"""Training as a reader of the formulas would write it: the naive recurrence in double, its gradients by complex steps
(f(w + i h) has the derivative h f'(w) as its imaginary part, without any rounding to speak of), the optimisers.

Parameters carry a leading axis of variants, one for each parameter element whose derivative is wanted: all of them run
at once.
"""
import numpy as np

TINY = 1e-40


def times(weight, x):
    """(V, rows, columns) times (V, columns) or (columns)."""
    return np.einsum("vij,vj->vi", weight, np.broadcast_to(x, (len(weight), weight.shape[2])))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(scores):
    """Over the last axis of a list of (V)."""
    scores = np.stack(scores, -1)
    shifted = np.exp(scores - scores.real.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def cell(d, p, layer, x, carried, memory):
    n = d.hidden
    i = times(p[f"weight_ih_l{layer}"], x) + p[f"bias_ih_l{layer}"]
    r = times(p[f"weight_hh_l{layer}"], carried) + p[f"bias_hh_l{layer}"]
    i, r = (np.split(part, part.shape[1] // n, axis=1) for part in (i, r))
    if d.cell == "rnn_tanh":
        return np.tanh(i[0] + r[0]), memory
    if d.cell == "rnn_relu":
        return np.where((i[0] + r[0]).real > 0, i[0] + r[0], 0), memory
    if d.cell == "gru":
        reset, update = sigmoid(i[0] + r[0]), sigmoid(i[1] + r[1])
        return (1 - update) * np.tanh(i[2] + reset * r[2]) + update * carried, memory
    memory = sigmoid(i[1] + r[1]) * memory + sigmoid(i[0] + r[0]) * np.tanh(i[2] + r[2])
    return sigmoid(i[3] + r[3]) * np.tanh(memory), memory


def score(d, p, layer, row, z):
    if d.score == "general":
        return d.scale * (row * times(p[f"attn_general_l{layer}"], z)).sum(-1)
    key, query = times(p[f"attn_key_l{layer}"], row), times(p[f"attn_query_l{layer}"], z)
    if d.score == "dot":
        return d.scale * (key * query).sum(-1)
    return (p[f"attn_score_l{layer}"] * np.tanh(key + query)).sum(-1)


def read(d, p, layer, rows, z, values):
    """The weighted means of values (lists of (V, n)) by the scores of rows."""
    if not rows:
        return [np.zeros_like(z[:, :d.hidden]) for _ in values]
    weights = softmax([score(d, p, layer, row, z) for row in rows])
    return [sum(weights[:, i, None] * row for i, row in enumerate(kind)) for kind in values]


class Layer:
    """One layer of one stream."""

    def __init__(self, d, p, layer):
        self.d, self.p, self.layer = d, p, layer
        variants = len(p["bias_ih_l0"])
        self.h, self.m, self.s = (np.zeros((variants, d.hidden), complex) for _ in range(3))
        self.rows, self.memories = [], []

    def step(self, x):
        d, p, layer = self.d, self.p, self.layer
        x = np.broadcast_to(x, (len(self.h), x.shape[-1]))
        if d.wiring == "before":
            z = np.concatenate([x, self.s], 1)
            read_from = [self.rows, self.memories] if d.cell == "lstm" else [self.rows]
            self.s, *memory = read(d, p, layer, self.rows, z, read_from)
            self.h, self.m = cell(d, p, layer, x, self.s, memory[0] if memory else None)
            self.rows.append(self.h)
            self.memories.append(self.m)
            return self.h
        given = np.concatenate([x, self.s], 1) if d.wiring == "beside" else x
        self.h, self.m = cell(d, p, layer, given, self.h if d.wiring == "beside" else self.s, self.m)
        self.rows.append(self.h)
        self.s = self.h if d.wiring == "none" else read(d, p, layer, self.rows, self.h, [self.rows])[0]
        return self.h

    def freeze(self):
        """What earlier chunks left is constant."""
        for name in ("h", "m", "s"):
            setattr(self, name, None if getattr(self, name) is None else getattr(self, name).real.astype(complex))
        self.rows = [row.real.astype(complex) for row in self.rows]
        self.memories = [None if row is None else row.real.astype(complex) for row in self.memories]


def source(d, layer):
    return {"h": layer.h, "s": layer.s, "hs": np.concatenate([layer.h, layer.s], 1)}[d.source]


def readout(d, p, r):
    return times(p["readout.weight"], r) + p["readout.bias"] if d.outputs else r


def row_loss(kind, y, wanted):
    if kind == "squared_error":
        return ((y - wanted) ** 2).mean(-1)
    top = y.real.max(-1)
    return np.log(np.exp(y - top[:, None]).sum(-1)) + top - y[:, wanted]


class Naive:
    """A model in training. parameters: by name, float."""

    def __init__(self, d, parameters, loss, over, optimiser, clip=0.0, momentum=0.9, second=0.999, epsilon=1e-8, decay=0.0):
        self.d, self.loss, self.over, self.optimiser = d, loss, over, optimiser
        self.clip, self.momentum, self.second, self.epsilon, self.decay = clip, momentum, second, epsilon, decay
        self.parameters = {name: values.astype(float) for name, values in parameters.items()}
        self.moments = [{name: np.zeros_like(values) for name, values in self.parameters.items()} for _ in range(2)]
        self.updates, self.streams = 0, {}

    def variants(self):
        """Every element moved by i TINY in a variant of its own."""
        count = sum(values.size for values in self.parameters.values())
        moved, first = {}, 0
        for name, values in self.parameters.items():
            many = np.repeat(values[None].astype(complex), count, 0)
            many.reshape(count, -1)[np.arange(first, first + values.size), np.arange(values.size)] += 1j * TINY
            moved[name], first = many, first + values.size
        return moved

    def run(self, examples, carry):
        """The loss of every variant."""
        d, p = self.d, self.variants()
        total, weight = 0, 0
        for stream, length in enumerate(examples["lengths"]):
            layers = self.streams.get(stream) if carry else None
            if layers is None:
                layers = [Layer(d, p, layer) for layer in range(d.layers)]
            for layer in layers:
                layer.p = p
                layer.freeze()
            outputs = []
            for t in range(length):
                x = examples["x"][t, stream]
                below = own = p["embed.weight"][:, x] if d.vocab else x
                for i, layer in enumerate(layers):
                    joined = np.concatenate([below, np.broadcast_to(own, (len(below), own.shape[-1]))], 1) if i and d.skip else below
                    below = layer.step(joined)
                outputs.append(source(d, layers[-1]))
            self.streams[stream] = layers
            for r, wanted in self.counted(examples, stream, outputs):
                w = examples["weights"][stream]
                total, weight = total + w * row_loss(self.loss, readout(d, p, r), wanted), weight + w
        return total / weight

    def counted(self, examples, stream, outputs):
        wanted = examples["wanted"]
        if not outputs:
            return []
        if self.over == "steps":
            pairs = [(r, wanted[t, stream]) for t, r in enumerate(outputs)]
        else:
            pairs = [(outputs[-1] if self.over == "last" else sum(outputs) / len(outputs), wanted[stream])]
        return [(r, value) for r, value in pairs if self.loss == "squared_error" or value >= 0]

    def gradients(self, examples, carry=False):
        losses = self.run(examples, carry)
        flat, found, first = losses.imag / TINY, {}, 0
        for name, values in self.parameters.items():
            found[name] = flat[first:first + values.size].reshape(values.shape)
            first += values.size
        return losses.real[0], found

    def step(self, examples, rate, carry=False):
        loss, gradients = self.gradients(examples, carry)
        norm = np.sqrt(sum((g ** 2).sum() for g in gradients.values()))
        self.updates += 1
        for name, w in self.parameters.items():
            g = gradients[name] * (self.clip / norm if 0 < self.clip < norm else 1)
            self.parameters[name] = self.updated(name, w, g, rate)
        return loss, norm

    def updated(self, name, w, g, rate):
        first, second = (moments[name] for moments in self.moments)
        if self.optimiser == "adamw":
            w = w * (1 - rate * self.decay)
        else:
            g = g + self.decay * w
        if self.optimiser == "sgd":
            first[...] = self.momentum * first + g
            return w - rate * first
        first[...] = self.momentum * first + (1 - self.momentum) * g
        second[...] = self.second * second + (1 - self.second) * g * g
        corrected = first / (1 - self.momentum ** self.updates)
        return w - rate * corrected / (np.sqrt(second / (1 - self.second ** self.updates)) + self.epsilon)

"""The plain loop in PyTorch and in double, whose gradients autograd makes: the same formulas as oracle.py, in another
hand and for a batch of streams at once.

Tapes are (streams, rows, n), what streams begin with at their right end: of a stream with fewer such rows than another
one the first places are empty.
"""
import torch

from oracle import GATES


def tensor(values):
    return torch.as_tensor(values, dtype=torch.float64)


def cell(d, p, layer, x, s, m):
    own = (x @ p[f"weight_ih_l{layer}"].T + p[f"bias_ih_l{layer}"]).chunk(GATES[d.cell], -1)
    recurrent = (s @ p[f"weight_hh_l{layer}"].T + p[f"bias_hh_l{layer}"]).chunk(GATES[d.cell], -1)
    if d.cell == "gru":
        reset, update = (torch.sigmoid(own[gate] + recurrent[gate]) for gate in (0, 1))
        return (1 - update) * torch.tanh(own[2] + reset * recurrent[2]) + update * s, None
    if d.cell == "lstm":
        i, f, g, o = (own[gate] + recurrent[gate] for gate in range(4))
        m = torch.sigmoid(f) * m + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(m), m
    return (torch.tanh if d.cell == "rnn_tanh" else torch.relu)(own[0] + recurrent[0]), None


def scores(d, p, layer, z, rows):
    """(streams, rows) of queries made from z (streams, |z|)."""
    if d.score == "general":
        return d.scale * (rows @ (z @ p[f"attn_general_l{layer}"].T)[..., None])[..., 0]
    keys, query = rows @ p[f"attn_key_l{layer}"].T, z @ p[f"attn_query_l{layer}"].T
    if d.score == "dot":
        return d.scale * (keys @ query[..., None])[..., 0]
    return torch.tanh(keys + query[:, None]) @ p[f"attn_score_l{layer}"]


def softmax(e):
    """Over the last axis; over nothing but -inf all are 0, and so are their gradients."""
    top = e.detach().max(-1, keepdim=True).values
    parts = torch.exp(e - torch.where(torch.isfinite(top), top, 0))
    total = parts.sum(-1, keepdim=True)
    return parts / torch.where(total > 0, total, 1)


def read(d, p, layer, z, rows, began):
    """Weights (streams, rows) of a tape on which streams began with `began` (streams) rows, of at most `most`."""
    most, counts = began
    count, place = rows.shape[1], torch.arange(rows.shape[1])
    index = place - (most - counts)[:, None]  # absolute
    there = index >= 0
    if d.window:
        there &= (place >= count - d.window) | (index < d.sinks)
    e = scores(d, p, layer, z, rows)
    if d.recency:
        e = e - p[f"attn_recency_l{layer}"] * (count - 1 - place)
    e = torch.where(there, e, -torch.inf)
    if d.start_row == "zero":
        e = torch.cat([e, scores(d, p, layer, z, torch.zeros_like(rows[:, :1]))], 1)
    return softmax(e)[:, :count]


def mean(weights, rows):
    return (weights[:, None] @ rows)[:, 0]


class Layer:
    def __init__(self, case, p, layer, initial):
        self.d, self.p, self.layer = case.description, p, layer
        self.s, self.m, self.h = (initial[name][layer] for name in "smh")
        counts = [h.shape[1] for h in case.appended]
        self.began = max(counts), torch.tensor(counts)
        self.rows = padded(case.appended, layer, self.d.hidden)
        self.memories = padded(case.memories, layer, self.d.hidden) if self.d.keeps_memories else None

    def step(self, x):
        return getattr(self, self.d.wiring)(x)

    def cell(self, x, s, m):
        return cell(self.d, self.p, self.layer, x, s, m)

    def weights(self, z):
        return read(self.d, self.p, self.layer, z, self.rows, self.began)

    def none(self, x):
        self.s, self.m = self.cell(x, self.s, self.m)
        return self.s

    def after(self, x):
        return self.keep(*self.cell(x, self.s, self.m))

    def beside(self, x):
        self.h, m = self.cell(torch.cat([x, self.s], -1), self.h, self.m)
        return self.keep(self.h, m)

    def keep(self, h, m):
        self.m = m
        self.rows = torch.cat([self.rows, h[:, None]], 1)
        self.s = mean(self.weights(h), self.rows)
        return h

    def before(self, x):
        m = None
        if self.rows.shape[1]:
            weights = self.weights(torch.cat([x, self.s], -1))
            self.s = mean(weights, self.rows)
            m = mean(weights, self.memories) if self.d.keeps_memories else None
        else:
            self.s = torch.zeros_like(self.s)
            m = torch.zeros_like(self.s)
        h, m = self.cell(x, self.s, m)
        self.rows = torch.cat([self.rows, h[:, None]], 1)
        if self.d.keeps_memories:
            self.memories = torch.cat([self.memories, m[:, None]], 1)
        return h


def padded(tapes, layer, n):
    most = max(h.shape[1] for h in tapes)
    rows = torch.zeros(len(tapes), most, n, dtype=torch.float64)
    for stream, h in enumerate(tapes):
        rows[stream, most - h.shape[1]:] = tensor(h[layer])
    return rows


def begin(case):
    """Parameters, x and initial values, as leaves of a graph."""
    d = case.description
    leaves = {name: tensor(values) for name, values in case.parameters.items()}
    if not d.vocab:
        leaves["x"] = tensor(case.x)
    for name in "smh":
        values = torch.zeros(d.layers, len(case.x), d.hidden, dtype=torch.float64)
        for stream, initial in enumerate(case.initial):
            if name in initial:
                values[:, stream] = tensor(initial[name])
        leaves[name] = values
    return {name: values.requires_grad_() for name, values in leaves.items()}


def run(case, leaves):
    """y, h, s (streams, steps, width); beyond a stream's length there is something, too."""
    d = case.description
    layers, outputs = [Layer(case, leaves, layer, leaves) for layer in range(d.layers)], []
    x = leaves["embed.weight"][torch.as_tensor(case.x, dtype=torch.int64)] if d.vocab else leaves["x"]
    for step in range(x.shape[1]):
        below = x[:, step]
        for layer in layers:
            below = layer.step(torch.cat([below, x[:, step]], -1) if layer.layer and d.skip else below)
        r = torch.cat([{"h": below, "s": layers[-1].s}[name] for name in d.source], -1)
        y = r @ leaves["readout.weight"].T + leaves["readout.bias"] if d.outputs else r
        outputs.append((y, below, layers[-1].s))
    return {name: torch.stack(values, 1) for name, values in zip("yhs", zip(*outputs))}


def gradients(case, owed):
    """The outputs as arrays, and the gradient of their product with what they are owed, by name. Nothing is owed beyond
    a stream's length."""
    leaves = begin(case)
    outputs = run(case, leaves)
    made = torch.arange(case.x.shape[1]) < torch.as_tensor(case.lengths)[:, None]
    loss = sum(torch.where(made[..., None], tensor(values) * outputs[name], 0).sum() for name, values in owed.items())
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
    return ({name: values.detach().numpy() for name, values in outputs.items()},
            {name: (torch.zeros_like(leaf) if value is None else value).numpy()
             for (name, leaf), value in zip(leaves.items(), found)})

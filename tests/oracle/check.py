"""Holds a record of a run against the oracle, every step from the record's own tape, s, m and h."""
import numpy as np

import bounds
import oracle
from bounds import TINY, U, Near


def double(values):
    return np.asarray(values, dtype=np.float64)


def excess(got, value, bound, where=True):
    """The largest error as a multiple of its bound; infinite where a number is NaN or wrongly infinite."""
    with np.errstate(invalid="ignore"):
        error = np.where(got == value, 0, np.abs(got - value)) / (bound + U * np.abs(value) + TINY)
    error = np.where(np.isnan(error), np.inf, error)
    return float(np.max(error, where=where, initial=0))


class Check:
    """Errors of a record by what they are of ("h_l0"), each as a multiple of its bound."""

    def __init__(self, case, record, parameters=None):
        self.case, self.record, self.description = case, record, case.description
        self.parameters = parameters or case.parameters
        self.found = {}
        steps = np.arange(case.x.shape[1])
        self.own = np.array([h.shape[1] for h in case.appended])[:, None] + steps  # each step's own row
        self.valid = steps < case.lengths[:, None]
        self._layers()

    def _note(self, name, got, value, bound):
        valid = self.valid if np.ndim(got) == 2 else self.valid[..., None]
        self.found[name] = excess(double(got), value, bound, valid)

    def _layers(self):
        x = double(self.case.x) if not self.description.vocab else self.parameters["embed.weight"][self.case.x]
        below = x
        for layer in range(self.description.layers):
            if layer and self.description.skip:
                below = np.concatenate([below, x], axis=-1)
            below = self._layer(layer, below)
        self._outputs(below)

    def _layer(self, layer, x):
        wiring, record = self.description.wiring, self.record
        before, after = (double(values[layer]) for values in (record.s[:, :, :-1], record.s[:, :, 1:]))
        m = Near(double(record.m[layer, :, :-1]))
        h = after if wiring == "none" else np.take_along_axis(double(record.rows[layer]), self.own[..., None], axis=1)
        if wiring == "after" or wiring == "beside":
            self._read(layer, h, self.own + 1)
        if wiring == "before":
            m = self._read(layer, np.concatenate([x, before], axis=-1), self.own)
        cell_x, cell_s = x, before
        if wiring == "beside":
            cell_x, cell_s = np.concatenate([x, before], axis=-1), double(record.h[layer, :, :-1])
            self._note(f"kept h_l{layer}", record.h[layer, :, 1:], h, 0)
        if wiring == "before":
            cell_s = after
        self._cell(layer, cell_x, cell_s, m, h)
        return h

    def _cell(self, layer, x, s, m, h):
        expected, memory = oracle.cell(self.description, self.parameters, layer, Near(x), Near(s), m)
        self._note(f"h_l{layer}", h, expected.value, expected.bound)
        if self.description.carries_memory:
            self._note(f"m_l{layer}", self.record.m[layer, :, 1:], memory.value, memory.bound)
        if self.description.keeps_memories:
            got = np.take_along_axis(self.record.memories[layer], self.own[..., None], axis=1)
            self._note(f"m_l{layer}", got, memory.value, memory.bound)

    def _read(self, layer, z, on_tape):
        """Checks the summary and all that goes with it; gives the memory that was read, with its bound."""
        description, record = self.description, self.record
        rows = double(record.rows[layer])
        memories = double(record.memories[layer]) if description.keeps_memories else None
        reading = oracle.read(description, self.parameters, layer, z, rows, memories, on_tape)
        aged = oracle.recency(description, self.parameters, layer, rows.shape[-2], on_tape)
        summary, memory, weights, zero, logsumexp = bounds.read(description, self.parameters, layer, z, rows, memories,
                                                                reading, aged)
        self._note(f"s_l{layer}", record.s[layer, :, 1:], reading.summary, summary)
        unread = np.where(oracle.rows_read(description, rows.shape[-2], on_tape), weights, 0)
        self._note(f"weights_l{layer}", record.weights[layer], reading.weights, unread)
        self._note(f"zero_l{layer}", record.zero[layer], reading.zero, zero)
        self._note(f"logsumexp_l{layer}", record.logsumexp[layer], reading.logsumexp, logsumexp)
        return None if memories is None else Near(reading.memory, memory)

    def _outputs(self, h):
        s = double(self.record.s[-1, :, 1:])
        y = oracle.readout(self.description, self.parameters, Near(oracle.source(self.description, h, s)))
        self._note("output h", self.record.outputs["h"], h, 0)
        self._note("output s", self.record.outputs["s"], s, 0)
        self._note("output y", self.record.outputs["y"], y.value, y.bound)

    @property
    def worst(self):
        return max(self.found, key=self.found.get)

    @property
    def excess(self):
        return self.found[self.worst]

    def __str__(self):
        return f"{self.worst} is off by {self.excess:.3g} times its bound in\n    {self.description}\n    {self.found}"

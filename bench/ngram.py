"""A count model of symbols: Witten and Bell's interpolation of all orders up to one."""

import numpy as np


class Counts:
    """Of what followed each context of `length` symbols. A context, and a context with its follower, is a number."""

    def __init__(self, text, symbols, length):
        self.symbols, self.length = symbols, length
        grams = self.number(text, length + 1)
        self.grams, self.seen = np.unique(grams, return_counts=True)
        contexts, first = np.unique(self.grams // symbols, return_index=True)
        self.contexts = contexts
        self.kinds = np.diff(np.append(first, len(self.grams)))  # different followers
        self.total = np.add.reduceat(self.seen, first)

    def number(self, text, width):
        """Each run of `width` symbols as a number."""
        value = np.zeros(len(text) - width + 1, np.int64)
        for i in range(width):
            value = value * self.symbols + text[i:len(text) - width + 1 + i]
        return value

    @staticmethod
    def look_up(keys, values, wanted):
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where(keys[at] == wanted, values[at], 0)

    def refine(self, text, shorter):
        """Probabilities of every symbol of a text from those that shorter contexts give; the first ones stay."""
        grams = self.number(text, self.length + 1)
        seen = self.look_up(self.grams, self.seen, grams)
        total, kinds = (self.look_up(self.contexts, values, grams // self.symbols) for values in (self.total, self.kinds))
        finer = shorter.copy()
        known = total > 0
        finer[self.length:][known] = ((seen + kinds * shorter[self.length:]) / np.maximum(total + kinds, 1))[known]
        return finer


def nats(training, held, symbols, order):
    """Mean -log p of a held-out text, by a model of this order."""
    probability = np.full(len(held), 1 / symbols)
    for length in range(order):
        probability = Counts(training, symbols, length).refine(held, probability)
    return float(-np.log(probability).mean())

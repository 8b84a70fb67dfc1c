"""The scenario that every language runs; they must print the same text. Usage: scenario.py FILE, where FILE is written.

The README of this folder says step by step what is done, and what goes into the digest.
"""
import sys

import arnn
import numpy as np

STREAMS, LAYERS, INPUTS, HIDDEN, OUTPUTS, PAST, SEQUENCE, LEARNED = 3, 2, 5, 24, 3, 16, 57, 20
F32 = np.float32


class Digest:
    """FNV-1a, 64 bits."""
    value = 14695981039346656037

    def eat(self, *arrays):
        for array in arrays:
            for byte in array if isinstance(array, bytes) else np.ascontiguousarray(array).tobytes():
                self.value = (self.value ^ byte) * 1099511628211 & 0xFFFFFFFFFFFFFFFF


digest = Digest()


def numbers(group, first, *shape):
    """Numbers of a set from `first` on: multiples of 1/4096 from -1/4 to 1/4."""
    i = np.arange(first, first + np.prod(shape, dtype=int), dtype=np.uint64)
    u = ((group * 4099 + i + 1) * 2654435769 & 0xFFFFFFFF).astype(np.uint32)
    u ^= u >> 15
    u *= np.uint32(739982445)
    u ^= u >> 12
    return ((u >> 21).astype(F32) - 1024).reshape(shape) / F32(4096)


def total(arrays):
    """One element after the other, in double."""
    return sum((float(value) for array in arrays for value in array.ravel()), 0.0)


def make_state(model):
    return arnn.State(model, arnn.Cache(model, page_rows=16, streams=STREAMS, rows=64), STREAMS)


def stream(state, first, steps):
    made = []
    for time in range(first, first + steps):
        awake = [b for b in range(STREAMS) if (time + b) % (b + 2)]
        x = 4 * numbers(100, time * STREAMS * INPUTS, STREAMS, INPUTS)
        made.append(state.step(x[awake], awake))
        digest.eat(made[-1])
    return total(made)


def run_sequence(state):
    x = 4 * numbers(101, 0, SEQUENCE, STREAMS, INPUTS)
    out = state.forward(x, lengths=[40, 0, SEQUENCE], want=("y", "s", "map", "map_zero"), map_layer=LAYERS - 1)
    digest.eat(*out)
    return total(out[:1])


def train(model):
    trainer = arnn.Trainer(model, loss="squared_error", optimiser="adamw", weight_decay=1 / 64, clip=0.5, dropout=0.25,
                           readout_dropout=0.25, seed=7, streams=STREAMS, steps=LEARNED)
    examples = (4 * numbers(102, 0, LEARNED, STREAMS, INPUTS), 4 * numbers(103, 0, LEARNED, STREAMS, OUTPUTS))
    options = {"lengths": [LEARNED, 7, 0], "weights": [1, 0.5, 2]}

    def evaluate(what):
        loss = trainer.evaluate(*examples, **options)["loss"]
        digest.eat(np.float64(loss))
        print(f"{what} {loss:.6f}")

    evaluate("loss before")
    for _ in range(5):
        done = trainer.step(*examples, 1 / 64, **options)
        digest.eat(np.float64(done["loss"]), np.float64(done["norm"]))
    evaluate("loss after")


def main(path):
    model = arnn.Model(cell="gru", wiring="beside", score="dot", start_row="zero", recency=1, source="hs", scale=0.25,
                       inputs=INPUTS, hidden=HIDDEN, layers=LAYERS, align=16, window=24, sinks=2, outputs=OUTPUTS)
    for index, (name, shape) in enumerate(model.shapes.items()):
        model[name] = numbers(index, 0, *shape)
    state = make_state(model)
    print(f"streamed {stream(state, 0, 200):.6f}")
    for b in range(STREAMS):
        digest.eat(*map(F32, state.weights(LAYERS - 1, b)))
    pasts = []
    for b in range(STREAMS):
        first = state.length(b) - PAST
        rows = np.array([state.rows(first, PAST, layer=layer, stream=b) for layer in range(LAYERS)])
        values = {which: [state.get(which, layer, b) for layer in range(LAYERS)] for which in "sh"}
        digest.eat(rows, *values["s"], *values["h"])
        pasts.append((rows, values))
    state.reset()
    print(f"sequence {run_sequence(state):.6f}")
    state.close()
    train(model)
    model.save(path)
    with open(path, "rb") as file:
        digest.eat(file.read())
    state = make_state(arnn.Model.load(path))
    for b, (rows, values) in enumerate(pasts):
        state.append(rows, stream=b)
        for which in "sh":
            for layer in range(LAYERS):
                state.set(which, values[which][layer], layer, b)
    print(f"streamed on {stream(state, 200, 20):.6f}")
    print(f"digest {digest.value:016x}")


if __name__ == "__main__":
    main(sys.argv[1])

"""What the oracle, in double precision, says of the scenario of README.md."""
import json

import numpy as np

from oracle import Description, Stream

DESCRIPTION = Description(cell="gru", wiring="beside", score="dot", start_row="zero", recency=1, source="hs", scale=0.25,
                          inputs=5, hidden=24, layers=2, align=16, window=24, sinks=2, outputs=3)
STREAMS, PAST = 3, 16
STREAMED, SEQUENCE, LEARNED, WANTED = 100, 101, 102, 103  # sets of numbers
WORD = 2 ** 32 - 1


def number(numbers, i):
    u = (numbers * 4099 + i + 1) * 2654435769 & WORD
    u ^= u >> 15
    u = u * 739982445 & WORD
    u ^= u >> 12
    return ((u >> 21) - 1024) / 4096


def x(numbers, time, stream):
    width = DESCRIPTION.inputs
    return np.array([4 * number(numbers, (time * STREAMS + stream) * width + i) for i in range(width)])


def parameters():
    """As set: shapes() has the order of arnn_model_parameter."""
    shapes = DESCRIPTION.shapes()
    return {name: np.reshape([number(p, i) for i in range(int(np.prod(shapes[name])))], shapes[name])
            for p, name in enumerate(shapes)}


def saved(path):
    """Parameters of a safetensors file."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    tensors = json.loads(data[8:end])
    tensors.pop("__metadata__")
    read = lambda entry: np.frombuffer(data[end:][slice(*entry["data_offsets"])], "<f4").reshape(entry["shape"])
    return {name: read(entry).astype(np.float64) for name, entry in tensors.items()}


def stream_on(streams, first, steps):
    """All outputs of the ragged steps."""
    return [streams[b].step(x(STREAMED, time, b))[0] for time in range(first, first + steps)
            for b in range(STREAMS) if (time + b) % (b + 2)]


def continued(stream, values):
    """A new stream with the newest rows and the carried values of another."""
    new = Stream(DESCRIPTION, values)
    new.append(np.array([rows[-PAST:] for rows in stream.rows]))
    new.s, new.h = stream.s.copy(), stream.h.copy()
    return new


def loss(values):
    """Of the examples that are learnt."""
    errors, weight = 0.0, 0.0
    for b, (length, w) in enumerate(((20, 1), (7, 0.5))):
        stream = Stream(DESCRIPTION, values)
        for time in range(length):
            wanted = [4 * number(WANTED, (time * STREAMS + b) * 3 + o) for o in range(3)]
            errors += w * np.mean((stream.step(x(LEARNED, time, b))[0] - wanted) ** 2)
            weight += w
    return errors / weight


def numbers(path):
    """By name: the sum, and how many numbers were added."""
    values, later = parameters(), saved(path)
    streams = [Stream(DESCRIPTION, values) for _ in range(STREAMS)]
    streamed = stream_on(streams, 0, 200)
    sequences = [Stream(DESCRIPTION, values) for _ in range(STREAMS)]
    sequence = [sequences[b].step(x(SEQUENCE, time, b))[0] for b, length in enumerate((40, 0, 57))
                for time in range(length)]
    streamed_on = stream_on([continued(stream, later) for stream in streams], 200, 20)
    return {name: (np.sum(outputs), np.size(outputs)) for name, outputs in
            (("streamed", streamed), ("sequence", sequence), ("loss before", loss(values)), ("loss after", loss(later)),
             ("streamed on", streamed_on))}

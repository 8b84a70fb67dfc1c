"""Runs a case step by step and writes down everything that a step began with and gave."""
from dataclasses import dataclass

import numpy as np

import library
import oracle


@dataclass
class Record:
    """Float32 numbers of one run. Values before and after each step (layers, streams, steps + 1, n); tapes with what
    was appended first (layers, streams, rows, n); outputs (streams, steps, width); readings (layers, streams, steps,
    ..). Where a stream made no step, zeros."""

    s: np.ndarray
    m: np.ndarray
    h: np.ndarray
    rows: np.ndarray
    memories: np.ndarray
    outputs: dict
    weights: np.ndarray
    zero: np.ndarray
    logsumexp: np.ndarray


def empty(case):
    description, (streams, steps) = case.description, case.x.shape[:2]
    layers, n = description.layers, description.hidden
    rows = steps + max(h.shape[1] for h in case.appended)
    zeros = lambda *shape: np.zeros(shape, dtype=np.float32)
    outputs = {"y": zeros(streams, steps, description.output_width), "h": zeros(streams, steps, n),
               "s": zeros(streams, steps, n)}
    s, m, h = zeros(3, layers, streams, steps + 1, n)
    tapes = zeros(2, layers, streams, rows, n)
    for stream, (appended, memories) in enumerate(zip(case.appended, case.memories)):
        tapes[0, :, stream, :appended.shape[1]] = appended
        if memories is not None:
            tapes[1, :, stream, :appended.shape[1]] = memories
        for which, values in case.initial[stream].items():
            {"s": s, "m": m, "h": h}[which][:, stream, 0] = values
    return Record(s, m, h, *tapes, outputs, zeros(layers, streams, steps, rows), *zeros(2, layers, streams, steps))


def begin(case, page_rows=16, **types):
    """A library state at the case's start; pages are short, so that tapes have several."""
    description = case.description
    model = library.Model(description, case.parameters)
    cache = library.Cache(model, page_rows=page_rows, **types) if description.attends else None
    state = library.State(model, cache, len(case.x))
    for stream, initial in enumerate(case.initial):
        for which, values in initial.items():
            for layer in range(description.layers):
                state.set(which, layer, stream, values[layer])
        if case.appended[stream].shape[1]:
            state.append(stream, case.appended[stream], case.memories[stream])
    return state


def record(case, page_rows=16, **types):
    """Runs the library with arnn_step, at each step those streams whose length is not yet reached."""
    result, state = empty(case), begin(case, page_rows, **types)
    for step in range(case.x.shape[1]):
        streams = [int(stream) for stream in case.order if case.lengths[stream] > step]
        for name, values in state.step(case.x[streams, step], streams).items():
            result.outputs[name][streams, step] = values
        for stream in streams:
            for layer in range(case.description.layers):
                _note(case, result, state, layer, stream, step)
    return result


def _note(case, result, state, layer, stream, step):
    """What the library has after a step of one stream and layer."""
    description, at = case.description, (layer, stream, step + 1)
    result.s[at] = state.get("s", layer, stream)
    if description.carries_memory:
        result.m[at] = state.get("m", layer, stream)
    if description.wiring == "beside":
        result.h[at] = state.get("h", layer, stream)
    if not description.attends:
        return
    row = case.appended[stream].shape[1] + step
    if description.keeps_memories:
        result.rows[layer, stream, row], result.memories[layer, stream, row] = state.rows(layer, stream, row, 1, True)
    else:
        result.rows[layer, stream, row] = state.rows(layer, stream, row, 1)
    at = layer, stream, step
    result.weights[at], result.zero[at], result.logsumexp[at] = state.weights(layer, stream, result.weights.shape[-1])


def record_oracle(case):
    """The same from the oracle's stream, each number rounded to float32: what a good library would give."""
    result = empty(case)
    for stream, length in enumerate(case.lengths):
        run = begin_oracle(case, stream)
        for step in range(length):
            for name, values in zip(("y", "h", "s"), run.step(case.x[stream, step])):
                result.outputs[name][stream, step] = values
            for layer in range(case.description.layers):
                _note_oracle(case, result, run, layer, stream, step)
    return result


def begin_oracle(case, stream):
    run = oracle.Stream(case.description, case.parameters)
    run.append(case.appended[stream], case.memories[stream])
    for which, values in case.initial[stream].items():
        getattr(run, which)[...] = values
    return run


def _note_oracle(case, result, run, layer, stream, step):
    at = layer, stream, step + 1
    result.s[at] = run.s[layer] = np.float32(run.s[layer])
    result.m[at] = run.m[layer] = np.float32(run.m[layer])
    result.h[at] = run.h[layer] = np.float32(run.h[layer])
    if not case.description.attends:
        return
    row = case.appended[stream].shape[1] + step
    for tape, rows in ((result.rows, run.rows), (result.memories, run.memories)):
        if rows[layer]:
            tape[layer, stream, row] = rows[layer][-1] = np.float32(rows[layer][-1])
    reading, at = run.readings[layer], (layer, stream, step)
    result.weights[at][:reading.weights.shape[-1]] = reading.weights[0]
    result.zero[at], result.logsumexp[at] = reading.zero[0], reading.logsumexp[0]

"""arnn through cffi, with every argument made beforehand: a call costs what a C call costs and some hundred ns."""

import os
import pathlib
import re

import cffi
import numpy as np

HEADER = pathlib.Path(__file__).resolve().parents[2] / "include/arnn.h"
CELLS = {"rnn": "RNN_TANH", "gru": "GRU", "lstm": "LSTM"}


def _declarations():
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", HEADER.read_text(), flags=re.S)
    return re.sub(r"^#.*$", "", text, flags=re.M)


ffi = cffi.FFI()
ffi.cdef(_declarations())
lib = ffi.dlopen(os.environ["ARNN_LIBRARY"])


def check(status):
    if status:
        raise RuntimeError(ffi.string(lib.arnn_last_error()).decode())


def floats(array):
    return ffi.cast("float *", array.ctypes.data)


def own(kind, *arguments):
    out = ffi.new(f"arnn_{kind} **")
    check(getattr(lib, f"arnn_{kind}_create")(out, *arguments))
    return ffi.gc(out[0], getattr(lib, f"arnn_{kind}_destroy"))


def described(kind, **values):
    desc = ffi.new(f"arnn_{kind}_desc *")
    check(getattr(lib, f"arnn_{kind}_desc_default")(desc, ffi.sizeof(f"arnn_{kind}_desc")))
    for name, value in values.items():
        setattr(desc, name, value)
    return desc


def type_of(name):
    return getattr(lib, f"ARNN_TYPE_{name.upper()}")


class Model:
    """A model from a seed, with scores of order one."""

    def __init__(self, cell="rnn", wiring="after", hidden=512, weights="f32", **more):
        attends = wiring != "none"
        self.handle = own("model", described(
            "model", cell=getattr(lib, f"ARNN_CELL_{CELLS[cell]}"), inputs=hidden, hidden=hidden,
            wiring=getattr(lib, f"ARNN_WIRING_{wiring.upper()}"), **(dict(scale=hidden ** -0.5) if attends else {}), **more))
        check(lib.arnn_model_init(self.handle, 1))
        check(lib.arnn_model_set_weight_type(self.handle, type_of(weights)))

    def parameters(self):
        name, rank, shape, found = ffi.new("char const **"), ffi.new("size_t *"), ffi.new("size_t[2]"), {}
        for index in range(lib.arnn_model_parameter_count(self.handle)):
            check(lib.arnn_model_parameter(self.handle, name, rank, shape, index))
            values = np.empty(tuple(shape)[:rank[0]], dtype=np.float32)
            check(lib.arnn_model_read(self.handle, floats(values), name[0], values.size))
            found[ffi.string(name[0]).decode()] = values
        return found


class Stream:
    """Streams of a model that step, or run sequences of x (steps, streams, hidden)."""

    def __init__(self, model, streams, rows, tape="f32", threads=1):
        self.streams = streams
        self.cache = own("cache", model.handle, described("cache", tape_type=type_of(tape), threads=threads))
        check(lib.arnn_cache_reserve(self.cache, streams, rows))
        self.handle = own("state", model.handle, self.cache, streams)

    def append(self, rows):
        for stream in range(self.streams):
            check(lib.arnn_state_append(self.handle, stream, floats(rows), ffi.NULL, len(rows)))

    def reset(self):
        check(lib.arnn_state_reset(self.handle, ffi.NULL, 0))

    def runner(self, x, h):
        """A function without arguments: all steps of x to h, from empty tapes."""
        steps, streams = x.shape[:2]
        source = ffi.new("arnn_input *", {"struct_size": ffi.sizeof("arnn_input"), "x": floats(x)})
        out = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output")})
        out.h.data = floats(h)

        def run():
            self.reset()
            check(lib.arnn_forward(self.handle, out, source, ffi.NULL, ffi.NULL, steps, streams))
        return run

    def stepper(self, x, s):
        source = ffi.new("arnn_input *", {"struct_size": ffi.sizeof("arnn_input"), "x": floats(x)})
        out = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output")})
        out.s.data = floats(s)
        return lambda: check(lib.arnn_step(self.handle, out, source, ffi.NULL, len(x)))


def attender(queries, tapes, kind, contexts):
    """arnn_attend of queries (batch, n) over tapes, arrays (rows, n) of elements of a type, to contexts."""
    batch, n = queries.shape
    rows = ffi.new("arnn_rows[]", [(ffi.cast("void *", tape.ctypes.data), len(tape), 0) for tape in tapes])
    number, scale = type_of(kind), 1.0
    return lambda: check(lib.arnn_attend(floats(contexts), ffi.NULL, ffi.NULL, floats(queries), rows, batch, n, 0, number,
                                         scale))


class Trainer:
    """Forward, backward and Adam through a readout of one output, mean squared error at every step."""

    def __init__(self, model, streams, steps, threads=1):
        self.handle = own("trainer", model.handle, described(
            "trainer", loss=lib.ARNN_LOSS_SQUARED_ERROR, streams=streams, steps=steps, threads=threads, clip=0.0))

    def stepper(self, x, values):
        steps, streams, width = x.shape
        examples = ffi.new("arnn_examples *")
        check(lib.arnn_examples_default(examples, ffi.sizeof("arnn_examples")))
        examples.x, examples.values, examples.steps, examples.count = floats(x), floats(values), steps, streams
        result = ffi.new("arnn_training *")
        check(lib.arnn_training_default(result, ffi.sizeof("arnn_training")))
        return lambda: check(lib.arnn_trainer_step(self.handle, result, examples, 1e-3))

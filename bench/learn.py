"""The library as the shows use it: models that are trained and run, over cffi and the public header alone."""

import os
import pathlib
import re

import cffi
import numpy as np

TOP = pathlib.Path(__file__).resolve().parent.parent
LIBRARY = pathlib.Path(os.environ.get("ARNN_LIBRARY", TOP / "build/bench-build/lib/libarnn.so"))
PREFIXES = {"cell": "CELL", "wiring": "WIRING", "score": "SCORE", "attention_start": "ATTENTION", "source": "SOURCE",
            "loss": "LOSS", "over": "OVER", "optimiser": "OPTIMISER"}
CELLS = {"rnn": "rnn_tanh"}  # names of ours that are not the header's


def _declarations():
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", (TOP / "include/arnn.h").read_text(), flags=re.S)
    return re.sub(r"^#.*$", "", text, flags=re.M)


ffi = cffi.FFI()
ffi.cdef(_declarations())
lib = ffi.dlopen(str(LIBRARY))


def call(name, *arguments):
    if getattr(lib, name)(*arguments) != lib.ARNN_OK:
        raise RuntimeError(f"{name}: {ffi.string(lib.arnn_last_error()).decode()}")


def build_info():
    return ffi.string(lib.arnn_build_info()).decode()


def _fill(kind, options):
    """A description of the library, from its defaults and what is given by name."""
    desc = ffi.new(f"arnn_{kind} *")
    call(f"arnn_{kind}_default", desc, ffi.sizeof(f"arnn_{kind}"))
    for field, value in options.items():
        if field in PREFIXES:
            value = getattr(lib, f"ARNN_{PREFIXES[field]}_{CELLS.get(value, value).upper()}")
        setattr(desc, field, value)
    return desc


def _own(kind, function, *arguments):
    out = ffi.new(f"arnn_{kind} **")
    call(function, out, *arguments)
    return ffi.gc(out[0], getattr(lib, f"arnn_{kind}_destroy"))


def _pointer(kind, array):
    return ffi.NULL if array is None else ffi.cast(f"{kind} *", array.ctypes.data)


def _input(x):
    """x as C reads it, and what to say of it."""
    x = np.asarray(x)
    if x.dtype.kind == "f":
        x = np.ascontiguousarray(x, np.float32)
        return x, {"x": _pointer("float", x)}
    x = np.ascontiguousarray(x, np.int32)
    return x, {"tokens": _pointer("int32_t", x)}


class Model:
    def __init__(self, seed, **options):
        self.desc = _fill("model_desc", options)
        self.handle = _own("model", "arnn_model_create", self.desc)
        call("arnn_model_init", self.handle, seed)
        width = ffi.new("size_t *")
        call("arnn_model_output_width", self.handle, width)
        self.outputs = width[0]

    def parameters(self):
        return lib.arnn_model_parameter_floats(self.handle)

    def stream(self, count=1):
        return Stream(self, count)


class Stream:
    """Streams that a model runs on; the model's parameters must not change meanwhile."""

    def __init__(self, model, count):
        self.model, self.count = model, count
        self.cache = _own("cache", "arnn_cache_create", model.handle, ffi.NULL)
        self.state = _own("state", "arnn_state_create", model.handle, self.cache, count)

    def run(self, x, columns=0):
        """y (time, stream, outputs) of x (time, stream, ..), and with columns the attention map of layer 0."""
        x, given = _input(x)
        steps, count = x.shape[:2]
        y = np.empty((steps, count, self.model.outputs), np.float32)
        weights = np.zeros((steps, count, columns), np.float32)
        source = ffi.new("arnn_input *", {"struct_size": ffi.sizeof("arnn_input"), **given})
        out = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output"), "map_columns": columns})
        out.y.data = _pointer("float", y)
        if columns:
            out.map.data = _pointer("float", weights)
        call("arnn_forward", self.state, out, source, ffi.NULL, ffi.NULL, steps, count)
        return (y, weights) if columns else y

    def close(self):
        ffi.release(self.state)
        ffi.release(self.cache)


class Trainer:
    def __init__(self, model, **options):
        self.model = model
        self.handle = _own("trainer", "arnn_trainer_create", model.handle, _fill("trainer_desc", options))

    def _call(self, function, x, wanted, lengths, carry, *rate):
        x, given = _input(x)
        labels = np.ascontiguousarray(wanted, np.int32)
        sizes = ffi.NULL if lengths is None else ffi.new("size_t[]", [int(length) for length in lengths])
        examples = ffi.new("arnn_examples *", {
            "struct_size": ffi.sizeof("arnn_examples"), "labels": _pointer("int32_t", labels), "lengths": sizes,
            "steps": x.shape[0], "count": x.shape[1], "carry": carry, **given})
        training = ffi.new("arnn_training *", {"struct_size": ffi.sizeof("arnn_training")})
        call(function, self.handle, training, examples, *rate)
        return training

    def step(self, x, labels, rate, lengths=None, carry=0):
        """One update; x (time, stream, ..), labels (time, stream) or (stream). Gives .loss, .weight, .correct, .norm."""
        return self._call("arnn_trainer_step", x, labels, lengths, carry, rate)

    def evaluate(self, x, labels, lengths=None):
        return self._call("arnn_trainer_evaluate", x, labels, lengths, 0)


def sample(logits, temperature, top, seed, draw):
    logits = np.ascontiguousarray(logits, np.float32)
    tokens = np.empty(len(logits), np.int32)
    call("arnn_sample", _pointer("int32_t", tokens), _pointer("float", logits), *logits.shape, temperature, top, seed, draw)
    return tokens

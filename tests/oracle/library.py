"""The library under test: include/arnn.h read by cffi, and small classes that take and give NumPy arrays.

The header itself is parsed, so that a change of it is seen here at once. ARNN_LIBRARY names the shared object.
"""
import os
import pathlib
import re

import cffi
import numpy as np

from oracle import Description

INCLUDE = pathlib.Path(__file__).resolve().parents[2] / "include"
ENUMS = {"cell": "CELL", "wiring": "WIRING", "score": "SCORE", "attention_start": "ATTENTION", "start_row": "START",
         "source": "SOURCE"}


def _declarations():
    """The header without preprocessor lines and without what C++ alone reads."""
    text = (INCLUDE / "arnn.h").read_text()
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.S)
    return re.sub(r"^#.*$", "", text, flags=re.M)


ffi = cffi.FFI()
ffi.cdef(_declarations())
lib = ffi.dlopen(os.environ["ARNN_LIBRARY"])
CONSTANTS = {name: getattr(lib, name) for name in re.findall(r"\b(ARNN_[A-Z0-9_]+) = \d+", _declarations())}
STATUS = {CONSTANTS[name]: name for name in re.search(r"enum \{(.*?)\};", _declarations(), re.S)[1].split()
          if name in CONSTANTS}


class ArnnError(Exception):
    """A status other than ARNN_OK: its name, and arnn_last_error()."""

    def __init__(self, status):
        self.status = STATUS.get(status, str(status))
        self.sentence = ffi.string(lib.arnn_last_error()).decode()
        super().__init__(f"{self.status}: {self.sentence}")


def call(name, *arguments):
    status = getattr(lib, name)(*arguments)
    if status != lib.ARNN_OK:
        raise ArnnError(status)


def value_of(kind, function, handle, *arguments):
    """What a function writes through its second argument."""
    out = ffi.new(f"{kind} *")
    call(function, handle, out, *arguments)
    return out[0]


def floats(array):
    """A C pointer to a float32 array that the caller keeps alive."""
    return ffi.NULL if array is None else ffi.cast("float *", array.ctypes.data)


def _sizes(values):
    return ffi.NULL if values is None else ffi.new("size_t[]", [int(value) for value in values])


def _contiguous(values):
    return np.ascontiguousarray(values, dtype=np.float32)


def to_c(description):
    desc = ffi.new("arnn_model_desc *")
    call("arnn_model_desc_default", desc, ffi.sizeof("arnn_model_desc"))
    for field in Description.__dataclass_fields__:
        value = getattr(description, field)
        setattr(desc, field, CONSTANTS[f"ARNN_{ENUMS[field]}_{value.upper()}"] if field in ENUMS else value)
    return desc


def from_c(desc):
    values = {}
    for field in Description.__dataclass_fields__:
        value = values[field] = getattr(desc, field)
        if field in ENUMS:
            start = f"ARNN_{ENUMS[field]}_"
            names = [name for name in CONSTANTS if name.startswith(start) and CONSTANTS[name] == value]
            values[field] = names[0][len(start):].lower()
    return Description(**values)


class Handle:
    """Owns one opaque handle; C's reference counts let them go in any order."""

    kind = ""

    def _own(self, function, *arguments):
        out = ffi.new(f"arnn_{self.kind} **")
        call(function, out, *arguments)
        self.handle = ffi.gc(out[0], getattr(lib, f"arnn_{self.kind}_destroy"))
        return self

    def close(self):
        ffi.release(self.handle)


class Model(Handle):
    kind = "model"

    def __init__(self, description, parameters=None):
        self.description = description
        self._own("arnn_model_create", to_c(description))
        for name, values in (parameters or {}).items():
            self.write(name, values)

    @classmethod
    def load(cls, source, description=None, prefix=None, ignore_unknown=0):
        """From a path, or from bytes."""
        model = cls.__new__(cls)
        options = ffi.new("arnn_load_options *")
        call("arnn_load_options_default", options, ffi.sizeof("arnn_load_options"))
        desc = to_c(description) if description else ffi.NULL
        text = ffi.new("char[]", prefix.encode()) if prefix else ffi.NULL
        options.desc, options.prefix, options.ignore_unknown = desc, text, ignore_unknown
        if isinstance(source, bytes):
            model._own("arnn_model_load_memory", source, len(source), options)
        else:
            model._own("arnn_model_load", os.fsencode(source), options)
        model.description = model.describe()
        return model

    def describe(self):
        desc = ffi.new("arnn_model_desc *")
        desc.struct_size = ffi.sizeof("arnn_model_desc")
        call("arnn_model_describe", self.handle, desc)
        return from_c(desc)

    def output_width(self):
        return value_of("size_t", "arnn_model_output_width", self.handle)

    def shapes(self):
        name, rank, shape, shapes = ffi.new("char const **"), ffi.new("size_t *"), ffi.new("size_t[2]"), {}
        for index in range(lib.arnn_model_parameter_count(self.handle)):
            call("arnn_model_parameter", self.handle, name, rank, shape, index)
            shapes[ffi.string(name[0]).decode()] = tuple(shape)[:rank[0]]
        return shapes

    def read(self, name):
        values = np.empty(self.shapes()[name], dtype=np.float32)
        call("arnn_model_read", self.handle, floats(values), name.encode(), values.size)
        return values

    def write(self, name, values):
        values = _contiguous(values)
        call("arnn_model_write", self.handle, name.encode(), floats(values), values.size)

    def init(self, seed):
        call("arnn_model_init", self.handle, seed)
        return self

    def set_weight_type(self, kind):
        call("arnn_model_set_weight_type", self.handle, CONSTANTS[f"ARNN_TYPE_{kind.upper()}"])

    def save(self, path):
        call("arnn_model_save", self.handle, os.fsencode(path))

    def save_memory(self):
        size = ffi.new("size_t *")
        call("arnn_model_save_memory", self.handle, ffi.NULL, 0, size)
        data = ffi.new("char[]", size[0])
        call("arnn_model_save_memory", self.handle, data, size[0], size)
        return bytes(ffi.buffer(data, size[0]))


class Cache(Handle):
    kind = "cache"

    def __init__(self, model, streams=0, rows=0, max_bytes=None, page_rows=0, **types):
        """types: tape_type, memory_type, key_type, each "f32", "f16", "bf16" or "i8"."""
        desc = ffi.new("arnn_cache_desc *")
        call("arnn_cache_desc_default", desc, ffi.sizeof("arnn_cache_desc"))
        for field, name in types.items():
            setattr(desc, field, CONSTANTS[f"ARNN_TYPE_{name.upper()}"])
        desc.streams, desc.rows, desc.page_rows = streams, rows, page_rows
        desc.max_bytes = desc.max_bytes if max_bytes is None else max_bytes
        self._own("arnn_cache_create", model.handle, desc)

    def reserve(self, streams, rows):
        call("arnn_cache_reserve", self.handle, streams, rows)

    def _pair(self, function):
        first, second = ffi.new("size_t *"), ffi.new("size_t *")
        call(function, self.handle, first, second)
        return first[0], second[0]

    def bytes(self):
        """Allocated, used."""
        return self._pair("arnn_cache_bytes")

    def page(self):
        """Rows, bytes."""
        return self._pair("arnn_cache_page")


class State(Handle):
    kind = "state"

    @classmethod
    def borrowed(cls, handle, description):
        state = cls.__new__(cls)
        state.handle, state.description = handle, description
        return state

    def __init__(self, model, cache, streams):
        self.description = model.description
        self._own("arnn_state_create", model.handle, cache.handle if cache else ffi.NULL, streams)

    def __len__(self):
        return lib.arnn_state_streams(self.handle)

    def length(self, stream):
        return value_of("size_t", "arnn_state_length", self.handle, stream)

    def reset(self, streams=None):
        call("arnn_state_reset", self.handle, _sizes(streams), len(streams or []))

    def get(self, which, layer, stream):
        values = np.empty(self.description.hidden, dtype=np.float32)
        call("arnn_state_get", self.handle, floats(values), CONSTANTS[f"ARNN_VALUE_{which.upper()}"], layer, stream)
        return values

    def set(self, which, layer, stream, values):
        values = _contiguous(values)
        call("arnn_state_set", self.handle, CONSTANTS[f"ARNN_VALUE_{which.upper()}"], layer, stream, floats(values))

    def append(self, stream, h, m=None):
        """h, m: (layers, rows, n)."""
        h, m = _contiguous(h), None if m is None else _contiguous(m)
        call("arnn_state_append", self.handle, stream, floats(h), floats(m), h.shape[1])

    def rows(self, layer, stream, first, rows, memories=False):
        """h (rows, n), and m where memories are asked for."""
        h, m = np.empty((2, rows, self.description.hidden), dtype=np.float32)
        call("arnn_state_rows", self.handle, floats(h), floats(m) if memories else ffi.NULL, layer, stream, first, rows)
        return (h, m) if memories else h

    def lost(self, stream):
        return value_of("int32_t", "arnn_state_lost", self.handle, stream)

    def weights(self, layer, stream, count):
        """Weights (count), the zero row's weight, logsumexp."""
        weights, zero, logsumexp = np.empty(count, dtype=np.float32), ffi.new("float *"), ffi.new("float *")
        call("arnn_state_weights", self.handle, floats(weights), zero, logsumexp, layer, stream, count)
        return weights, zero[0], logsumexp[0]

    def step(self, x, streams=None, **options):
        """x (streams, d) or token ids (streams); gives a dict of arrays (streams, width)."""
        outputs = self._run(np.asarray(x)[None], None, streams, True, **options)
        return {name: values[0] for name, values in outputs.items()}

    def forward(self, x, lengths=None, streams=None, **options):
        """x (time, streams, d) or token ids (time, streams); gives a dict of arrays (time, streams, width)."""
        return self._run(np.asarray(x), lengths, streams, False, **options)

    def _run(self, x, lengths, streams, single, want=("y", "h", "s"), map_layer=None, map_columns=0, layout="time"):
        dtype = np.int32 if self.description.vocab else np.float32
        steps, count = x.shape[:2]
        given = _laid_out(layout, steps, count, self.description.inputs if not self.description.vocab else 1, dtype)
        given[...] = x.reshape(given.shape)
        time_stride, stream_stride = _strides(layout, given)
        data = {"x": floats(given)}
        if self.description.vocab:
            data = {"tokens": ffi.cast("int32_t *", given.ctypes.data)}
        source = ffi.new("arnn_input *", dict(data, struct_size=ffi.sizeof("arnn_input"), time_stride=time_stride,
                                              stream_stride=stream_stride))
        out, arrays = self._outputs(want, map_layer, map_columns, layout, steps, count)
        chosen = _sizes(streams)
        if single:
            call("arnn_step", self.handle, out, source, chosen, count)
        else:
            call("arnn_forward", self.handle, out, source, _sizes(lengths), chosen, steps, count)
        return arrays

    def _outputs(self, want, map_layer, map_columns, layout, steps, count):
        n = self.description.hidden
        widths = {"y": self.description.output_width, "h": n, "s": n, "map": map_columns, "map_zero": 1}
        out = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output")})
        arrays = {}
        for name in tuple(want) + (("map", "map_zero") if map_layer is not None else ()):
            arrays[name] = values = _laid_out(layout, steps, count, widths[name], np.float32)
            array = getattr(out, name)
            array.data = floats(values)
            array.time_stride, array.stream_stride = _strides(layout, values)
        out.map_layer, out.map_columns = map_layer or 0, map_columns
        return out, arrays


UNWRITTEN = 777  # what output buffers hold before a run


def _laid_out(layout, steps, count, width, dtype):
    """A (steps, count, width) view of memory that lies time-major, stream-major, or with gaps at odd addresses."""
    if layout == "gaps":
        whole = np.full(1 + steps * (count + 1) * (width + 3) + 5, UNWRITTEN, dtype=dtype)[1:]
        return whole[:steps * (count + 1) * (width + 3)].reshape(steps, count + 1, width + 3)[:, :count, :width]
    if layout == "streams":
        return np.full((count, steps, width), UNWRITTEN, dtype=dtype).swapaxes(0, 1)
    return np.full((steps, count, width), UNWRITTEN, dtype=dtype)


def _strides(layout, array):
    return (0, 0) if layout == "time" else tuple(stride // array.itemsize for stride in array.strides[:2])


def attend(queries, tapes, scale=1.0, weight_stride=None, want=("logsumexp", "weights"), in_place=False, kind="f32"):
    """arnn_attend of queries (batch, width) on tapes, a list of (count, width) arrays of elements of a kind whose rows
    may lie apart; gives contexts, logsumexp (batch) and weights (batch, weight_stride), or None for those not
    wanted."""
    batch, width = queries.shape
    stride = max([len(tape) for tape in tapes] + [1]) if weight_stride is None else weight_stride
    contexts = queries if in_place else np.full((batch, width), UNWRITTEN, dtype=np.float32)
    logsumexp = np.full(batch, UNWRITTEN, dtype=np.float32) if "logsumexp" in want else None
    weights = np.full((batch, stride), UNWRITTEN, dtype=np.float32) if "weights" in want else None
    rows = ffi.new("arnn_rows[]", [(ffi.cast("void *", tape.ctypes.data), len(tape), tape.strides[0] // tape.itemsize)
                                   for tape in tapes])
    call("arnn_attend", floats(contexts), floats(logsumexp), floats(weights), floats(queries), rows, batch, width,
         stride if weights is not None else 0, CONSTANTS[f"ARNN_TYPE_{kind.upper()}"], scale)
    return contexts, logsumexp, weights


def merge(contexts, logsumexps, other_contexts, other_logsumexps):
    """arnn_attend_merge: changes the first pair."""
    call("arnn_attend_merge", floats(contexts), floats(logsumexps), floats(other_contexts), floats(other_logsumexps),
         *contexts.shape)


def build_info():
    return ffi.string(lib.arnn_build_info()).decode()

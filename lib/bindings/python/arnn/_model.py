"""Models and caches."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, Iterator, KeysView, Optional, Tuple, Union

import numpy as np

from ._arrays import F32, dense, expect, pointer
from ._base import ArnnError, Guard, Handle, NULL, Readers, check, constant, ffi, fill, lib, read
from ._types import AnyArray, Array, ArrayLike, CacheOptions, Doubles, Element, ModelOptions

if TYPE_CHECKING:
    from ._state import State
    from ._types import Unpack


class Model(Handle):
    """What is computed, and the weights. Options are the members of arnn_model_desc, constants as words:

        Model(cell="gru", wiring="beside", inputs=8, hidden=64, outputs=2, seed=1)

    cell: rnn_tanh, rnn_relu, gru, lstm; wiring: none, after, beside, before; score: dot, general, additive;
    attention_start: spread, newest; start_row: none, zero; source: h, s, hs. With seed=None all parameters are zero.
    Any number of threads may read a model. It pickles."""

    def __init__(self, *, seed: Optional[int] = None, **options: Unpack[ModelOptions]) -> None:
        self._readers = Readers()
        self._own("model", None, fill("model_desc", options))
        if seed is not None:
            self.init(seed)

    @classmethod
    def load(cls, source: Union[str, os.PathLike[str], bytes, bytearray, memoryview], *, description: Optional[ModelOptions] = None,
             prefix: Optional[str] = None, ignore_unknown: bool = False) -> Model:
        """From a safetensors file (a path) or its bytes. description: a dict of options, needed for PyTorch's
        state_dicts; prefix: what every tensor's name begins with."""
        model = cls.__new__(cls)
        model._readers = Readers()
        desc = fill("model_desc", description) if description is not None else NULL
        text = ffi.new("char[]", prefix.encode()) if prefix is not None else NULL
        options = fill("load_options", {"desc": desc, "prefix": text, "ignore_unknown": int(ignore_unknown)})
        out = ffi.new("arnn_model **")
        if isinstance(source, (bytes, bytearray, memoryview)):
            check(lib.arnn_model_load_memory(out, ffi.from_buffer(source), len(memoryview(source).cast("B")), options))
        else:
            check(lib.arnn_model_load(out, os.fsencode(source), options))
        model._adopt("model", None, out[0])
        return model

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """As a safetensors file, which appears whole or not at all."""
        with self._readers.reading():
            check(lib.arnn_model_save(self._c, os.fsencode(path)))

    def to_bytes(self) -> bytes:
        """The same bytes as save writes."""
        with self._readers.reading():
            count = ffi.new("size_t *")
            check(lib.arnn_model_save_memory(self._c, NULL, 0, count))
            data = bytearray(count[0])
            check(lib.arnn_model_save_memory(self._c, ffi.from_buffer(data), len(data), count))
        return bytes(data)

    def __reduce__(self) -> Any:
        return (type(self).load, (self.to_bytes(),))

    def init(self, seed: int) -> Model:
        """Initialises every parameter from a seed, and gives the model back."""
        with self._readers.changing():
            check(lib.arnn_model_init(self._c, seed))
        return self

    def set_weight_type(self, word: Element) -> None:
        """The type to which weights are rounded for steps: f32, f16, bf16 or i8."""
        with self._readers.changing():
            check(lib.arnn_model_set_weight_type(self._c, constant("ARNN_TYPE_", word, "type")))

    @property
    def description(self) -> ModelOptions:
        """The options, defaults resolved, as a dict."""
        desc = fill("model_desc", {})
        check(lib.arnn_model_describe(self._c, desc))
        return read("model_desc", desc)

    @property
    def kernels(self) -> str:
        """The kernel table: avx2, avx512, avx512_vnni, avx512_vnni_amx, neon, blas or ref."""
        return ffi.string(lib.arnn_model_kernels(self._c)).decode()

    @property
    def output_width(self) -> int:
        """The width of y."""
        width = ffi.new("size_t *")
        check(lib.arnn_model_output_width(self._c, width))
        return width[0]

    @property
    def shapes(self) -> Dict[str, Tuple[int, ...]]:
        """{name: shape} of every parameter, in the library's order."""
        found, name, rank, shape = {}, ffi.new("char **"), ffi.new("size_t *"), ffi.new("size_t[2]")
        for index in range(lib.arnn_model_parameter_count(self._c)):
            check(lib.arnn_model_parameter(self._c, ffi.cast("const char **", name), rank, shape, index))
            found[ffi.string(name[0]).decode()] = tuple(shape)[:rank[0]]
        return found

    @property
    def parameter_floats(self) -> int:
        """How many numbers all parameters have together."""
        return lib.arnn_model_parameter_floats(self._c)

    def split(self, flat: AnyArray) -> Dict[str, AnyArray]:
        """{name: view} of an array (parameter_floats,) in the library's order: gradients by name."""
        expect("flat", flat.shape, (self.parameter_floats,))
        found, offset = {}, ffi.new("size_t *")
        for index, (name, shape) in enumerate(self.shapes.items()):
            check(lib.arnn_model_parameter_offset(self._c, offset, index))
            found[name] = flat[offset[0]:offset[0] + int(np.prod(shape, dtype=int))].reshape(shape)
        return found

    def __getitem__(self, name: str) -> Array:
        """A copy of a parameter."""
        shape = self.shapes.get(name)
        values = np.empty(shape if shape is not None else (0,), F32)
        with self._readers.reading():
            check(lib.arnn_model_read(self._c, pointer(values), name.encode(), values.size))
        return values

    def __setitem__(self, name: str, values: ArrayLike) -> None:
        """Writes a parameter; refused (BusyError) while a state rests on the model."""
        values = dense(name, values, self.shapes.get(name))
        with self._readers.changing():
            check(lib.arnn_model_write(self._c, name.encode(), pointer(values), values.size))

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return lib.arnn_model_parameter_count(self._c)

    def __contains__(self, name: object) -> bool:
        return name in self.shapes

    def keys(self) -> KeysView[str]:
        """The names of all parameters, in the library's order."""
        return self.shapes.keys()

    def spectral_radius(self, layer: int = 0) -> Doubles:
        """The spectral radius of each gate's block of weight_hh of a layer: (G)."""
        shape = self.shapes.get(f"weight_hh_l{layer}", (1, 1))
        radii = np.empty(shape[0] // shape[1])
        with self._readers.reading():
            check(lib.arnn_model_spectral_radius(self._c, pointer(radii, "double *"), layer))
        return radii

    def lyapunov(self, x: ArrayLike, count: int, *, skip: int = 0, seed: int = 0) -> Doubles:
        """The largest `count` Lyapunov exponents (wiring none) along x (steps, d), or tokens (steps): (count)."""
        given = fill("input", {})
        if self.description["vocab"]:
            x = dense("x", x, (None,), np.int32)
            given.tokens, given.time_stride = pointer(x, "int32_t *"), 1
        else:
            x = dense("x", x, (None, self.description["inputs"]))
            given.x = pointer(x)
        exponents = np.empty(count)
        with self._readers.reading():
            check(lib.arnn_model_lyapunov(self._c, pointer(exponents, "double *"), count, given, len(x), skip, seed))
        return exponents

    def fit_readout(self, states: ArrayLike, targets: ArrayLike, penalty: float = 0.0) -> None:
        """Sets the readout that fits targets (rows, outputs) best from states (rows, |r|)."""
        _, source_width = self.shapes.get("readout.weight", (0, 0))
        states = dense("states", states, (None, source_width or None))
        targets = dense("targets", targets, (len(states), self.output_width))
        with self._readers.changing():
            check(lib.arnn_model_fit_readout(self._c, pointer(states), pointer(targets), len(states), penalty))

    def cache(self, **options: Unpack[CacheOptions]) -> Cache:
        """Cache(self, ..)."""
        return Cache(self, **options)

    def state(self, streams: int = 1, **options: Unpack[CacheOptions]) -> State:
        """A State with a cache of its own, for which options are."""
        from ._state import State
        return State(self, Cache(self, **options), streams)

    def __repr__(self) -> str:
        if self._handle is None:
            return "<arnn.Model, closed>"
        plain = read("model_desc", fill("model_desc", {}))
        given = {name: value for name, value in self.description.items()
                 if value != plain[name] or name in ("cell", "wiring", "score", "inputs", "hidden")}
        return f"<arnn.Model {' '.join(f'{name}={value}' for name, value in given.items())}>"


class Cache(Handle):
    """Where the past states of streams are kept. Options are the members of arnn_cache_desc: tape_type, memory_type and
    key_type (f32, f16, bf16, i8), threads, page_rows, streams, rows, max_bytes. One thread at a time uses a cache and the
    states on it; a second one gets BusyError."""

    def __init__(self, model: Model, **options: Unpack[CacheOptions]) -> None:
        self.model = model
        self._guard = Guard("Cache")
        with model._readers.reading():
            self._own("cache", self._guard, model._c, fill("cache_desc", options))

    def close(self) -> None:
        """Lets go of its memory; BusyError while another thread is at work in it. A second time does nothing."""
        with self._guard:
            handle, self._handle = self._handle, None
        if handle is not None:
            ffi.release(handle)

    def reserve(self, streams: int, rows: int) -> None:
        """Makes room, in all, for so many streams of so many rows each."""
        with self._guard:
            check(lib.arnn_cache_reserve(self._c, streams, rows))

    def _pair(self, function):
        pair = ffi.new("size_t[2]")
        with self._guard:
            check(function(self._c, pair, pair + 1))
        return tuple(pair)

    @property
    def bytes(self) -> Tuple[int, int]:
        """(allocated, used): of all pages, and of those that streams hold."""
        return self._pair(lib.arnn_cache_bytes)

    @property
    def page(self) -> Tuple[int, int]:
        """(rows, bytes) of a page."""
        return self._pair(lib.arnn_cache_page)

    def __repr__(self) -> str:
        if self._handle is None:
            return "<arnn.Cache, closed>"
        try:
            return "<arnn.Cache, {} of {} bytes in use>".format(*self.bytes[::-1])
        except ArnnError:
            return "<arnn.Cache, at work>"

"""Streams, and running them."""
from __future__ import annotations

from typing import Literal, Optional, Tuple, Union, overload

import numpy as np

from ._arrays import F32, dense, expect, pointer, sizes
from ._base import ArnnError, Handle, InvalidArgumentError, check, constant, ffi, lib
from ._call import Call, Plain, stepper
from ._model import Cache, Model
from ._types import AnyArray, Array, ArrayLike, Sizes, Step, Value, Wanted


class State(Handle):
    """A batch of streams, each with its own length and past. cache: None gives it one of its own."""

    def __init__(self, model: Model, cache: Optional[Cache] = None, streams: int = 1) -> None:
        cache = Cache(model) if cache is None else cache
        self._prepare(model, cache, cache._guard)
        with model._readers.reading(), self._guard:
            self._own("state", self._guard, model._c, cache._c, streams)
        widths = {"y": self._width, "h": self._description["hidden"], "s": self._description["hidden"]}
        self._plain = {want: Plain(self._description, self.streams, want, width) for want, width in widths.items()}

    def _prepare(self, model, cache, guard):
        self.model, self.cache, self._guard = model, cache, guard
        self._description, self._width = model.description, model.output_width

    def close(self) -> None:
        """Lets go of its memory; BusyError while another thread is at work in it. A second time does nothing."""
        with self._guard:
            handle, self._handle = self._handle, None
        if handle is not None:
            ffi.release(handle)

    @property
    def streams(self) -> int:
        """How many streams it has."""
        return lib.arnn_state_streams(self._c)

    def __len__(self) -> int:
        return self.streams

    def _length(self, stream):
        length = ffi.new("size_t *")
        check(lib.arnn_state_length(self._c, length, stream))
        return length[0]

    def length(self, stream: int = 0) -> int:
        """Steps made and rows appended since the stream was empty."""
        with self._guard:
            return self._length(stream)

    def reset(self, streams: Optional[Sizes] = None) -> None:
        """Empties streams, or all of them."""
        which, _keep, count = sizes("streams", streams)
        with self._guard:
            check(lib.arnn_state_reset(self._c, which, count))

    def get(self, which: Value, layer: int = 0, stream: int = 0) -> Array:
        """The value s, m or h that a layer carries: (n)."""
        values = np.empty(self._description["hidden"], F32)
        with self._guard:
            check(lib.arnn_state_get(self._c, pointer(values), constant("ARNN_VALUE_", which, "which"), layer, stream))
        return values

    def set(self, which: Value, values: ArrayLike, layer: int = 0, stream: int = 0) -> None:
        """Sets it."""
        values = dense("values", values, (self._description["hidden"],))
        with self._guard:
            check(lib.arnn_state_set(self._c, constant("ARNN_VALUE_", which, "which"), layer, stream, pointer(values)))

    def append(self, h: ArrayLike, m: Optional[ArrayLike] = None, *, stream: int = 0) -> None:
        """Adds rows h (layers, rows, n), m the same for the LSTM in `before`, to a stream's tape."""
        desc = self._description
        h = dense("h", h, (desc["layers"], None, desc["hidden"]))
        m = None if m is None else dense("m", m, h.shape)
        with self._guard:
            check(lib.arnn_state_append(self._c, stream, pointer(h), pointer(m), h.shape[1]))

    @overload
    def rows(self, first: int = 0, rows: Optional[int] = None, *, layer: int = 0, stream: int = 0,
             memory: Literal[False] = False) -> Array: ...

    @overload
    def rows(self, first: int = 0, rows: Optional[int] = None, *, layer: int = 0, stream: int = 0,
             memory: Literal[True]) -> Tuple[Array, Array]: ...

    def rows(self, first: int = 0, rows: Optional[int] = None, *, layer: int = 0, stream: int = 0,
             memory: bool = False) -> Union[Array, Tuple[Array, Array]]:
        """Rows of a tape from `first` on, by default all: (rows, n), with memory=True a pair of them."""
        with self._guard:
            count = max(self._length(stream) - first, 0) if rows is None else rows
            h = np.empty((count, self._description["hidden"]), F32)
            m = np.empty_like(h) if memory else None
            check(lib.arnn_state_rows(self._c, pointer(h), pointer(m), layer, stream, first, count))
        return (h, m) if memory else h

    def lost(self, stream: int = 0) -> bool:
        """Whether an 8-bit tape was given a NaN, which it cannot hold."""
        lost = ffi.new("int32_t *")
        with self._guard:
            check(lib.arnn_state_lost(self._c, lost, stream))
        return bool(lost[0])

    def weights(self, layer: int = 0, stream: int = 0) -> Tuple[Array, float, float]:
        """The attention of the last step: (weights (length), the zero row's weight, logsumexp of the scores)."""
        with self._guard:
            weights, rest = np.empty(self._length(stream), F32), ffi.new("float[2]")
            check(lib.arnn_state_weights(self._c, pointer(weights), rest, rest + 1, layer, stream, len(weights)))
        return weights, rest[0], rest[1]

    def _columns(self, streams, steps):
        chosen = range(self.streams) if streams is None else streams
        return max([self._length(int(b)) for b in chosen], default=0) + steps

    def _one(self, x, streams, axes):
        """(x with time and stream axes, count, whether the stream axis was left out); `axes` of them are expected."""
        x, desc = np.asarray(x), self._description
        name, row = ("tokens", ()) if desc["vocab"] else ("x", (desc["inputs"],))
        count, lead = self.streams if streams is None else len(streams), x.shape[:axes - 1]
        if count == 1 and x.ndim == len(lead) + len(row):
            expect(name, x.shape, lead + row)
            return np.expand_dims(x, axes - 1), 1, True
        if streams is None and x.ndim == axes + len(row):
            count = x.shape[axes - 1]
        expect(name, x.shape, (*lead, count, *row))
        return x, count, False

    @overload
    def step(self, x: ArrayLike, streams: Optional[Sizes] = None, *, out: Optional[AnyArray] = None, want: Wanted = "y",
             map_layer: int = 0) -> Array: ...

    @overload
    def step(self, x: ArrayLike, streams: Optional[Sizes] = None, *, out: Optional[Tuple[AnyArray, ...]] = None,
             want: Tuple[Wanted, ...], map_layer: int = 0) -> Tuple[Array, ...]: ...

    def step(self, x: ArrayLike, streams: Optional[Sizes] = None, *, out: Union[None, AnyArray, Tuple[AnyArray, ...]] = None,
             want: Union[Wanted, Tuple[Wanted, ...]] = "y", map_layer: int = 0) -> Union[Array, Tuple[Array, ...]]:
        """One step. x: (count, d), or tokens (count); without the stream axis for one stream. streams: which, by default
        the first ones. want: one of y, h, s (count, width), map (count, columns), map_zero (count, 1), or a tuple of them; out:
        arrays to fill instead of new ones, likewise."""
        if streams is None and want.__class__ is str and want in self._plain:
            found = self._plain[want](self, x, out)
            if found is not None:
                return found
        call, which, _keep, results = self._step(x, streams, out, want, map_layer)
        with self._guard:
            check(lib.arnn_step(self._c, call.output, call.input, which, call.count))
        call.finish()
        return results

    def _step(self, x, streams, out, want, map_layer):
        which, keep, _ = sizes("streams", streams)
        x, count, alone = self._one(x, keep, 1)
        with self._guard:
            columns = self._columns(keep, 1) if "map" in want else 0
        call = Call(self, x[None], 1, count, () if alone else (count,))
        results = call.outputs(want, out, False, columns, map_layer)
        return call, which, keep, results

    @overload
    def stepper(self, x: AnyArray, streams: Optional[Sizes] = None, *, want: Wanted = "y", out: None = None,
                map_layer: int = 0) -> Tuple[Step, Array]: ...

    @overload
    def stepper(self, x: AnyArray, streams: Optional[Sizes] = None, *, want: Tuple[Wanted, ...], out: None = None,
                map_layer: int = 0) -> Tuple[Step, Tuple[Array, ...]]: ...

    @overload
    def stepper(self, x: AnyArray, streams: Optional[Sizes] = None, *, want: Union[Wanted, Tuple[Wanted, ...]] = "y",
                out: Union[Array, Tuple[Array, ...]], map_layer: int = 0) -> Step: ...

    def stepper(self, x: AnyArray, streams: Optional[Sizes] = None, *, want: Union[Wanted, Tuple[Wanted, ...]] = "y",
                out: Union[None, Array, Tuple[Array, ...]] = None,
                map_layer: int = 0) -> Union[Step, Tuple[Step, Union[Array, Tuple[Array, ...]]]]:
        """A call without arguments that makes one step on these arrays, for the least cost a step. x: (count, d) float32, or
        tokens (count) int32, laid out so that it needs no copy, as the arrays of out."""
        call, which, keep, results = self._step(x, streams, out, want, map_layer)
        if not np.shares_memory(call.x, x) and call.count:
            raise InvalidArgumentError("x would have to be copied at every step; expected float32 (int32 for tokens), rows contiguous")
        if call.back:
            raise InvalidArgumentError("out would have to be copied at every step; expected float32, rows contiguous")
        make_step = stepper(self, call, which, (keep, results))
        return (make_step, results) if out is None else make_step

    @overload
    def forward(self, x: ArrayLike, lengths: Optional[Sizes] = None, streams: Optional[Sizes] = None, *,
                out: Optional[AnyArray] = None, want: Wanted = "y", map_layer: int = 0) -> Array: ...

    @overload
    def forward(self, x: ArrayLike, lengths: Optional[Sizes] = None, streams: Optional[Sizes] = None, *,
                out: Optional[Tuple[AnyArray, ...]] = None, want: Tuple[Wanted, ...],
                map_layer: int = 0) -> Tuple[Array, ...]: ...

    def forward(self, x: ArrayLike, lengths: Optional[Sizes] = None, streams: Optional[Sizes] = None, *,
                out: Union[None, AnyArray, Tuple[AnyArray, ...]] = None, want: Union[Wanted, Tuple[Wanted, ...]] = "y",
                map_layer: int = 0) -> Union[Array, Tuple[Array, ...]]:
        """Whole sequences. x: (time, count, d), or tokens (time, count), in any layout; the stream axis may be left out for one
        stream. lengths: how many steps each makes; what is beyond is not written (new arrays: zero). Else as step."""
        which, keep, _ = sizes("streams", streams)
        x, count, alone = self._one(x, keep, 2)
        steps = x.shape[0] if x.ndim else 0
        lengths, keep_lengths, given = sizes("lengths", lengths)
        if keep_lengths is not None:
            expect("lengths", (given,), (count,))
        with self._guard:
            columns = self._columns(keep, steps) if "map" in want else 0
            call = Call(self, x, steps, count, (steps,) if alone else (steps, count))
            results = call.outputs(want, out, keep_lengths is not None, columns, map_layer)
            self._run(call, lengths, which)
        call.finish()
        return results

    def _run(self, call, lengths, which):
        check(lib.arnn_forward(self._c, call.output, call.input, lengths, which, call.steps, call.count))

    def __repr__(self) -> str:
        if self._handle is None:
            return f"<arnn.{type(self).__name__}, closed>"
        try:
            with self._guard:
                lengths = [self._length(b) for b in range(min(self.streams, 8))]
        except ArnnError:
            return f"<arnn.{type(self).__name__}, at work>"
        more = ", .." if self.streams > 8 else ""
        return f"<arnn.{type(self).__name__} of {self.streams} streams, lengths {', '.join(map(str, lengths))}{more}>"

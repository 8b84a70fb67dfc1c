"""Recorded runs, and the way back over them."""
from __future__ import annotations

from typing import Any, Dict, Literal, NoReturn, Optional, Tuple

import numpy as np

from ._arrays import F32, expect, pointer, source
from ._base import Guard, InvalidArgumentError, NULL, check, ffi, fill, lib
from ._model import Model
from ._state import State
from ._types import Array, ArrayLike


class Record(State):
    """A recorded run and the way back over it. Room: streams, steps, and `past` rows of earlier runs."""

    def __init__(self, model: Model, *, streams: int = 1, steps: int = 128, past: int = 0, threads: int = 1) -> None:
        self._prepare(model, None, Guard("Record"))
        self._desc = fill("record_desc", {"streams": streams, "steps": steps, "past": past, "threads": threads})
        with model._readers.reading():
            self._own("record", self._guard, model._c, self._desc)
        self._record, self._last, self._floats = self._handle, None, model.parameter_floats
        self._handle = lib.arnn_record_state(self._record)

    @staticmethod
    def room(model: Model, *, streams: int = 1, steps: int = 128, past: int = 0, threads: int = 1) -> int:
        """The bytes that such a record takes."""
        count = ffi.new("size_t *")
        check(lib.arnn_record_bytes(model._c, fill("record_desc", {"streams": streams, "steps": steps, "past": past,
                                                                   "threads": threads}), count))
        return count[0]

    def close(self) -> None:
        """Lets go of its memory; BusyError while another thread is at work in it. A second time does nothing."""
        with self._guard:
            self._handle, record, self._record = None, self._record, None
        if record is not None:
            ffi.release(record)

    def _run(self, call, lengths, which):
        if which != NULL:
            raise InvalidArgumentError("a Record runs its first streams; streams cannot be chosen")
        self._c
        self._last = None
        with self.model._readers.reading():
            check(lib.arnn_record_forward(self._record, call.output, call.input, lengths, call.steps, call.count))
        self._last = (call.steps, call.count, call.shape)

    def step(self, *_: Any, **__: Any) -> NoReturn: # type: ignore[override]
        """A record has none."""
        raise InvalidArgumentError("a Record runs by forward alone")

    stepper = step # type: ignore[assignment]

    def backward(self, *, y: Optional[ArrayLike] = None, h: Optional[ArrayLike] = None, s: Optional[ArrayLike] = None,
                 parameters: Optional[Array] = None, want: Tuple[Literal["x", "s", "m", "h"], ...] = ()) -> Dict[str, Array]:
        """Goes back over the last run, once. y, h, s: what the loss is owed by those outputs, shaped as they are. parameters
        (Model.parameter_floats,): float32, added to. want: some of x, s, m, h; gradients of the input and of the values (layers,
        count, n) that the run began with, given back in a dict."""
        with self._guard:
            self._c
            if self._last is None:
                raise InvalidArgumentError("there is no run to go back over")
            steps, count, shape = self._last
            desc, keep = self._description, []
            given, to = fill("output_gradient", {}), fill("gradient", {})
            for name, array, width in (("y", y, self._width), ("h", h, desc["hidden"]), ("s", s, desc["hidden"])):
                if array is not None:
                    expect(name, np.shape(array), shape + (width,))
                    used, time, stream = source(name, np.reshape(array, (steps, count, width)), (steps, count, width))
                    member = getattr(given, name)
                    member.data, member.time_stride, member.stream_stride = pointer(used), time, stream
                    keep.append(used)
            if parameters is not None:
                expect("parameters", parameters.shape, (self._floats,))
                if parameters.dtype != F32 or not parameters.flags.carray:
                    raise InvalidArgumentError("parameters is added to in place; expected a contiguous, writable float32 array")
                to.parameters = pointer(parameters)
            found = {}
            for name in want:
                found[name] = np.zeros(shape + (desc["inputs"],) if name == "x" else (desc["layers"], count, desc["hidden"]), F32)
                if name == "x":
                    to.x.data = pointer(found[name])
                else:
                    setattr(to, name, pointer(found[name]))
            with self.model._readers.reading():
                check(lib.arnn_record_backward(self._record, to, given))
            self._last = None
        return found

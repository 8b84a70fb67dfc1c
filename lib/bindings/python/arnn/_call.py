"""One call of the library from NumPy arrays: the general way, the short way of most steps, and the shortest."""
import numpy as np

from ._arrays import F32, expect, pointer, source, target
from ._base import InvalidArgumentError, NULL, check, failed, ffi, fill, lib

INPUT_SIZE, OUTPUT_SIZE = fill("input", {}).struct_size, fill("output", {}).struct_size
OUTPUTS = ("y", "h", "s", "map", "map_zero")
step = lib.arnn_step
FLOATS, TOKENS = ffi.typeof("float[]"), ffi.typeof("int32_t[]")


class Call:
    """The C structs of one call and the arrays that they point to, made from NumPy arrays."""

    def __init__(self, state, x, steps, count, shape):
        self.state, self.steps, self.count, self.shape = state, steps, count, shape
        desc = state._description
        self.input = ffi.new("arnn_input *", (INPUT_SIZE,))
        if desc["vocab"]:
            self.x, time, stream = source("tokens", x, (steps, count), np.int32)
            self.input.tokens = pointer(self.x, "int32_t *")
        else:
            self.x, time, stream = source("x", x, (steps, count, desc["inputs"]))
            self.input.x = pointer(self.x)
        self.input.time_stride, self.input.stream_stride = time, stream
        self.output = ffi.new("arnn_output *", (OUTPUT_SIZE,))
        self.back = []
        self.kept = []

    def outputs(self, want, out, blank, columns, layer):
        """Points the outputs wanted to `out`, or to new arrays; gives those in the caller's shape."""
        single = isinstance(want, str)
        names = (want,) if single else tuple(want)
        outs = (None,) * len(names) if out is None else (out,) if single else tuple(out)
        if len(outs) != len(names):
            raise InvalidArgumentError(f"out has {len(outs)} arrays, expected {len(names)}: one for each of want")
        desc = self.state._description
        widths = {"y": self.state._width, "h": desc["hidden"], "s": desc["hidden"], "map": columns, "map_zero": 1}
        self.output.map_layer, self.output.map_columns = layer, columns
        results = []
        for name, array in zip(names, outs):
            if name not in widths:
                raise InvalidArgumentError(f"want has {name!r}, expected some of {', '.join(OUTPUTS)}")
            if array is not None and not isinstance(array, np.ndarray):
                raise TypeError(f"out {name} is {type(array).__name__}, expected a NumPy array")
            if name == "map" and array is not None:
                widths["map"] = self.output.map_columns = array.shape[-1] if array.ndim else 0
            array = (np.zeros if blank else np.empty)(self.shape + (widths[name],), F32) if array is None else array
            results.append(array)
            expect(f"out {name}", array.shape, self.shape + (widths[name],))
            full = array.reshape(self.steps, self.count, widths[name]) if array.shape[:-1] != (self.steps, self.count) else array
            used, time, stream = target(f"out {name}", full, full.shape)
            member = getattr(self.output, name)
            member.data, member.time_stride, member.stream_stride = pointer(used), time, stream
            self.kept.append(used)
            if used is not full or not np.shares_memory(full, array):
                self.back.append((array, used))
        return results[0] if single else tuple(results)

    def finish(self):
        for array, used in self.back:
            array[...] = used.reshape(array.shape)


class Plain:
    """Steps of all streams of a state on arrays that the library takes as they are, or floats made so, with structs that serve
    again and again: one check an array, and nothing else where nothing else is needed."""

    __slots__ = ("_input", "_output", "_member", "_tokens", "_dtype", "_count", "_shapes")

    def __init__(self, desc, count, want, width):
        self._input, self._output = ffi.new("arnn_input *", (INPUT_SIZE,)), ffi.new("arnn_output *", (OUTPUT_SIZE,))
        self._member, self._tokens = getattr(self._output, want), bool(desc["vocab"])
        self._dtype, self._count = np.dtype(np.int32) if self._tokens else F32, count
        row = () if self._tokens else (desc["inputs"],)
        self._shapes = {(count, *row): (count, width)} if count else {}
        if count == 1:
            self._shapes[row] = (width,)

    def __call__(self, state, x, out):
        """The array written; None, and no step, if these arrays are for the general way."""
        shape = self._shapes.get(x.shape) if type(x) is np.ndarray else None
        if shape is None:
            return None
        flags = x.flags
        if x.dtype != self._dtype or not (flags.c_contiguous and flags.aligned):
            if self._tokens or x.dtype.kind != "f":
                return None
            x = np.array(x, F32, order="C")
        if out is None:
            out = np.empty(shape, F32)
        elif type(out) is not np.ndarray or out.dtype != F32 or out.shape != shape or not out.flags.carray:
            return None
        guard = state._guard
        guard.take()
        try:
            if self._tokens:
                self._input.tokens = ffi.from_buffer(TOKENS, x)
            else:
                self._input.x = ffi.from_buffer(FLOATS, x)
            self._member.data = ffi.from_buffer(FLOATS, out)
            check(step(state._c, self._output, self._input, NULL, self._count))
        finally:
            guard.give()
        return out


def error_of(state, status):
    if status == lib.GUARD_BUSY:
        return state._guard.busy()
    return failed(status) if state._c else None # which raises where the state is closed


def stepper(state, call, streams, kept):
    """A step of a call's structs, without arguments: what Guard.take, arnn_step and Guard.give do, in one call into C."""
    guard = state._guard
    waiting, again = guard.waiting, lib.guard_step
    own = ffi.new("guarded_step *", (guard.flag, state._place, call.output, call.input, streams, call.count))

    def make_step():
        status = again(own)
        if waiting:
            guard.drain()
        if status:
            raise error_of(state, status)

    make_step.arrays = call, kept, streams, state._place # as long as it lives, so do they
    return make_step

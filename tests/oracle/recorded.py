"""Recorded runs and their gradients, as library.py has the rest."""
import numpy as np

from library import UNWRITTEN, Handle, State, _contiguous, _sizes, call, ffi, floats, lib


class Record(Handle):
    """A recorded run; x and outputs are (streams, steps, width) here."""

    kind = "record"

    def __init__(self, model, streams, steps, past=0, threads=1):
        self.model, self.description = model, model.description
        self._own("arnn_record_create", model.handle, self.desc(streams, steps, past, threads))
        self.state = State.borrowed(lib.arnn_record_state(self.handle), model.description)

    @staticmethod
    def desc(streams, steps, past=0, threads=1):
        desc = ffi.new("arnn_record_desc *")
        call("arnn_record_desc_default", desc, ffi.sizeof("arnn_record_desc"))
        desc.streams, desc.steps, desc.past, desc.threads = streams, steps, past, threads
        return desc

    def forward(self, x, lengths=None, want=("y", "h", "s")):
        x = np.ascontiguousarray(np.asarray(x), dtype=np.int32 if self.description.vocab else np.float32)
        self.shape = count, steps = x.shape[:2]
        width = 1 if self.description.vocab else self.description.inputs
        data = {"tokens": ffi.cast("int32_t *", x.ctypes.data)} if self.description.vocab else {"x": floats(x)}
        source = ffi.new("arnn_input *", dict(data, struct_size=ffi.sizeof("arnn_input"), time_stride=width,
                                              stream_stride=width * steps))
        widths = {"y": self.description.output_width, "h": self.description.hidden, "s": self.description.hidden}
        out, arrays = ffi.new("arnn_output *", {"struct_size": ffi.sizeof("arnn_output")}), {}
        for name in want:
            arrays[name] = _stream_major(getattr(out, name), count, steps, widths[name])
        call("arnn_record_forward", self.handle, out, source, _sizes(lengths), steps, count)
        return arrays

    def backward(self, owed, want=("x", "s", "m", "h"), gradients=None, time_major=False):
        """owed: dict of arrays (streams, steps, width), in whose order or with the steps first they are handed over. Gives
        gradients of parameters by name, x, s, m, h."""
        d = self.description
        source = ffi.new("arnn_output_gradient *", {"struct_size": ffi.sizeof("arnn_output_gradient")})
        kept = [_contiguous(values.swapaxes(0, 1) if time_major else values) for values in owed.values()]
        for name, values in zip(owed, kept):
            array, strides = getattr(source, name), (values.shape[2], values.shape[1] * values.shape[2])
            array.data = floats(values)
            array.stream_stride, array.time_stride = strides if time_major else strides[::-1]
        to = ffi.new("arnn_gradient *", {"struct_size": ffi.sizeof("arnn_gradient")})
        count = lib.arnn_model_parameter_floats(self.model.handle)
        flat = np.zeros(count, dtype=np.float32) if gradients is None else gradients
        to.parameters, found = floats(flat), {}
        if "x" in want and not d.vocab:
            found["x"] = _stream_major(to.x, *self.shape, d.inputs)
        carried = {"s": True, "m": d.carries_memory, "h": d.wiring == "beside"}
        for name in ("s", "m", "h"):
            if name in want and carried[name]:
                found[name] = np.full((d.layers, self.shape[0], d.hidden), UNWRITTEN, dtype=np.float32)
                setattr(to, name, floats(found[name]))
        call("arnn_record_backward", self.handle, to, source)
        return dict(found, **self.named(flat))

    def named(self, flat):
        offset, found = ffi.new("size_t *"), {}
        for index, (name, shape) in enumerate(self.model.shapes().items()):
            call("arnn_model_parameter_offset", self.model.handle, offset, index)
            found[name] = flat[offset[0]:offset[0] + int(np.prod(shape))].reshape(shape)
        return found


def _stream_major(array, count, steps, width):
    values = np.full((count, steps, width), UNWRITTEN, dtype=np.float32)
    array.data, array.time_stride, array.stream_stride = floats(values), width, width * steps
    return values

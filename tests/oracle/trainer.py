"""The trainer of the library under test."""
import os

import numpy as np
from library import CONSTANTS, Handle, call, ffi, floats, lib

CHOICES = {"loss": "LOSS", "over": "OVER", "optimiser": "OPTIMISER"}


def _pointer(kind, array):
    return ffi.NULL if array is None else ffi.cast(f"{kind} *", array.ctypes.data)


class Trainer(Handle):
    kind = "trainer"

    def __init__(self, model, **options):
        """options: the fields of arnn_trainer_desc; loss, over and optimiser by the end of their constants' names."""
        desc = ffi.new("arnn_trainer_desc *")
        call("arnn_trainer_desc_default", desc, ffi.sizeof("arnn_trainer_desc"))
        for field, value in options.items():
            setattr(desc, field, CONSTANTS[f"ARNN_{CHOICES[field]}_{value.upper()}"] if field in CHOICES else value)
        self.model = model
        self._own("arnn_trainer_create", model.handle, desc)

    def examples(self, x, wanted, lengths=None, weights=None, carry=0):
        """x: (time, stream, d), or token ids (time, stream); wanted: labels (integers) or values. Keeps what C reads."""
        tokens = np.issubdtype(np.asarray(x).dtype, np.integer)
        labels = np.issubdtype(np.asarray(wanted).dtype, np.integer)
        x = np.ascontiguousarray(x, np.int32 if tokens else np.float32)
        wanted = np.ascontiguousarray(wanted, np.int32 if labels else np.float32)
        weights = None if weights is None else np.ascontiguousarray(weights, np.float32)
        sizes = ffi.NULL if lengths is None else ffi.new("size_t[]", [int(length) for length in lengths])
        made = ffi.new("arnn_examples *", {
            "struct_size": ffi.sizeof("arnn_examples"), "x": floats(None if tokens else x),
            "tokens": _pointer("int32_t", x if tokens else None), "labels": _pointer("int32_t", wanted if labels else None),
            "values": floats(None if labels else wanted), "weights": floats(weights), "lengths": sizes,
            "steps": x.shape[0], "count": x.shape[1], "carry": carry})
        self.kept = x, wanted, weights, sizes
        return made

    def _run(self, function, *arguments):
        training = ffi.new("arnn_training *", {"struct_size": ffi.sizeof("arnn_training")})
        call(function, self.handle, training, *arguments)
        return training

    def step(self, *examples, rate, **more):
        return self._run("arnn_trainer_step", self.examples(*examples, **more), rate)

    def gradients(self, *examples, **more):
        return self._run("arnn_trainer_gradients", self.examples(*examples, **more))

    def evaluate(self, *examples, **more):
        return self._run("arnn_trainer_evaluate", self.examples(*examples, **more))

    def update(self, rate):
        norm = ffi.new("double *")
        call("arnn_trainer_update", self.handle, norm, rate)
        return norm[0]

    def gradient(self):
        """The buffer itself, as an array."""
        count = lib.arnn_model_parameter_floats(self.model.handle)
        return np.frombuffer(ffi.buffer(lib.arnn_trainer_gradient(self.handle), 4 * count), np.float32)

    def gradient_of(self, index):
        offset, shape = ffi.new("size_t *"), list(self.model.shapes().values())[index]
        call("arnn_model_parameter_offset", self.model.handle, offset, index)
        return self.gradient()[offset[0]:offset[0] + int(np.prod(shape))].reshape(shape)

    def updates(self):
        return lib.arnn_trainer_updates(self.handle)

    def save(self, path):
        call("arnn_trainer_save", self.handle, os.fsencode(path))

    def load(self, path):
        call("arnn_trainer_load", self.handle, os.fsencode(path))

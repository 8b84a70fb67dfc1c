"""Training, and choosing tokens."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Optional, Union

import numpy as np

from ._arrays import F32, dense, expect, pointer, sizes, source
from ._base import Guard, Handle, check, ffi, fill, lib, read
from ._model import Model
from ._types import Array, ArrayLike, Sizes, Tokens, TrainerOptions, Training

if TYPE_CHECKING:
    from ._types import Unpack


class Trainer(Handle):
    """Trains a model, which it needs alone. Options are the members of arnn_trainer_desc: loss (cross_entropy, squared_error),
    over (steps, last, mean), optimiser (sgd, adam, adamw), momentum, clip, dropout, seed, streams, steps, past .."""

    def __init__(self, model: Model, **options: Unpack[TrainerOptions]) -> None:
        self.model = model
        self._guard = Guard("Trainer")
        self._desc = fill("trainer_desc", options)
        self._description, self._width, self._floats = model.description, model.output_width, model.parameter_floats
        with model._readers.reading():
            self._own("trainer", self._guard, model._c, self._desc)

    def close(self) -> None:
        """Lets go of its memory; BusyError while another thread is at work in it. A second time does nothing."""
        with self._guard:
            handle, self._handle = self._handle, None
        if handle is not None:
            ffi.release(handle)

    def _examples(self, x, wanted, lengths, weights, carry):
        desc, options = self._description, read("trainer_desc", self._desc)
        examples, whole = fill("examples", {"carry": int(carry)}), options["over"] == "steps"
        if desc["vocab"]:
            x, time, stream = source("tokens", x, (None, None), np.int32)
            examples.tokens = pointer(x, "int32_t *")
        else:
            x, time, stream = source("x", x, (None, None, desc["inputs"]))
            examples.x = pointer(x)
        examples.steps, examples.count = steps, count = x.shape[:2]
        examples.time_stride, examples.stream_stride = time, stream
        lead = (steps, count) if whole else (count,)
        if options["loss"] == "cross_entropy":
            wanted = dense("labels", wanted, lead, np.int32)
            examples.labels = pointer(wanted, "int32_t *")
        else:
            wanted = dense("values", wanted, lead + (self._width,))
            examples.values = pointer(wanted)
        weights = None if weights is None else dense("weights", weights, (count,))
        examples.weights = pointer(weights)
        examples.lengths, keep, given = sizes("lengths", lengths)
        if keep is not None:
            expect("lengths", (given,), (count,))
        return examples, (x, wanted, weights, keep)

    def _learn(self, function, args, *more, changing=True):
        examples, _keep = self._examples(*args)
        result = fill("training", {})
        with self._guard, (self.model._readers.changing() if changing else self.model._readers.reading()):
            check(function(self._c, result, examples, *more))
        return read("training", result)

    def step(self, x: ArrayLike, wanted: ArrayLike, rate: float, *, lengths: Optional[Sizes] = None,
             weights: Optional[ArrayLike] = None, carry: bool = False) -> Training:
        """One step of learning. x (time, stream, d) or tokens (time, stream); wanted: labels (time, stream) or values (time,
        stream, outputs), over last and mean without the time axis. Gives {loss, weight, correct, norm}."""
        return self._learn(lib.arnn_trainer_step, (x, wanted, lengths, weights, carry), rate)

    def gradients(self, x: ArrayLike, wanted: ArrayLike, *, lengths: Optional[Sizes] = None,
                  weights: Optional[ArrayLike] = None, carry: bool = False) -> Training:
        """The first half of a step: leaves the gradient in `gradient`."""
        return self._learn(lib.arnn_trainer_gradients, (x, wanted, lengths, weights, carry))

    def update(self, rate: float) -> float:
        """The second half: clips and updates; gives the norm before clipping."""
        norm = ffi.new("double *")
        with self._guard, self.model._readers.changing():
            check(lib.arnn_trainer_update(self._c, norm, rate))
        return norm[0]

    def evaluate(self, x: ArrayLike, wanted: ArrayLike, *, lengths: Optional[Sizes] = None,
                 weights: Optional[ArrayLike] = None) -> Training:
        """The loss without dropout, gradient or update."""
        return self._learn(lib.arnn_trainer_evaluate, (x, wanted, lengths, weights, False), changing=False)

    @property
    def gradient(self) -> Array:
        """A copy of the gradient (parameter_floats,); assign to change it. Model.split gives it by name."""
        with self._guard:
            return np.frombuffer(ffi.buffer(lib.arnn_trainer_gradient(self._c), 4 * self._floats), F32).copy()

    @gradient.setter
    def gradient(self, values: ArrayLike) -> None:
        """Sets it."""
        values = dense("gradient", values, (self._floats,))
        with self._guard:
            ffi.memmove(lib.arnn_trainer_gradient(self._c), pointer(values), values.nbytes)

    @property
    def updates(self) -> int:
        """How many updates were made."""
        return lib.arnn_trainer_updates(self._c)

    def save(self, path: Union[str, os.PathLike[str]]) -> None:
        """A checkpoint, as a safetensors file."""
        with self._guard, self.model._readers.reading():
            check(lib.arnn_trainer_save(self._c, os.fsencode(path)))

    def load(self, path: Union[str, os.PathLike[str]]) -> None:
        """Goes on from a checkpoint."""
        with self._guard, self.model._readers.changing():
            check(lib.arnn_trainer_load(self._c, os.fsencode(path)))

    def __repr__(self) -> str:
        return "<arnn.Trainer, closed>" if self._handle is None else f"<arnn.Trainer, {self.updates} updates>"


def sample(logits: ArrayLike, *, temperature: float = 1.0, top: int = 0, seed: int = 0,
           draw: int = 0) -> Union[int, Tokens]:
    """A token for each row of logits (count, width), or (width): int32 (count,), or an int."""
    logits = np.asarray(logits)
    rows = dense("logits", logits[None] if logits.ndim == 1 else logits, (None, None))
    tokens = np.empty(len(rows), np.int32)
    check(lib.arnn_sample(pointer(tokens, "int32_t *"), pointer(rows), *rows.shape, temperature, top, seed, draw))
    return int(tokens[0]) if logits.ndim == 1 else tokens

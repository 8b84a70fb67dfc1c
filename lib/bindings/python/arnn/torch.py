"""A torch.nn.Module whose forward and backward passes are the library's: from arnn.torch import AttentiveRNN"""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from torch.autograd.function import once_differentiable

from ._arrays import F32
from ._model import Model
from ._record import Record

if TYPE_CHECKING:
    from ._types import Array, ModelOptions, Sizes, Unpack


def _array(tensor: Optional[torch.Tensor]) -> Optional[Array]:
    """The tensor's own memory, where it is float32."""
    return None if tensor is None else tensor.detach().to(torch.float32).numpy()


class _Worker:
    """A model with a record, and the parameters that it was given: copied again only where they have changed since. They are
    compared, since writing through `.data` leaves no trace."""

    def __init__(self, model: Model):
        self.model = Model(**model.description)
        self.record: Optional[Record] = None
        self.room = (0, 0, 0) # for steps, streams, threads
        self.known: Dict[str, torch.Tensor] = {}

    def prepare(self, names: List[str], parameters: Tuple[torch.Tensor, ...], steps: int, streams: int, threads: int) -> Record:
        for name, parameter in zip(names, parameters):
            now, known = parameter.detach().to(torch.float32), self.known.get(name)
            if known is None or not torch.equal(now, known):
                self.model[name] = now.numpy()
                self.known[name] = now.clone()
        room = max(steps, self.room[0]), max(streams, self.room[1]), threads
        if self.record is None or room != self.room:
            self.record = None # its memory first
            self.record = Record(self.model, steps=room[0], streams=room[1], threads=threads)
            self.room = room
        self.record.reset()
        return self.record


class _Lease:
    """A worker on loan to a run: it is free again after the way back, or when nobody can ask for that any more."""

    def __init__(self, free: List[_Worker], model: Model):
        try:
            worker = free.pop()
        except IndexError:
            worker = _Worker(model)
        self.free, self.worker = free, worker

    def __del__(self) -> None:
        if hasattr(self, "worker"): # not where there was no memory for one
            self.free.append(self.worker)


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, module: AttentiveRNN, x: torch.Tensor, lengths: Any, *parameters: torch.Tensor) -> Any:
        lease = _Lease(module._free, module.model)
        record = lease.worker.prepare(module._names, parameters, *x.shape[:2], module.threads)
        given = x.detach().numpy() if module.vocab else _array(x)
        found = record.forward(given, lengths, want=("y", "h", "s"))
        ctx.lease, ctx.dense, ctx.dtypes, ctx.x_dtype = lease, not module.vocab, [each.dtype for each in parameters], x.dtype
        ctx.set_materialize_grads(False)
        return tuple(torch.from_numpy(array).to(parameters[0].dtype) for array in found)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, y: Any, h: Any, s: Any) -> Any:
        lease = ctx.lease
        if lease is None:
            raise RuntimeError("arnn.torch goes back over a run once; run forward again")
        ctx.lease, worker = None, lease.worker
        flat = np.zeros(worker.model.parameter_floats, F32)
        want = ("x",) if ctx.dense and ctx.needs_input_grad[1] else ()
        found = worker.record.backward(y=_array(y), h=_array(h), s=_array(s), parameters=flat, want=want)
        named = worker.model.split(flat).values()
        grads = (torch.from_numpy(values).to(dtype) for values, dtype in zip(named, ctx.dtypes))
        return (None, torch.from_numpy(found["x"]).to(ctx.x_dtype) if want else None, None, *grads)


class AttentiveRNN(torch.nn.Module):
    """AttentiveRNN(inputs=8, hidden=64, wiring="beside", ..): the options of arnn.Model, and batch_first.

    forward(x, lengths=None) gives (y, h, s), each (time, stream, width), of x (time, stream, d) or tokens (time, stream), on
    the CPU in float32; lengths (stream) says how many steps each stream makes. Every run begins with empty tapes. Parameters
    carry the library's names, which for wiring="none" are those of torch.nn.RNN, GRU and LSTM: their state_dicts load."""

    def __init__(self, *, seed: int = 0, batch_first: bool = False, threads: int = 1, **options: Unpack[ModelOptions]) -> None:
        super().__init__()
        self.model = Model(seed=seed, **options)
        self.vocab, self.batch_first, self.threads = self.model.description["vocab"], batch_first, threads
        self._names, self._free = list(self.model), []
        for name in self._names:
            owner, _, leaf = name.rpartition(".")
            if owner and not hasattr(self, owner):
                self.add_module(owner, torch.nn.Module())
            values = torch.nn.Parameter(torch.from_numpy(self.model[name]))
            (getattr(self, owner) if owner else self).register_parameter(leaf, values)

    def __getstate__(self) -> Dict[str, Any]:
        """Copies and pickles begin without workers."""
        return {**self.__dict__, "_free": []}

    def forward(self, x: torch.Tensor, lengths: Optional[Sizes] = None) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(y, h, s), each (time, stream, width), with batch_first (stream, time, width), of x shaped likewise."""
        if x.device.type != "cpu":
            raise ValueError(f"x is on {x.device}, expected a tensor on the CPU")
        x = x.transpose(0, 1) if self.batch_first else x
        y, h, s = _Run.apply(self, x, None if lengths is None else np.asarray(lengths), *map(self.get_parameter, self._names))
        return (y.transpose(0, 1), h.transpose(0, 1), s.transpose(0, 1)) if self.batch_first else (y, h, s)

    def write_back(self) -> Model:
        """Copies the parameters that have changed into `model`, to stream with or to save, and gives it."""
        for name in self._names:
            values = self.get_parameter(name).detach().to(torch.float32).numpy()
            if not np.array_equal(values, self.model[name]):
                self.model[name] = values
        return self.model

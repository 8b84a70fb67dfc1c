"""A torch.nn.Module whose forward and backward passes are the library's: from arnn.torch import AttentiveRNN"""
import numpy as np
import torch

from ._arrays import F32
from ._model import Model
from ._record import Record


def _array(tensor):
    return tensor.detach().to(torch.float32).numpy()


class _Run(torch.autograd.Function):
    @staticmethod
    def forward(ctx, module, x, lengths, *parameters):
        record = module._record(*x.shape[:2], parameters)
        y, h, s = record.forward(_array(x) if not module.vocab else x.detach().numpy(), lengths, want=("y", "h", "s"))
        ctx.record, ctx.dense, ctx.dtypes = record, not module.vocab, [parameter.dtype for parameter in parameters]
        ctx.x_dtype = x.dtype
        return tuple(torch.from_numpy(array).to(parameters[0].dtype) for array in (y, h, s))

    @staticmethod
    def backward(ctx, y, h, s):
        record, flat = ctx.record, None
        if record is None:
            raise RuntimeError("arnn.torch goes back over a run once; run forward again")
        ctx.record = None
        flat = np.zeros(record.model.parameter_floats, F32)
        want = ("x",) if ctx.dense and ctx.needs_input_grad[1] else ()
        found = record.backward(y=_array(y), h=_array(h), s=_array(s), parameters=flat, want=want)
        named = record.model.split(flat).values()
        grads = (torch.from_numpy(values).to(dtype) for values, dtype in zip(named, ctx.dtypes))
        return (None, torch.from_numpy(found["x"]).to(ctx.x_dtype) if want else None, None, *grads)


class AttentiveRNN(torch.nn.Module):
    """AttentiveRNN(inputs=8, hidden=64, wiring="beside", ..): the options of arnn.Model, and batch_first.

    forward(x, lengths=None) gives (y, h, s), each (time, stream, width), of x (time, stream, d) or tokens (time, stream), on
    the CPU in float32; lengths (stream) says how many steps each stream makes. Every run begins with empty tapes. Parameters
    carry the library's names, which for wiring="none" are those of torch.nn.RNN, GRU and LSTM: their state_dicts load."""

    def __init__(self, *, seed=0, batch_first=False, threads=1, **options):
        super().__init__()
        self.model = Model(seed=seed, **options)
        self.vocab, self.batch_first, self.threads = self.model.description["vocab"], batch_first, threads
        self._names = list(self.model)
        for name in self._names:
            owner, _, leaf = name.rpartition(".")
            if owner and not hasattr(self, owner):
                self.add_module(owner, torch.nn.Module())
            (getattr(self, owner) if owner else self).register_parameter(leaf, torch.nn.Parameter(torch.from_numpy(self.model[name])))

    def _record(self, steps, streams, parameters):
        model = Model(**self.model.description)
        for name, parameter in zip(self._names, parameters):
            model[name] = _array(parameter)
        return Record(model, streams=streams, steps=steps, threads=self.threads)

    def forward(self, x, lengths=None):
        if x.device.type != "cpu":
            raise ValueError(f"x is on {x.device}, expected a tensor on the CPU")
        x = x.transpose(0, 1) if self.batch_first else x
        out = _Run.apply(self, x, None if lengths is None else np.asarray(lengths), *map(self.get_parameter, self._names))
        return tuple(array.transpose(0, 1) for array in out) if self.batch_first else out

    def write_back(self):
        """Copies the parameters into `model`, to stream with or to save, and gives it."""
        for name in self._names:
            self.model[name] = _array(self.get_parameter(name))
        return self.model

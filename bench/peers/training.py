"""Forward, backward and Adam: against a PyTorch autograd loop, lax.scan with grad, and PyTorch's modules."""

import numpy as np
import torch

from peers import library
from peers.reads import TorchStep
from peers.sequences import module_of, scan_of


class AutogradLoop(torch.nn.Module):
    """The recurrence as people write it: a list of states, stacked at every step."""

    def __init__(self, step, readout, bias):
        super().__init__()
        named = dict(ih=step.ih, hh=step.hh, bias=step.bias, fold=step.fold, readout=readout, out=bias)
        for name, value in named.items():
            setattr(self, name, torch.nn.Parameter(value.clone()))

    def forward(self, x):
        past, s, outputs = [], torch.zeros(x.shape[1:]), []
        for given in x:
            h = torch.tanh(given @ self.ih + self.bias + s @ self.hh)
            past.append(h)
            rows = torch.stack(past, 1)
            weights = torch.softmax(torch.bmm((h @ self.fold).unsqueeze(1), rows.transpose(1, 2)), -1)
            s = torch.bmm(weights, rows)[:, 0]
            outputs.append(h)
        return torch.stack(outputs) @ self.readout.T + self.out


def trains(module, given, wanted, outputs=lambda y: y):
    optimiser = torch.optim.Adam(module.parameters(), lr=1e-3)

    def step():
        optimiser.zero_grad(set_to_none=True)
        torch.nn.functional.mse_loss(outputs(module(given)), wanted).backward()
        optimiser.step()
    return step


def attending(plan):
    """8 streams, hidden 256, after, dot, 2 threads, one output a step."""
    hidden, streams, threads, random = 256, 8, 2, np.random.default_rng(5)
    torch.set_num_threads(threads)
    for steps in plan.training_steps:
        model = library.Model(hidden=hidden, outputs=1)
        values = model.parameters()
        x = random.normal(size=(steps, streams, hidden)).astype(np.float32)
        wanted = random.normal(size=(steps, streams, 1)).astype(np.float32)
        ours = library.Trainer(model, streams, steps, threads).stepper(x, wanted)
        step = TorchStep(values, hidden, 1)
        loop = AutogradLoop(step, torch.from_numpy(values["readout.weight"]), torch.from_numpy(values["readout.bias"]))
        shape = dict(cell="rnn", wiring="after", score="dot", tape="f32", hidden=hidden, streams=streams, length=steps,
                     threads=threads, what="forward, backward, Adam")
        peer = trains(loop, torch.from_numpy(x), torch.from_numpy(wanted))
        yield dict(shape, group="train", peer="autograd loop", **plan.versus(ours, peer, 2))
        yield dict(shape, group="train", peer="lax.scan, grad", **plan.versus(ours, jax_trainer(step, x, wanted, values), 2))


def jax_trainer(step, x, wanted, values):
    """Gradient and a plain descent: less than Adam."""
    import jax
    import jax.numpy as jnp

    steps, streams, hidden = x.shape
    places = jnp.arange(steps)
    parameters = [jnp.asarray(value.numpy()) for value in (step.ih, step.hh, step.bias, step.fold)]
    parameters += [jnp.asarray(values["readout.weight"]), jnp.asarray(values["readout.bias"])]

    def loss(parameters):
        ih, hh, bias, fold, readout, out = parameters

        def one(carry, given):
            tape, s = carry
            now, t = given
            h = jnp.tanh(now @ ih + bias + s @ hh)
            tape = tape.at[:, t].set(h)
            scores = jnp.where(places <= t, jnp.einsum("bn,btn->bt", h @ fold, tape), -jnp.inf)
            return (tape, jnp.einsum("bt,btn->bn", jax.nn.softmax(scores, -1), tape)), h
        start = (jnp.zeros((streams, steps, hidden)), jnp.zeros((streams, hidden)))
        h = jax.lax.scan(one, start, (x, places))[1]
        return jnp.mean((h @ readout.T + out - wanted) ** 2)

    update = jax.jit(lambda p: [value - 1e-3 * slope for value, slope in zip(p, jax.grad(loss)(p))])
    return lambda: jax.block_until_ready(update(parameters))


def cells(plan):
    """Wiring none against PyTorch's modules: T = 100."""
    steps, random, threads = 100, np.random.default_rng(6), 2
    torch.set_num_threads(threads)
    for cell in ("rnn", "gru", "lstm"):
        for hidden in (128, 512):
            for streams in (1, 8, 32):
                model = library.Model(cell, "none", hidden, outputs=1)
                values = model.parameters()
                x = random.normal(size=(steps, streams, hidden)).astype(np.float32)
                wanted = random.normal(size=(steps, streams, 1)).astype(np.float32)
                ours = library.Trainer(model, streams, steps, threads).stepper(x, wanted)
                layer = module_of(cell, hidden, {name: value for name, value in values.items() if name.endswith("_l0")})
                readout = torch.nn.Linear(hidden, 1)
                module = torch.nn.ModuleList([layer, readout])
                module.forward = lambda given, layer=layer, readout=readout: readout(layer(given)[0])
                peer = trains(module, torch.from_numpy(x), torch.from_numpy(wanted))
                yield dict(group="train d", peer=f"nn.{cell.upper()}", cell=cell, wiring="none", score="-", tape="-",
                           hidden=hidden, streams=streams, length=steps, threads=threads, what="forward, backward, Adam",
                           **plan.versus(ours, peer))

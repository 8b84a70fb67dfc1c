"""Ordinary cells against PyTorch's modules, and whole attending sequences against lax.scan and a PyTorch loop."""

import numpy as np
import torch

from peers import library
from peers.reads import TorchStep, close


def module_of(cell, hidden, parameters):
    module = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[cell](hidden, hidden)
    module.load_state_dict({name: torch.from_numpy(values) for name, values in parameters.items()})
    return module


def cells(plan):
    """Group d: forward, wiring none, T = 100."""
    steps, random = 100, np.random.default_rng(3)
    for cell in ("rnn", "gru", "lstm"):
        for hidden in (128, 512):
            for streams in (1, 8, 32):
                for threads in (1, 2):
                    torch.set_num_threads(threads)
                    model = library.Model(cell, "none", hidden)
                    module = module_of(cell, hidden, model.parameters())
                    x = random.normal(size=(steps, streams, hidden)).astype(np.float32)
                    h = np.empty_like(x)
                    ours = library.Stream(model, streams, 0, threads=threads).runner(x, h)
                    given = torch.from_numpy(x)
                    with torch.inference_mode():
                        ours()
                        close(h, module(given)[0].numpy(), 1e-4, f"nn.{cell}")
                        timed = plan.versus(ours, lambda: module(given))
                    gates = {"rnn": 1, "gru": 3, "lstm": 4}[cell]
                    flops = 4.0 * gates * hidden * hidden * streams * steps
                    yield dict(group="d", peer=f"nn.{cell.upper()}", cell=cell, wiring="none", score="-", tape="-",
                               hidden=hidden, streams=streams, length=steps, threads=threads,
                               ours_gflops=flops / timed["ours_ns"], peer_gflops=flops / timed["peer_ns"], **timed)


class TorchLoop:
    """Group f: a loop over preallocated tensors, bmm over what is there."""

    def __init__(self, step, steps, streams, hidden):
        self.step, self.h = step, torch.empty(streams, steps, hidden)

    def run(self, x):
        step, s = self.step, torch.zeros(x.shape[1], x.shape[2])
        inputs = torch.addmm(step.bias, x.reshape(-1, x.shape[2]), step.ih).view(x.shape)
        for t in range(len(x)):
            h = torch.tanh(torch.addmm(inputs[t], s, step.hh))
            self.h[:, t] = h
            rows = self.h[:, :t + 1]
            weights = torch.softmax(torch.bmm((h @ step.fold).unsqueeze(1), rows.transpose(1, 2)), -1)
            s = torch.bmm(weights, rows)[:, 0]
        return self.h


def scan_of(step, steps, streams, hidden):
    """Group e: lax.scan over a preallocated tape with a mask."""
    import jax
    import jax.numpy as jnp

    ih, hh, bias, fold = (jnp.asarray(value.numpy()) for value in (step.ih, step.hh, step.bias, step.fold))
    places = jnp.arange(steps)

    def one(carry, given):
        tape, s = carry
        x, t = given
        h = jnp.tanh(x @ ih + bias + s @ hh)
        tape = tape.at[:, t].set(h)
        scores = jnp.einsum("bn,btn->bt", h @ fold, tape)
        weights = jax.nn.softmax(jnp.where(places <= t, scores, -jnp.inf), -1)
        return (tape, jnp.einsum("bt,btn->bn", weights, tape)), h

    def run(x):
        start = (jnp.zeros((streams, steps, hidden)), jnp.zeros((streams, hidden)))
        return jax.lax.scan(one, start, (x, places))[1]
    return jax.jit(run), one


def sequences(plan):
    """Groups e and f: after, dot, 8 streams, hidden 256, 2 threads."""
    hidden, streams, threads, random = 256, 8, 2, np.random.default_rng(4)
    torch.set_num_threads(threads)
    for steps in plan.sequence_steps:
        model = library.Model(hidden=hidden)
        step = TorchStep(model.parameters(), hidden, 1)
        x = random.normal(size=(steps, streams, hidden)).astype(np.float32)
        h = np.empty_like(x)
        ours = library.Stream(model, streams, steps, threads=threads).runner(x, h)
        loop, given = TorchLoop(step, steps, streams, hidden), torch.from_numpy(x)
        shape = dict(cell="rnn", wiring="after", score="dot", tape="f32", hidden=hidden, streams=streams, length=steps,
                     threads=threads)
        ours()
        with torch.inference_mode():
            close(h[:64], loop.run(given).transpose(0, 1)[:64].numpy(), 1e-2, "PyTorch loop")
            yield dict(shape, group="f", peer="PyTorch loop", **plan.versus(ours, lambda: loop.run(given), 3))
        scan, _ = scan_of(step, steps, streams, hidden)
        close(h[:64], np.asarray(scan(x))[:64], 1e-2, "lax.scan")
        yield dict(shape, group="e", peer="lax.scan", **plan.versus(ours, lambda: scan(x).block_until_ready(), 3))

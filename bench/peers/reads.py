"""The read of one query over past states, and a whole step: against OpenBLAS, PyTorch's SDPA, and the form people write."""

import ctypes
import ctypes.util

import numpy as np
import torch
import torch.nn.functional as F

from peers import library
from peers.timing import best_form, versus

STORED = {"f32": np.float32, "f16": np.float16, "i8": np.int8}


def stored(kind, rows):
    if kind == "bf16":
        return torch.from_numpy(rows).to(torch.bfloat16).view(torch.int16).numpy()
    return np.rint(127 * rows).astype(np.int8) if kind == "i8" else rows.astype(STORED[kind])


def close(ours, theirs, bound, what):
    error = float(np.max(np.abs(np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64))))
    if not error <= bound:
        raise RuntimeError(f"{what}: the results differ by {error}")


class Blas:
    """Two OpenBLAS gemv and a softmax."""

    def __init__(self):
        self.blas = ctypes.CDLL(ctypes.util.find_library("openblas") or "libopenblas.so.0")
        self.blas.cblas_sgemv.argtypes = [ctypes.c_int] * 4 + [ctypes.c_float, ctypes.c_void_p, ctypes.c_int,
                                                               ctypes.c_void_p, ctypes.c_int, ctypes.c_float,
                                                               ctypes.c_void_p, ctypes.c_int]

    def threads(self, count):
        self.blas.openblas_set_num_threads(count)

    def reader(self, query, rows, context):
        count, n = rows.shape
        scores = np.empty(count, dtype=np.float32)
        data = rows.ctypes.data, query.ctypes.data, scores.ctypes.data, context.ctypes.data

        def read():
            self.blas.cblas_sgemv(101, 111, count, n, 1.0, data[0], n, data[1], 1, 0.0, data[2], 1)
            np.subtract(scores, scores.max(), out=scores)
            np.exp(scores, out=scores)
            np.divide(scores, scores.sum(), out=scores)
            self.blas.cblas_sgemv(101, 112, count, n, 1.0, data[0], n, data[2], 1, 0.0, data[3], 1)
        return read


def sdpa_forms(query, rows):
    """K = V = H in the layouts that SDPA has fast paths for; scale 1."""
    n = query.shape[-1]
    q, h = query.view(1, 1, 1, n), rows.view(1, 1, -1, n)
    return {"4-d": lambda: F.scaled_dot_product_attention(q, h, h, scale=1.0),
            "3-d": lambda: F.scaled_dot_product_attention(q[0], h[0], h[0], scale=1.0),
            "two products": lambda: torch.softmax(q[0, 0] @ h[0, 0].T, -1) @ h[0, 0]}


def written_form(query, rows, keys):
    """A key cache beside the states, two bmm."""
    q, k, h = query.view(1, 1, -1), keys.view(1, -1, keys.shape[-1]), rows.view(1, -1, rows.shape[-1])
    return lambda: torch.bmm(torch.softmax(torch.bmm(q, k.transpose(1, 2)), -1), h)


def reads(plan):
    """Groups a, b and c: one query, hidden 512, one thread."""
    n, blas, random = 512, Blas(), np.random.default_rng(1)
    torch.set_num_threads(1)
    for length in plan.lengths:
        rows = random.uniform(-0.5, 0.5, size=(length, n)).astype(np.float32)
        query = (random.normal(size=(1, n)) / np.sqrt(n)).astype(np.float32)
        keys = (rows @ random.normal(size=(n, n)).astype(np.float32) / np.sqrt(n)).astype(np.float32)
        context, plain = np.empty((1, n), dtype=np.float32), np.empty(n, dtype=np.float32)
        q, h, k = torch.from_numpy(query), torch.from_numpy(rows), torch.from_numpy(keys)
        shape = dict(cell="-", wiring="-", score="dot", hidden=n, streams=1, length=length, threads=1)
        for kind in ("f32", "f16", "bf16", "i8"):
            tape = stored(kind, rows)
            ours = library.attender(query, [tape], kind, context)
            peer = blas.reader(query[0], rows, plain)
            blas.threads(1)
            ours(), peer()
            close(context[0], plain, 5e-5 if kind == "f32" else 2e-2, f"read, {kind} tape")
            yield dict(shape, group="a", peer="two gemv", tape=kind, **plan.versus(ours, peer))
        for kind, peer_kind in (("f32", "f32"), ("bf16", "bf16"), ("i8", "bf16")):
            tape = stored(kind, rows)
            typed = (q, h) if peer_kind == "f32" else (q.to(torch.bfloat16), h.to(torch.bfloat16))
            forms = sdpa_forms(*typed)
            form = best_form(forms, plan.least)
            ours = library.attender(query, [tape], kind, context)
            ours()
            close(context[0], forms[form]().float().reshape(-1).numpy(), 5e-5 if kind == "f32" else 2e-2, "SDPA")
            yield dict(shape, group="b", peer=f"SDPA {peer_kind}, {form}", tape=kind,
                       **plan.versus(ours, forms[form]))
        ours = library.attender(query, [rows], "f32", context)
        yield dict(shape, group="c", peer="key cache, bmm", tape="f32", **plan.versus(ours, written_form(q, h, k)))


class TorchStep:
    """The same step written out: cell, query, append into a preallocated tensor, read of what is there."""

    def __init__(self, parameters, hidden, rows):
        get = lambda name: torch.from_numpy(parameters[name])
        self.ih, self.hh = get("weight_ih_l0").T.contiguous(), get("weight_hh_l0").T.contiguous()
        self.bias = get("bias_ih_l0") + get("bias_hh_l0")
        self.fold = (hidden ** -0.5 * get("attn_query_l0").T.double() @ get("attn_key_l0").double()).float().contiguous()
        self.tape = torch.empty(1, 1, rows, hidden)
        self.s, self.length = torch.zeros(1, hidden), 0

    def step(self, x):
        h = torch.tanh(torch.addmm(torch.addmm(self.bias, x, self.ih), self.s, self.hh))
        self.tape[0, 0, self.length] = h[0]
        self.length += 1
        rows = self.tape[:, :, :self.length]
        self.s = F.scaled_dot_product_attention((h @ self.fold).view(1, 1, 1, -1), rows, rows, scale=1.0)[0, 0]


def steps(plan):
    """Group b, the whole step: 128 past states, 1 stream."""
    length, random = 128, np.random.default_rng(2)
    torch.set_num_threads(1)
    for hidden, weights in ((128, "f32"), (512, "f32"), (512, "bf16")):
        model = library.Model(hidden=hidden, weights=weights)
        rows = random.uniform(-0.5, 0.5, size=(length, hidden)).astype(np.float32)
        x, s = random.normal(size=(1, hidden)).astype(np.float32), np.empty((1, hidden), dtype=np.float32)
        stream, room = library.Stream(model, 1, 2 * length), 16
        peer = TorchStep(model.parameters(), hidden, 2 * length)
        own_step, given = stream.stepper(x, s), torch.from_numpy(x)

        def fill_ours():
            stream.reset()
            stream.append(rows)

        def fill_theirs():
            peer.tape[0, 0, :length] = torch.from_numpy(rows)
            peer.s, peer.length = torch.zeros(1, hidden), length

        def ours():
            fill_ours()
            for _ in range(room):
                own_step()

        def theirs():
            fill_theirs()
            for _ in range(room):
                peer.step(given)

        with torch.inference_mode():
            ours(), theirs()
            close(s, peer.s.numpy(), 1e-4 if weights == "f32" else 0.2, "step")
            filled = plan.versus(fill_ours, fill_theirs)
            timed = plan.versus(ours, theirs)
        own = (timed["ours_ns"] - filled["ours_ns"]) / room
        their = (timed["peer_ns"] - filled["peer_ns"]) / room
        yield dict(group="b step", cell="rnn", wiring="after", score="dot", tape="f32", weights=weights, hidden=hidden,
                   streams=1, length=length, threads=1, peer="PyTorch step, SDPA", **dict(
                       timed, ours_ns=own, peer_ns=their, ratio=their / own))

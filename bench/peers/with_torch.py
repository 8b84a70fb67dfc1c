"""PyTorch's side of every case, each in the forms that might be its best."""

import torch
import torch.nn.functional as F

from peers import blocked, data

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
STEPS = 16
BY_HAND = {"blocked": ("bmm", blocked.by_products), "flash": ("flash", blocked.by_flash)}  # how they read


def timed(work, result, parts=1):
    kept = []

    def once():
        kept[:] = [work()]

    def run(repeats):
        with torch.inference_mode():
            return data.median_ns(once, repeats) / parts
    return run, lambda: result(kept[0]).float().numpy()


def read(one):
    """Layouts of the one query a stream: streams as batch or as heads."""
    rows, queries = data.tape(one)
    dtype, n, streams = DTYPES[one["peer_tape"]], one["hidden"], one["streams"]
    rows, queries = (torch.from_numpy(part).clone().to(dtype) for part in (rows, queries))  # aligned as torch likes it
    flat = lambda made: made.reshape(streams, n)  # noqa: E731
    if one["group"] == "usual":
        keys = (rows * 1.0).contiguous()

        def usual():
            weights = torch.softmax(torch.bmm(keys, queries[:, :, None]), 1)
            return torch.bmm(weights.transpose(1, 2), rows)
        return {"key cache, bmm": timed(usual, flat)}
    attend = F.scaled_dot_product_attention
    batch, query = rows[:, None], queries[:, None, None]
    heads, head_query = rows[None], queries[None, :, None]

    def product():
        weights = torch.softmax(torch.bmm(rows, queries[:, :, None]), 1)
        return torch.bmm(weights.transpose(1, 2), rows)
    return {"SDPA, streams as batch": timed(lambda: attend(query, batch, batch, scale=1.0), flat),
            "SDPA, streams as heads": timed(lambda: attend(head_query, heads, heads, scale=1.0), flat),
            "bmm, softmax, bmm": timed(product, flat)}


def weights(one):
    made = {name: torch.from_numpy(values).clone() for name, values in data.parameters(one).items()}
    fold = 0.25 * made["attn_key_l0"].T @ made["attn_query_l0"]
    return made, fold


def step_forms(one, steps, first):
    """The loop over preallocated tensors: cell, absorbed query, append, read."""
    made, fold = weights(one)
    streams, n = one["streams"], one["hidden"]
    tape = torch.zeros(streams, 1, first + steps, n)
    x, _ = data.inputs(one, steps)
    x = torch.from_numpy(x)
    bias = made["bias_ih_l0"] + made["bias_hh_l0"]
    if first:
        tape[:, 0, :first] = torch.from_numpy(data.tape(one)[0])
    kept_h = torch.zeros(steps, streams, n)

    def sdpa(query, rows):
        return F.scaled_dot_product_attention(query[:, None, None], rows, rows, scale=1.0).view(streams, n)

    def product(query, rows):
        rows = rows[:, 0]
        scores = torch.softmax(torch.bmm(rows, query[:, :, None]), 1)
        return torch.bmm(scores.transpose(1, 2), rows).view(streams, n)

    def loop(attend, merged):
        def run():
            s = torch.zeros(streams, n)
            projected = F.linear(x, made["weight_ih_l0"], bias) if merged else None
            for t in range(steps):
                given = projected[t] if merged else F.linear(x[t], made["weight_ih_l0"], bias)
                h = torch.tanh(torch.addmm(given, s, made["weight_hh_l0"].T))
                tape[:, 0, first + t] = h
                s = attend(F.linear(h, fold), tape[:, :, :first + t + 1])
            if merged:
                kept_h.copy_(tape[:, 0, first:].transpose(0, 1))
            return s
        return run
    parts = steps if first else 1
    last = (lambda s: s) if first else (lambda _: kept_h[:64])
    return {"loop, SDPA": timed(loop(sdpa, not first), last, parts),
            "loop, bmm": timed(loop(product, not first), last, parts)}


def layer(one):
    n = one["hidden"]
    made = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}[one["cell"]](n, n)
    made.load_state_dict({name: torch.from_numpy(values) for name, values in data.parameters(one).items()})
    return made


def cells(one):
    made = layer(one).eval()
    x = torch.from_numpy(data.inputs(one, one["length"])[0])
    return {f"nn.{one['cell'].upper()}": timed(lambda: made(x)[0], lambda h: h[:64], one["length"])}


def trained(forward, made, one):
    """forward(): outputs (time, stream, n). Mean squared error, backward, Adam."""
    _, wanted = data.inputs(one, one["length"])
    wanted, first = torch.from_numpy(wanted), []
    optimiser = torch.optim.Adam(list(made.values()), lr=1e-4, fused=True)
    parts = one["length"] if one["unit"] == "step" else 1

    def once():
        optimiser.zero_grad(set_to_none=True)
        loss = F.mse_loss(forward(), wanted)
        loss.backward()
        optimiser.step()
        loss.item()
        if not first:
            first.append(torch.cat([made[name].grad.flatten() for name in data.compared(one)]).numpy().copy())
    return lambda repeats: data.median_ns(once, repeats) / parts, lambda: first[0]


def trainable(one):
    return {name: torch.nn.Parameter(torch.from_numpy(values).clone()) for name, values in data.parameters(one).items()}


def by_hand(one, x, read):
    made = trainable(one)
    return trained(lambda: blocked.forward(x, made, read), made, one)


def autograd(one):
    made = trainable(one)
    x = torch.from_numpy(data.inputs(one, one["length"])[0])

    def forward():
        fold = 0.25 * made["attn_key_l0"].T @ made["attn_query_l0"]
        projected = F.linear(x, made["weight_ih_l0"], made["bias_ih_l0"] + made["bias_hh_l0"])
        s, rows = torch.zeros(one["streams"], one["hidden"]), []
        for t in range(one["length"]):
            h = torch.tanh(torch.addmm(projected[t], s, made["weight_hh_l0"].T))
            rows.append(h)
            past = torch.stack(rows, 1)
            scores = torch.softmax(torch.bmm(past, F.linear(h, fold)[:, :, None]), 1)
            s = torch.bmm(scores.transpose(1, 2), past)[:, 0]
        return torch.stack(rows)
    return {"autograd loop": trained(forward, made, one)}


def training(one):
    if one["against"] == "autograd":
        return autograd(one)
    x = torch.from_numpy(data.inputs(one, one["length"])[0])
    if one["against"] in BY_HAND:
        name, read = BY_HAND[one["against"]]
        return {f"blocked backward, {name}": by_hand(one, x, read)}
    made = layer(one)
    return {f"nn.{one['cell'].upper()}": trained(lambda: made(x)[0], dict(made.named_parameters()), one)}


def make(one, _):
    torch.set_num_threads(one["threads"])
    if one["group"] == "step":
        return step_forms(one, STEPS, one["length"])
    if one["group"] == "sequence":
        return step_forms(one, one["length"], 0)
    return {"cells": cells, "training": training}.get(one["group"], read)(one)

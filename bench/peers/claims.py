"""The targets, and whether they were reached: a table for the README."""

from peers import reckon

SHARE, TIMES, MEMORY, FLOATS = "share", "times", "memory", "floats"
CLAIMS = {  # by the name that cases give: what is claimed, and how it counts
    "ceiling f32": ("read, of the ceiling for its bytes, 8,192 past states and more: float32", SHARE),
    "ceiling 16": ("the same: float16, bfloat16", SHARE),
    "ceiling i8": ("the same: int8", SHARE),
    "l2": ("read from L2 (512 past states, float32), of the L2 ceiling", SHARE),
    "blas f32": ("against two OpenBLAS gemv, 8,192 past states and more: float32", TIMES),
    "blas 16": ("the same: float16, bfloat16", TIMES),
    "blas i8": ("the same: int8", TIMES),
    "sdpa near": ("against PyTorch SDPA, tapes of 32 MiB and less: float32, bfloat16", TIMES),
    "sdpa f32": ("the same, tapes of 128 MiB: float32", TIMES),
    "sdpa bf16": ("the same: bfloat16", TIMES),
    "sdpa i8": ("the same: our int8 against its bfloat16", TIMES),
    "step 128": ("whole step against PyTorch, 128 past states, 1 stream: hidden 128", TIMES),
    "step 512": ("the same: hidden 512", TIMES),
    "step 512 16": ("the same: hidden 512, our weights of 16 bits", TIMES),
    "additive": ("additive scores, align 512, of the ceiling for their bytes, 8,192 past states and more", SHARE),
    "product 4": ("recurrent product, bias and relu, against OpenBLAS sgemm: 4 streams", TIMES),
    "product 8": ("the same: 8 streams", TIMES),
    "product 16": ("the same: 16 streams", TIMES),
    "product 32": ("the same: 32 streams", TIMES),
    "cells": ("nn.RNN, GRU, LSTM, forward; 1, 8, 32 streams; hidden 128, 512; 1, 2 threads", TIMES),
    "sequence torch": ("whole sequences, 8 streams, hidden 256, 2,048 steps, 2 threads: PyTorch loop", TIMES),
    "sequence jax": ("the same: jax.lax.scan", TIMES),
    "threads 8": ("two threads against one: 8 streams of 128 to 8,192 past states", TIMES),
    "threads 1": ("the same: 1 stream of 65,536 past states", TIMES),
    "autograd": ("training (8 streams, hidden 256, 2 threads): PyTorch autograd, 1,024 steps", TIMES),
    "autograd memory": ("the same: its memory against ours", MEMORY),
    "blocked": ("the same: PyTorch with a blocked backward by hand, 512 to 2,048 steps", TIMES),
    "flash": ("the same, its reads by the kernel under PyTorch's SDPA", TIMES),
    "jax": ("the same: jax.lax.scan and grad, 512 steps", TIMES),
    "training": ("nn.RNN, GRU, LSTM, training; 1, 8, 32 streams; hidden 128, 512; 2 threads", TIMES),
    "memory rnn": ("memory of a training step, floats a stream, step and hidden unit: rnn", FLOATS),
    "memory gru": ("the same: gru", FLOATS),
    "memory lstm": ("the same: lstm", FLOATS),
}
FORMS = {SHARE: "{:.2f}", TIMES: "{:.2f}x", MEMORY: "{:.0f}x", FLOATS: "{:.1f}"}


def entry(claim, value, target, where="", spread=None, weak=False, least=None):
    held = value <= target if CLAIMS[claim][1] == FLOATS else value >= target
    distance = target / value if CLAIMS[claim][1] == FLOATS else value / target
    return dict(claim=claim, value=value, target=target, held=held, distance=distance, where=where, spread=spread,
                weak=weak, least=least)


def entries(figures):
    """Every judged number by itself."""
    found = [entry(row["claim"], row["ratio"], reckon.wanted(row), reckon.shape_text(row),
                   max(row["ours_spread"], row["peer_spread"]), row["weak"], row["least_ratio"])
             for row in figures["peers"] if row["claim"]]
    found += [entry("autograd memory", row["peer_bytes"] / row["ours_bytes"], 20) for row in figures["peers"]
              if row["claim"] == "autograd"]
    return found + [entry(f"memory {row['cell']}", row["floats"], row["limit"]) for row in figures["memory"]]


def between(values, form):
    low, high = form.format(min(values)), form.format(max(values))
    return low if len(values) == 1 else f"{low} to {high}"


def least_text(own, form):
    """Where both sides have samples."""
    least = [one["least"] for one in own]
    if None in least:
        return ""
    holding = sum(one["least"] >= one["target"] for one in own)
    return between(least, form) + f", {holding} of {len(own)}" * (len(own) > 1)


def judged(figures):
    """For each claim in order: its lowest and highest number, the one farthest from its target, how many hold; and the
    same of the least sample of either side, which tell of the machine without its neighbours."""
    found = entries(figures)
    made = []
    for claim, (what, kind) in CLAIMS.items():
        own = [one for one in found if one["claim"] == claim]
        if not own:
            continue
        worst, form = min(own, key=lambda one: one["distance"]), FORMS[kind]
        targets = sorted({one["target"] for one in own}, reverse=True)
        sign = "≤ " if kind == FLOATS else "≥ "
        holding = sum(one["held"] for one in own)
        held = "yes" if holding == len(own) else "no" if len(own) == 1 else \
            f"{holding} of {len(own)}; {form.format(worst['value'])} at {worst['where']}"
        weak = sum(one["weak"] for one in own)  # of these it cannot be said that they hold
        made.append(dict(
            claim=claim, what=what, target=sign + ", ".join(f"{target:g}" for target in targets),
            measured=between([one["value"] for one in own], form),
            spread="" if worst["spread"] is None else f"{100 * worst['spread']:.0f} %",
            least=least_text(own, form),
            reached=holding == len(own) and not weak,
            held=held + f"; {weak} with a weak peer" * (weak > 0)))
    return made


def terminal(rows):
    return "\n".join(f"{'yes' if row['reached'] else 'NO':4}{row['what']:92}{row['target']:>12}  {row['measured']:>20}"
                     f"  {row['spread']:>5}  {row['least']:>28}" + (f"  {row['held']}" if len(row["held"]) > 3 else "")
                     for row in rows)


def markdown(rows):
    lines = ["| what | target | measured | spread | held | of the least samples |", "|---|---|---|---|---|---|"]
    return "\n".join(lines + [f"| {row['what']} | {row['target']} | {row['measured']} | {row['spread']} | {row['held']} "
                              f"| {row['least']} |" for row in rows])

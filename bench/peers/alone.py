"""What bench_cost measures for this report: additive scores, the whole text, the drift of smaller tapes."""

import types

import cost
import plan
from peers import process, reckon

PROGRAM = process.TOP / "build/bench-build/bench/bench_cost"
WINDOW, TEXT_WIDTH = 1024, 256


def additive_tasks(quick):
    """A narrow input: its weights, which a long tape pushes out of the caches, are not the read's."""
    options = plan.parse(["--score", "additive", "--hidden", "512", "--align", "512", "--inputs", "16"])
    return [plan.task("step", **plan.model_values(options, tape=tape), **plan.COMMON, vocab=0, window=0, sinks=0, streams=1,
                      length=length) for length in ((8192,) if quick else (8192, 32768, 65536)) for tape in ("f32", "bf16")]


def tasks(options):
    made = additive_tasks(options.quick) if "additive" in options.only else []
    if {"text", "drift"} & set(options.only):
        given = plan.parse(["--window", str(WINDOW), "--hidden", str(TEXT_WIDTH), "--seconds", "8" if options.quick else "40"]
                           + ["--quick"] * options.quick)
        path = plan.text_path(given)
        made += plan.text_plan(given, path)[1:] if "text" in options.only else []
        made += plan.drift_plan(given, path) if "drift" in options.only else []
    return made


def additive_row(step, spread):
    """As the other rows are: the peer is the ceiling."""
    if step["ceiling_fraction"] is None:
        return None
    ours_ns = step["ns_per_state"] * step["length"]
    width = (spread["step_high_ns"] - spread["step_low_ns"]) / 2 / step["median_ns"]
    return {"group": "additive", "against": "ceiling", **{key: step[key] for key in reckon.SHAPE if key in step},
            "weights": "f32", "peer_tape": step["tape"], "target": 0.85, "claim": "additive", "unit": "call",
            "ours_ns": ours_ns, "peer_ns": ours_ns * step["ceiling_fraction"], "ratio": step["ceiling_fraction"],
            "least_ratio": None,
            "peer": "loads alone", "ours_spread": width, "peer_spread": 0.0, "weak": False}


def allowed(ceilings):
    """Bytes a second of text that counted bytes and flops allow: window and two square matrices a step."""
    numbers = WINDOW * TEXT_WIDTH + 2 * TEXT_WIDTH**2
    ns = max(4 * numbers / reckon.near(ceilings, 4 * numbers), 2 * (numbers + WINDOW * TEXT_WIDTH) / (ceilings["flops"] or 1e9))
    return 1e9 / ns


def run(options, ceilings, core):
    """Rows like the others, the text, the drift."""
    wanted = tasks(options)
    if not wanted:
        return [], [], [], True
    figures, well = cost.run(types.SimpleNamespace(quick=options.quick, program=PROGRAM), wanted, core)
    rows = [additive_row(step, spread) for step, spread in zip(figures["step"], figures["spread"])]
    text = [{**row, "allowed_bytes_per_second": allowed(ceilings)} for row in figures["text"]]
    return [row for row in rows if row], text, figures["drift"], well

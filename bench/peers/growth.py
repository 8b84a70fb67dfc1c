"""How the time of a training step grows with its number of steps: a fit a + b T + c T^2, and where each term takes over."""

import numpy as np

FLOATS = 4


def row(one, samples, told):
    """One length: its time, and the floats a stream, step and hidden unit that its record takes."""
    size = one["streams"] * one["length"] * one["hidden"] * FLOATS
    return {key: one[key] for key in ("cell", "wiring", "score", "hidden", "streams", "length", "threads")} | {
        "limit": one.get("limit"), "ours_ns": float(np.median(samples)), "record_bytes": told["counted"],
        "floats": told["counted"] / size, "peak_bytes": told["peak"]}


def fit(rows):
    """The coefficients that make relative errors small, none below 0; None with too few lengths."""
    points = [(row["length"], row["ours_ns"]) for row in rows if row["cell"] == "rnn"]
    if len(points) < 4:
        return None
    t, ns = np.array(sorted(points), float).T
    kept = [0, 1, 2]
    while True:
        found, *_ = np.linalg.lstsq(np.stack([t**power / ns for power in kept], 1), np.ones(len(t)), rcond=None)
        if (found >= 0).all():
            break
        kept = [power for power, value in zip(kept, found) if value >= 0]
    a, b, c = (float(dict(zip(kept, found)).get(power, 0.0)) for power in range(3))
    return {"a_ns": a, "b_ns": b, "c_ns": c, "linear_from": a / b if b else None, "square_from": b / c if c else None,
            "residual": float(np.abs((a + b * t + c * t * t) / ns - 1).max())}


def text(rows, found):
    if not rows:
        return ""
    lines = ["", "growth of a training step (ours: rnn, after, dot, 8 streams, hidden 256, 2 threads)",
             "cell  steps       time   us a step   record MiB  floats a stream, step and hidden unit"]
    for one in sorted(rows, key=lambda one: (one["cell"] != "rnn", one["length"])):
        milliseconds = one["ours_ns"] / 1e6
        lines.append(f"{one['cell']:5}{one['length']:6}{milliseconds:9.1f} ms{1e3 * milliseconds / one['length']:12.1f}"
                     f"{one['record_bytes'] / 2**20:13.1f}{one['floats']:7.2f}")
    if found:
        lines.append(sentence(found))
    return "\n".join(lines)


def sentence(found):
    said = f"time = {found['a_ns'] / 1e6:.2f} ms + {found['b_ns'] / 1e3:.1f} us T + {found['c_ns']:.1f} ns T^2 " \
           f"(worst {100 * found['residual']:.0f} % off)"
    if found["square_from"]:
        said += f"; the square takes over at {found['square_from']:,.0f} steps"
    return said

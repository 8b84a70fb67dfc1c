"""What a training step of ours keeps: counted by the library, and measured as the peak of a new process."""

FLOATS = 4


def row(one, ns, counted, peak):
    size = one["streams"] * one["length"] * one["hidden"] * FLOATS
    return {key: one[key] for key in ("cell", "wiring", "score", "hidden", "streams", "length", "threads", "limit")} | {
        "ours_ns": ns, "record_bytes": counted, "floats": counted / size, "peak_bytes": peak}


def text(rows):
    lines = ["", "memory of a training step of ours (after, dot; parameters, their gradients and moments beside)",
             "cell  steps  streams  hidden  record MiB  floats a stream, step and hidden unit  peak MiB    time"]
    return "\n".join(lines + [
        f"{one['cell']:5}{one['length']:6}{one['streams']:9}{one['hidden']:8}{one['record_bytes'] / 2**20:12.1f}"
        f"{one['floats']:30.2f}{one['peak_bytes'] / 2**20:19.1f}{one['ours_ns'] / 1e6:6.0f} ms" for one in rows])

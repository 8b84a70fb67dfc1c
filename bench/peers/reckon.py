"""The pure part: rows from samples, and the table."""

import statistics

SHAPE = ("cell", "wiring", "score", "tape", "weights", "hidden", "streams", "length", "threads")


def spread(samples):
    """Half the distance between the quartiles, as a part of the median."""
    ordered = sorted(samples)
    quarter = len(ordered) // 4
    return (ordered[-1 - quarter] - ordered[quarter]) / 2 / statistics.median(ordered)


def row(one, ours, forms, ceilings):
    """ours: samples; forms: samples by the name of the peer's form, of which the best counts."""
    peer = min(forms, key=lambda name: statistics.median(forms[name]))
    made = {key: one[key] for key in ("group", *SHAPE, "peer_tape", "target", "unit")}
    ours_ns, peer_ns = statistics.median(ours), statistics.median(forms[peer])
    made |= {"ours_ns": ours_ns, "peer_ns": peer_ns, "ratio": peer_ns / ours_ns, "peer": peer,
             "ours_spread": spread(ours), "peer_spread": spread(forms[peer]),
             "forms": {name: statistics.median(samples) for name, samples in forms.items()}}
    return made | fractions(one, ours_ns, peer_ns, ceilings)


def near(ceilings, size):
    """The read ceiling of the measured working set that is next to this one."""
    return min(ceilings["read"], key=lambda entry: abs(entry[0].bit_length() - size.bit_length()))[1]


def fractions(one, ours_ns, peer_ns, ceilings):
    """What part of the ceilings each side reaches: of the tape's bytes, or of the flops of a cell's products."""
    n, streams = one["hidden"], one["streams"]
    if one["group"] in ("blas", "sdpa", "usual"):
        width = {"f32": 4, "bf16": 2, "f16": 2, "i8": 1}
        made = {}
        for side, ns, name in ("ours", ours_ns, one["tape"]), ("peer", peer_ns, one["peer_tape"]):
            size = streams * one["length"] * n * width[name]
            made[f"{side}_of_read_ceiling"] = size / ns / near(ceilings, size)
        return made
    if one["wiring"] == "none" and ceilings["flops"]:
        flops = {"rnn": 1, "gru": 3, "lstm": 4}[one["cell"]] * 4 * n * n * streams * (3 if one["group"] == "training" else 1)
        peak = ceilings["flops"] * one["threads"]
        weights = 4 * flops / (4 * streams)  # bytes of both matrices a step; the input's are read once a sequence
        return {"ours_of_flops": flops / ours_ns / peak, "peer_of_flops": flops / peer_ns / peak,
                "peer_weight_gbps": weights / 2 / peer_ns}
    return {}


def wanted(made):
    """The target, lower where the peer itself is near the machine's limit."""
    if made["wiring"] == "none" and max(made.get("peer_of_flops", 0), 0) > 0.6:
        return 1.0 if made["group"] == "training" else 1.05
    return made["target"]


def time_text(ns):
    for unit, size in (("s ", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def table(rows, groups):
    lines, group = [], None
    for made in rows:
        if made["group"] != group:
            group = made["group"]
            lines += ["", f"{group}: {groups[group]}",
                      f"{'cell':5}{'tape':6}{'weights':8}{'n':>4}{'streams':>8}{'length':>8}{'thr.':>5}{'ours':>9}"
                      f"{'peer':>9}{'ratio':>7} {'target':>7}  peer"]
        target = wanted(made)
        mark = "" if target is None else f"{target:g}" + (" +" if made["ratio"] >= target else " -")
        tape = "-" if made["wiring"] == "none" else made["tape"]
        lines.append(f"{made['cell']:5}{tape:6}{made['weights']:8}{made['hidden']:4}{made['streams']:8}"
                     f"{made['length']:8}{made['threads']:5}{time_text(made['ours_ns']):>9}"
                     f"{time_text(made['peer_ns']):>9}{made['ratio']:7.2f} {mark:>7}  {made['peer']}")
    return "\n".join(lines)

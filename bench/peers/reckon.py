"""The pure part: rows from samples, and the table."""

import statistics

from peers import known

SHAPE = ("cell", "wiring", "score", "tape", "weights", "hidden", "streams", "length", "threads")
BYTES = {"f32": 4, "bf16": 2, "f16": 2, "i8": 1}
GATES = {"rnn": 1, "gru": 3, "lstm": 4}


def spread(samples):
    """Half the distance between the quartiles, as a part of the median."""
    ordered = sorted(samples)
    quarter = len(ordered) // 4
    return (ordered[-1 - quarter] - ordered[quarter]) / 2 / statistics.median(ordered)


def counts(one, name):
    """Whether a form may be the peer: one on more threads than ours is shown beside."""
    return not (name.endswith("threads") and int(name.split()[-2]) > one["threads"])


def row(one, ours, forms, ceilings):
    """ours: samples; forms: samples by the name of the peer's form, of which the best counts."""
    peer = min((name for name in forms if counts(one, name)), key=lambda name: statistics.median(forms[name]))
    made = {key: one[key] for key in ("group", "against", *SHAPE, "peer_tape", "target", "claim", "unit")}
    ours_ns, peer_ns = statistics.median(ours), statistics.median(forms[peer])
    made |= {"ours_ns": ours_ns, "peer_ns": peer_ns, "ratio": peer_ns / ours_ns, "peer": peer,
             "least_ratio": min(min(forms[name]) for name in forms if counts(one, name)) / min(ours),
             "ours_spread": spread(ours), "peer_spread": spread(forms[peer]),
             "forms": {name: statistics.median(samples) for name, samples in forms.items()}}
    size = tape_bytes(one, one["peer_tape"]) if one["group"] in ("blas", "sdpa", "usual") else 16 << 20
    expected = known.expected_ns(one, size, near(ceilings, size), ceilings["flops"])
    made |= {"expected_peer_ns": expected, "weak": bool(expected) and peer_ns > known.ALLOWED * expected}
    return made | fractions(one, ours_ns, peer_ns, ceilings)


def near(ceilings, size):
    """The read ceiling of the measured working set that is next to this one."""
    return min(ceilings["read"], key=lambda entry: abs(entry[0].bit_length() - int(size).bit_length()))[1]


def tape_bytes(one, tape):
    return one["streams"] * one["length"] * one["hidden"] * BYTES[tape]


def fractions(one, ours_ns, peer_ns, ceilings):
    """What part of the ceilings each side reaches: of the tape's bytes, or of a cell's flops and weights."""
    n, streams, threads = one["hidden"], one["streams"], one["threads"]
    if one["group"] in ("blas", "sdpa", "usual"):
        made = {}
        for side, ns, name in ("ours", ours_ns, one["tape"]), ("peer", peer_ns, one["peer_tape"]):
            size = tape_bytes(one, name)
            made[f"{side}_of_read_ceiling"] = size / ns / near(ceilings, size)
        return made
    if one["group"] == "product" and ceilings["flops"]:
        flops = 2 * n * n * streams
        return {"ours_of_flops": flops / ours_ns / ceilings["flops"], "peer_of_flops": flops / peer_ns / ceilings["flops"]}
    if one["group"] in ("cells", "training") and one["wiring"] == "none" and ceilings["flops"]:
        weights = 4 * GATES[one["cell"]] * n * n  # bytes that every step reads; the input's are read once a sequence
        flops = weights * streams * (3 if one["group"] == "training" else 1)  # two products, two flops a weight
        peak, reads = ceilings["flops"] * threads, near(ceilings, weights / threads) * threads
        return {"ours_of_flops": flops / ours_ns / peak, "peer_of_flops": flops / peer_ns / peak,
                "peer_of_weights": weights / peer_ns / reads}
    return {}


def wanted(made):
    """The target, lower where the peer itself is near the machine's limit."""
    if made["target"] is None or made["wiring"] != "none":
        return made["target"]
    if made["group"] == "training":
        return 1.0 if made.get("peer_of_flops", 0) > 0.6 else made["target"]
    return 1.05 if max(made.get("peer_of_flops", 0), made.get("peer_of_weights", 0)) > 0.6 else made["target"]


def time_text(ns):
    for unit, size in (("s ", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def tape_text(made):
    if made["wiring"] == "none":
        return "-"
    return made["tape"] if made["tape"] == made["peer_tape"] or made["group"] not in ("sdpa",) else made["tape"] + "*"


def many(count, what):
    return f"{count} {what}" + "s" * (count != 1)


def shape_text(made):
    """Where a number stands, in words."""
    words = [made["cell"]] if made["wiring"] == "none" else [made["tape"]]
    words += [f"weights {made['weights']}"] * (made["weights"] != "f32")
    words += [f"{made['streams']} x {made['length']:,}" if made["wiring"] != "none" else many(made["streams"], "stream")]
    return ", ".join([*words, f"hidden {made['hidden']}", many(made["threads"], "thread")])


def ceiling_text(made, side):
    """What part of the ceiling that limits it a side reaches."""
    found = made.get(f"{side}_of_read_ceiling", made.get(f"{side}_of_flops"))
    return "" if found is None else f"{100 * found:.0f}"


def line(made):
    target = wanted(made)
    mark = "" if target is None else f"{target:g}" + (" +" if made["ratio"] >= target else " -")
    return (f"{made['cell']:5}{tape_text(made):6}{made['weights']:8}{made['hidden']:4}{made['streams']:8}"
            f"{made['length']:8}{made['threads']:5}{time_text(made['ours_ns']):>9}"
            f"{time_text(made['peer_ns']):>9}{made['ratio']:7.2f} {mark:>7}"
            f"{100 * max(made['ours_spread'], made['peer_spread']):5.0f} %"
            f"{ceiling_text(made, 'ours'):>5}{ceiling_text(made, 'peer'):>5}  {made['peer']}" + "  weak" * made["weak"])


def table(rows, groups):
    lines, group = [], None
    for made in rows:
        if made["group"] != group:
            group = made["group"]
            lines += ["", f"{group}: {groups[group]}",
                      f"{'cell':5}{'tape':6}{'weights':8}{'n':>4}{'streams':>8}{'length':>8}{'thr.':>5}{'ours':>9}"
                      f"{'peer':>9}{'ratio':>7} {'target':>7}{'spread':>7}{'ceil':>5}{'ings':<5}  peer"]
        lines.append(line(made))
    return "\n".join(lines)

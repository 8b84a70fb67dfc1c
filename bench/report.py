"""What the measurements say: fits, crossovers and the table. Pure functions of the rows of a report."""

TYPES = {"f32": "float32", "f16": "float16", "bf16": "bfloat16", "i8": "int8"}
KEYS = ("cell", "wiring", "score", "tape", "hidden", "streams", "threads")


def configuration(row):
    """What a curve has in common: everything but the length."""
    return tuple(row[key] for key in KEYS)


def curves(rows):
    """Rows by configuration, in the order of appearance, each sorted by length."""
    found = {}
    for row in rows:
        found.setdefault(configuration(row), []).append(row)
    return {key: sorted(curve, key=lambda row: row["length"]) for key, curve in found.items()}


def title(row):
    streams = "1 stream" if row["streams"] == 1 else f"{row['streams']} streams"
    tape = "" if row["tape"] == "f32" else f", {TYPES[row['tape']]} tape"
    return f"{row['cell']}, {row['wiring']}, {row['score']}, hidden {row['hidden']}, {streams}{tape}"


def tape_bytes(row):
    return row["length"] * row["streams"] * row["bytes_per_state"]


def level(row, caches):
    """The smallest cache that holds the tapes of a row."""
    for cache in sorted(caches, key=lambda cache: cache["bytes"]):
        if tape_bytes(row) <= cache["bytes"]:
            return f"L{cache['level']}"
    return "memory"


def fit_line(points):
    """The a, b of y = a + b x that make the relative errors small, and the largest of these that is left.

    Points span decades, so each counts by its relative error. Two points leave no error; fewer or equal x: None.
    """
    sums = [0.0] * 5
    for x, y in points:
        weight = 1.0 / (y * y)
        for i, term in enumerate((1.0, x, x * x, y, x * y)):
            sums[i] += weight * term
    one, sx, sxx, sy, sxy = sums
    determinant = one * sxx - sx * sx
    if len(points) < 2 or determinant <= 1e-12 * one * sxx:
        return None
    a = (sy * sxx - sxy * sx) / determinant
    b = (sxy * one - sy * sx) / determinant
    return a, b, max(abs(a + b * x - y) / y for x, y in points)


def crossover(curve, rest_ns):
    """The length at which reading the past costs as much as all else in the step: step = 2 rest, between measured
    lengths on a straight line (from nothing at length 0); None where even the longest past costs less."""
    before = (0, rest_ns)
    for row in curve:
        point = (row["length"], row["median_ns"])
        if point[1] >= 2 * rest_ns:
            share = (2 * rest_ns - before[1]) / (point[1] - before[1])
            return before[0] + share * (point[0] - before[0])
        before = point
    return None


def fits(rows, spreads, caches):
    """A row per configuration and cache level: step = a_ns + b_ns * length, and the configuration's crossover."""
    found = []
    rest = {configuration(row): spread["rest_ns"] for row, spread in zip(rows, spreads)}
    for key, curve in curves(rows).items():
        levels = {}
        for row in curve:
            levels.setdefault(level(row, caches), []).append((row["length"], row["median_ns"]))
        for name, points in levels.items():
            line = fit_line(points) or (None, None, None)
            found.append(dict(zip(KEYS, key), level=name, points=len(points), first=points[0][0], last=points[-1][0],
                              a_ns=line[0], b_ns=line[1], residual=line[2] if len(points) > 2 else None,
                              rest_ns=rest[key], crossover=crossover(curve, rest[key])))
    return found


def time_text(ns):
    if ns < 0:
        return "-" + time_text(-ns)
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if ns >= size:
            return f"{three_digits(ns / size)} {unit}"
    return f"{three_digits(ns)} ns"


def three_digits(value):
    return f"{value:.2f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:,.0f}"


def bytes_text(count):
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def cell_text(value, form):
    return "-" if value is None else form.format(value)


HEAD = ("past", "tapes", "step p50", "p99", "ns/state", "GB/s", "ceiling", "plain", "error")
WIDTHS = (7, 8, 8, 7, 8, 5, 7, 7, 5)


def line(cells):
    return "  " + "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS))


def table_row(row):
    fraction = row["ceiling_fraction"]
    return line((f"{row['length']:,}", bytes_text(tape_bytes(row)), time_text(row["median_ns"]), time_text(row["p99_ns"]),
                 cell_text(row["ns_per_state"], "{:.2f}"), cell_text(row["gbps"], "{:.1f}"),
                 cell_text(fraction and 100 * fraction, "{:.0f} %"), cell_text(row["speedup_plain"], "{:.1f} x"),
                 cell_text(row["max_error"], "{:.0e}")))


def fit_text(fit):
    off = "2 lengths" if fit["residual"] is None else f"{fit['points']} lengths, worst {100 * fit['residual']:.1f} % off"
    sign, many = "-" if fit["b_ns"] < 0 else "+", f"{fit['streams']} x " if fit["streams"] > 1 else ""
    slope = f"{many}{abs(fit['b_ns']) / fit['streams']:.2f} ns per past state"
    return f"  {fit['level']:<7}step = {time_text(fit['a_ns'])} {sign} {slope}  ({off})"


def crossover_text(fit, longest):
    rest = f"  the rest of the step is {time_text(fit['rest_ns'])}; "
    if fit["crossover"] is None:
        return rest + f"attention costs less than that up to {longest:,} past states"
    return rest + f"attention costs as much at {fit['crossover']:,.0f} past states"


def step_table(rows, all_fits):
    """The table: a block per configuration with its rows, its fits, and its crossover."""
    lines = []
    for key, curve in curves(rows).items():
        own = [fit for fit in all_fits if configuration(fit) == key]
        lines += ["", title(curve[0]), line(HEAD)]
        lines += [table_row(row) for row in curve]
        lines += [fit_text(fit) for fit in own if fit["b_ns"] is not None]
        lines.append(crossover_text(own[0], curve[-1]["length"]))
    return "\n".join(lines)


LEGEND = """past: past states of each stream; tapes: bytes of all; p50, p99: of single steps
ns/state: what a past state adds to a step, which is the step less its rest: the
          same step on almost empty tapes
GB/s: bytes of a past state over that; ceiling: percent of the best read loop's
plain: how many times slower two OpenBLAS gemv and a softmax are
error: the largest of a summary, against double"""


def text_line(row):
    how = (f"{row['pieces']:,} pieces, {row['streams']} at a time" if row["form"] == "pieces"
           else "as one stream")
    amount = f"{row['bytes']:,}" + (f" of {row['text_bytes']:,}" if row["bytes"] < row["text_bytes"] else "")
    window = f"window {row['window']:,}" if row["window"] else "all of the past"
    return (f"  {row['bytes_per_second']:>9,.0f} bytes/s  {how}, {window}"
            f"  ({amount} in {row['seconds']:.1f} s)")


def text_table(rows):
    if not rows:
        return ""
    row = rows[0]
    layers = "" if row["layers"] == 1 else f", {row['layers']} layers"
    head = f"text, byte by byte: {row['cell']}, {row['wiring']}, {row['score']}, hidden {row['hidden']}{layers}"
    return "\n".join([head] + [text_line(row) for row in rows])


def drift_table(rows):
    """How far a stream on a smaller tape is from its twin on float32, early and late."""
    row = rows[0]
    lines = [f"drift from a float32 tape over text: {row['cell']}, {row['wiring']}, {row['score']}, hidden {row['hidden']}"
             " (root mean square, in parts of the float32 one's; largest)"]
    for row in rows:
        for point in (row["points"][0], row["points"][-1]):
            parts = [f"{name} {point[name]['rms'] / point[name]['size']:.1e} ({point[name]['max']:.1e})" for name in "hsy"]
            lines.append(f"  {TYPES[row['tape']]:<9} to step {point['steps']:>6,}   " + "   ".join(parts))
    return "\n".join(lines)

"""The plot of a report: what attention costs against how far it looks back."""

import math
import re
import textwrap

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FuncFormatter  # noqa: E402

import report  # noqa: E402

# Okabe and Ito's colours, which the colour-blind tell apart.
OURS, PLAIN, REST, BOUND = "#0072B2", "#D55E00", "#707070", "#000000"
FAMILY = ("#0072B2", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
CACHE_LINE = dict(color="#B0B0B0", linewidth=0.8, zorder=0)


def time_tick(value, _=None):
    unit, size = next((unit, size) for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3), ("ns", 0)) if value >= size)
    return f"{value / (size or 1):g} {unit}"


def length_text(value, _=None):
    return f"{value / 1024:.3g}k" if value >= 1024 else f"{value:g}"


def powers(low, high, step):
    return [step**i for i in range(math.ceil(math.log(low, step)), math.floor(math.log(high, step)) + 1)]


def set_axes(axes, curve_lengths, title):
    low, high = min(curve_lengths), max(curve_lengths)
    axes.set_xscale("log", base=2)
    axes.set_xticks(powers(low, high, 4) if high >= 16 * low else sorted(set(curve_lengths)))
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(FuncFormatter(length_text))
    axes.set_xlabel("past states that the step attends to")
    axes.set_title(title, loc="left", fontsize=10.5, fontweight="bold")
    axes.spines[["top", "right"]].set_visible(False)


def mark_caches(axes, row, caches, bottom=False):
    """Where the tapes of this configuration outgrow a cache."""
    low, high = axes.get_xlim()
    per_state = row["streams"] * row["bytes_per_state"]
    for cache in caches:
        at = cache["bytes"] / per_state
        if low < at < high:
            axes.axvline(at, **CACHE_LINE)
            axes.annotate(f" tape > L{cache['level']}", (at, 0.0 if bottom else 1.0), xycoords=("data", "axes fraction"),
                          va="bottom" if bottom else "top", fontsize=7.5, color="#808080")


def spread_out(wanted, heights):
    """Middles near the wanted ones, in their order, such that things of these heights do not overlap."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    placed = [wanted[i] for i in order]
    for _ in range(300):
        for i in range(1, len(placed)):
            short = (heights[order[i - 1]] + heights[order[i]]) / 2 - (placed[i] - placed[i - 1])
            if short > 1e-9:
                placed[i - 1] -= short / 2
                placed[i] += short / 2
    return [placed[order.index(i)] for i in range(len(wanted))]


def label_ends(axes, ends, size=8.5):
    """A label right of the last point of each line, tied to it by a thin line: (x, y, text, colour)."""
    axes.figure.canvas.draw()
    pixel = axes.figure.dpi / 72
    points = [axes.transData.transform((x, y)) for x, y, _, _ in ends]
    heights = spread_out([y for _, y in points], [1.25 * size * pixel * (1 + text.count("\n")) for _, _, text, _ in ends])
    for (x, y, text, colour), (_, from_y), to_y in zip(ends, points, heights):
        axes.annotate(text, (x, y), xytext=(22, (to_y - from_y) / pixel), textcoords="offset points", color=colour,
                      fontsize=size, va="center", annotation_clip=False, linespacing=1.1,
                      bbox=dict(boxstyle="square,pad=0.1", facecolor="white", edgecolor="none", alpha=0.8),
                      arrowprops=dict(arrowstyle="-", color=colour, linewidth=0.6, alpha=0.6, relpos=(0, 0.5),
                                      shrinkA=1, shrinkB=3))


def step_panel(axes, curve, spreads, caches):
    """One model's step: ours, the plain form's, the rest of the step, and what the read ceiling allows."""
    lengths = [row["length"] for row in curve]
    rest = spreads[0]["rest_ns"]
    step = [row["median_ns"] for row in curve]
    plain = [rest + spread["plain_ns"] for spread in spreads]
    bound = [rest + report.tape_bytes(row) / row["ceiling_gbps"] for row in curve]
    axes.set_yscale("log")
    axes.fill_between(lengths, step, plain, color=PLAIN, alpha=0.08, linewidth=0)
    axes.plot(lengths, plain, color=PLAIN, linewidth=1.6, marker="s", markersize=3.5)
    axes.plot(lengths, step, color=OURS, linewidth=2.4, marker="o", markersize=4.5)
    axes.vlines(lengths, step, [row["p99_ns"] for row in curve], color=OURS, linewidth=0.8)
    axes.plot(lengths, bound, color=BOUND, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.axhline(rest, color=REST, linewidth=1.2)
    alone = [(row["length"], row["median_ns"] - rest) for row in curve if row["median_ns"] > 1.1 * rest]
    axes.plot(*zip(*alone or [(lengths[0], rest)]), color=OURS, linewidth=1, linestyle=":")
    set_axes(axes, lengths, f"A step of one {curve[0]['cell'].upper()} ({report.title(curve[0])})")
    axes.yaxis.set_major_formatter(FuncFormatter(time_tick))
    axes.set_ylim(min(rest, min(step)) / 4)
    axes.annotate(f"the rest of the step: {report.time_text(rest)}", (lengths[-1], rest), xytext=(0, -4),
                  textcoords="offset points", color=REST, fontsize=8.5, va="top", ha="right")
    mark_caches(axes, curve[0], caches)
    mark_crossover(axes, report.crossover(curve, rest), rest)
    label_ends(axes, [(lengths[-1], plain[-1], rival(curve[0]) + times(plain[-1] / step[-1]), PLAIN),
                      (lengths[-1], step[-1], "arnn\n(whiskers: p99)", OURS),
                      (lengths[-1], bound[-1], "rest + read\nat the ceiling", BOUND)])


def rival(row):
    return "vector tanh,\nsoftmax, gemv" if row["score"] == "additive" else "two gemv and\na softmax"


def times(factor):
    return f"\n{factor:.1f} x arnn's" if factor >= 1.05 else ""


def mark_crossover(axes, length, rest):
    if length is None or length < axes.get_xlim()[0]:
        return
    axes.plot([length], [rest], marker="o", markersize=8, markerfacecolor="white", markeredgecolor=OURS)
    axes.annotate(f"attention alone (dotted) overtakes\nthe rest at {length:,.0f} past states", (length, rest),
                  xytext=(14, -34), textcoords="offset points", fontsize=8.5, color=OURS,
                  arrowprops=dict(arrowstyle="-", color=OURS, linewidth=0.8))


def read_panel(axes, curve, caches):
    """The read alone, per past state, between the ceiling and the plain form."""
    told = [row for row in curve if row["ns_per_state"] is not None]
    if not told:
        axes.set_visible(False)
        return
    lengths = [row["length"] for row in told]
    ours = [row["ns_per_state"] for row in told]
    plain = [row["ns_per_state"] * row["speedup_plain"] for row in told]
    bound = [row["bytes_per_state"] / row["ceiling_gbps"] for row in told]
    axes.set_yscale("log")
    axes.plot(lengths, plain, color=PLAIN, linewidth=1.6, marker="s", markersize=3.5)
    axes.plot(lengths, ours, color=OURS, linewidth=2.4, marker="o", markersize=4.5)
    axes.plot(lengths, bound, color=BOUND, linewidth=1.2, linestyle=(0, (4, 2)))
    axes.fill_between(lengths, bound, ours, color=OURS, alpha=0.10, linewidth=0)
    for row in told[:: 1 if len(told) < 8 else 2]:
        axes.annotate(f"{100 * row['ceiling_fraction']:.0f} %", (row["length"], row["bytes_per_state"] / row["ceiling_gbps"]),
                      xytext=(0, -11), textcoords="offset points", ha="center", fontsize=7.5)
    set_axes(axes, lengths, "Its read alone: ns per past state, and percent of the read ceiling")
    low, high = min(bound) / 1.6, max(plain + ours) * 1.3
    axes.set_ylim(low, high)
    axes.set_yticks([tick * decade for decade in (0.1, 1, 10, 100, 1000) for tick in (1, 2, 5) if low < tick * decade < high])
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g} ns"))
    axes.minorticks_off()
    mark_caches(axes, curve[0], caches)
    label_ends(axes, [(lengths[-1], plain[-1], rival(curve[0]), PLAIN), (lengths[-1], ours[-1], "arnn", OURS),
                      (lengths[-1], bound[-1], "ceiling", BOUND)])


def styles(all_curves):
    """Colour by cell, wiring and score; hidden 128 thin; several streams dashed, smaller types dotted."""
    families = list(dict.fromkeys(key[:3] for key in all_curves))
    widest = max(key[4] for key in all_curves)
    line = lambda key: (0, (1, 0.7)) if key[3] != "f32" else "-" if key[5] == 1 else (0, (3, 1.5))
    return {key: dict(color=FAMILY[families.index(key[:3]) % len(FAMILY)], linewidth=1.9 if key[4] == widest else 1.0,
                      linestyle=line(key), marker="o", markersize=2.5) for key in all_curves}


def short_name(key):
    cell, wiring, score, tape, hidden, streams, _ = key
    named = [cell] + [wiring] * (wiring != "after") + [score] * (score != "dot") + [str(hidden)] + [tape] * (tape != "f32")
    return " ".join(named) + (f" x{streams}" if streams > 1 else "")


def all_panel(axes, all_curves, value, title, form, floor=None):
    """One line for every model: value(row) against the length."""
    ends, lengths = [], []
    drawn = styles(all_curves)
    axes.set_yscale("log")
    for key, curve in all_curves.items():
        points = [(row["length"], value(row)) for row in curve if value(row) is not None]
        if not points:
            continue
        axes.plot(*zip(*points), **drawn[key])
        lengths += [x for x, _ in points]
        ends.append((*points[-1], short_name(key), drawn[key]["color"]))
    if not ends:
        axes.set_visible(False)
        return
    set_axes(axes, lengths, title)
    axes.yaxis.set_major_formatter(FuncFormatter(form))
    if floor is not None:
        axes.axhline(floor, color=PLAIN, linewidth=1)
    label_ends(axes, ends, 8)


def speedup_panel(axes, all_curves):
    all_panel(axes, all_curves, lambda row: row["speedup_plain"],
              "The read alone: times faster than the plain form", lambda value, _: f"{value:g} x", floor=1)
    low, high = axes.get_ylim()
    axes.set_yticks([tick for tick in (0.25, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12, 16) if low <= tick <= high])
    axes.minorticks_off()


def draw(figures, path):
    caches = figures["machine"]["caches"]
    all_curves = report.curves(figures["step"])
    spreads = report.curves(figures["spread"])
    hero = next(iter(all_curves))
    plt.rcParams.update({"font.size": 9, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, panels = plt.subplots(2, 2, figsize=(15, 10), gridspec_kw=dict(height_ratios=(1.45, 1), wspace=0.36, hspace=0.26,
                                                                         left=0.055, right=0.905, top=0.9, bottom=0.06))
    figure.suptitle("What attention to all of the past costs", x=0.055, ha="left", fontsize=15, fontweight="bold")
    build = re.sub(r" \(of [^)]*\)", "", figures["machine"]["build_info"])  # the kernels that ran, and no others
    about = f"{figures['machine']['processor']}, one thread, tapes of float32 where no type is named; {build}"
    figure.text(0.055, 0.955, textwrap.shorten(about, 190, placeholder=" .."), fontsize=8.5, color="#505050", va="top")
    step_panel(panels[0][0], all_curves[hero], spreads[hero], caches)
    read_panel(panels[1][0], all_curves[hero], caches)
    all_panel(panels[0][1], all_curves, lambda row: row["median_ns"],
              "A step of every model measured (x8: of eight streams)",
              time_tick)
    speedup_panel(panels[1][1], all_curves)
    figure.savefig(path)
    plt.close(figure)

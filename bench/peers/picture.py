"""The ratios of every group on a logarithmic scale, with their targets; columns, so that all of it can be read."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

from peers import reckon  # noqa: E402

HELD, MISSED, SHOWN, TARGET = "#0072B2", "#D55E00", "#9A9A9A", "black"
ROWS = 52  # of a column


def label(row):
    words = [row["group"], row["cell"] if row["wiring"] == "none" else reckon.tape_text(row)]
    words += [f"w {row['weights']}"] * (row["weights"] != "f32")
    words += [f"n={row['hidden']} B={row['streams']}"] + [f"T={row['length']:,}"] * (row["group"] != "product")
    return " ".join([*words, f"{row['threads']}t: {row['peer']}"])


def columns(rows):
    """Cut between groups where that leaves columns of a like length."""
    count = -(-len(rows) // ROWS)
    made, per = [], -(-len(rows) // count)
    while rows:
        made.append(rows[:per])
        rows = rows[per:]
    return made


def draw_column(axes, rows, reach):
    for at, row in enumerate(rows):
        target = reckon.wanted(row)
        color = SHOWN if target is None else HELD if row["ratio"] >= target else MISSED
        axes.plot([1, row["ratio"]], [at, at], color=color, linewidth=3.5, solid_capstyle="butt")
        axes.annotate(f"{row['ratio']:.2f}", (max(1, row["ratio"], target or 0), at), xytext=(4, 0), textcoords="offset points",
                      va="center", fontsize=6)
        if target is not None:
            axes.plot(target, at, "|", color=TARGET, markersize=9, markeredgewidth=1.5)
        if at and rows[at - 1]["group"] != row["group"]:
            axes.axhline(at - 0.5, color="#DDDDDD", linewidth=0.8)
    axes.axvline(1, color="#707070", linewidth=1)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlim(*reach)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=6.5)
    axes.tick_params(axis="x", labelsize=7)
    axes.set_xlabel("times faster than the peer (ceilings: share of it)", fontsize=8)


def draw(figures, path):
    parts = columns(figures["peers"])
    ratios = [row["ratio"] for row in figures["peers"]] + [reckon.wanted(row) or 1 for row in figures["peers"]]
    reach = min(*ratios, 0.9) * 0.8, max(*ratios, 2) * 1.8
    height = max(3, 1.4 + 0.17 * max(map(len, parts)))
    figure, axes = plt.subplots(1, len(parts), figsize=(6.6 * len(parts), height), layout="constrained", squeeze=False)
    for at, rows in enumerate(parts):
        draw_column(axes[0, at], rows, reach)
    figure.suptitle("blue: reaches its target (|); orange: does not; grey: no target", fontsize=9)
    figure.savefig(path)
    plt.close(figure)

"""The ratios of every group on a logarithmic scale, with their targets."""

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt  # noqa: E402

from peers import reckon  # noqa: E402


def label(row):
    tape = row["tape"] if row["wiring"] != "none" else row["cell"]
    return f"{row['group']}  {tape} w {row['weights']} n={row['hidden']} B={row['streams']} T={row['length']} " \
           f"{row['threads']} thr.  ({row['peer']})"


def draw(rows, path):
    figure, axes = plt.subplots(figsize=(10, 1.2 + 0.2 * max(1, len(rows))), layout="constrained")
    for at, row in enumerate(rows):
        target = reckon.wanted(row)
        reached = target is None or row["ratio"] >= target
        axes.plot([1, row["ratio"]], [at, at], color="#0072B2" if reached else "#D55E00", linewidth=3)
        if target is not None:
            axes.plot(target, at, "|", color="black", markersize=9)
    axes.axvline(1, color="#707070", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), [label(row) for row in rows], fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel("times faster than the peer; | is the target")
    figure.savefig(path)
    plt.close(figure)

"""The ratios as a picture: a dot a row, by group, on a logarithmic axis; a tick where it is to be."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

from peers.targets import GROUPS, target  # noqa: E402


def ratios(rows, path):
    present = [group for group in GROUPS if any(row["group"] == group for row in rows)]
    figure, axes = plt.subplots(figsize=(11, 1.2 + 0.9 * len(present)))
    for place, group in enumerate(present):
        own = sorted((row for row in rows if row["group"] == group), key=lambda row: row["ratio"])
        for index, row in enumerate(own):
            y = place + 0.55 * (index / max(len(own) - 1, 1) - 0.5)
            wanted = target(row)
            reached = wanted is None or row["ratio"] >= wanted
            axes.plot([row["ratio_low"], row["ratio_high"]], [y, y], color="#9bbad0", linewidth=1)
            axes.plot(row["ratio"], y, "o", markersize=4, color="#0072b2" if reached else "#d55e00")
            if wanted is not None:
                axes.plot(wanted, y, "|", color="#555555", markersize=6)
    axes.axvline(1, color="#555555", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks(range(len(present)), [GROUPS[group] for group in present])
    axes.invert_yaxis()
    axes.set_xlabel("times slower than arnn (bars: rounds; ticks: what it is to reach; orange: not reached)")
    axes.set_title("arnn against its peers", loc="left", fontweight="bold")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)

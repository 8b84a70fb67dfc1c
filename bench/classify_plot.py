"""The plot of bench/run classify: right answers by model."""

import matplotlib.pyplot as plt

import show


def draw(figures, path):
    runs, budget = figures["runs"], figures["budget"]
    keys = list(dict.fromkeys((run["cell"], run["wiring"]) for run in runs))[::-1]
    plt.rcParams.update({"font.size": 10, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, axes = plt.subplots(figsize=(9.5, 1.9 + 0.38 * len(keys)))
    for row, key in enumerate(keys):
        found = [100 * run["accuracy"] for run in runs if (run["cell"], run["wiring"]) == key]
        colour, mean = show.COLOURS[key[1]], sum(found) / len(found)
        axes.plot(found, [row] * len(found), "o", color=colour, alpha=0.45, markersize=6, markeredgewidth=0)
        axes.plot(mean, row, "|", color=colour, markersize=17, markeredgewidth=2.5)
        axes.annotate(f"{mean:.1f}", (1.01, row), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=colour)
    axes.set_yticks(range(len(keys)), [f"{cell}, no attention" if wiring == "none" else f"{cell} {wiring}" for cell, wiring in keys])
    for label, key in zip(axes.get_yticklabels(), keys):
        label.set_color(show.COLOURS[key[1]])
    axes.set_ylim(-0.6, len(keys) - 0.4)
    axes.set_xlim(right=100)
    axes.axvline(97, color="#000000", linewidth=1, linestyle=":")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("percent right of 370 recordings (dotted: 97)")
    figure.suptitle("Who speaks? Nine speakers by one vowel", x=0.03, ha="left", fontsize=14, fontweight="bold")
    figure.text(0.03, 1 - 0.58 / figure.get_figheight(), f"JapaneseVowels, 7 to 29 frames, official split; hidden {budget['hidden']}, "
                f"{budget['epochs']} epochs each; points: {show.extent(figures)}, bar and number: their mean", fontsize=9,
                color="#505050", va="top")
    figure.subplots_adjust(left=0.2, right=0.93, top=1 - 0.9 / figure.get_figheight(), bottom=0.55 / figure.get_figheight())
    figure.savefig(path)
    plt.close(figure)
    return [path]

"""The plot of bench/run gradient: time against steps, and the terms that it is made of."""

import matplotlib.pyplot as plt
import numpy as np

import gradient

COLOURS = {"forward": "#0072B2", "backward": "#D55E00", "together": "#202020"}


def curve(fitted, steps):
    return fitted["constant"] + fitted["steps"] * steps + fitted["pairs"] * steps ** 2


def draw(figures, path):
    rows, fits, shape = figures["rows"], figures["fits"], figures["shape"]
    steps = np.array([row["steps"] for row in rows], float)
    fine = np.geomspace(steps[0], steps[-1], 200)
    plt.rcParams.update({"font.size": 10, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, axes = plt.subplots(figsize=(9, 6))
    for part, fitted in fits.items():
        seconds = [row["forward"] + row["backward"] if part == "together" else row[part] for row in rows]
        axes.plot(fine, curve(fitted, fine), color=COLOURS[part], linewidth=1.6)
        axes.plot(steps, seconds, "o", color=COLOURS[part], markersize=5)
        axes.annotate(f" {part}", (steps[-1], seconds[-1]), color=COLOURS[part], va="center")
    whole = fits["together"]
    for name, power, text in ("steps", 1, "its steps: a T"), ("pairs", 2, "its past: b T²"):
        if whole[name] > 0:
            term = whole[name] * fine ** power
            axes.plot(fine, term, color="#909090", linewidth=1, linestyle="--")
            place = -1 if name == "steps" else 0
            axes.annotate(f" {text} " if place else f"{text} ", (fine[place], term[place]), fontsize=8.5, color="#606060",
                          ha="left" if place else "right", va="center")
    place = gradient.takes_over(whole)
    if place and steps[0] < place < steps[-1]:
        axes.axvline(place, color="#909090", linewidth=1, linestyle=":")
        axes.annotate(f" from T = {place:,.0f} on\n the past costs more", (place, 0.99), fontsize=9, va="top",
                      xycoords=("data", "axes fraction"))
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(steps, [f"{int(length):,}" for length in steps])
    axes.set_xlim(steps[0] / 1.75, steps[-1] * 1.75)
    axes.set_xlabel("T, steps of every stream")
    axes.set_ylabel("seconds")
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle("What a gradient costs", x=0.09, ha="left", fontsize=14, fontweight="bold")
    title = f"{shape['cell']} {shape['wiring']}, {shape['score']} scores" if shape["wiring"] != "none" else f"{shape['cell']}"
    figure.text(0.09, 0.925, f"{title}, hidden {shape['hidden']}, {shape['streams']} streams, {shape['threads']} thread(s); "
                "points: the best of some runs; lines: the fit c + a T + b T²", fontsize=9, color="#505050", va="top")
    figure.subplots_adjust(left=0.09, right=0.97, top=0.88, bottom=0.1)
    figure.savefig(path)
    plt.close(figure)
    return [path]

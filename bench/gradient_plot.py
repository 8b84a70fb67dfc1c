"""The plot of bench/run gradient: time against steps, and from where on the past is most of it."""

import matplotlib.pyplot as plt
import numpy as np

import gradient

COLOURS = {"forward": "#0072B2", "backward": "#D55E00", "together": "#202020"}


def curve(fitted, steps):
    return fitted["constant"] + fitted["steps"] * steps + fitted["pairs"] * steps ** 2


def past(fitted, steps):
    """The part of the time that reads of the past take."""
    return fitted["pairs"] * steps ** 2 / curve(fitted, steps)


def named(seconds, _=None):
    return f"{seconds:g} s" if seconds >= 1 else f"{1e3 * seconds:g} ms"


def by_steps(axes, steps, title):
    axes.set_xscale("log", base=2)
    axes.set_xticks(steps, [f"{int(length):,}" for length in steps])
    axes.set_xlim(steps[0] / 1.2, steps[-1] * 1.2)
    axes.set_xlabel("T, steps of every stream")
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(color="#E6E6E6", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def draw_times(axes, rows, fits, steps, fine):
    """Times, and for the eye what grows as T and as T^2."""
    for part, fitted in fits.items():
        seconds = [row["forward"] + row["backward"] if part == "together" else row[part] for row in rows]
        axes.plot(fine, curve(fitted, fine), color=COLOURS[part], linewidth=1.6)
        axes.plot(steps, seconds, "o", color=COLOURS[part], markersize=5, label=part)
    above = 2.7 * curve(fits["together"], steps[0])
    for power, end, text in (1, 4, "as T"), (2, 2.6, "as T²"):
        axes.plot(steps[0] * np.array([1, end]), above * np.array([1, end ** power]), "--", color="#909090", linewidth=1)
        axes.annotate(f" {text}", (steps[0] * end, above * end ** power), fontsize=8.5, color="#606060", va="center")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(named)
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[::-1], labels[::-1], loc="lower right", frameon=False)


def draw_shares(axes, fits, fine):
    """Where they cross the middle, the past takes over."""
    axes.axhline(50, color="#909090", linewidth=1, linestyle=":")
    for row, (part, fitted) in enumerate(reversed(fits.items())):
        axes.plot(fine, 100 * past(fitted, fine), color=COLOURS[part], linewidth=1.6)
        place = gradient.takes_over(fitted)
        if place and fine[0] < place < fine[-1]:
            axes.plot(place, 100 * past(fitted, place), "o", color=COLOURS[part], markersize=5)
        said = f"from T = {place:,.0f} on" if place else "never"
        axes.annotate(f"{part}: {said}", (0.97, 0.06 + 0.06 * row), xycoords="axes fraction", ha="right", color=COLOURS[part])
    axes.annotate("the past is most of it", (0.97, 0.06 + 0.06 * len(fits)), xycoords="axes fraction", ha="right",
                  color="#505050")
    axes.set_ylim(0, 100)
    axes.yaxis.set_major_formatter(lambda percent, _: f"{percent:g} %")


def draw(figures, path):
    rows, fits, shape = figures["rows"], figures["fits"], figures["shape"]
    steps = np.array([row["steps"] for row in rows], float)
    fine = np.geomspace(steps[0], steps[-1], 200)
    plt.rcParams.update({"font.size": 10, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, (times, shares) = plt.subplots(1, 2, figsize=(12, 5.4), width_ratios=(1.25, 1))
    draw_times(times, rows, fits, steps, fine)
    by_steps(times, steps, "time")
    draw_shares(shares, fits, fine)
    by_steps(shares, steps, "of it, reads of the past: b T² of the fit")
    figure.suptitle("What a gradient costs", x=0.065, ha="left", fontsize=14, fontweight="bold")
    title = f"{shape['cell']} {shape['wiring']}, {shape['score']} scores" if shape["wiring"] != "none" else f"{shape['cell']}"
    figure.text(0.065, 0.925, f"{title}, hidden {shape['hidden']}, {shape['streams']} streams, {shape['threads']} thread(s); "
                "points: the best of some runs; lines: the fit c + a T + b T²", fontsize=9, color="#505050", va="top")
    figure.subplots_adjust(left=0.065, right=0.975, top=0.83, bottom=0.11, wspace=0.16)
    figure.savefig(path)
    plt.close(figure)
    return [path]

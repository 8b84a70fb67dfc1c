"""The plots of bench/run recall: accuracy against L, and whom one sequence attended to."""

import matplotlib.pyplot as plt
import numpy as np

import recall
import show

TITLES = {"pairs": "Told the value of a key", "repeat": "Repeated four symbols in order"}
WIDTHS = {"none": 2.2, "after": 5.5, "beside": 3.2, "before": 1.3}  # lines on top of each other are all seen
CELL_TITLES = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}


def by_model(runs, task, cell):
    """Accuracies (seeds, lengths) by wiring."""
    found = {}
    for run in runs:
        if (run["task"], run["cell"]) == (task, cell):
            found.setdefault(run["wiring"], []).append([run["accuracy"][length] for length in recall.LENGTHS])
    return {wiring: np.array(seeds) for wiring, seeds in found.items()}


def panel(axes, curves):
    places = np.arange(len(recall.LENGTHS))
    axes.axvspan(-0.3, recall.LENGTHS.index(recall.LONGEST), color="#F2F2F2", zorder=0)
    for wiring, seeds in curves.items():
        plain = wiring == "none"
        style = dict(color=show.COLOURS[wiring], linewidth=WIDTHS[wiring], linestyle=(0, (4, 1.5)) if plain else "-", zorder=3)
        axes.plot(places, seeds.mean(0), label="no attention" if plain else f"attends: {wiring}", **style)
        if len(seeds) > 1:
            axes.fill_between(places, seeds.min(0), seeds.max(0), color=style["color"], alpha=0.13, linewidth=0)
    axes.set_xticks(places, recall.LENGTHS)
    axes.set_xlim(-0.3, len(places) - 0.7)
    axes.set_ylim(0, 1.03)
    axes.set_yticks((0, 0.25, 0.5, 0.75, 1), ("0", "", "50 %", "", "100 %"))
    axes.grid(axis="y", color="#E0E0E0", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def curves(figures, path):
    cells = [cell for cell in recall.CELLS if any(run["cell"] == cell for run in figures["runs"])]
    plt.rcParams.update({"font.size": 9.5, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, panels = plt.subplots(2, len(cells), figsize=(3.9 * len(cells) + 1.2, 7.6), sharex=True, sharey=True, squeeze=False)
    figure.suptitle("A network that attends to its past does not forget it", x=0.06, ha="left", fontsize=15, fontweight="bold")
    budget = figures["budget"]
    figure.text(0.06, 0.94, f"Correct answers after L distractors. Hidden {budget['hidden']}, {budget['updates']:,} updates each,\n"
                f"trained with L up to {budget['longest']} (grey). Lines: mean of {show.extent(figures)}; bands: all of them.",
                fontsize=9, color="#505050", va="top")
    for row, task in enumerate(recall.TASKS):
        for column, cell in enumerate(cells):
            axes = panels[row][column]
            panel(axes, by_model(figures["runs"], task, cell))
            guess = 1 / (recall.VALUES if task == "pairs" else recall.SYMBOLS)
            axes.axhline(guess, color="#A0A0A0", linewidth=0.8, linestyle=":")
            axes.annotate("guessing", (len(recall.LENGTHS) - 0.75, guess), ha="right", va="bottom", fontsize=7.5, color="#808080")
            axes.set_title((TITLES[task] + "\n" if column == 0 else "\n") + CELL_TITLES[cell], loc="left", fontsize=10.5,
                           fontweight="bold")
            if row == 1:
                axes.set_xlabel("L, distractors in between")
    handles = {label: handle for axes in panels.flat for handle, label in zip(*axes.get_legend_handles_labels())}
    figure.legend(handles.values(), handles.keys(), loc="lower left", bbox_to_anchor=(0.055, 0.0), frameon=False, ncols=4)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.82, bottom=0.13, wspace=0.08, hspace=0.3)
    figure.savefig(path)
    plt.close(figure)


# ---- the attention map of one sequence -------------------------------------------------------------------------------

def step_names(picture, task):
    """What each step showed, in a letter or two; distractors are dots."""
    names = []
    for x in picture["x"]:
        on = np.flatnonzero(x)
        if task == "pairs":
            key = [chr(65 + i) for i in on if i < recall.KEYS]
            value = [str(i - recall.KEYS) for i in on if recall.KEYS <= i < recall.KEYS + recall.VALUES]
            names.append("=".join(key + value) + ("?" if key and not value else "") or "·")
        else:
            names.append(chr(65 + on[0]) if on[0] < recall.SYMBOLS else "go" if on[0] == len(x) - 1 else "·")
    return names


def best(figures, task):
    """The attending run with a picture that is best at the longest L; None where there is none."""
    runs = [run for run in figures["runs"] if run["task"] == task and "picture" in run]
    return max(runs, key=lambda run: run["accuracy"][recall.LENGTHS[-1]], default=None)


def map_panel(axes, run, task):
    picture = run["picture"]
    weights, names = np.array(picture["weights"]), step_names(picture, task)
    steps = len(names)
    axes.imshow(np.ma.masked_where(np.triu(np.ones_like(weights), 1) > 0, 0.02 + 0.98 * weights), cmap="gist_heat_r", vmin=0,
                vmax=1, interpolation="nearest", aspect="equal")
    axes.set_xticks(range(steps), names, fontsize=6.5, rotation=90 if task == "pairs" else 0)
    axes.set_yticks(range(steps), names, fontsize=6.5)
    axes.tick_params(length=0)
    axes.set_xlabel("state of the past that is read")
    axes.set_ylabel("step that reads")
    axes.spines[:].set_color("#C0C0C0")
    answers = picture["told"][-1:] if task == "pairs" else [chr(65 + symbol) for symbol in picture["told"][-4:]]
    axes.set_title(f"{TITLES[task]}: {run['cell']} {run['wiring']}\nit told: {' '.join(map(str, answers))}", loc="left",
                   fontsize=10.5, fontweight="bold")
    mark = range(steps - (1 if task == "pairs" else 4), steps)
    for row in mark:
        top = int(weights[row].argmax())
        axes.add_patch(plt.Rectangle((top - 0.5, row - 0.5), 1, 1, fill=False, edgecolor="#0072B2", linewidth=1.6))
        left = top > 0.8 * steps  # no room on the other side
        axes.annotate(f"{names[top]}  {100 * weights[row, top]:.0f} %", (top - 0.7 if left else top + 0.7, row), fontsize=8,
                      color="#0072B2", va="center", ha="right" if left else "left", fontweight="bold")


def maps(figures, path):
    runs = {task: best(figures, task) for task in recall.TASKS}
    runs = {task: run for task, run in runs.items() if run}
    if not runs:
        return False
    figure, panels = plt.subplots(1, len(runs), figsize=(7.2 * len(runs), 7.6), squeeze=False)
    figure.suptitle("Whom it attends to: across all distractors, to what was asked for", x=0.05, ha="left", fontsize=15,
                    fontweight="bold")
    figure.text(0.05, 0.935, "Dots are distractors. The darker, the more of that past state a step reads; blue: what the steps that "
                "answer read most.", fontsize=9, color="#505050", va="top")
    for axes, (task, run) in zip(panels[0], runs.items()):
        map_panel(axes, run, task)
    figure.subplots_adjust(left=0.06, right=0.985, top=0.86, bottom=0.08, wspace=0.14)
    figure.savefig(path)
    plt.close(figure)
    return True


def draw(figures, path):
    curves(figures, path)
    other = path.with_name(path.stem + "-map" + path.suffix)
    return [path, other] if maps(figures, other) else [path]

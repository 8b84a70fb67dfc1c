"""The plot of bench/run language: nats per character by model, next to the same cell without attention."""

import matplotlib.pyplot as plt

import language
import show

CELLS = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}


def mean(values):
    return sum(values) / len(values)


def rows_of(models, means):
    """{model: height}, from below: a group for each cell, the plain one at its top, then the best, and one row apart from the next."""
    rows, height = {}, 0
    for cell in reversed(list(dict.fromkeys(model[0] for model in models))):
        own = [model for model in models if model[0] == cell]
        for model in sorted(own, key=lambda model: (model[1] == "none", -means[model])):
            rows[model] = height
            height += 1
        height += 1
    return rows


def draw_group(axes, cell, rows, found, means):
    """One cell: its models, and how far each is from the plain one."""
    own = [model for model in rows if model[0] == cell]
    plain = means.get(next((model for model in own if model[1] == "none"), None))
    top = max(rows[model] for model in own)
    axes.annotate(CELLS[cell], (0, top + 0.62), xycoords=("axes fraction", "data"), xytext=(-6, 0), textcoords="offset points",
                  ha="right", va="center", fontsize=10.5, fontweight="bold")
    if plain:
        axes.plot([plain, plain], [min(rows[model] for model in own) - 0.4, top], color=show.COLOURS["none"], linewidth=1,
                  linestyle=(0, (4, 2)), zorder=1)
    for model in own:
        row, colour, apart = rows[model], show.COLOURS[model[1]], means[model] - (plain or means[model])
        if apart:
            axes.plot([plain, means[model]], [row, row], color=colour, linewidth=1, alpha=0.5)
        axes.plot(found[model], [row] * len(found[model]), "o", color=colour, alpha=0.45, markersize=6, markeredgewidth=0)
        axes.plot(means[model], row, "|", color=colour, markersize=15, markeredgewidth=2.5)
        axes.annotate(f"{means[model]:.3f}" + (f"  ({apart:+.3f})" if apart else ""), (1.01, row),
                      xycoords=("axes fraction", "data"), va="center", fontsize=8.5, color=colour)


def draw(figures, path):
    runs, budget = figures["runs"], figures["budget"]
    models = list(dict.fromkeys(tuple(run["model"]) for run in runs))
    found = {model: [run["nats"] for run in runs if tuple(run["model"]) == model] for model in models}
    means = {model: mean(found[model]) for model in models}
    rows = rows_of(models, means)
    plt.rcParams.update({"font.size": 10, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, axes = plt.subplots(figsize=(9.5, 2.6 + 0.34 * (max(rows.values()) + 1)))
    for cell in dict.fromkeys(model[0] for model in models):
        draw_group(axes, cell, rows, found, means)
    axes.axvline(figures["ngram"], color="#000000", linewidth=1, linestyle=":")
    axes.annotate(f" {figures['order']}-gram counts: {figures['ngram']:.3f}", (figures["ngram"], 1), xycoords=("data", "axes fraction"),
                  xytext=(0, 3), textcoords="offset points", va="bottom", ha="center", fontsize=8.5)
    axes.set_yticks(list(rows.values()), ["no attention" if model[1] == "none" else f"attends {model[1]}, {model[2]}" for model in rows])
    for label, model in zip(axes.get_yticklabels(), rows):
        label.set_color(show.COLOURS[model[1]])
    axes.set_ylim(-0.7, max(rows.values()) + 0.9)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("nats per character on the last tenth of the text (further left is better)")
    figure.suptitle("What does attention do for language, at equal size?", x=0.03, ha="left", fontsize=14, fontweight="bold")
    amount = f"{budget['minutes']:g} minutes" if budget["minutes"] else \
        f"{budget['updates']:,} updates of {language.STREAMS * language.STEPS:,} characters"
    figure.text(0.03, 1 - 0.5 / figure.get_figheight(), f"Each next character of {figures['characters']:,}; about {budget['parameters']:,} "
                f"parameters and {amount} each.\nPoints: {show.extent(figures)}; bar and number: their mean.\n"
                "Dashed, and in brackets how far it is from there: the same cell without attention.", fontsize=9, color="#505050", va="top")
    figure.subplots_adjust(left=0.2, right=0.86, top=1 - 1.4 / figure.get_figheight(), bottom=0.55 / figure.get_figheight())
    figure.savefig(path)
    plt.close(figure)
    return [path]

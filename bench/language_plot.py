"""The plot of bench/run language: nats per character by model."""

import matplotlib.pyplot as plt

import language
import show


def draw(figures, path):
    runs, budget = figures["runs"], figures["budget"]
    models = list(dict.fromkeys(tuple(run["model"]) for run in runs))
    found = {model: [run["nats"] for run in runs if tuple(run["model"]) == model] for model in models}
    order = sorted(models, key=lambda model: sum(found[model]) / len(found[model]), reverse=True)
    plt.rcParams.update({"font.size": 10, "svg.fonttype": "path", "axes.edgecolor": "#606060"})
    figure, axes = plt.subplots(figsize=(9.5, 2.3 + 0.42 * len(order)))
    for row, model in enumerate(order):
        colour, mean = show.COLOURS[model[1]], sum(found[model]) / len(found[model])
        axes.plot([mean, figures["ngram"]], [row, row], color=colour, linewidth=1, alpha=0.35)
        axes.plot(found[model], [row] * len(found[model]), "o", color=colour, alpha=0.45, markersize=6, markeredgewidth=0)
        axes.plot(mean, row, "|", color=colour, markersize=17, markeredgewidth=2.5)
        axes.annotate(f"{mean:.3f}", (mean, row), xytext=(0, 10), textcoords="offset points", ha="center", fontsize=8.5, color=colour)
    axes.axvline(figures["ngram"], color="#000000", linewidth=1, linestyle=":")
    axes.annotate(f"{figures['order']}-gram counts {figures['ngram']:.3f} ", (figures["ngram"], -0.75), ha="right", va="center",
                  fontsize=8.5)
    axes.set_yticks(range(len(order)), [language.title(model) if model[1] != "none" else f"{model[0]}, no attention" for model in order])
    for label, model in zip(axes.get_yticklabels(), order):
        label.set_color(show.COLOURS[model[1]])
    axes.set_ylim(-1.1, len(order) - 0.3)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("nats per character on the last tenth of the text (less is better)")
    figure.suptitle("Foretelling a text, character by character, at equal size", x=0.03, ha="left", fontsize=14,
                    fontweight="bold")
    amount = f"{budget['minutes']:g} minutes" if budget["minutes"] else f"{budget['updates']:,} updates"
    figure.text(0.03, 1 - 0.62 / figure.get_figheight(), f"{figures['characters']:,} characters; about {budget['parameters']:,} parameters and {amount} each; "
                f"points: {show.extent(figures)}, bar: their mean", fontsize=9, color="#505050", va="top")
    figure.subplots_adjust(left=0.22, right=0.97, top=1 - 0.95 / figure.get_figheight(), bottom=0.55 / figure.get_figheight())
    figure.savefig(path)
    plt.close(figure)
    return [path]

"""bench/run recall: what is remembered after L distractors, by networks that attend to their past and by those that do
not."""

import show

CELLS, WIRINGS = ("rnn", "gru", "lstm"), ("none", "after", "beside", "before")
TASKS = {"pairs": "four keys with their values, L distractors, a key: tell its value",
         "repeat": "four symbols, L distractors: repeat the four in order"}
LENGTHS = (0, 16, 64, 128, 256, 512)
HIDDEN, STREAMS, LONGEST = 64, 32, 64  # longest L of training
RATE, WARM, UPDATES, QUICK_UPDATES = 3e-3, 50, 2500, 800
KEYS = VALUES = 16
SYMBOLS, NOISE = 8, 8
PICTURED = 8  # seed of the sequence whose attention is drawn
STRENGTH = HIDDEN ** 0.5  # of a one-hot input: it then drives a state as strongly as another state does
HELP = f"""
the tasks
  pairs   Four pairs of {KEYS} keys and {VALUES} values, a pair a step; L steps with one of {NOISE} distractors; a key.
          Counted: the value told at the last step. Guessing: {1 / VALUES:.2f}; one of the four values seen: 0.25.
  repeat  Four of {SYMBOLS} symbols; L steps with one of {NOISE} distractors; four times a sign to go on.
          Counted: each of the last four steps. Guessing: {1 / SYMBOLS:.2f}.
the runs
  rnn, gru, lstm in the wirings none, after, beside, before: hidden {HIDDEN}, dot scores, start `spread`, readout of h and,
  where there is one, s. All have the same budget: {UPDATES:,} updates (--quick: {QUICK_UPDATES}) of {STREAMS} sequences with L from 0 to
  {LONGEST}, short ones more often (log L is about uniform); Adam, rate {RATE:g} with a warm start, falling to 0 in the second half;
  clipped at norm 1. Then accuracy on fresh sequences, for each L up to {LENGTHS[-1]}. Nothing is chosen afterwards: every run is
  reported.
"""


def one_hot(indices, width):
    import numpy as np
    return np.eye(width, dtype=np.float32)[indices] * STRENGTH


def pairs(generator, lengths):
    """x (time, stream, width), labels (stream), lengths of the sequences."""
    import numpy as np
    count, width = len(lengths), KEYS + VALUES + NOISE
    x = np.zeros((max(lengths) + 5, count, width), np.float32)
    labels = np.empty(count, np.int32)
    for b, distractors in enumerate(lengths):
        keys, values, asked = generator.choice(KEYS, 4, replace=False), generator.integers(0, VALUES, 4), generator.integers(4)
        x[:4, b] = one_hot(keys, width) + one_hot(KEYS + values, width)
        x[4:4 + distractors, b] = one_hot(KEYS + VALUES + generator.integers(0, NOISE, distractors), width)
        x[4 + distractors, b] = one_hot(keys[asked], width)
        labels[b] = values[asked]
    return x, labels, [distractors + 5 for distractors in lengths]


def repeat(generator, lengths):
    """x (time, stream, width), labels (time, stream), lengths of the sequences."""
    import numpy as np
    count, width = len(lengths), SYMBOLS + NOISE + 1
    x = np.zeros((max(lengths) + 8, count, width), np.float32)
    labels = np.full(x.shape[:2], -1, np.int32)
    for b, distractors in enumerate(lengths):
        symbols, end = generator.integers(0, SYMBOLS, 4), 4 + distractors
        x[:4, b] = one_hot(symbols, width)
        x[4:end, b] = one_hot(SYMBOLS + generator.integers(0, NOISE, distractors), width)
        x[end:end + 4, b, -1] = STRENGTH
        labels[end:end + 4, b] = symbols
    return x, labels, [distractors + 8 for distractors in lengths]


MAKERS = {"pairs": pairs, "repeat": repeat}


def some_lengths(generator):
    import numpy as np
    return np.floor(np.exp(generator.random(STREAMS) * np.log(LONGEST + 2))).astype(int).clip(1, LONGEST + 1) - 1


def rate(update, updates):
    return RATE * min(1.0, (update + 1) / WARM, 2.0 * (updates - update) / updates)


def model_of(plan, width):
    import learn
    attends = plan["wiring"] != "none"
    options = {"source": "hs" if plan["wiring"] in ("after", "beside") else "h"} if attends else {}
    return learn.Model(plan["seed"], cell=plan["cell"], wiring=plan["wiring"], inputs=width, hidden=HIDDEN,
                       outputs=VALUES if plan["task"] == "pairs" else SYMBOLS, **options)


def accuracy(trainer, make, generator, length, count):
    x, labels, lengths = make(generator, [length] * count)
    judged = trainer.evaluate(x, labels, lengths)
    return judged.correct / judged.weight


def picture(model, make, generator, length):
    """The attention of one sequence: what each of its steps read, and what the sequence was."""
    x, labels, lengths = make(generator, [length])
    stream = model.stream()
    y, weights = stream.run(x, columns=len(x))
    stream.close()
    return {"length": length, "weights": weights[:, 0].round(4).tolist(), "x": (x[:, 0] > 0).astype(int).tolist(),
            "labels": labels.ravel().tolist(), "told": y[:, 0].argmax(1).tolist()}


def train(plan):
    """One run of the plan: accuracy by L, and of an attending network a picture."""
    import learn
    import numpy as np
    make, generator = MAKERS[plan["task"]], np.random.default_rng(1000 + plan["seed"])
    model = model_of(plan, make(generator, [0])[0].shape[2])
    trainer = learn.Trainer(model, streams=STREAMS, steps=LONGEST + 8, over="last" if plan["task"] == "pairs" else "steps")
    losses = []
    for update in range(plan["updates"]):
        x, labels, lengths = make(generator, some_lengths(generator).tolist())
        losses.append(trainer.step(x, labels, rate(update, plan["updates"]), lengths).loss)
        if update % 50 == 0:
            show.say(update / plan["updates"], f"update {update} of {plan['updates']}, loss {np.mean(losses[-50:]):.3f}")
    fresh = np.random.default_rng(5000 + plan["seed"])
    found = {length: accuracy(trainer, make, fresh, length, plan["judged"]) for length in LENGTHS}
    result = {"accuracy": found, "loss": float(np.mean(losses[-50:])), "parameters": model.parameters(),
              "says": "  ".join(f"{length}: {value:.2f}" for length, value in found.items())}
    if plan["wiring"] != "none" and plan["seed"] == 1:
        result["picture"] = picture(model, make, np.random.default_rng(PICTURED), 32)
    return result


def name(plan):
    return f"{plan['task']}, {plan['cell']} {plan['wiring']}, seed {plan['seed']}"


def plans(options):
    models = [(cell, wiring) for cell in CELLS for wiring in WIRINGS]
    if options.quick:
        models = [("rnn", "none"), ("lstm", "none"), ("rnn", "after"), ("rnn", "beside")]
    return [{"task": task, "cell": cell, "wiring": wiring, "seed": seed, "updates": options.updates, "judged": options.judged}
            for seed in range(1, options.seeds + 1) for task in TASKS for cell, wiring in models]


def table(runs):
    """Mean accuracy over the seeds, and at the longest L each of them."""
    lines = []
    for task, what in TASKS.items():
        lines += ["", f"{task}: {what}", f"  {'L':>14}" + "".join(f"{length:>7}" for length in LENGTHS) + f"   seeds at {LENGTHS[-1]}"]
        own = [run for run in runs if run["task"] == task]
        for key in dict.fromkeys((run["cell"], run["wiring"]) for run in own):
            seeds = [run["accuracy"] for run in own if (run["cell"], run["wiring"]) == key]
            means = "".join(f"{sum(one[length] for one in seeds) / len(seeds):7.2f}" for length in LENGTHS)
            lines.append(f"  {' '.join(key):>14}{means}   " + " ".join(f"{one[LENGTHS[-1]]:.2f}" for one in seeds))
    return "\n".join(lines[1:])


def main(arguments):
    made = show.parser("recall", __doc__, HELP)
    made.add_argument("--updates", metavar="N", type=int, help=f"of every run ({UPDATES}; with --quick {QUICK_UPDATES})")
    options = show.parse(made, arguments)
    options.updates = options.updates or (QUICK_UPDATES if options.quick else UPDATES)
    options.judged = 50 if options.quick else 200
    if options.check:
        return 0
    made = plans(options)
    runs = show.run(train, made, options, name)
    import learn
    import recall_plot
    print(table(runs) + "\n")
    figures = {"machine": show.machine(learn.build_info()), "budget": {"updates": options.updates, "streams": STREAMS,
               "longest": LONGEST, "hidden": HIDDEN, "seeds": options.seeds}, "planned": len(made), "runs": runs}
    return 0 if show.write(options, figures, recall_plot.draw) else 1


if __name__ == "__main__":
    show.start(main)

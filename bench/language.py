"""bench/run language: characters of a text, foretold by networks of equal size: every cell, wiring and start of attention,
next to a 5-gram model."""

import gzip
import pathlib
import subprocess
import time

import show

MODELS = [("rnn", "none", ""), ("rnn", "after", "spread"), ("rnn", "after", "newest"), ("rnn", "beside", "spread"),
          ("rnn", "before", "spread"), ("gru", "none", ""), ("gru", "after", "newest"), ("gru", "beside", "spread"),
          ("lstm", "none", ""), ("lstm", "after", "newest"), ("lstm", "beside", "spread"), ("lstm", "before", "spread")]
QUICK = [MODELS[0], MODELS[1], MODELS[2], MODELS[3], MODELS[8]]
EMBED, STREAMS, STEPS, PIECE = 32, 32, 128, 512
RATE, WARM, ORDER, SAMPLE, PROMPT = 4e-3, 50, 5, 300, 20
PASSES = 12  # over the text at most, with --minutes: beyond, networks of half a million numbers learn it by heart
HELP = f"""
the runs
  Text: the King James Bible (Debian's bible-kjv) or --text FILE; its last tenth is held out. Every network has as nearly as
  possible --parameters numbers, {EMBED} of them for each symbol's embedding; dot scores; a readout of h and, where there is one, s.
  All have the same budget: --updates of {STREAMS} pieces of {STEPS} characters from random places, Adam, rate {RATE:g} with a warm
  start, falling to 0 in the second half, clipped at norm 1. Then: nats per character on the last tenth, in pieces of {PIECE}
  that begin with an empty past. Every run is reported. All of it takes about half an hour of one core of 2017.
  With --minutes one model is trained for that long, or for {PASSES} passes over the text, by as many threads as --jobs:
  --cell, --wiring, --start and --parameters say which.
"""


def text_of(options):
    if options.text:
        data = options.text.read_bytes()
        data = gzip.decompress(data) if options.text.suffix == ".gz" else data
    else:
        data = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True, capture_output=True).stdout
    return data[:options.bytes] if options.bytes else data


def encode(data):
    """The text as small numbers, and the bytes that they stand for."""
    import numpy as np
    symbols, text = np.unique(np.frombuffer(data, np.uint8), return_inverse=True)
    return text.astype(np.int32).ravel(), symbols


def options_of(plan, vocab, hidden):
    cell, wiring, start = plan["model"]
    options = {"cell": cell, "wiring": wiring, "vocab": vocab, "outputs": vocab, "inputs": EMBED, "hidden": hidden}
    if wiring != "none":
        options["attention_start"] = start
    if wiring in ("after", "beside"):
        options["source"] = "hs"
    return options


def fitting(plan, vocab):
    """The hidden width whose model comes nearest to the number of parameters, from below."""
    import learn
    low, high = 1, 2048
    while high - low > 1:
        middle = (low + high) // 2
        fits = learn.Model(1, **{**options_of(plan, vocab, middle), "layers": 1}).parameters() <= plan["parameters"]
        low, high = (middle, high) if fits else (low, middle)
    return low


def judge(trainer, held, most):
    """Nats per character of the held-out text, in pieces."""
    import numpy as np
    count = min(len(held) - 1, most) // PIECE
    x, wanted = (held[first:first + count * PIECE].reshape(count, PIECE).T for first in (0, 1))
    total = weight = 0.0
    for first in range(0, count, 64):
        judged = trainer.evaluate(x[:, first:first + 64], np.ascontiguousarray(wanted[:, first:first + 64]))
        total, weight = total + judged.loss * judged.weight, weight + judged.weight
    return total / weight


def prompt_of(held, symbols):
    """How the first whole line of the held-out text begins."""
    import numpy as np
    ends = np.flatnonzero(symbols[held[:4096]] == ord("\n"))
    first = ends[0] + 1 if len(ends) else 0
    return held[first:first + PROMPT]


def speak(model, symbols, seed, prompt):
    """A sample, a character at a time, that goes on from a prompt: both, the prompt in brackets."""
    import learn
    import numpy as np
    stream, tokens = model.stream(), list(prompt)
    logits = stream.run(np.array(tokens, np.int32)[:, None])[-1]
    for draw in range(SAMPLE):
        tokens.append(int(learn.sample(logits, 0.8, 0, seed, draw)[0]))
        logits = stream.run(np.array([[tokens[-1]]], np.int32))[0]
    stream.close()
    text = bytes(symbols[tokens].tolist()).decode("latin-1")
    return f"[{text[:len(prompt)]}]{text[len(prompt):]}"


def part_done(plan, update, began, characters):
    """How much of the budget is used, from 0 to 1."""
    if plan["minutes"]:
        passes = update * STREAMS * STEPS / characters
        return max((time.monotonic() - began) / (60 * plan["minutes"]), passes / PASSES)
    return update / plan["updates"]


def train(plan):
    import learn
    import numpy as np
    text, symbols = encode(pathlib.Path(plan["file"]).read_bytes())
    cut = len(text) - len(text) // 10
    training, held = text[:cut], text[cut:]
    hidden = fitting(plan, len(symbols))
    model = learn.Model(plan["seed"], **options_of(plan, len(symbols), hidden))
    trainer = learn.Trainer(model, streams=STREAMS, steps=STEPS, threads=plan["threads"], seed=plan["seed"],
                            readout_dropout=plan["dropout"])
    generator, losses, update, began = np.random.default_rng(plan["seed"]), [], 0, time.monotonic()
    while (done := part_done(plan, update, began, len(training))) < 1:
        places = generator.integers(0, len(training) - STEPS - 1, STREAMS) + np.arange(STEPS)[:, None]
        rate = RATE * min(1.0, (update + 1) / WARM, 2.0 * (1 - done))
        losses.append(trainer.step(training[places], training[places + 1], rate).loss)
        update += 1
        if update % 10 == 0:
            show.say(done, f"{100 * done:.0f} %, {np.mean(losses[-50:]):.3f} nats in training")
    nats = judge(trainer, held, plan["judged"])
    curve = [float(np.mean(losses[i:i + 20])) for i in range(0, len(losses), 20)]
    return {"nats": nats, "hidden": hidden, "size": model.parameters(), "curve": curve, "updates": update,
            "sample": speak(model, symbols, plan["seed"], prompt_of(held, symbols)) if plan["seed"] == 1 else "", "says": f"{nats:.3f} nats"}


def title(model):
    return " ".join(part for part in model if part)


def name(plan):
    return f"{title(plan['model'])}, seed {plan['seed']}"


def plans(options, path):
    models = QUICK if options.quick else MODELS
    if options.cell or options.minutes:
        models = [(options.cell or "lstm", options.wiring, "" if options.wiring == "none" else options.start)]
    threads = max(1, options.jobs // (len(models) * options.seeds))
    return [{"model": model, "seed": seed, "file": str(path), "updates": options.updates, "parameters": options.parameters,
             "minutes": options.minutes, "dropout": options.dropout, "threads": threads, "judged": 40_000 if options.quick else 1 << 40}
            for seed in range(1, options.seeds + 1) for model in models]


def table(runs, gram):
    lines = [f"  {'':>20}{'hidden':>8}{'parameters':>12}{'nats':>8}   seeds"]
    for model in dict.fromkeys(tuple(run["model"]) for run in runs):
        own = [run for run in runs if tuple(run["model"]) == model]
        mean = sum(run["nats"] for run in own) / len(own)
        lines.append(f"  {title(model):>20}{own[0]['hidden']:>8}{own[0]['size']:>12,}{mean:>8.3f}   "
                     + " ".join(f"{run['nats']:.3f}" for run in own))
    return "\n".join([*lines, f"  {f'{ORDER}-gram counts':>20}{'':>20}{gram:>8.3f}"])


def samples(runs):
    """A page of them, the best model first."""
    told = sorted((run for run in runs if run["sample"]), key=lambda run: run["nats"])
    return "\n\n".join([f"How every network goes on from a line of the text that it has not seen: {SAMPLE} characters, temperature 0.8.",
                        *(f"---- {title(run['model'])}, {run['nats']:.3f} nats ----\n{run['sample']}" for run in told)])


def parse(arguments):
    made = show.parser("language", __doc__, HELP)
    made.add_argument("--text", metavar="FILE", type=pathlib.Path, help="read this (.gz too) in place of the King James Bible")
    made.add_argument("--parameters", metavar="N", type=int, help="of every network (60000; with --quick 30000, --minutes 450000)")
    made.add_argument("--updates", metavar="N", type=int, help="of every network (600; with --quick 150)")
    made.add_argument("--minutes", metavar="N", type=float, default=0, help="train one model for so long instead")
    made.add_argument("--dropout", metavar="P", type=float, help="of the readout's input (0; with --minutes 0.1)")
    made.add_argument("--cell", choices=("rnn", "gru", "lstm"), help="only this model")
    made.add_argument("--wiring", choices=("none", "after", "beside", "before"), default="none", help="with --cell (none)")
    made.add_argument("--start", choices=("spread", "newest"), default="spread", help="with --cell (spread)")
    options = show.parse(made, arguments)
    if options.text and not options.text.is_file():
        made.error(f"--text: there is no file {options.text}")
    if options.minutes:
        options.seeds = 1
    if options.dropout is None:
        options.dropout = 0.1 if options.minutes else 0.0
    if not 0 <= options.dropout < 1:
        made.error("--dropout: at least 0, below 1")
    options.parameters = options.parameters or (450_000 if options.minutes else 30_000 if options.quick else 60_000)
    options.updates = options.updates or (150 if options.quick else 600)
    options.bytes = 1_000_000 if options.quick else 0
    return options


def main(arguments):
    options = parse(arguments)
    if options.check:
        return 0
    import learn
    import language_plot
    import ngram
    data = text_of(options)
    path = show.TOP / "build/report/language.txt"  # read by every run
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    text, symbols = encode(data)
    cut = len(text) - len(text) // 10
    gram = ngram.nats(text[:cut], text[cut:], len(symbols), ORDER)
    made = plans(options, path)
    runs = show.run(train, made, options, name)
    print(f"{len(text):,} characters, {len(symbols)} symbols; nats per character on the last tenth\n{table(runs, gram)}\n")
    page = options.json.with_name("language-samples.txt")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(samples(runs) + "\n")
    print(f"written: {page}")
    figures = {"machine": show.machine(learn.build_info()), "ngram": gram, "order": ORDER, "characters": len(text),
               "budget": {"updates": options.updates, "parameters": options.parameters, "seeds": options.seeds,
                          "minutes": options.minutes, "dropout": options.dropout}, "planned": len(made), "runs": runs}
    return 0 if show.write(options, figures, language_plot.draw) else 1


if __name__ == "__main__":
    show.start(main)

"""The options of bench/run cost, and the plan that they make: a line for each thing to be measured."""

import argparse
import pathlib
import re
import subprocess

TOP = pathlib.Path(__file__).resolve().parent.parent
QUICK_BYTES = 256 * 1024
POWERS_OF_2 = [2**i for i in range(6, 19)]
POWERS_OF_4 = POWERS_OF_2[::2]
MODEL_OPTIONS = ("cell", "wiring", "score", "tape", "hidden", "inputs", "align", "layers", "scale")
TAPES = ("f32", "f16", "bf16", "i8")
DRIFT_STEPS, QUICK_DRIFT_STEPS = 10_000, 1_000

# (cell, wiring, score, hidden, streams, lengths, tape): every cell, score, width, number of streams and type of tape
# (float32 where it is left out), not their product.
FULL = [("rnn", "after", "dot", 512, 1, POWERS_OF_2), ("rnn", "after", "dot", 128, 1, POWERS_OF_2)] + [
    (*model, POWERS_OF_4) for model in (
        ("rnn", "after", "dot", 512, 8), ("rnn", "after", "dot", 128, 8),
        ("gru", "after", "dot", 512, 1), ("gru", "after", "dot", 128, 8),
        ("lstm", "after", "dot", 512, 1), ("lstm", "after", "dot", 128, 1), ("lstm", "before", "dot", 512, 1),
        ("rnn", "after", "general", 512, 1),
        ("rnn", "after", "additive", 512, 1), ("rnn", "after", "additive", 128, 1))] + [
    ("rnn", "after", "dot", 512, 1, POWERS_OF_4, tape) for tape in TAPES[1:]] + [
    ("lstm", "before", "dot", 512, 1, POWERS_OF_4, "bf16"), ("rnn", "after", "additive", 512, 1, POWERS_OF_4, "bf16")]
QUICK = [("rnn", "after", "dot", 512, 1, POWERS_OF_2), ("rnn", "after", "dot", 128, 1, POWERS_OF_4),
         ("rnn", "after", "dot", 512, 8, POWERS_OF_4[1:4]), ("gru", "after", "dot", 512, 1, POWERS_OF_4[:5:2]),
         ("lstm", "after", "dot", 512, 1, POWERS_OF_4[:5:2]), ("rnn", "after", "additive", 128, 1, POWERS_OF_4[:5:2])] + [
         ("rnn", "after", "dot", 512, 1, [1024, 16384], tape) for tape in TAPES[1:]]

WHAT = "What a step costs against the number of past states it reads, and how fast real text runs."
HELP = """
what is measured
  step  Steps that read 64 to 262,144 past states, against the read ceiling of this machine, the plain form (two OpenBLAS
        gemv and a softmax) and double precision. Without a model option: a selection that covers rnn, gru and lstm; dot,
        general and additive scores; hidden 128 and 512; 1 and 8 streams; the LSTMN's wiring; tapes of 4, 2 and 1 bytes
        (keys and memories beside the last two are bfloat16; the plain form reads float32). rnn with dot at every power
        of 2, the others at every power of 4. --quick: fewer of them. With a model option: that model, 1 and 8 streams.
  text  The King James Bible (Debian's bible-kjv) or --text FILE, byte by byte: chapters (of a FILE: what blank lines part)
        as ragged streams that attend to all of their past, and the whole text as one stream with a window.
  drift 10,000 steps of the text on tapes of each type, against a float32 tape: how far states, summaries and readouts
        drift apart. --quick: 1,000.
"""


def positive(text):
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def lengths(text):
    return sorted({positive(word) for word in text.split(",")})


def parser():
    made = argparse.ArgumentParser(prog="bench/run cost", description=WHAT, epilog=HELP, allow_abbrev=False,
                                   formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="the first 256 KiB of the text and fewer steps: within a minute")
    made.add_argument("--part", choices=("all", "step", "text", "drift"), default="all", help="measure only this")
    made.add_argument("--text", metavar="FILE", type=pathlib.Path, help="read this in place of the King James Bible")
    made.add_argument("--json", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/cost.json",
                      help="where the figures go (build/report/cost.json)")
    made.add_argument("--plot", metavar="FILE", type=pathlib.Path, default=TOP / "build/report/cost.svg",
                      help="where the plot goes: .svg, .png or .pdf (build/report/cost.svg)")
    made.add_argument("--threads", metavar="N", type=positive, default=1, help="1: as the ceilings and the plain form")
    model = made.add_argument_group("the model (for the text rnn, after, dot, hidden 256)")
    model.add_argument("--cell", choices=("rnn", "relu", "gru", "lstm"))
    model.add_argument("--wiring", choices=("none", "after", "beside", "before"))
    model.add_argument("--score", choices=("dot", "general", "additive"))
    model.add_argument("--tape", choices=TAPES, help="element type of the past states (f32)")
    model.add_argument("--hidden", metavar="N", type=positive)
    model.add_argument("--inputs", metavar="N", type=positive, help="width of the input or embedding (as hidden)")
    model.add_argument("--align", metavar="N", type=positive, help="width of the alignment space (as hidden)")
    model.add_argument("--layers", metavar="N", type=positive)
    model.add_argument("--scale", metavar="X", type=float, help="of dot and general scores (1)")
    more = made.add_argument_group("sizes")
    more.add_argument("--lengths", metavar="N,N,..", type=lengths, help="past states that the steps read")
    more.add_argument("--streams", metavar="N", type=positive, help="streams of a step (1 and 8) and of the pieces (8)")
    more.add_argument("--window", metavar="N", type=positive, default=1024, help="of the whole text (1024)")
    more.add_argument("--sinks", metavar="N", type=int, default=0, help="first rows that the window keeps (0)")
    more.add_argument("--seconds", metavar="N", type=int,
                      help="longest reading of the text in each way; 0: to its end (120; with --quick 12)")
    more.add_argument("--longest", metavar="BYTES", type=positive, default=65536,
                      help="longest piece of a text; longer ones are cut (65536)")
    made.add_argument("--program", type=pathlib.Path, help=argparse.SUPPRESS,
                      default=TOP / "build/bench-build/bench/bench_cost")
    made.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    return made


def parse(arguments):
    made = parser()
    options = made.parse_args(arguments)
    if options.threads != 1:
        made.error("--threads: ceilings and the plain form are those of one thread; bench/run peers uses two")
    if options.text and not options.text.is_file():
        made.error(f"--text: there is no file {options.text}")
    if options.tape in ("f16", "i8") and options.cell == "relu":
        made.error("--tape: states of relu are not bounded; they need f32 or bf16")
    if options.wiring == "none" and options.part != "text":
        made.error("--wiring none has no past to read: only --part text")
    if options.seconds is None:
        options.seconds = 12 if options.quick else 120
    for name in ("sinks", "seconds"):
        if getattr(options, name) < 0:
            made.error(f"--{name}: at least 0")
    if options.plot.suffix not in (".svg", ".png", ".pdf"):
        made.error("--plot: the name must end in .svg, .png or .pdf")
    return options


# ---- The plan --------------------------------------------------------------------------------------------------------

def model_values(options, **defaults):
    values = dict(cell="rnn", wiring="after", score="dot", tape="f32", hidden=256, layers=1, scale=1.0, inputs=None, align=None)
    values.update(defaults)
    values.update({key: getattr(options, key) for key in MODEL_OPTIONS if getattr(options, key) is not None})
    values["inputs"] = values["inputs"] or values["hidden"]
    values["align"] = values["align"] or values["hidden"]
    return values


def task(kind, **values):
    return " ".join([kind] + [f"{key}={value}" for key, value in values.items()])


COMMON = dict(outputs=0, threads=1)


def drift_plan(options, path):
    """Each smaller type against float32, with a readout as wide as the alphabet."""
    values = {**model_values(options), "vocab": 256, "outputs": 256, "threads": 1, "window": 0, "sinks": 0}
    steps = QUICK_DRIFT_STEPS if options.quick else DRIFT_STEPS
    if values["wiring"] == "none":
        return []
    tapes = [options.tape] if options.tape else TAPES[1:]
    return [task("drift", file=path, steps=steps, **{**values, "tape": tape}) for tape in tapes
            if values["cell"] != "relu" or tape == "bf16"]


def step_plan(options):
    selection = QUICK if options.quick else FULL
    if any(getattr(options, key) is not None for key in MODEL_OPTIONS):
        reach = POWERS_OF_4[:5] if options.quick else POWERS_OF_4
        selection = [("rnn", "after", "dot", 256, streams, reach) for streams in (1, 8)]
    plan = []
    for cell, wiring, score, hidden, streams, reach, *tape in selection:
        model = model_values(options, cell=cell, wiring=wiring, score=score, hidden=hidden, tape=(tape or ["f32"])[0])
        for length in options.lengths or reach:
            plan.append(task("step", **model, **COMMON, vocab=0, window=0, sinks=0, streams=options.streams or streams,
                             length=length))
    return list(dict.fromkeys(plan))  # --streams may have made some equal


def text_plan(options, path):
    limit = QUICK_BYTES if options.quick else 0
    common = dict(file=path, bytes=limit, seconds=options.seconds, longest=options.longest, vocab=256,
                  **COMMON, **model_values(options))
    window = 0 if common["wiring"] == "none" else options.window
    return [task("text", form="pieces", streams=options.streams or 8, window=0, sinks=0, **common),
            task("text", form="whole", streams=1, window=window, sinks=options.sinks if window else 0, **common)]


def bible_chapters(verses):
    """The verses' words from lines "Ge1:1 In the beginning ..", a blank line between chapters."""
    lines, chapter = [], None
    for verse in verses:
        found = re.match(r"(\S+):\d+ (.*)", verse)
        if not found:
            raise SystemExit(f"bench/run: bible printed an unexpected line: {verse[:60]}")
        if chapter not in (None, found[1]):
            lines.append("")
        chapter = found[1]
        lines.append(found[2])
    return "\n".join(lines) + "\n"


def text_path(options):
    if options.text:
        return options.text.resolve()
    path = TOP / "build/report/bible-kjv.txt"
    printed = subprocess.run(["bible", "-f", "gen1:1-rev22:21"], check=True, capture_output=True, text=True).stdout
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(bible_chapters(printed.splitlines()))
    return path

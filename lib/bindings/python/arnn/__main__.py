"""python -m arnn info | bench | inspect FILE | attend MODEL TEXT"""
import argparse
import os
import pathlib
import subprocess
import sys

import numpy as np

from . import ArnnError, Model, build_info

SHADES = " .:-=+*#%@"


def info(_):
    print(build_info())


def bench(options):
    """bench/run belongs to the sources; here it is run where they are, or explained."""
    here = pathlib.Path("bench/run")
    if here.is_file() and pathlib.Path("include/arnn.h").is_file():
        return subprocess.run([str(here.resolve()), *options.arguments]).returncode
    print("The benchmark comes with the sources of arnn: in their folder, run bench/run (or this command there).")


def inspect(options):
    model = Model.load(options.file)
    for name, value in model.description.items():
        print(f"{name:16} {value:.6g}" if isinstance(value, float) else f"{name:16} {value}")
    for name, shape in model.shapes.items():
        values = model[name]
        print(f"{name:20} {str(shape):14} norm {np.linalg.norm(values):.4g}, largest {np.abs(values).max(initial=0):.4g}")
    for layer in range(model.description["layers"]):
        print(f"spectral radius of layer {layer}, by gate: {', '.join(f'{radius:.4f}' for radius in model.spectral_radius(layer))}")


def attention(model, text, layer):
    """(tokens, tokens): the map of a text read a byte a step."""
    tokens = np.frombuffer(text.encode(), np.uint8)
    return model.state().forward(tokens, want="map", map_layer=layer)


def labels(text):
    """One for each byte: the character that it begins, or a dot where it continues one."""
    found = []
    for letter in text:
        shown = letter if letter.isprintable() else "\N{RETURN SYMBOL}" if letter == "\n" else "?"
        found += [shown] + ["\N{MIDDLE DOT}"] * (len(letter.encode()) - 1)
    return found


def attend(options):
    model = Model.load(options.model)
    if model.description["vocab"] < 256:
        sys.exit(f"arnn: {options.model} reads {model.description['vocab'] or 'no'} tokens, expected a model of 256: bytes")
    if not options.text:
        sys.exit("arnn: TEXT is empty")
    weights, letters = attention(model, options.text, options.layer), labels(options.text)
    print("  " + "".join(letters))
    for letter, row in zip(letters, weights):
        largest = row.max(initial=0) or 1
        print(letter, "".join(SHADES[round(float(weight / largest) * (len(SHADES) - 1))] for weight in row).rstrip())
    if options.out:
        draw(weights, letters, options)


def draw(weights, letters, options):
    """As PNG or SVG, by the name's ending: a row for each step, what it could not see yet left grey."""
    try:
        from matplotlib.colors import PowerNorm
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("arnn: pictures need matplotlib: pip install arnn[plot]")
    count = len(letters)
    side = min(max(0.16 * count, 3), 14)
    figure = Figure(figsize=(side + 2, side + 1.2), layout="constrained")
    axes = figure.subplots()
    future = np.arange(count)[None] > np.arange(count)[:, None]
    axes.set_facecolor("0.9")
    drawn = axes.imshow(np.ma.masked_where(future, weights), cmap="Blues", norm=PowerNorm(0.5, 0, 1)) # small weights show
    figure.colorbar(drawn, ax=axes, shrink=0.6, fraction=0.05, label="weight")
    axes.set(title=f"Whom each step attends to (layer {options.layer})", xlabel="past state", ylabel="step")
    if count <= 150: # beyond, letters would lie on each other
        names = [letter.replace(" ", "\N{OPEN BOX}").replace("$", "\\$") for letter in letters]
        size = min(10, 72 * side / count * 0.7)
        axes.set_xticks(range(count), names, fontsize=size)
        axes.set_yticks(range(count), names, fontsize=size)
        axes.tick_params(length=0)
    figure.savefig(options.out, dpi=150)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m arnn", description="Attention for recurrent networks.")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("info", help="version, kernels and BLAS").set_defaults(run=info)
    command = commands.add_parser("bench", help="runs bench/run of the sources, or says where it is")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="those of bench/run")
    command.set_defaults(run=bench)
    command = commands.add_parser("inspect", help="description, tensors and spectral radii of a model")
    command.add_argument("file", help="a safetensors file")
    command.set_defaults(run=inspect)
    command = commands.add_parser("attend", help="the attention map of a text, in the terminal and as a picture")
    command.add_argument("model", help="a safetensors file of a model that reads bytes (vocab 256)")
    command.add_argument("text", help="read a byte a step; in the terminal a line for each, a column for each past state")
    command.add_argument("--layer", type=int, default=0, help="whose attention (0)")
    command.add_argument("--out", help="a .png or .svg file")
    command.set_defaults(run=attend)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except BrokenPipeError: # as of | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ArnnError, OSError, ValueError) as error:
        sys.exit(f"arnn: {error}")


if __name__ == "__main__":
    sys.exit(main())

"""python -m arnn info | bench | inspect FILE | attend MODEL TEXT"""
import argparse
import pathlib
import subprocess
import sys

import numpy as np

from . import ArnnError, Model, build_info

SHADES = " .:-=+*#%@"


def info(_):
    print(build_info())


def bench(_):
    """bench/run belongs to the sources; here it is run where they are, or explained."""
    here = pathlib.Path("bench/run")
    if here.is_file() and pathlib.Path("include/arnn.h").is_file():
        return subprocess.run([str(here.resolve())]).returncode
    print("The benchmark comes with the sources of arnn: in their folder, run bench/run (or this command there).")


def inspect(options):
    model = Model.load(options.file)
    for name, value in model.description.items():
        print(f"{name:16} {value}")
    for name, shape in model.shapes.items():
        values = model[name]
        print(f"{name:20} {str(shape):14} norm {np.linalg.norm(values):.4g}, largest {np.abs(values).max(initial=0):.4g}")
    for layer in range(model.description["layers"]):
        print(f"spectral radius of layer {layer}, by gate: {', '.join(f'{radius:.4f}' for radius in model.spectral_radius(layer))}")


def attention(model, text, layer):
    """(tokens, tokens): the map of a text read a byte a step."""
    tokens = np.frombuffer(text.encode(), np.uint8)
    return model.state().forward(tokens, want="map", map_layer=layer)


def attend(options):
    model = Model.load(options.model)
    if model.description["vocab"] < 256:
        sys.exit(f"arnn: {options.model} reads {model.description['vocab'] or 'no'} tokens, expected a model of 256: bytes")
    weights = attention(model, options.text, options.layer)
    letters = [chr(byte) if 32 <= byte < 127 else "?" for byte in options.text.encode()]
    print("  " + "".join(letters))
    for letter, row in zip(letters, weights):
        largest = row.max(initial=0) or 1
        print(letter, "".join(SHADES[round(float(weight / largest) * (len(SHADES) - 1))] for weight in row).rstrip())
    if options.out:
        draw(weights, letters, options.out)


def draw(weights, letters, path):
    """As PNG or SVG, by the name's ending."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        sys.exit("arnn: pictures need matplotlib: pip install arnn[plot]")
    figure = Figure(figsize=(2 + 0.15 * len(letters),) * 2, layout="tight")
    axes = figure.subplots()
    axes.imshow(weights, cmap="Blues", vmin=0)
    axes.set(xlabel="past state", ylabel="step")
    axes.set_xticks(range(len(letters)), letters)
    axes.set_yticks(range(len(letters)), letters)
    figure.savefig(path)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m arnn", description="Attention for recurrent networks.")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("info", help="version, kernels and BLAS").set_defaults(run=info)
    commands.add_parser("bench", help="runs bench/run of the sources, or says where it is").set_defaults(run=bench)
    command = commands.add_parser("inspect", help="description, tensors and spectral radii of a model")
    command.add_argument("file")
    command.set_defaults(run=inspect)
    command = commands.add_parser("attend", help="the attention map of a text, in the terminal and as a picture")
    command.add_argument("model")
    command.add_argument("text")
    command.add_argument("--layer", type=int, default=0)
    command.add_argument("--out", help="a .png or .svg file")
    command.set_defaults(run=attend)
    options = parser.parse_args(arguments)
    try:
        return options.run(options)
    except ArnnError as error:
        sys.exit(f"arnn: {error}")


if __name__ == "__main__":
    sys.exit(main())

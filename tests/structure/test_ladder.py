"""Which room may include which: a room sees only those below it, strangers see only include/."""
import re

import header
import pytest

TOP = header.TOP
LIB = TOP / "lib"
RANK = {"base": 0, "kernels": 1, "linalg": 1, "cells": 2, "attention": 2, "model": 3, "run": 4, "train": 5, "api": 6}
PUBLIC = {"arnn.h", "arnn_version.h"}
SOURCES = sorted(path for path in LIB.rglob("*") if path.suffix in (".c", ".h") and "bindings" not in path.parts)
STRANGERS = sorted(path for folder in ("bench", "tests/api", "tests/examples") for path in (TOP / folder).rglob("*")
                   if path.suffix in (".c", ".h", ".cpp", ".cc", ".hpp"))


def includes(path):
    """(delimiter, name) of each include line."""
    return re.findall(r'^\s*#\s*include\s*([<"])([^">]+)[">]', path.read_text(), flags=re.M)


def allowed(room, other, name):
    if (room, name) == ("linalg", "kernels/kernels.h") or room == other:
        return True
    return RANK[other] < RANK[room]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(LIB)))
def test_room(path):
    room = path.relative_to(LIB).parts[0]
    assert room in RANK, f"{room} is no room"
    for delimiter, name in includes(path):
        if name in ("cblas.h", "lapacke.h", "openblas_config.h"):
            assert room == "linalg", f"only linalg includes {name}"
        elif delimiter == '"' and name not in PUBLIC:
            assert (LIB / name).is_file() and "/" in name, f"{name} is not rooted in lib/"
            assert allowed(room, name.split("/")[0], name), f"{room} must not include {name}"


@pytest.mark.parametrize("path", STRANGERS, ids=lambda path: str(path.relative_to(TOP)))
def test_stranger(path):
    for delimiter, name in includes(path):
        if delimiter == '"' and name not in PUBLIC:
            own = [path.parent / name, TOP / "tests" / "support" / name, TOP / "bench" / name]
            assert any(file.is_file() and "lib" not in file.relative_to(TOP).parts for file in own), name
        else:
            assert not (LIB / name).is_file(), f"{name} is a room's header"

"""A change of arnn.h that the package does not follow is an error in what it does. Seen here without building it for each change: its
sources run on the installed library, and cffi is told the changed header."""
import os
import pathlib
import re
import subprocess
import sys

import arnn
import changed
import header
import pytest

PACKAGE = header.TOP / "lib" / "bindings" / "python"
sys.path.append(str(PACKAGE))
from declarations import preprocessed

pytestmark = pytest.mark.skipif("ARNN_PREFIX" not in os.environ, reason="ARNN_PREFIX names no installation")
PROGRAM = """
import sys, types
from cffi import FFI
package, declared, library = sys.argv[1:]
sys.path.insert(0, package)
module = sys.modules["arnn._arnn"] = types.ModuleType("arnn._arnn")
module.ffi = FFI()
module.ffi.cdef(open(declared).read())
module.lib = module.ffi.dlopen(library)

import arnn
import numpy as np
x = np.ones((5, 3), np.float32)
model = arnn.Model(cell="gru", inputs=3, hidden=4, outputs=2, seed=1)
with model.state() as state:
    assert state.forward(x, want=("y", "map"))[1].shape == (5, 5) and not state.lost() and len(state) == 1
trainer = arnn.Trainer(model, streams=1, steps=5)
trainer.gradients(x[:, None], np.zeros((5, 1), np.int32))
assert trainer.update(0.01) > 0
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The package's own functions in C; those of the library are found through it."""
    path = tmp_path_factory.mktemp("guard") / "libguard.so"
    folder = next(pathlib.Path(os.environ["ARNN_PREFIX"]).rglob("libarnn.so")).parent
    subprocess.run(["cc", "-std=c11", "-shared", "-fPIC", "-I", header.TOP / "include", PACKAGE / "guard.c", "-L", folder,
                    f"-Wl,-rpath,{folder}", "-larnn", "-o", path], check=True)
    return path


def run(text, folder, library):
    (folder / "declared").write_text(preprocessed(text + (PACKAGE / "guard.h").read_text()))
    package = pathlib.Path(arnn.__file__).parents[1]
    command = [sys.executable, "-c", PROGRAM, package, folder / "declared", library]
    return subprocess.run(command, capture_output=True, text=True)


def test_nothing_has_changed(tmp_path, library):
    done = run(header.TEXT, tmp_path, library)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", [change[0] for change in changed.CHANGES if change[3]])
def test_python_notices(tmp_path, library, name):
    """Of the others, what has a new value, place or width is taken from the header; what is new, test_binding.py misses."""
    done = run((changed.include(tmp_path, name) / "arnn.h").read_text(), tmp_path, library)
    assert re.match(r"(TypeError|AttributeError|arnn\._base\.InvalidArgumentError): ", done.stderr.splitlines()[-1]), done.stderr

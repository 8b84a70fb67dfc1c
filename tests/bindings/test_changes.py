"""A change of arnn.h that a binding does not follow fails its build: the compiler, or arnn-sys' tests, notice."""
import subprocess

import changed
import installed
import pytest
from crates import programs


@pytest.fixture(scope="module")
def rust():
    """The program with the tests of arnn-sys against the header."""
    return programs("test", "--no-run", "-p", "arnn-sys", "--test", "header")["header"]


@pytest.mark.parametrize("name, breaks", [(change[0], change[3]) for change in changed.CHANGES], ids=changed.NAMES)
def test_cpp_notices(tmp_path, name, breaks):
    file = changed.include(tmp_path, name) / "arnn.hpp"
    command = ["g++", "-x", "c++", "-std=c++17", *installed.STRICT, "-fsyntax-only", file]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode != 0) == breaks, done.stderr


@pytest.mark.parametrize("name", changed.NAMES)
def test_rust_notices(tmp_path, rust, name):
    environment = {**installed.environment(), "ARNN_SYS_INCLUDE": str(changed.include(tmp_path, name))}
    done = subprocess.run([rust], capture_output=True, text=True, env=environment)
    assert done.returncode != 0 and "test result: FAILED" in done.stdout, done.stdout + done.stderr

"""Every Meson from 1.0 on, which is Debian 12's, reads the build files."""
import os
import pathlib
import re
import subprocess

import header
import pytest


def mesons():
    """Those that stand in PATH, one of each version."""
    found = {}
    for folder in os.environ["PATH"].split(os.pathsep):
        program = pathlib.Path(folder) / "meson"
        if os.access(program, os.X_OK):
            done = subprocess.run([program, "--version"], capture_output=True, text=True)
            if re.match(r"\d+\.\d+", done.stdout):
                found.setdefault(done.stdout.strip(), program)
    return found


@pytest.mark.parametrize("version, program", mesons().items())
def test_it_configures(tmp_path, version, program):
    done = subprocess.run([program, "setup", tmp_path / "build", header.TOP], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]

"""Which BLAS the library is built on: one with 64-bit integers is refused, whatever shows it, in a sentence."""
import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]


def configured(folder, **environment):
    """What Meson says where openblas.pc is that of the folder."""
    return subprocess.run(["meson", "setup", folder / "build", TOP], capture_output=True, text=True,
                          env={**os.environ, "PKG_CONFIG_PATH": str(folder), **environment})


@pytest.fixture
def openblas(tmp_path):
    """An OpenBLAS that says in its header what a test writes there; for the rest, that of the system."""
    (tmp_path / "openblas.pc").write_text(f"Name: openblas\nDescription: of a test\nVersion: 0.3.99\nCflags: -I{tmp_path}\n"
                                          "Libs: -lopenblas\n")
    return tmp_path


def test_a_header_of_64_bit_integers(openblas):
    (openblas / "openblas_config.h").write_text("#define OPENBLAS_USE64BITINT\n")
    done = configured(openblas)
    assert done.returncode != 0 and "64-bit integers (ILP64)" in done.stdout and "libopenblas-dev" in done.stdout


def test_a_library_of_64_bit_integers(openblas):
    """Its header may say nothing; it tells of itself."""
    (openblas / "wide.c").write_text("int cblas_sdot, cblas_sgemm;\nconst char *openblas_get_config(void) { return \"OpenBLAS USE64BITINT\"; }\n")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", openblas / "libopenblas.so", openblas / "wide.c"], check=True)
    pc = openblas / "openblas.pc"
    pc.write_text(pc.read_text().replace("Libs:", f"Libs: -L{openblas} -Wl,-rpath,{openblas}"))
    done = configured(openblas)
    assert done.returncode != 0 and "64-bit integers (ILP64)" in done.stdout


def test_none_at_all(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")  # nor that of PyPI
    (tmp_path / "python3").chmod(0o755)
    (tmp_path / "cc").write_text('#!/bin/sh\ncase "$*" in *openblas*) exit 1;; esac\nexec gcc "$@"\n')
    (tmp_path / "cc").chmod(0o755)
    done = configured(tmp_path, PKG_CONFIG_LIBDIR=os.devnull, CC=str(tmp_path / "cc"), PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert done.returncode != 0 and "OpenBLAS was not found" in done.stdout and "apt-get install libopenblas-dev" in done.stdout

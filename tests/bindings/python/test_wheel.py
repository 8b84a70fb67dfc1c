"""The wheel: one for all Pythons, with the library inside, leaning on nothing but the BLAS of the system; and the scenario."""
import os
import pathlib
import subprocess
import sys
import zipfile

import arnn
import header
import pytest

WHEEL = pathlib.Path(os.environ["ARNN_WHEEL"]) if "ARNN_WHEEL" in os.environ else None
TOP = header.TOP


@pytest.mark.skipif(WHEEL is None, reason="ARNN_WHEEL names no wheel")
def test_wheel(tmp_path):
    assert "-abi3-" in WHEEL.name
    with zipfile.ZipFile(WHEEL) as wheel:
        shared = [name for name in wheel.namelist() if ".so" in name]
        assert shared == ["arnn/_arnn.abi3.so"] and "arnn/py.typed" in wheel.namelist()
        needed = subprocess.run(["readelf", "-d", wheel.extract(shared[0], tmp_path)], check=True, capture_output=True, text=True).stdout
    libraries = [line.split("[")[1].split("]")[0] for line in needed.splitlines() if "(NEEDED)" in line]
    assert not [name for name in libraries if "jansson" in name or "arnn" in name or "python" in name]
    assert [name for name in libraries if "openblas" in name]
    shown = subprocess.run([sys.executable, "-m", "auditwheel", "show", WHEEL], capture_output=True, text=True)
    assert shown.returncode == 0 and "consistent with" in shown.stdout, shown.stderr


def test_the_package_carries_the_version_of_the_header():
    assert f'\nversion = "{arnn.__version__}"\n' in (TOP / "pyproject.toml").read_text()


def test_a_changed_header_changes_the_declarations(tmp_path):
    """A function that the library lacks must not compile away: it stands in the generated source."""
    text = header.TEXT.replace("int32_t arnn_version(void);", "int32_t arnn_version(void);\nint32_t arnn_another(void);")
    (tmp_path / "arnn.h").write_text(text)
    subprocess.run([sys.executable, TOP / "lib/bindings/python/declarations.py", tmp_path / "arnn.h",
                    TOP / "include/arnn_version.h", tmp_path / "out.c"], check=True)
    assert "arnn_another()" in (tmp_path / "out.c").read_text()


@pytest.mark.skipif("ARNN_PREFIX" not in os.environ, reason="ARNN_PREFIX names no installation")
def test_the_scenario_prints_what_c_prints(tmp_path):
    """Same digest: same bits. The C program is built on the installed library."""
    prefix, here = pathlib.Path(os.environ["ARNN_PREFIX"]), TOP / "tests/bindings"
    folder = next(path.parent for path in prefix.rglob("libarnn.so"))
    subprocess.run(["cc", "-std=c11", here / "scenario.c", "-I", prefix / "include", "-L", folder, f"-Wl,-rpath,{folder}", "-larnn",
                    "-o", tmp_path / "scenario"], check=True)
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    expected = subprocess.run([tmp_path / "scenario", tmp_path / "c"], check=True, capture_output=True, text=True, env=environment).stdout
    found = subprocess.run([sys.executable, here / "scenario.py", tmp_path / "py"], check=True, capture_output=True, text=True,
                           env=environment, cwd=tmp_path).stdout
    assert found == expected and "digest" in found

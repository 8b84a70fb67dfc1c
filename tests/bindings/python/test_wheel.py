"""The wheel: one for all Pythons, with the library inside, leaning on nothing but the BLAS of the system, or carrying that of PyPI;
and the scenario."""
import os
import pathlib
import re
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
        module, *carried = sorted(name for name in wheel.namelist() if ".so" in name)
        assert module == "arnn/_arnn.abi3.so" and "arnn/py.typed" in wheel.namelist()
        assert ("arnn/LICENSE.txt" in wheel.namelist()) == bool(carried), "OpenBLAS asks for its license beside it"
        dynamic = subprocess.run(["readelf", "-d", wheel.extract(module, tmp_path)], check=True, capture_output=True, text=True).stdout
    needed, paths = re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic), re.findall(r"\(R(?:UN)?PATH\).*\[(.*)\]", dynamic)
    assert not [name for name in needed if "jansson" in name or "arnn" in name or "python" in name]
    assert [f"arnn/{name}" for name in needed if "scipy_openblas" in name] == carried, "carried along, where it is PyPI's"
    assert [name for name in needed if "openblas" in name] and (paths == ["$ORIGIN"] or not carried)
    shown = subprocess.run([sys.executable, "-m", "auditwheel", "show", WHEEL], capture_output=True, text=True)
    assert shown.returncode == 0 and "consistent with" in shown.stdout, shown.stderr


def test_the_module_runs_on_the_blas_that_it_was_built_with():
    """Products and factors of matrices come from it: an orthogonal matrix has the spectral radius 1."""
    model = arnn.Model(wiring="none", inputs=3, hidden=8, seed=1)
    assert "OpenBLAS" in arnn.build_info() and abs(model.spectral_radius()[0] - 1) < 1e-5


def test_all_that_the_library_calls_is_known_by_its_name_at_pypi():
    rooms = [file.read_text() for file in (TOP / "lib/linalg").glob("*.[ch]") if file.name != "prefixed.h"]
    called = {name for text in rooms for name in re.findall(r"\b((?:cblas|LAPACKE|openblas)_\w+)\s*\(", text)}
    known = dict(re.findall(r"#define (\w+) +(\w+)", (TOP / "lib/linalg/prefixed.h").read_text()))
    assert called and called <= known.keys() and all(known[name] == "scipy_" + name for name in called)


def test_the_package_carries_the_version_of_the_header():
    assert f'\nversion = "{arnn.__version__}"\n' in (TOP / "pyproject.toml").read_text()


def test_a_changed_header_changes_the_declarations(tmp_path):
    """A function that the library lacks must not compile away: it stands in the generated source."""
    text = header.TEXT.replace("int32_t arnn_version(void);", "int32_t arnn_version(void);\nint32_t arnn_another(void);")
    (tmp_path / "arnn.h").write_text(text)
    subprocess.run([sys.executable, TOP / "lib/bindings/python/declarations.py", tmp_path / "arnn.h",
                    TOP / "include/arnn_version.h", TOP / "lib/bindings/python/guard.h", tmp_path / "out.c"], check=True)
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

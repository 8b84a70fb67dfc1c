"""The programs of README.md, compiled against the installed library through pkg-config, shared and static, and run.

ARNN_PREFIX is where the library was installed.
"""
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

import pytest

README = (pathlib.Path(__file__).resolve().parents[2] / "README.md").read_text()
PREFIX = pathlib.Path(os.environ["ARNN_PREFIX"])
COMPILERS = {"c": ["cc", "-std=c11"], "cpp": ["c++", "-std=c++17"]}
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.M | re.S)


def program(language):
    """The one whole program of this language in README.md."""
    programs = [block for block in blocks(language) if language not in COMPILERS or "int main(" in block]
    assert len(programs) == 1
    return programs[0]


def flags(prefix, *options):
    """What pkg-config says of the library installed, or copied, under a prefix."""
    path = next(prefix.rglob("arnn.pc")).parent
    command = ["pkg-config", f"--define-variable=prefix={prefix}", *options, "--cflags", "--libs", "arnn"]
    done = subprocess.run(command, check=True, capture_output=True, text=True,
                          env={**os.environ, "PKG_CONFIG_PATH": str(path)})
    return done.stdout.split()


@pytest.fixture(scope="module")
def archive_only(tmp_path_factory):
    """A copy of the installation without the shared object."""
    prefix = tmp_path_factory.mktemp("static") / "prefix"
    shutil.copytree(PREFIX, prefix, symlinks=True)
    for path in prefix.rglob("libarnn.so*"):
        path.unlink()
    return prefix


def build(language, folder, link):
    source = folder / f"demo.{language}"
    source.write_text(program(language))
    subprocess.run([*COMPILERS[language], *STRICT, source, "-o", folder / "demo", *link], check=True)
    return folder / "demo"


def run(path, text=""):
    libraries = next(PREFIX.rglob("libarnn.so")).parent
    done = subprocess.run([path], input=text, capture_output=True, text=True,
                          env={**os.environ, "LD_LIBRARY_PATH": str(libraries)})
    assert done.returncode == 0, done.stderr
    return done.stdout


def uses_shared(path):
    return "libarnn" in subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout


def test_c_streams_a_sequence(tmp_path, archive_only):
    for kind in ("shared", "static"):
        (tmp_path / kind).mkdir()
    shared = build("c", tmp_path / "shared", flags(PREFIX))
    static = build("c", tmp_path / "static", flags(archive_only, "--static"))
    assert uses_shared(shared) and not uses_shared(static)
    said = run(shared, "In the beginning")
    assert said == run(static, "In the beginning")
    assert said != run(shared, "In the end")
    numbers = [float(word) for word in said.split()]
    assert len(numbers) == 3 * len("In the beginning") and all(math.isfinite(number) and 0 < abs(number) <= 1 for number in numbers)


def test_c_fragments_compile(tmp_path):
    """Pieces of programs, among the variables that they speak of."""
    fragments = [block for block in blocks("c") if "int main(" not in block]
    for fragment in fragments:
        source = tmp_path / "fragment.c"
        source.write_text("#include <arnn.h>\narnn_model *model;\narnn_trainer *trainer;\narnn_training result;\n"
                          "const int32_t *tokens, *labels;\n\nint main(void)\n{\n" + fragment + "}\n")
        subprocess.run([*COMPILERS["c"], *STRICT, "-fsyntax-only", source, *flags(PREFIX, "--cflags")], check=True)
    assert "arnn_trainer_step" in "".join(fragments)


def test_cpp_runs_sequences(tmp_path, archive_only):
    for kind in ("shared", "static"):
        (tmp_path / kind).mkdir()
    shared = build("cpp", tmp_path / "shared", flags(PREFIX))
    static = build("cpp", tmp_path / "static", flags(archive_only, "--static"))
    assert uses_shared(shared) and not uses_shared(static)
    assert run(shared) == run(static) == "57 past states, weights sum to 1.000\n"


def test_python_calls_it(tmp_path):
    header = next(PREFIX.rglob("arnn.h"))
    library = next(PREFIX.rglob("libarnn.so"))
    script = tmp_path / "demo.py"
    script.write_text(program("python") + f"""
ffi, lib = arnn({str(header)!r}, {str(library)!r})
value = ffi.new("int32_t *")
assert lib.arnn_constant(b"ARNN_CELL_GRU", value) == lib.ARNN_OK and value[0] == lib.ARNN_CELL_GRU
model, desc = ffi.new("arnn_model **"), ffi.new("arnn_model_desc *")
assert lib.arnn_model_desc_default(desc, ffi.sizeof("arnn_model_desc")) == lib.ARNN_OK
assert lib.arnn_model_create(model, desc) == lib.ARNN_OK
lib.arnn_model_destroy(model[0])
""")
    subprocess.run([sys.executable, script], check=True)


def test_soname_and_default_names():
    """What the README's Python names is what is installed."""
    major = re.search(r'library="libarnn\.so\.(\d+)"', README).group(1)
    assert next(PREFIX.rglob(f"libarnn.so.{major}")).is_symlink()

"""arnn.hpp: whole, without warnings alone, and right in both of its forms."""
import os
import re
import subprocess

import header
import installed
import pytest

HEADER = header.TOP / "include" / "arnn.hpp"
SOURCES = header.TOP / "tests" / "bindings" / "cpp"
CODE = re.sub(r"/\*.*?\*/|//[^\n]*", "", HEADER.read_text(), flags=re.S)


def test_every_function_is_reachable():
    """A function that joins arnn.h is missed here until arnn.hpp calls it."""
    called = set(re.findall(r"\b(arnn_\w+)\(", CODE)) - set(header.structs())
    assert called == set(header.functions())


def test_every_field_is_reachable():
    """Descriptions are C's own; what arnn.hpp has a form of its own for is copied field by field."""
    copied = {struct: set(re.findall(r"\bmade\.(\w+) =", body))
              for struct, body in re.findall(r"inline (arnn_\w+) to_c\(.*?\n\{(.*?)\n\}", CODE, flags=re.S)}
    own = set(re.findall(r"struct \w+ : (arnn_\w+)", CODE)) | {"arnn_rows"}
    assert copied.keys() | own == header.structs().keys()
    for struct, fields in copied.items():
        assert fields == set(header.structs()[struct]) - {"struct_size", "reserved"}, struct


@pytest.mark.parametrize("options", [[], ["-fno-exceptions"], ["-DARNN_EXCEPTIONS=0"]],
                         ids=["throwing", "no-exceptions", "returning"])
@pytest.mark.parametrize("standard", ["c++17", "c++20"])
@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_compiles_alone(compiler, standard, options):
    installed.command(compiler, "-x", "c++", f"-std={standard}", *options, *installed.STRICT, "-fsyntax-only", HEADER)


def test_example_runs(tmp_path):
    """The program at the head of the header; it reads its input and says nothing."""
    lines = re.findall(r"^ \*     (.*)$", HEADER.read_text(), flags=re.M)
    source = tmp_path / "example.cpp"
    source.write_text("#include <arnn.hpp>\n#include <cstdio>\n#include <vector>\nint main()\n{\n" + "\n".join(lines) +
                      '\nstd::printf("%zu", std::size_t(state.length(0)));\n}\n')
    program = installed.compiled(["c++", "-std=c++17"], tmp_path / "example", source)
    assert installed.command("sh", "-c", f"printf abcde | {program}") == "5"


@pytest.mark.parametrize("compiler, standard", [("g++", "c++17"), ("clang++", "c++20")])
def test_owners_spans_and_errors(tmp_path, compiler, standard):
    """Both forms in one program."""
    without = tmp_path / "returning.o"
    command = [compiler, f"-std={standard}"]
    installed.command(*command, "-fno-exceptions", *installed.STRICT, *installed.pkg_config("--cflags"), "-c",
                      SOURCES / "returning.cpp", "-o", without)
    program = installed.compiled([*command, "-fsanitize=address,undefined"], tmp_path / "program",
                                 SOURCES / "throwing.cpp", without)
    assert installed.command(program, tmp_path / "checkpoint") == ""
    if compiler == "g++" and "ARNN_SANITIZED" in os.environ: # the library with sanitizers, too
        done = subprocess.run([program, tmp_path / "checkpoint"], capture_output=True, text=True,
                              env={**os.environ, "LD_LIBRARY_PATH": os.environ["ARNN_SANITIZED"]})
        assert (done.returncode, done.stdout + done.stderr) == (0, "")

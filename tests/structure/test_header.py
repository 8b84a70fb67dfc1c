"""The header compiles alone, is documented, and its constants are known by name."""
import os
import pathlib
import shutil
import subprocess

import header
import pytest

LIBRARY = pathlib.Path(os.environ["ARNN_LIBRARY"])
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]


@pytest.mark.parametrize("compiler, language, standard", [
    ("gcc", "c", "c11"), ("clang", "c", "c11"), ("g++", "c++", "c++17"), ("clang++", "c++", "c++17")])
def test_compiles_alone(compiler, language, standard):
    assert shutil.which(compiler), f"{compiler} is missing"
    command = [compiler, "-x", language, f"-std={standard}", *STRICT, header.HEADER]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_functions_are_documented():
    for comment, names in header.groups():
        assert comment, f"{names[0]} has no documentation above it"


def test_structs_have_no_holes(tmp_path):
    """A member added in a hole would leave sizeof as it was, and struct_size could not tell the versions apart."""
    structs = header.structs()
    assert structs["arnn_rows"] == ["data", "count", "stride"] and "arnn_model_desc" in structs
    lines = [f"_Static_assert(sizeof({name}) == {' + '.join(f'sizeof((({name} *)0)->{member})' for member in members)}, "
             f'"{name} has a hole");' for name, members in structs.items()]
    source = tmp_path / "holes.c"
    source.write_text("#include <arnn.h>\n" + "\n".join(lines) + "\n")
    done = subprocess.run(["gcc", "-std=c11", "-fsyntax-only", "-I", header.TOP / "include", source], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr


def test_constants_by_name(tmp_path):
    """arnn_constant knows every enumerator with the compiler's own value, and nothing else."""
    names = header.constants()
    assert len(names) == len(set(names)) and "ARNN_CELL_GRU" in names
    rows = "\n".join(f'    {{"{name}", {name}}},' for name in names)
    (tmp_path / "constants.c").write_text(f"""#include <arnn.h>
#include <stdio.h>
static const struct {{ const char *name; int32_t value; }} known[] = {{
{rows}
}};
int main(void) {{
    int wrong = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {{
        int32_t value = -1;
        if (arnn_constant(known[i].name, &value) != ARNN_OK || value != known[i].value)
            wrong += printf("%s is %d, arnn_constant says %d\\n", known[i].name, (int)known[i].value, (int)value) > 0;
    }}
    int32_t value;
    wrong += arnn_constant("ARNN_CELL", &value) != ARNN_NOT_FOUND;
    wrong += arnn_constant("", &value) != ARNN_NOT_FOUND;
    return wrong != 0;
}}
""")
    program = tmp_path / "constants"
    subprocess.run(["gcc", "-I", header.TOP / "include", tmp_path / "constants.c", "-o", program, LIBRARY,
                    f"-Wl,-rpath,{LIBRARY.parent}"], check=True)
    done = subprocess.run([program], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout

"""What stands where."""
import re
import shutil
import subprocess

import header

TOP = header.TOP
CARD = {"README.md", "meson.build", "lib", "include", "bench", "tests", "pkgconfig", "LICENSE", "meson.options",
        "pyproject.toml", "build"}


def tracked():
    """Files of the repository, or of the folder where it was unpacked without one."""
    if shutil.which("git"):
        done = subprocess.run(["git", "-C", TOP, "ls-files"], capture_output=True, text=True)
        if done.returncode == 0 and done.stdout:
            return [name for name in done.stdout.splitlines() if (TOP / name).is_file()]
    tops = [top for top in TOP.iterdir() if top.name not in (".git", "build")]
    files = [file for top in tops for file in (top.rglob("*") if top.is_dir() else [top]) if file.is_file()]
    return [str(file.relative_to(TOP)) for file in files if "__pycache__" not in file.parts]


def test_top_level():
    names = {name.split("/")[0] for name in tracked()}
    assert {name for name in names if not name.startswith(".")} - CARD == set()


def test_entry_points_run():
    for name in ("tests/run", "bench/run", ".ci/run"):
        assert (TOP / name).stat().st_mode & 0o111, f"{name} is not executable"


def test_every_source_is_built():
    """A source that no list names would be dead, a test that none names would never run."""
    lists = {"lib": (TOP / "lib/meson.build").read_text(), "tests": (TOP / "tests/meson.build").read_text()}
    for name in tracked():
        room = re.match(r"(lib|tests)/(\w+)/(?:test_)?(\w+)\.c$", name)
        if not room or room.group(2) in ("examples", "support", "bindings", "consumers"):
            continue
        stem = room.group(3) + ".c" if room.group(1) == "lib" else room.group(3)
        assert f"'{stem}'" in lists[room.group(1)], f"{name} is in no list"


def test_files_are_short():
    """At most 400 lines; the manual in include/ is as long as it must be."""
    for name in tracked():
        if re.match(r"(lib|tests|bench)/.*\.(c|h|cpp|hpp|cc|py)$", name):
            lines = (TOP / name).read_text().count("\n")
            assert lines <= 400, f"{name} has {lines} lines"

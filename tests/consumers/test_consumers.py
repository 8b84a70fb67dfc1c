"""Projects of other people: each build system finds the installed library, shared and static, and its programs run."""
import pathlib
import re
import shutil
import subprocess

import installed
import pytest

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PROGRAMS = ("c_shared", "c_static", "cpp_shared", "cpp_static")


@pytest.fixture
def projects(tmp_path):
    """A copy of the projects, outside of this repository."""
    return shutil.copytree(HERE, tmp_path / "projects", ignore=shutil.ignore_patterns("*.py"))


@pytest.fixture
def moved(tmp_path):
    """The installation, moved to another place."""
    return shutil.copytree(installed.PREFIX, tmp_path / "else where", symlinks=True)


def run_all(folder, prefix=installed.PREFIX):
    """All programs say the same, and only the shared ones name the shared object."""
    said = {installed.command(folder / name, prefix=prefix) for name in PROGRAMS}
    assert len(said) == 1 and re.fullmatch(r"\d+ -?0\.\d{6}\n", said.pop())
    for name in PROGRAMS:
        assert installed.uses_shared(folder / name) == name.endswith("shared"), name


def cmake(projects, prefix, *options):
    build = projects / "build"
    installed.command("cmake", "-S", projects / "cmake", "-B", build, f"-DCMAKE_PREFIX_PATH={prefix}", *options)
    installed.command("cmake", "--build", build)
    return build


def test_cmake(projects):
    run_all(cmake(projects, installed.PREFIX))


def test_cmake_finds_what_was_moved(projects, moved):
    build = cmake(projects, moved)
    assert "else where" in (build / "CMakeCache.txt").read_text()
    run_all(build, moved)


@pytest.mark.parametrize("version, suits", [
    ("0.0", True), ("0.1.0", True), ("0.1.1", False), ("0.2", False), ("1.0", False), ("0.0...<0.2", True),
    ("0.0...0.0.9", False), ("1...2", False)])
def test_cmake_asks_for_a_version(tmp_path, version, suits):
    """What the version file answers, for the version that arnn has now."""
    script = tmp_path / "CMakeLists.txt"
    script.write_text(f"cmake_minimum_required(VERSION 3.19)\nproject(asks C)\nfind_package(arnn {version})\n"
                      'message("found: ${arnn_FOUND}")\n')
    said = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={installed.PREFIX}"],
                          capture_output=True, text=True)
    assert f"found: {int(suits)}" in said.stderr, said.stderr


def test_make(projects):
    folder = projects / "make"
    installed.command("make", "-C", folder)
    run_all(folder)


def test_a_program_without_any_shared_object(tmp_path):
    """`cc -static` with what pkg-config --static names, where OpenBLAS has an archive as well (Debian's has)."""
    if installed.command("cc", "-print-file-name=libopenblas.a").strip() == "libopenblas.a":
        pytest.skip("there is no libopenblas.a")
    program = tmp_path / "program"
    installed.command("cc", "-static", HERE / "program.c", "-o", program, *installed.pkg_config("--static", "--cflags", "--libs"))
    assert "NEEDED" not in installed.command("readelf", "-d", program) and installed.command(program)


def test_meson_finds_what_is_installed(projects):
    installed.command("meson", "setup", "--wrap-mode=nofallback", projects / "build", projects / "meson")
    installed.command("ninja", "-C", projects / "build")
    run_all(projects / "build")


def test_meson_subproject(projects, monkeypatch):
    """From the sources alone; the consumer's own options do not disturb it."""
    monkeypatch.setenv("CFLAGS", "-O0") # Meson leaves a subproject its own optimization, and this has to be quick
    (projects / "meson" / "subprojects").mkdir()
    (projects / "meson" / "subprojects" / "arnn").symlink_to(TOP)
    build = projects / "build"
    installed.command("meson", "setup", "--force-fallback-for=arnn", "-Doptimization=0", "-Ddefault_library=static", build,
                      projects / "meson")
    installed.command("ninja", "-C", build)
    run_all(build)

"""What leaves the shared object, and which objects hold vector instructions."""
import os
import pathlib
import platform
import re
import subprocess

import header
import pytest

LIBRARY = pathlib.Path(os.environ["ARNN_LIBRARY"])
ARCHIVE = LIBRARY.with_suffix(".a")


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_exports_are_the_header():
    lines = output("nm", "-D", "--defined-only", LIBRARY).splitlines()
    exported = {line.split()[-1].split("@")[0] for line in lines}
    assert exported == set(header.functions())


def test_global_names_carry_the_prefix():
    """A static link shows every global name of the library to the program."""
    lines = output("nm", "-g", "--defined-only", ARCHIVE).splitlines()
    names = {line.split()[-1] for line in lines if len(line.split()) == 3}
    assert {name for name in names if not name.startswith("arnn_")} == set()


def test_soname_is_the_major_version():
    version = (header.TOP / "include" / "arnn_version.h").read_text()
    major = re.search(r"ARNN_VERSION_MAJOR (\d+)", version).group(1)
    assert f"[libarnn.so.{major}]" in output("readelf", "-d", LIBRARY)


def test_library_keeps_to_itself():
    """It never aborts, never prints, sets no process-wide option."""
    called = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--undefined-only", LIBRARY).splitlines()}
    assert "cblas_sgemm" in called
    assert called & {"abort", "exit", "_exit", "__assert_fail", "printf", "__printf_chk", "puts", "putchar", "perror", "stdout",
                     "stderr", "setenv", "putenv", "setlocale", "signal", "sigaction", "openblas_set_num_threads",
                     "goto_set_num_threads"} == set()


def test_every_allocation_can_be_made_to_fail():
    """tests/api/test_memory.c wraps these; another way to allocate would escape it."""
    wrapped = {"malloc", "calloc", "realloc", "aligned_alloc", "posix_memalign"}
    lists = (header.TOP / "tests" / "meson.build").read_text()
    assert all(f"--wrap={name}" in lists for name in wrapped)
    called = {line.split()[-1].split("@")[0] for line in output("nm", "-D", "--undefined-only", LIBRARY).splitlines()}
    ways = wrapped | {"memalign", "valloc", "reallocarray", "strdup", "strndup", "__strdup", "asprintf", "vasprintf",
                      "__asprintf_chk", "__vasprintf_chk", "getline", "getdelim", "open_memstream", "mmap"}
    assert called & ways and called & ways <= wrapped


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 registers are looked for")
def test_vector_instructions_stay_in_their_objects():
    """An object that every processor runs must not hold AVX; the others define no name that could stand for theirs."""
    wide, member = set(), None
    for line in output("objdump", "-d", "--no-show-raw-insn", ARCHIVE).splitlines():
        heading = re.match(r"(\S+\.o):\s+file format", line)
        if heading:
            member = heading.group(1)
        elif re.search(r"%[yz]mm\d|\sv[a-z0-9]+[sp][sd]\s", line):
            wide.add(member)
    assert wide and all(re.match(r"kernels_(vec|amx)_\w+\.c\.o$", name) for name in wide), wide


def test_vector_objects_define_only_their_own_names():
    member, found = None, set()
    for line in output("nm", "-g", "--defined-only", ARCHIVE).splitlines():
        member = line[:-1] if line.endswith(".o:") else member
        if len(line.split()) == 3 and member.startswith(("kernels_vec_", "kernels_amx_")):
            found.add(line.split()[-1])
    assert found and all(re.search("_(avx2|avx512|neon)", name) for name in found), found

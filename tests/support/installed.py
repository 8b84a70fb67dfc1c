"""The library as it was installed under ARNN_PREFIX: what pkg-config says of it, and programs built on it and run."""
import os
import pathlib
import shutil
import subprocess
import sys

PREFIX = pathlib.Path(os.environ["ARNN_PREFIX"])
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def find(name, prefix=PREFIX):
    return next(prefix.rglob(name))


def environment(prefix=PREFIX):
    """In which pkg-config finds the library, and programs find the shared object."""
    libraries = find("libarnn.a", prefix).parent
    return {**os.environ, "PKG_CONFIG_PATH": str(libraries / "pkgconfig"), "LD_LIBRARY_PATH": str(libraries)}


def command(*words, prefix=PREFIX, cwd=None):
    """Runs a command, which must succeed; gives what it prints."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=environment(prefix), cwd=cwd)
    assert done.returncode == 0, f"{' '.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def pkg_config(*options, prefix=PREFIX):
    """An installation that was copied says where it is now."""
    return command("pkg-config", f"--define-variable=prefix={prefix}", *options, "arnn", prefix=prefix).split()


def compiled(compiler, program, *sources):
    """Builds a program with all warnings as errors."""
    command(*compiler, *STRICT, *sources, "-o", program, *pkg_config("--cflags", "--libs"))
    return program


def tables():
    """The kernel tables of this machine."""
    return command(sys.executable, pathlib.Path(__file__).with_name("tables.py"), find("libarnn.so")).split()


def archive_only(folder):
    """A copy of the installation without the shared object."""
    prefix = folder / "prefix"
    shutil.copytree(PREFIX, prefix, symlinks=True)
    for path in prefix.rglob("libarnn.so*"):
        path.unlink()
    return prefix


def uses_shared(program):
    """Whether a program names the shared object."""
    return "libarnn" in command("readelf", "-d", program)

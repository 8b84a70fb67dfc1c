"""The Rust crates against the installed library: cargo's own tests, links of both kinds, sanitizers, the scenario."""
import os
import re
import shutil
import subprocess

import installed
import pytest
from crates import CRATES, TOP, cargo, programs

SCENARIO = TOP / "tests" / "bindings" / "scenario.c"


def test_cargo_test():
    printed = cargo("test")
    assert printed.count("test result: ok") >= 5
    assert "test every_function_is_declared_with_its_parameters ... ok" in printed


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    """The scenario in C, compiled."""
    return installed.compiled(["cc", "-std=c11"], tmp_path_factory.mktemp("scenario") / "c", SCENARIO)


def test_rust_prints_the_same(tmp_path, in_c, monkeypatch):
    in_rust = programs("build", "--example", "scenario")["scenario"]
    for table in installed.tables():
        monkeypatch.setenv("ARNN_ISA", table)
        assert installed.command(in_rust, tmp_path / "r") == installed.command(in_c, tmp_path / "c"), table


def test_static_link(tmp_path, in_c):
    """Without the shared object, and with a target folder of its own: what was linked is not linked anew."""
    target = {"CARGO_TARGET_DIR": str(TOP / "build" / "cargo-static"), "LD_LIBRARY_PATH": ""}
    printed = cargo("run", "-q", "--example", "scenario", "--features", "arnn/static", tmp_path / "model", **target)
    assert printed == installed.command(in_c, tmp_path / "model")
    program = TOP / "build" / "cargo-static" / "debug" / "examples" / "scenario"
    assert not installed.uses_shared(program)


def test_says_what_is_missing(tmp_path):
    target = {"CARGO_TARGET_DIR": str(tmp_path)}
    error = cargo("check", "-p", "arnn-sys", fails=True, PKG_CONFIG_LIBDIR=os.devnull, PKG_CONFIG_PATH="", **target)
    assert "PKG_CONFIG_PATH" in error and "meson install" in error


def test_the_readmes_show_one_program():
    """That of the crates is a doctest; the one at the top is the same."""
    shown = [re.findall(r"^```rust\n(.*?)^```", (folder / "README.md").read_text(), flags=re.M | re.S)
             for folder in (TOP, CRATES)]
    assert len(shown[0]) == 1 and shown[0] == shown[1]


def test_documentation_has_no_warning():
    cargo("doc", "--no-deps", RUSTDOCFLAGS="-Dwarnings")


def test_oldest_compiler():
    """The version that the crates ask for, where it is installed: Debian 12 has it."""
    oldest = re.search(r'rust-version = "(.*)"', (CRATES / "arnn" / "Cargo.toml").read_text())[1]
    for program in filter(None, (shutil.which("cargo"), "/usr/bin/cargo")):
        tools = {name.upper(): os.path.join(os.path.dirname(program), name) for name in ("rustc", "rustdoc")}
        if os.path.exists(tools["RUSTC"]) and f"rustc {oldest}." in installed.command(tools["RUSTC"], "--version"):
            tools["CARGO_TARGET_DIR"] = str(TOP / "build" / "cargo-oldest")
            cargo("check", "--all-targets", program=program, **tools)
            cargo("doc", "--no-deps", program=program, RUSTDOCFLAGS="-Dwarnings", **tools)
            return
    pytest.skip(f"rustc {oldest} is not here")


@pytest.mark.parametrize("name", ["misuse", "offers", "scenario"])
def test_clean_under_sanitizers(tmp_path, name):
    """Nothing reads or writes beyond Rust's slices, what was dropped is gone: the library is one with sanitizers."""
    if "ARNN_SANITIZED" not in os.environ:
        pytest.skip("ARNN_SANITIZED names no folder of a library with sanitizers")
    program = programs("test", "--no-run", "--tests", "--examples")[name]
    runtime = installed.command("gcc", "-print-file-name=libasan.so").strip()
    done = subprocess.run([program] + [tmp_path / "model"] * (name == "scenario"), capture_output=True, text=True, env={
        **os.environ, "LD_LIBRARY_PATH": os.environ["ARNN_SANITIZED"], "LD_PRELOAD": runtime,
        "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})
    assert done.returncode == 0, done.stdout + done.stderr

"""The Rust crates against the installed library: cargo's own tests, both kinds of link, and the scenario of all languages."""
import os
import pathlib
import subprocess

import installed

TOP = pathlib.Path(__file__).resolve().parents[3]
CRATES = TOP / "lib" / "bindings" / "rust"
SCENARIO = TOP / "tests" / "bindings" / "scenario.c"


def cargo(*words, fails=False, **environment):
    """Runs cargo without a network; gives what it prints."""
    settings = {**installed.environment(), "RUSTFLAGS": "-Dwarnings", **environment}
    done = subprocess.run(["cargo", *words], cwd=CRATES, env=settings, capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def test_cargo_test():
    printed = cargo("test", "--offline", "--locked")
    assert printed.count("test result: ok") >= 4
    assert "test every_function_is_declared_with_its_parameters ... ok" in printed


def in_c(folder):
    program = installed.compiled(["cc", "-std=c11"], folder / "scenario_c", SCENARIO)
    return installed.command(program, folder / "c.safetensors")


def test_rust_prints_the_same(tmp_path):
    run = ["run", "-q", "--offline", "--locked", "--example", "scenario"]
    assert cargo(*run, tmp_path / "rust.safetensors") == in_c(tmp_path)


def test_static_link(tmp_path):
    """Without the shared object, and with a target folder of its own: what was linked is not linked anew."""
    run = ["run", "-q", "--offline", "--locked", "--features", "arnn/static", "--example", "scenario"]
    target = {"CARGO_TARGET_DIR": str(TOP / "build" / "cargo-static")}
    printed = cargo(*run, tmp_path / "rust.safetensors", LD_LIBRARY_PATH="", **target)
    assert printed == in_c(tmp_path)
    program = TOP / "build" / "cargo-static" / "debug" / "examples" / "scenario"
    assert not installed.uses_shared(program)


def test_says_what_is_missing(tmp_path):
    target = {"CARGO_TARGET_DIR": str(tmp_path)}
    error = cargo("check", "--offline", "-p", "arnn-sys", fails=True, PKG_CONFIG_LIBDIR=os.devnull, PKG_CONFIG_PATH="", **target)
    assert "PKG_CONFIG_PATH" in error and "meson install" in error

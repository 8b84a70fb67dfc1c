"""The Rust crates against the installed library: cargo without a network, and the programs that it builds."""
import json
import pathlib
import subprocess

import installed

TOP = pathlib.Path(__file__).resolve().parents[2]
CRATES = TOP / "lib" / "bindings" / "rust"


def cargo(*words, program="cargo", fails=False, **environment):
    """Runs cargo; gives what it prints, on failure its complaints."""
    command = [program, *words[:1], "--offline", "--locked", *words[1:]]
    settings = {**installed.environment(), "RUSTFLAGS": "-Dwarnings", **environment}
    done = subprocess.run([str(word) for word in command], cwd=CRATES, env=settings, capture_output=True, text=True)
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    return done.stderr if fails else done.stdout


def programs(*words):
    """Paths of what is built, by the names of tests and examples."""
    lines = [json.loads(line) for line in cargo(*words, "--message-format=json").splitlines()]
    return {line["target"]["name"]: pathlib.Path(line["executable"]) for line in lines if line.get("executable")}

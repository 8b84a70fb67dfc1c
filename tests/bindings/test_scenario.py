"""The scenario of README.md: all languages print the same text, with every kernel table, and the oracle knows its sums."""
import pathlib

import installed
import pytest
import scenario_oracle

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = {"c": ["cc", "-std=c11"], "cpp": ["c++", "-std=c++17"]}


@pytest.fixture(scope="module")
def scenario(tmp_path_factory):
    """By language: the program, compiled."""
    folder = tmp_path_factory.mktemp("scenario")
    return {language: installed.compiled(compiler, folder / language, HERE / f"scenario.{language}")
            for language, compiler in COMPILERS.items()}


def test_c_agrees_with_the_oracle(scenario, tmp_path):
    text = installed.command(scenario["c"], tmp_path / "model")
    said = dict(line.rsplit(" ", 1) for line in text.splitlines())
    assert len(said.pop("digest")) == 16
    known = scenario_oracle.numbers(tmp_path / "model")
    assert said.keys() == known.keys()
    for name, (number, outputs) in known.items():
        assert abs(float(said[name]) - number) <= 2e-6 * outputs ** 0.5 + 1e-6, name


def test_cpp_prints_the_same(scenario, tmp_path, monkeypatch):
    found = {}
    for table in installed.tables():
        monkeypatch.setenv("ARNN_ISA", table)
        found[table] = installed.command(scenario["c"], tmp_path / "model")
        assert installed.command(scenario["cpp"], tmp_path / "model") == found[table], table
    assert len(set(found.values())) > 1, "tables add in orders of their own"

"""The scenario of README.md: every language prints the same text, and the oracle knows its sums."""
import pathlib

import installed
import pytest
import scenario_oracle

HERE = pathlib.Path(__file__).resolve().parent
COMPILERS = {"c": ["cc", "-std=c11"], "cpp": ["c++", "-std=c++17"]}


def run_compiled(language, folder):
    """What the program prints, and the file that it wrote."""
    program = installed.compiled(COMPILERS[language], folder / f"scenario_{language}", HERE / f"scenario.{language}")
    return installed.command(program, folder / f"{language}.safetensors"), folder / f"{language}.safetensors"


@pytest.fixture(scope="module")
def in_c(tmp_path_factory):
    return run_compiled("c", tmp_path_factory.mktemp("scenario"))


def test_c_agrees_with_the_oracle(in_c):
    text, file = in_c
    said = dict(line.rsplit(" ", 1) for line in text.splitlines())
    assert len(said.pop("digest")) == 16
    known = scenario_oracle.numbers(file)
    assert said.keys() == known.keys()
    for name, (number, outputs) in known.items():
        assert abs(float(said[name]) - number) <= 2e-6 * outputs ** 0.5 + 1e-6, name


def test_cpp_prints_the_same(in_c, tmp_path):
    assert run_compiled("cpp", tmp_path)[0] == in_c[0]

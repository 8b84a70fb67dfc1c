"""python -m arnn."""
import subprocess
import sys

import arnn
import pytest
from arnn import __main__ as command


@pytest.fixture
def file(tmp_path):
    arnn.Model(vocab=256, inputs=8, hidden=16, seed=1).save(tmp_path / "model")
    return str(tmp_path / "model")


def test_info_and_bench(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command.main(["info"]), command.main(["bench"])
    said = capsys.readouterr().out
    assert arnn.build_info() in said and "bench/run" in said


def test_inspect(capsys, file):
    command.main(["inspect", file])
    said = capsys.readouterr().out
    assert "embed.weight         (256, 8)" in said and "by gate: 1.0000" in said
    with pytest.raises(SystemExit, match="nothing.there"):
        command.main(["inspect", "nothing.there"])


def test_attend(capsys, file, tmp_path):
    command.main(["attend", file, "to be"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "  to be" and lines[1] == "t @" and len(lines) == 6
    command.main(["attend", file, "a\u00e9\n$"])
    assert capsys.readouterr().out.splitlines()[0] == "  a\u00e9\u00b7\u23ce$", "a column for each byte"
    pytest.importorskip("matplotlib")
    for text, name, start in (("to be", "map.png", b"\x89PNG"), ("a", "map.svg", b"<?xml"), ("$ _{ " * 40, "long.png", b"\x89PNG")):
        command.main(["attend", file, text, "--out", str(tmp_path / name)])
        assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("arguments, said", [(["", "--layer", "0"], "TEXT is empty"), (["a", "--layer", "1"], "layer 1 of 1"),
                                             (["a", "--out", "map.foo"], "foo"), (["a", "--out", "/nowhere/map.png"], "/nowhere")])
def test_mistakes_are_told_in_a_sentence(file, arguments, said):
    if "--out" in arguments:
        pytest.importorskip("matplotlib")
    with pytest.raises(SystemExit, match=f"arnn: .*{said}"):
        command.main(["attend", file, *arguments])


def test_a_reader_that_stops_reading(file):
    text = "0123456789" * 100
    shown = subprocess.Popen([sys.executable, "-m", "arnn", "attend", file, text], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    shown.stdout.read(10)
    shown.stdout.close()
    assert shown.stderr.read() == b"" and shown.wait() == 1

"""python -m arnn."""
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
    pytest.importorskip("matplotlib")
    for name, start in (("map.png", b"\x89PNG"), ("map.svg", b"<?xml")):
        command.main(["attend", file, "to be", "--out", str(tmp_path / name)])
        assert (tmp_path / name).read_bytes().startswith(start)

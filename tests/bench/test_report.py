"""The benchmark's pure functions: fits, crossovers, the table, the plan, the text."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import plan  # noqa: E402
import report  # noqa: E402

CACHES = [{"level": 1, "bytes": 32 << 10}, {"level": 2, "bytes": 512 << 10}, {"level": 3, "bytes": 8 << 20}]


def row(length, median_ns, hidden=512, streams=1, **values):
    made = dict(cell="rnn", wiring="after", score="dot", tape="f32", hidden=hidden, streams=streams, threads=1,
                length=length, median_ns=median_ns, p99_ns=1.5 * median_ns, ns_per_state=40.0,
                bytes_per_state=4 * hidden, gbps=51.2, ceiling_gbps=58.0, ceiling_fraction=0.88, speedup_plain=2.0,
                max_error=3e-7)
    return {**made, **values}


def curve(rest=1000.0, slope=2.0, reach=(64, 128, 256, 512, 1024, 4096)):
    return [row(length, rest + slope * length) for length in reach]


def test_fit_finds_the_line():
    a, b, residual = report.fit_line([(x, 300.0 + 0.25 * x) for x in (64, 1024, 65536)])
    assert a == pytest.approx(300) and b == pytest.approx(0.25) and residual < 1e-9


def test_fit_weighs_relative_errors():
    """One point off by a tenth leaves less than a tenth, however large its neighbours are."""
    a, b, residual = report.fit_line([(1, 1.1 * 11.0), (10, 20.0), (100000, 100010.0)])
    assert 0.01 < residual < 0.1
    assert b == pytest.approx(1, rel=0.05) and a > 10


@pytest.mark.parametrize("points", [[], [(64, 5.0)], [(64, 5.0), (64, 6.0)]])
def test_fit_needs_two_lengths(points):
    assert report.fit_line(points) is None


def test_level_is_the_smallest_cache_that_holds_the_tapes():
    assert report.level(row(16, 1), CACHES) == "L1"
    assert report.level(row(17, 1), CACHES) == "L2"
    assert report.level(row(256, 1, streams=8), CACHES) == "L3"
    assert report.level(row(4097, 1), CACHES) == "memory"


def test_crossover():
    assert report.crossover(curve(), 1000.0) == pytest.approx(500)
    assert report.crossover(curve(rest=100.0), 100.0) == pytest.approx(50)
    assert report.crossover(curve(slope=0.1), 1000.0) is None


def test_fits_one_row_for_each_level():
    rows = curve() + [row(64, 77.0, hidden=128)]
    found = report.fits(rows, [{"rest_ns": 1000.0}] * 6 + [{"rest_ns": 70.0}], CACHES)
    assert [(fit["hidden"], fit["level"], fit["points"]) for fit in found] == [(512, "L2", 3), (512, "L3", 3), (128, "L1", 1)]
    assert [fit["b_ns"] for fit in found] == [pytest.approx(2), pytest.approx(2), None]
    assert found[0]["crossover"] == pytest.approx(500) and found[2]["crossover"] is None


def test_table_fits_a_terminal_and_says_what_was_measured():
    rows = curve() + [row(262144, 4.1e7, ns_per_state=None, gbps=None, ceiling_fraction=None, speedup_plain=None)]
    fits = report.fits(rows, [{"rest_ns": 1000.0}] * len(rows), CACHES)
    lines = (report.step_table(rows, fits) + "\n" + report.LEGEND).splitlines()
    assert max(map(len, lines)) <= 80
    last = next(line for line in lines if "262,144" in line)
    assert last.split() == ["262,144", "512", "MiB", "41.0", "ms", "61.5", "ms", "-", "-", "-", "-", "3e-07"]
    assert "88 %" in lines[3] and "2.0 x" in lines[3]
    assert any("attention costs as much at 500 past states" in line for line in lines)


@pytest.mark.parametrize("ns, text", [(0.5, "0.50 ns"), (999.0, "999 ns"), (1234.0, "1.23 us"), (4.5e7, "45.0 ms"),
                                      (-250.0, "-250 ns"), (3e9, "3.00 s")])
def test_time_text(ns, text):
    assert report.time_text(ns) == text


def test_bible_chapters_lose_their_references():
    verses = ["Ge1:1 In the beginning.", "Ge1:2 And the earth: void.", "1Sm2:1 And Hannah prayed."]
    assert plan.bible_chapters(verses) == "In the beginning.\nAnd the earth: void.\n\nAnd Hannah prayed.\n"
    with pytest.raises(SystemExit):
        plan.bible_chapters(["no reference"])


def test_plan_covers_what_it_claims():
    tasks = "\n".join(plan.step_plan(plan.parse([])))
    for word in ("cell=rnn", "cell=gru", "cell=lstm", "score=dot", "score=general", "score=additive", "wiring=before",
                 "hidden=128", "hidden=512", "streams=1", "streams=8", "length=64", "length=262144"):
        assert word in tasks


def test_a_model_option_narrows_the_plan_to_that_model():
    tasks = plan.step_plan(plan.parse(["--cell", "gru", "--hidden", "96", "--lengths", "100,10"]))
    assert len(tasks) == 4 and all("cell=gru" in line and "hidden=96 " in line and "align=96 " in line for line in tasks)
    assert {line.split("length=")[1] for line in tasks} == {"10", "100"}


def test_text_plan():
    pieces, whole = plan.text_plan(plan.parse(["--quick", "--window", "64"]), "a.txt")
    assert "form=pieces" in pieces and "window=0" in pieces and "streams=8" in pieces and "bytes=262144" in pieces
    assert "form=whole" in whole and "window=64" in whole and "streams=1" in whole


@pytest.mark.parametrize("arguments", [["--threads", "2"], ["--text", "/nowhere/a"], ["--wiring", "none"], ["--hidden", "0"],
                                       ["--lengths", "3,x"], ["--plot", "a.gif"], ["--cell", "transformer"], ["--fast"]])
def test_wrong_options_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        plan.parse(arguments)
    assert refused.value.code == 2 and arguments[0] in capsys.readouterr().err

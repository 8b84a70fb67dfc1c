"""The comparison's pure functions: rows, medians, targets, the table, the plan."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
pytest.importorskip("numpy")
from peers import cases, reckon  # noqa: E402

CEILINGS = {"flops": 50.0, "read": [[1 << 20, 60.0], [1 << 24, 20.0]]}


def made(group="blas", ours=(10.0, 12.0, 11.0), **shape):
    one = cases.case(group, "torch", target=2, **shape)
    return reckon.row(one, list(ours), {"slow": [50.0, 60.0, 70.0], "good": [33.0, 30.0, 90.0]}, CEILINGS)


def test_medians_count_and_the_best_form():
    row = made(length=8192)
    assert (row["ours_ns"], row["peer_ns"], row["ratio"], row["peer"]) == (11.0, 33.0, 3.0, "good")
    assert row["forms"] == {"slow": 60.0, "good": 33.0}


def test_spread_is_relative():
    assert reckon.spread([1.0, 9.0, 10.0, 11.0, 30.0]) == pytest.approx(0.1)


def test_fractions_are_of_the_next_ceiling_and_own_bytes():
    row = made(ours=[1e6] * 5, length=8192, tape="bf16")
    assert row["ours_of_read_ceiling"] == pytest.approx(8192 * 512 * 2 / 1e6 / 20)
    row = made("cells", ours=[1e3] * 5, cell="gru", wiring="none", streams=8, threads=2)
    assert row["ours_of_flops"] == pytest.approx(3 * 4 * 512 * 512 * 8 / 1e3 / 100)


def test_target_is_lower_where_the_peer_is_near_the_machine():
    row = made("cells", wiring="none")
    assert reckon.wanted({**row, "peer_of_flops": 0.7}) == 1.05
    assert reckon.wanted({**row, "peer_of_flops": 0.5}) == 2
    assert reckon.wanted({**row, "group": "training", "peer_of_flops": 0.7}) == 1.0


def test_table_marks_what_reaches_its_target():
    lines = reckon.table([made(length=8192), made(length=8192, ours=[30.0] * 3)], cases.GROUPS).splitlines()
    assert "2 +" in lines[-2] and "2 -" in lines[-1] and max(map(len, lines)) <= 110


def test_plan_covers_every_group():
    for quick in (True, False):
        plan = cases.reads(quick) + cases.steps(quick) + cases.sequences(quick) + cases.training(quick)
        assert {one["group"] for one in plan} == set(cases.GROUPS) - {"cells"}
        assert all("target" in one for one in plan)

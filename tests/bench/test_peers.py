"""The comparison's pure functions: rows, medians, targets, the tables, the plan, the choice of OpenBLAS's kernels."""
import pathlib
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
pytest.importorskip("numpy")
import blas_core  # noqa: E402
import peers as _package  # noqa: E402, F401
from peers import cases, claims, known, reckon  # noqa: E402

CEILINGS = {"flops": 50.0, "read": [[1 << 20, 60.0], [1 << 24, 20.0]]}


def made(group="blas", ours=(10.0, 12.0, 11.0), claim="blas f32", **shape):
    one = cases.case(group, "torch", target=2, claim=claim, **shape)
    return reckon.row(one, list(ours), {"slow": [50.0, 60.0, 70.0], "good": [33.0, 30.0, 90.0]}, CEILINGS)


def full(quick=False):
    return cases.plan(types.SimpleNamespace(quick=quick, only=list(cases.GROUPS), against=None))


def test_medians_count_and_the_best_form():
    row = made(length=8192)
    assert (row["ours_ns"], row["peer_ns"], row["ratio"], row["peer"]) == (11.0, 33.0, 3.0, "good")
    assert row["forms"] == {"slow": 60.0, "good": 33.0}


def test_least_samples_are_of_any_form():
    assert made(length=8192)["least_ratio"] == 3.0
    rows = [made(length=8192), made(length=32768, ours=[30.0] * 3)]
    assert claims.judged({"peers": rows[:1], "memory": []})[0]["least"] == "3.00x"
    assert claims.judged({"peers": rows, "memory": []})[0]["least"] == "1.00x to 3.00x, 1 of 2"


def test_a_rival_on_more_threads_is_only_shown():
    forms = {"Zen, 1 thread": [30.0], "Zen, 2 threads": [20.0]}
    one = cases.case("blas", "blas", length=8192)
    assert reckon.row(one, [10.0], forms, CEILINGS)["peer"] == "Zen, 1 thread"
    assert reckon.row({**one, "threads": 2}, [10.0], forms, CEILINGS)["peer"] == "Zen, 2 threads"


def test_spread_is_relative():
    assert reckon.spread([1.0, 9.0, 10.0, 11.0, 30.0]) == pytest.approx(0.1)


def test_fractions_are_of_the_next_ceiling_and_own_bytes():
    row = made(ours=[1e6] * 5, length=8192, tape="bf16")
    assert row["ours_of_read_ceiling"] == pytest.approx(8192 * 512 * 2 / 1e6 / 20)
    row = made("cells", ours=[1e3] * 5, cell="gru", wiring="none", streams=8, threads=2)
    assert row["ours_of_flops"] == pytest.approx(3 * 4 * 512 * 512 * 8 / 1e3 / 100)
    assert row["peer_of_weights"] == pytest.approx(3 * 4 * 512 * 512 / 33 / (2 * 60))


def test_target_is_lower_where_the_peer_is_near_the_machine():
    row = {**made("cells", wiring="none"), "peer_of_weights": 0.1}
    assert reckon.wanted({**row, "peer_of_flops": 0.7}) == 1.05
    assert reckon.wanted({**row, "peer_of_flops": 0.5}) == 2
    assert reckon.wanted({**row, "peer_of_flops": 0.5, "peer_of_weights": 0.7}) == 1.05
    assert reckon.wanted({**row, "group": "training", "peer_of_flops": 0.7}) == 1.0


def test_a_peer_that_ought_to_be_faster_is_told_of():
    one = cases.case("sequence", "torch", hidden=256, streams=8, length=2048, threads=2)
    expected = 1.26e9 * max(30 / 20, 225 / 50)
    assert known.expected_ns(one, 16 << 20, 20.0, 50.0) == pytest.approx(expected)
    weak = [reckon.row(one, [1e8], {"loop": [factor * expected]}, CEILINGS)["weak"] for factor in (1.1, 1.3)]
    assert weak == [False, True]
    assert known.expected_ns({**one, "length": 100}, 16 << 20, 20.0, 50.0) is None


def test_table_marks_what_reaches_its_target():
    lines = reckon.table([made(length=8192), made(length=8192, ours=[30.0] * 3)], cases.GROUPS).splitlines()
    assert "2 +" in lines[-2] and "2 -" in lines[-1] and max(map(len, lines)) <= 120


def test_claims_are_judged_by_their_worst_row():
    figures = {"peers": [made(length=8192), made(length=32768, ours=[30.0] * 3)],
               "memory": [{"cell": "gru", "floats": 17.0, "limit": 16}]}
    first, second = claims.judged(figures)
    assert (first["claim"], first["measured"], first["reached"]) == ("blas f32", "1.10x to 3.00x", False)
    assert first["held"].startswith("1 of 2; 1.10x at f32, 1 x 32,768")
    assert (second["measured"], second["target"], second["held"]) == ("17.0", "≤ 16", "no")
    assert claims.markdown([first]).splitlines()[2].count("|") == 7


def test_plan_covers_every_group_and_every_claim():
    plan = full()
    assert {one["group"] for one in plan} == set(cases.GROUPS) - {"additive", "text", "drift"}
    counted = {"additive", "autograd memory", "memory rnn", "memory gru", "memory lstm"}
    assert {one["claim"] for one in plan if one["claim"]} | counted == set(claims.CLAIMS)
    assert all((one["claim"] is None) == (one["target"] is None) for one in plan)


def test_quick_judges_no_shape_that_the_targets_are_not_stated_at():
    judged = [one for one in full() if one["claim"]]
    for one in full(True):
        assert one["claim"] is None or one in judged


def test_kernels_of_openblas():
    cores = [{"setting": None, "core": "Prescott", "read_ns": 40, "product_ns": 50},
             {"setting": "SkylakeX", "core": "SkylakeX", "read_ns": 11, "product_ns": 10},
             {"setting": "Haswell", "core": "Haswell", "read_ns": 10, "product_ns": 30},
             {"setting": "Zen", "core": "Haswell", "read_ns": 10, "product_ns": 31}]
    ranked = blas_core.choose(cores)
    assert [found["core"] for found in ranked] == ["SkylakeX", "Haswell", "Prescott"]
    assert [found["core"] for found in blas_core.near(ranked, "read")] == ["SkylakeX", "Haswell"]
    assert [found["core"] for found in blas_core.near(ranked, "product")] == ["SkylakeX"]

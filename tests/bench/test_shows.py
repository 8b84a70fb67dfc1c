"""What the shows ask and count, without the library: sequences and their answers, the n-gram model, the data's reader."""

import itertools
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
import classify  # noqa: E402
import gradient  # noqa: E402
import language  # noqa: E402
import ngram  # noqa: E402
import recall  # noqa: E402
import show  # noqa: E402


def test_pairs_ask_for_what_was_shown():
    x, labels, lengths = recall.pairs(np.random.default_rng(1), [0, 5, 64])
    assert lengths == [5, 10, 69] and x.shape[:2] == (69, 3)
    for b, length in enumerate(lengths):
        shown = [np.flatnonzero(row) for row in x[:length, b]]
        keys = {int(key): int(value) - recall.KEYS for key, value in shown[:4]}
        assert len(keys) == 4 and keys[int(shown[-1][0])] == labels[b]
        assert all(len(row) == 1 and row[0] >= recall.KEYS + recall.VALUES for row in shown[4:-1])
        assert (x[length:, b] == 0).all()


def test_repeat_asks_for_the_order():
    x, labels, lengths = recall.repeat(np.random.default_rng(1), [0, 7])
    for b, length in enumerate(lengths):
        assert (x[:4, b].argmax(1) == labels[length - 4:length, b]).all()
        assert (labels[:length - 4, b] == -1).all() and (labels[length:, b] == -1).all()
        assert (x[length - 4:length, b, -1] > 0).all()


def test_lengths_of_training():
    lengths = np.concatenate([recall.some_lengths(np.random.default_rng(seed)) for seed in range(300)])
    assert lengths.min() == 0 and lengths.max() == recall.LONGEST


@pytest.mark.parametrize("order", [1, 2, 4])
def test_ngram_probabilities_sum_to_one(order):
    """Over every symbol that may follow a context, seen or not."""
    training = np.random.default_rng(2).integers(0, 3, 60)
    for context in itertools.product(range(4), repeat=order - 1):
        total = 0.0
        for follower in range(4):
            text, probability = np.array([*context, follower]), np.full(order, 1 / 4)
            for length in range(order):
                probability = ngram.Counts(training, 4, length).refine(text, probability)
            total += probability[-1]
        assert total == pytest.approx(1.0)


def test_ngram_learns_what_repeats():
    text = np.tile([0, 1, 2, 1], 100)
    assert ngram.nats(text, text, 3, 4) < 0.1 < 0.9 < ngram.nats(text, text, 3, 1)


@pytest.mark.parametrize("held, begins", [(b"nd.\nA new line, long enough.\n", b"A new line, long eno"), (b"one line alone, of this length", b"one line alone, of t")])
def test_samples_go_on_from_a_whole_line(held, begins):
    text, symbols = language.encode(held)
    assert bytes(symbols[language.prompt_of(text, symbols)].tolist()) == begins


def test_the_page_of_samples_has_the_best_first():
    runs = [{"model": ["rnn", "none", ""], "nats": nats, "sample": sample} for nats, sample in ((2, "bad"), (1, "good"), (0, ""))]
    page = language.samples(runs)
    assert page.count("----") == 4 and page.index("good") < page.index("bad")


def test_series_of_any_length():
    series, classes = classify.read("@relation x\n@data\n1,2,3:4,5,6:2\n7,8:9,1:1\n")
    assert [one.tolist() for one in series] == [[[1, 4], [2, 5], [3, 6]], [[7, 9], [8, 1]]] and classes.tolist() == [1, 0]
    x, lengths = classify.pad(series)
    assert lengths == [3, 2] and x.shape == (3, 2, 2) and (x[2, 1] == 0).all()


@pytest.mark.parametrize("constant, linear, square", [(0, 2e-5, 1e-7), (1e-3, 2e-5, 1e-7), (0, 3e-5, 0), (0, 0, 1e-8)])
def test_growth_is_told_apart(constant, linear, square):
    """Terms are found again, and those that are not there are 0, never below."""
    steps = np.array(gradient.LENGTHS, float)
    fitted = gradient.fit(steps, constant + linear * steps + square * steps ** 2)
    assert list(fitted.values()) == pytest.approx([constant, linear, square], rel=1e-6, abs=1e-12)
    noisy = gradient.fit(steps, (linear * steps + square * steps ** 2) * np.random.default_rng(1).uniform(0.9, 1.1, len(steps)))
    assert min(noisy.values()) >= 0
    assert (gradient.takes_over(fitted) is None) == (square == 0)


def test_what_is_left_follows_from_what_is_done(capsys):
    now = [0]
    progress = show.Progress(4, clock=lambda: now[0])
    assert progress.left() is None
    now[0] = 600
    progress.show("one", 0.75, "at work")
    progress.show("other", 0.25, "at work")
    assert progress.left() == pytest.approx(1800)
    progress.show("one", None, "well")
    progress.show("third", 0.0, "at work")
    assert progress.left() == pytest.approx(600 * 2.75 / 1.25)
    for name in ("other", "third", "last"):
        progress.show(name, None, "well")
    assert progress.left() == 0
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "10 min  1/4  22 min left  one: well" and said[-1] == "10 min  4/4  last: well"


@pytest.mark.parametrize("seconds, said", [(0, "0 s"), (89.4, "89 s"), (90, "2 min"), (5369, "89 min"), (5400, "1 h 30 min"), (86399, "24 h 00 min")])
def test_spans_of_time(seconds, said):
    assert show.span(seconds) == said


INTERRUPTED = """
import argparse, sys, time
sys.path.insert(0, {bench!r})
import show

def work(plan):
    time.sleep(60 * plan["slow"])
    return {{"says": "well"}}

def main(_):
    plans = [{{"slow": slow}} for slow in {slow}]
    print(show.run(work, plans, argparse.Namespace(jobs=2), str))

if __name__ == "__main__":
    show.start(main)
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_reports_what_was_done(tmp_path, sent):
    (tmp_path / "slow.py").write_text(INTERRUPTED.format(bench=str(BENCH), slow=[1, 0, 1]))
    program = subprocess.Popen([sys.executable, tmp_path / "slow.py"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(sent, signal.SIG_DFL)) # which a background job does not inherit
    assert "1/3" in program.stderr.readline()
    program.send_signal(sent)
    printed, said = program.communicate(timeout=30)
    assert program.returncode == 0 and "1 of 3 runs are reported" in said
    assert printed.count("slow") == 1 and "'says': 'well'" in printed

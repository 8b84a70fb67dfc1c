"""arnn_attend and arnn_attend_merge against the same in double."""
import numpy as np
import pytest

import bounds
import cases
import library
import oracle
from check import double, excess

WIDTHS = (1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 130, 257, 512)
COUNTS = (0, 1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 65, 127, 129, 511, 512, 513, 1025)


def expected(queries, tapes, scale):
    """A reading and its bounds for each query: summary, weights, logsumexp."""
    for q, rows in zip(double(queries), map(double, tapes)):
        e = scale * rows @ q
        weights, logsumexp = oracle.softmax(e[None])
        reading = oracle.Reading(weights @ rows, None, weights, None, logsumexp)
        d = bounds.rounding(len(q) + 1, scale ** 2 * rows ** 2 @ q ** 2)[None]
        d = d + 2 * bounds.U * (np.abs(e) + np.max(np.abs(e), initial=0))
        zero = np.zeros((1, 1))
        slack = bounds.softmax(np.concatenate([d, zero], axis=1), np.concatenate([weights, zero], axis=1),
                               np.concatenate([rows, np.zeros((1, len(q)))]), None, reading)
        yield reading, slack


def agrees(queries, tapes, scale=1.0, **options):
    contexts, logsumexp, weights = library.attend(queries, tapes, scale, **options)
    for index, (reading, slack) in enumerate(expected(queries, tapes, float(np.float32(scale)))):
        where = f"query {index} of {len(tapes)}, rows {tapes[index].shape}, scale {scale}"
        assert excess(double(contexts[index]), reading.summary[0], slack[0][0]) <= 1, where
        assert excess(double(logsumexp[index]), reading.logsumexp[0], slack[4][0]) <= 1, where
        count = len(tapes[index])
        assert excess(double(weights[index, :count]), reading.weights[0], slack[2][0]) <= 1, where
        assert count == 0 or abs(np.sum(double(weights[index, :count])) - 1) < 1e-5, where
    return contexts, logsumexp, weights


def normal(random, *shape):
    return random.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scale", [1.0, -0.3])
def test_all_counts(width, scale):
    """One batch of tapes from no row to some pages, with scores of order one."""
    random = cases.generator("attend", width, scale)
    tapes = [normal(random, count, width) for count in COUNTS]
    queries = normal(random, len(tapes), width) / np.float32(np.sqrt(width))
    agrees(queries, tapes, scale)


@pytest.mark.parametrize("width", [17, 64])
def test_a_very_long_tape(width):
    random = cases.generator("attend long", width)
    agrees(normal(random, 1, width) / np.float32(np.sqrt(width)), [normal(random, 100_003, width)])


@pytest.mark.parametrize("width", [1, 3, 16, 17, 33, 130])
@pytest.mark.parametrize("offset", [1, 2, 3])
def test_odd_addresses_and_rows_that_lie_apart(width, offset, exact):
    """No alignment is asked for; what lies between the rows (NaN) is not read."""
    random = cases.generator("apart", width, offset)
    tapes = []
    for gap in (0, 1, 5):
        whole = np.full(offset + 40 * (width + gap), np.nan, dtype=np.float32)[offset:]
        tapes.append(whole.reshape(40, width + gap)[:, :width])
        tapes[-1][...] = normal(random, 40, width)
    queries = np.zeros(offset + 3 * width, dtype=np.float32)[offset:].reshape(3, width)
    queries[...] = normal(random, 3, width)
    found = agrees(queries, tapes)
    dense = library.attend(queries.copy(), [np.ascontiguousarray(tape) for tape in tapes])
    assert not exact or all(np.array_equal(*pair) for pair in zip(found, dense))


@pytest.mark.parametrize("size", [1e2, 1e4])
@pytest.mark.parametrize("width", [1, 17, 64])
def test_huge_scores(size, width):
    """Scores of both signs up to +-size; the greatest first, in the middle, last."""
    random = cases.generator("huge", size, width)
    tapes = [normal(random, 100, width) for _ in range(4)]
    queries = normal(random, 4, width)
    for index, place in enumerate((0, 50, 99)):
        tapes[index][place] = 4 * queries[index]
    agrees(queries, tapes, size / width)


def test_all_scores_very_negative_or_very_positive():
    """exp of the scores themselves would be nothing, or infinity, everywhere."""
    random = cases.generator("negative")
    for sign in (-1, 1):
        rows = np.abs(normal(random, 70, 17)) * np.float32(0.01) + np.float32(1)
        agrees(np.full((1, 17), sign, dtype=np.float32), [rows], 600.0)


@pytest.mark.parametrize("count", [1, 2, 17, 64, 1000])
@pytest.mark.parametrize("score", [0.0, 1e4, -1e4])
def test_equal_scores_weigh_equally(count, score):
    random = cases.generator("equal", count, score)
    rows = normal(random, count, 17)
    rows[:, 0] = 1
    query = np.zeros((1, 17), dtype=np.float32)
    query[0, 0] = score
    contexts, logsumexp, weights = library.attend(query, [rows])
    assert np.all(weights[0] == weights[0, 0]) and weights[0, 0] == pytest.approx(1 / count, rel=1e-6)
    assert contexts[0] == pytest.approx(double(rows).mean(axis=0), rel=1e-5, abs=1e-6)
    assert logsumexp[0] == pytest.approx(score + np.log(count), rel=1e-6)


def test_denormals_and_tiny_weights():
    """Rows of denormal numbers; and scores that lie so far apart that weights are denormal or nothing."""
    random = cases.generator("denormal")
    agrees(normal(random, 1, 17), [normal(random, 50, 17) * np.float32(1e-40)])
    rows = np.zeros((120, 3), dtype=np.float32)
    rows[:, 0] = -np.arange(120)
    rows[:, 1] = 1
    agrees(np.array([[1, 0, 0]], dtype=np.float32), [rows])


def test_no_rows_and_no_queries():
    contexts, logsumexp, weights = library.attend(np.ones((2, 5), dtype=np.float32), [np.zeros((0, 5), np.float32)] * 2)
    assert not np.any(contexts) and np.all(logsumexp == -np.inf)
    library.attend(np.ones((0, 5), dtype=np.float32), [])


def test_only_what_is_wanted_is_written():
    random = cases.generator("wanted")
    queries, tapes = normal(random, 3, 17), [normal(random, count, 17) for count in (5, 0, 40)]
    contexts, logsumexp, weights = library.attend(queries, tapes, weight_stride=50)
    for want in ((), ("logsumexp",), ("weights",)):
        found = library.attend(queries, tapes, want=want)
        assert np.array_equal(found[0], contexts)
        assert found[1] is None or np.array_equal(found[1], logsumexp)
        assert found[2] is None or np.array_equal(found[2][2], weights[2, :40])
    with pytest.raises(library.ArnnError, match="ARNN_SHAPE"):
        library.attend(queries, tapes, weight_stride=39)


def test_company_does_not_matter(exact):
    random = cases.generator("attend company")
    counts = random.integers(0, 700, size=9)
    queries, tapes = normal(random, 9, 33), [normal(random, int(count), 33) for count in counts]
    together = library.attend(queries, tapes)
    for index in range(9):
        single = library.attend(queries[index:index + 1], tapes[index:index + 1])
        assert not exact or (np.array_equal(single[0][0], together[0][index]) and single[1][0] == together[1][index])


def test_contexts_may_be_the_queries():
    random = cases.generator("attend in place")
    queries, tapes = normal(random, 5, 33), [normal(random, count, 33) for count in (0, 1, 40, 600, 17)]
    contexts, logsumexp, weights = library.attend(queries, tapes)
    found = library.attend(queries, tapes, in_place=True)
    assert found[0] is queries and np.array_equal(queries, contexts)
    assert np.array_equal(found[1], logsumexp) and np.array_equal(found[2], weights)


def test_nan_stays_with_its_query():
    random = cases.generator("attend nan")
    queries, tapes = normal(random, 3, 17), [normal(random, 20, 17) for _ in range(3)]
    before = library.attend(queries, tapes)
    tapes[1][7, 3] = np.nan
    after = library.attend(queries, tapes)
    for index in (0, 2):
        assert all(np.array_equal(first[index], second[index]) for first, second in zip(before, after))
    assert np.all(np.isnan(after[0][1])) and np.isnan(after[1][1])


@pytest.mark.parametrize("width", [1, 17, 64, 130])
@pytest.mark.parametrize("pieces", [2, 3, 10])
def test_splits_merge_to_the_whole(width, pieces):
    """Rows cut at random places, empties among them, merged in order and in reverse."""
    random = cases.generator("merge", width, pieces)
    rows, queries = normal(random, 500, width), normal(random, 4, width)
    cuts = np.sort(np.concatenate([[0, 500], random.integers(0, 501, size=pieces - 1)]))
    cuts[1] = cuts[0] if pieces == 10 else cuts[1]
    parts = [library.attend(queries, [rows[start:end]] * 4)[:2] for start, end in zip(cuts[:-1], cuts[1:])]
    (reading, slack), *_ = expected(queries[:1], [rows], 1.0)
    for order in (parts, parts[::-1]):
        contexts, logsumexp = (values.copy() for values in order[0])
        for part in order[1:]:
            library.merge(contexts, logsumexp, *part)
        for index, (reading, slack) in enumerate(expected(queries, [rows] * 4, 1.0)):
            assert excess(double(contexts[index]), reading.summary[0], 2 * slack[0][0]) <= 1
            assert excess(double(logsumexp[index]), reading.logsumexp[0], 2 * slack[4][0]) <= 1


def test_merging_empties():
    """Two empties give an empty; one with something gives that, to the last bit, from either side."""
    random = cases.generator("empties")
    some = library.attend(normal(random, 2, 5), [normal(random, 9, 5)] * 2)[:2]
    nothing = library.attend(normal(random, 2, 5), [normal(random, 0, 5)] * 2)[:2]
    for first, second, result in ((nothing, nothing, nothing), (some, nothing, some), (nothing, some, some)):
        contexts, logsumexp = (values.copy() for values in first)
        library.merge(contexts, logsumexp, *second)
        assert np.array_equal(contexts, result[0]) and np.array_equal(logsumexp, result[1])


def test_merging_far_apart():
    """logsumexps of +-1e4: the smaller side has no weight, and nothing overflows."""
    first, second = np.ones((2, 3), np.float32), np.full((2, 3), 2, np.float32)
    logsumexp = np.array([1e4, -1e4], np.float32)
    library.merge(first, logsumexp, second, -logsumexp)
    assert np.array_equal(first, [[1] * 3, [2] * 3]) and np.array_equal(logsumexp, [1e4, 1e4])

"""arnn_model_init: the same from the same seed, orthogonal where it says so, random numbers as they are described."""
import hashlib

import numpy as np
import pytest

import library
import oracle
from check import double
from oracle import Description

DIGESTS = {  # of seed 1
    "weight_ih_l0": "cb7157304a4c02f8",
    "bias_hh_l0": "47366f74e7e35ffb",
    "embed.weight": "7cb7fbeb3338de57",
    "readout.weight": "5bf7b7f81f976bef",
}

FULL = Description(cell="lstm", score="additive", recency=1, inputs=20, hidden=24, layers=2, vocab=50, outputs=7,
                   source="hs")


def initial(description, seed=1):
    model = library.Model(description).init(seed)
    return {name: model.read(name) for name in model.shapes()}


def test_the_same_seed_gives_the_same_model_and_another_another():
    first, again, other = initial(FULL), initial(FULL), initial(FULL, 2)
    for name, values in first.items():
        assert np.array_equal(values, again[name])
        assert name.startswith("attn_recency") or not np.any(values == other[name]), name
    for name in first:
        if name.endswith("l0") and not name.startswith("attn_recency"):
            upper = first[name[:-1] + "1"]
            assert not np.any(first[name].flat[:20] == upper.flat[:20]), f"{name} is alike in both layers"


def test_it_replaces_what_was_there():
    model = library.Model(FULL)
    for name, shape in model.shapes().items():
        model.write(name, np.full(shape, 9))
    model.init(1)
    for name, values in initial(FULL).items():
        assert np.array_equal(model.read(name), values)


def test_random_numbers_are_the_same_on_every_machine():
    """SHA-256 of uniform and normal numbers, little-endian, as they have been since the first version."""
    values = initial(Description(inputs=33, hidden=40, vocab=100, outputs=9), 1)
    digest = lambda name: hashlib.sha256(values[name].astype("<f4").tobytes()).hexdigest()[:16]
    assert {name: digest(name) for name in DIGESTS} == DIGESTS


def uniform(values, limit):
    """Within the limits, filling them, with mean 0, variance limit^2 / 3 and evenly spread (five standard errors)."""
    values, count = double(values).ravel(), values.size
    assert np.max(np.abs(values)) <= limit and np.max(np.abs(values)) > limit * (1 - 20 / count)
    assert abs(values.mean()) < 5 * limit / np.sqrt(3 * count)
    assert abs(np.mean(values ** 2) * 3 / limit ** 2 - 1) < 5 * np.sqrt(0.8 / count)
    ranks = (np.sort(values) / limit + 1) / 2
    assert np.max(np.abs(ranks - (np.arange(count) + 0.5) / count)) < 2 / np.sqrt(count)


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("n", [1, 17, 64, 130])
def test_uniform_parameters(cell, n):
    description = Description(cell=cell, score="additive", inputs=130, hidden=n, align=64, outputs=100, source="hs")
    values = initial(description)
    uniform(values["weight_ih_l0"], 1 / np.sqrt(n))
    if n > 1:
        uniform(values["bias_ih_l0"], 1 / np.sqrt(n))
        uniform(values["bias_hh_l0"], 1 / np.sqrt(n))
    uniform(values["readout.weight"], 1 / np.sqrt(2 * n))
    uniform(values["readout.bias"], 1 / np.sqrt(2 * n))
    uniform(values["attn_score_l0"], 1 / 8)
    assert np.max(np.abs(values["attn_score_l0"])) > 0.1


def test_the_embedding_is_standard_normal():
    values = double(initial(Description(inputs=100, hidden=3, vocab=300))["embed.weight"]).ravel()
    count = values.size
    assert abs(values.mean()) < 5 / np.sqrt(count)
    assert abs(values.var() - 1) < 5 * np.sqrt(2 / count)
    assert abs(np.mean(values ** 3)) < 5 * np.sqrt(15 / count)
    assert abs(np.mean(values ** 4) - 3) < 5 * np.sqrt(96 / count)
    assert 3.5 < np.max(np.abs(values)) < 7
    assert abs(np.mean(values[1:] * values[:-1])) < 5 / np.sqrt(count)


def orthogonal(values):
    """Rows orthonormal, or columns where there are more rows."""
    values = double(values)
    gram = values @ values.T if len(values) <= values.shape[1] else values.T @ values
    assert np.allclose(gram, np.eye(len(gram)), rtol=0, atol=2e-6)


@pytest.mark.parametrize("cell", oracle.GATES)
@pytest.mark.parametrize("n", [1, 3, 17, 130])
def test_weight_hh_is_an_orthogonal_matrix_per_gate(cell, n):
    values = initial(Description(cell=cell, inputs=3, hidden=n, layers=2))
    gates = [gate for layer in (0, 1) for gate in np.split(values[f"weight_hh_l{layer}"], oracle.GATES[cell])]
    for gate in gates:
        orthogonal(gate)
    if n > 1:
        assert not any(np.allclose(first, second) for first in gates for second in gates if first is not second)


def test_orthogonal_matrices_have_no_direction_of_their_own():
    """Over seeds every element has mean 0 and variance 1/n, and both signs of the determinant occur."""
    seeds, n = 400, 6
    found = np.stack([double(initial(Description(inputs=1, hidden=n), seed)["weight_hh_l0"]) for seed in range(seeds)])
    assert np.max(np.abs(found.mean(axis=0))) < 5 / np.sqrt(n * seeds)
    assert np.max(np.abs(np.mean(found ** 2, axis=0) * n - 1)) < 5 * np.sqrt(2 / seeds)
    assert 0.35 < np.mean(np.linalg.det(found) > 0) < 0.65
    assert abs(np.mean(np.trace(found, axis1=1, axis2=2))) < 5 / np.sqrt(seeds)


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("n, k, d", [(17, 0, 3), (17, 5, 3), (17, 40, 64), (1, 0, 1)])
def test_spread(wiring, n, k, d):
    """Independent orthogonal matrices."""
    description = Description(wiring=wiring, inputs=d, hidden=n, align=k)
    for score in ("dot", "additive"):
        values = initial(description.but(score=score))
        orthogonal(values["attn_key_l0"])
        orthogonal(values["attn_query_l0"])
        own = values["attn_query_l0"][:, -n:]
        assert n == 1 or not np.allclose(own, values["attn_key_l0"], atol=0.05)
    orthogonal(initial(description.but(score="general"))["attn_general_l0"])


@pytest.mark.parametrize("wiring", oracle.ATTENDING)
@pytest.mark.parametrize("n, k, d", [(17, 0, 3), (17, 5, 3), (17, 40, 64)])
def test_newest(wiring, n, k, d):
    """W_Q is W_K on what is made of states; general is the identity there."""
    description = Description(wiring=wiring, attention_start="newest", inputs=d, hidden=n, align=k)
    for score in ("dot", "additive"):
        values = initial(description.but(score=score))
        orthogonal(values["attn_key_l0"])
        assert np.array_equal(values["attn_query_l0"][:, -n:], values["attn_key_l0"])
    general = initial(description.but(score="general"))["attn_general_l0"]
    assert np.array_equal(general[:, -n:], np.eye(n))


def test_newest_lets_the_newest_row_win():
    """In `after` the newest row's weight is near one, with spread it is not."""
    weights = {}
    for start in ("newest", "spread"):
        description = Description(attention_start=start, inputs=64, hidden=128)
        model = library.Model(description).init(3)
        state = library.State(model, library.Cache(model), 1)
        x = np.random.default_rng(1).normal(size=(20, 1, 64))
        state.forward(x)
        weights[start] = state.weights(0, 0, 20)[0][-1]
    assert weights["newest"] > 0.95 and weights["spread"] < 0.8


def test_recency_starts_where_it_is_told():
    for start in (0.1, 2.0, -0.5):
        description = FULL.but(recency_start=float(np.float32(start)))
        values = initial(description)
        assert values["attn_recency_l0"] == values["attn_recency_l1"] == np.float32(start)


def test_a_description_comes_back():
    other = Description(wiring="before", cell="gru", score="general", window=7, sinks=2, start_row="zero", skip=1,
                        attention_start="newest", layers=3, scale=0.25, recency_start=0.5)
    for description in (FULL, Description(), other):
        assert library.Model(description).describe() == description.but(align=description.align or description.hidden)


def test_busy_while_a_state_rests_on_it():
    model = library.Model(Description(inputs=3, hidden=4))
    cache = library.Cache(model)
    state = library.State(model, cache, 1)
    for change in (lambda: model.init(1), lambda: model.write("bias_ih_l0", np.zeros(4))):
        with pytest.raises(library.ArnnError, match="ARNN_BUSY"):
            change()
    state.close()
    model.init(1)

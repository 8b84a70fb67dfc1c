"""What LAPACK says of a model, against NumPy: spectral radii, Lyapunov exponents, a readout in closed form; sampling."""
import dataclasses

import numpy as np
import pytest
from library import ArnnError, Model, call, ffi, floats, lib
from oracle import Description

GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}


def description(cell, **changes):
    return dataclasses.replace(Description(cell=cell, wiring="none", inputs=3, hidden=5), **changes)


def doubles(count):
    values = np.full(count, 777.0)
    return values, ffi.cast("double *", values.ctypes.data)


@pytest.mark.parametrize("cell", GATES)
def test_spectral_radius(cell):
    model = Model(description(cell, layers=2)).init(1)
    generator = np.random.default_rng(1)
    for layer in range(2):
        weights = generator.normal(size=(GATES[cell] * 5, 5)).astype(np.float32)
        model.write(f"weight_hh_l{layer}", weights)
        radii, pointer = doubles(GATES[cell])
        call("arnn_model_spectral_radius", model.handle, pointer, layer)
        expected = [np.abs(np.linalg.eigvals(block.astype(float))).max() for block in weights.reshape(-1, 5, 5)]
        assert radii == pytest.approx(expected, rel=1e-12)


def test_spectral_radius_of_orthogonal_start():
    model = Model(description("gru", hidden=24)).init(3)
    radii, pointer = doubles(3)
    call("arnn_model_spectral_radius", model.handle, pointer, 0)
    assert radii == pytest.approx(1.0, abs=1e-6)


# ---- Lyapunov exponents ----------------------------------------------------------------------------------------------

def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell_step(cell, n, input_part, recurrent_part, h, m):
    """The cell in complex numbers: a step's derivative by the complex-step method is exact."""
    i, r = input_part.reshape(-1, n), recurrent_part.reshape(-1, n)
    if cell == "rnn_tanh":
        return np.tanh(i[0] + r[0]), m
    if cell == "rnn_relu":
        return np.where((i[0] + r[0]).real > 0, i[0] + r[0], 0), m
    if cell == "gru":
        reset, update = sigmoid(i[0] + r[0]), sigmoid(i[1] + r[1])
        new = np.tanh(i[2] + reset * r[2])
        return (1 - update) * new + update * h, m
    m = sigmoid(i[1] + r[1]) * m + sigmoid(i[0] + r[0]) * np.tanh(i[2] + r[2])
    return sigmoid(i[3] + r[3]) * np.tanh(m), m


def model_step(d, parameters, state, x):
    """state: h and m of every layer, one after another."""
    n, each, out, below = d.hidden, d.hidden * (2 if d.cell == "lstm" else 1), [], x
    for layer in range(d.layers):
        own = state[layer * each:(layer + 1) * each]
        read = np.concatenate([below, x]) if d.skip and layer else below
        parts = [parameters[f"weight_{side}_l{layer}"] @ values + parameters[f"bias_{side}_l{layer}"]
                 for side, values in (("ih", read), ("hh", own[:n]))]
        below, m = cell_step(d.cell, n, *parts, own[:n], own[n:])
        out += [below, m]
    return np.concatenate(out)


def lyapunov(d, parameters, xs, skip):
    """All exponents, with the full Jacobian of every step."""
    width = d.layers * d.hidden * (2 if d.cell == "lstm" else 1)
    state, q, sums = np.zeros(width), np.linalg.qr(np.random.default_rng(9).normal(size=(width, width)))[0], np.zeros(width)
    for t, x in enumerate(xs):
        columns = [model_step(d, parameters, state + 1e-30j * unit, x).imag / 1e-30 for unit in np.eye(width)]
        state = model_step(d, parameters, state, x).real
        q, r = np.linalg.qr(np.stack(columns, 1) @ q)
        if t >= skip:
            sums += np.log(np.abs(np.diag(r)))
    return np.sort(sums / (len(xs) - skip))[::-1]


def exponents(model, count, xs, skip, seed=1, tokens=None):
    values, pointer = doubles(count)
    given = {"tokens": ffi.cast("int32_t *", tokens.ctypes.data)} if tokens is not None else {"x": floats(xs)}
    source = ffi.new("arnn_input *", {"struct_size": ffi.sizeof("arnn_input"), **given})
    call("arnn_model_lyapunov", model.handle, pointer, count, source, len(xs), skip, seed)
    return values


@pytest.mark.parametrize("cell", GATES)
@pytest.mark.parametrize("layers, skip_connection", [(1, 0), (2, 0), (2, 1)])
def test_lyapunov(cell, layers, skip_connection):
    """Sums over the first k exponents converge at once, single ones as the directions turn into place: a long skip."""
    d = description(cell, layers=layers, skip=skip_connection, hidden=4)
    model = Model(d).init(4)
    generator = np.random.default_rng(5)
    for layer in range(layers):
        shape = model.shapes()[f"weight_hh_l{layer}"]
        model.write(f"weight_hh_l{layer}", 0.9 * generator.normal(size=shape))
    if cell == "rnn_relu":
        for layer in range(layers):  # no unit is ever off: all exponents are finite
            model.write(f"weight_hh_l{layer}", 0.2 * np.abs(generator.normal(size=(4, 4))))
            model.write(f"weight_ih_l{layer}", np.abs(model.read(f"weight_ih_l{layer}")))
            model.write(f"bias_ih_l{layer}", np.full(4, 9.0))
    xs = generator.normal(size=(500, 3)).astype(np.float32)
    parameters = {name: model.read(name).astype(float) for name in model.shapes()}
    expected = lyapunov(d, parameters, xs.astype(float), 250)
    assert exponents(model, len(expected), xs, 250) == pytest.approx(expected, abs=2e-2)
    assert exponents(model, len(expected), xs, 250).sum() == pytest.approx(expected.sum(), abs=1e-2 * len(expected))
    assert exponents(model, 1, xs, 250)[0] == pytest.approx(expected[0], abs=2e-2)


def test_lyapunov_of_a_linear_map():
    """At h = 0 the derivative of tanh is 1: the exponents are the logarithms of the eigenvalues' moduli."""
    model = Model(description("rnn_tanh", hidden=3))
    model.write("weight_hh_l0", np.diag([0.5, -0.9, 0.25]))
    expected = np.log([float(np.float32(0.9)), 0.5, 0.25])
    assert exponents(model, 3, np.zeros((400, 3), np.float32), 200) == pytest.approx(expected, abs=1e-9)


def test_lyapunov_reads_tokens():
    d = description("gru", vocab=7)
    model = Model(d).init(2)
    tokens = np.random.default_rng(3).integers(0, 7, 100).astype(np.int32)
    xs = model.read("embed.weight")[tokens]
    dense = Model(description("gru"))
    for name in dense.shapes():
        dense.write(name, model.read(name))
    # not the same bits: LAPACK's QR may round by where its matrices lie
    np.testing.assert_allclose(exponents(model, 4, xs, 10, tokens=tokens), exponents(dense, 4, xs, 10), rtol=0, atol=1e-6)


# ---- a readout in closed form ----------------------------------------------------------------------------------------

@pytest.mark.parametrize("rows, penalty", [(6, 0.0), (64, 1e-3), (65, 10.0), (500, 0.0), (3, 0.5)])
def test_fit_readout(rows, penalty):
    d = description("lstm", outputs=4)
    model = Model(d).init(1)
    generator = np.random.default_rng(rows)
    states, targets = (generator.normal(size=(rows, width)).astype(np.float32) for width in (5, 4))
    call("arnn_model_fit_readout", model.handle, floats(states), floats(targets), rows, penalty)
    x, y = np.concatenate([states, np.ones((rows, 1))], 1).astype(float), targets.astype(float)
    held = np.diag([penalty] * 5 + [0.0])
    solution = np.linalg.solve(x.T @ x + held, x.T @ y)
    assert model.read("readout.weight") == pytest.approx(solution[:5].T, rel=1e-4, abs=1e-5)
    assert model.read("readout.bias") == pytest.approx(solution[5], rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("rows, spoil", [(0, None), (4, None), (20, np.nan), (20, np.inf)])
def test_fit_readout_refuses(rows, spoil):
    """Too few rows without a penalty, or numbers that are none: an error, and the readout stays."""
    model = Model(description("gru", outputs=2)).init(1)
    states, targets = np.random.default_rng(1).normal(size=(rows, 5)).astype(np.float32), np.ones((rows, 2), np.float32)
    if spoil is not None:
        states[3, 2] = spoil
    before = model.read("readout.weight")
    with pytest.raises(ArnnError) as caught:
        call("arnn_model_fit_readout", model.handle, floats(states), floats(targets), rows, 0.0)
    assert caught.value.status == "ARNN_INVALID_ARGUMENT"
    assert (model.read("readout.weight") == before).all()


# ---- sampling --------------------------------------------------------------------------------------------------------

def sample(logits, temperature=1.0, top=0, seed=1, draw=0):
    logits = np.ascontiguousarray(logits, np.float32)
    tokens = np.full(len(logits), -1, np.int32)
    call("arnn_sample", ffi.cast("int32_t *", tokens.ctypes.data), floats(logits), *logits.shape, temperature, top, seed, draw)
    return tokens


@pytest.mark.parametrize("temperature, top", [(1.0, 0), (0.5, 0), (2.0, 3), (1.0, 1), (1.0, 99)])
def test_sample_frequencies(temperature, top):
    logits = np.array([0.5, -1.0, 2.0, 0.5, -3.0, 1.0, 0.5], np.float32)
    draws = 40_000
    found = np.bincount(sample(np.tile(logits, (draws, 1)), temperature, top), minlength=7) / draws
    kept = np.argsort(-logits, kind="stable")[:top or 7]
    expected = np.zeros(7)
    expected[kept] = np.exp(logits[kept] / temperature)
    expected /= expected.sum()
    assert (found[expected == 0] == 0).all()
    assert np.abs(found - expected).max() < 5 * np.sqrt(0.25 / draws)


def test_sample_is_decided_by_seed_draw_and_row():
    logits = np.tile(np.zeros(50, np.float32), (20, 1))
    first = sample(logits, seed=7, draw=3)
    assert (first == sample(logits, seed=7, draw=3)).all() and (first[:5] == sample(logits[:5], seed=7, draw=3)).all()
    assert (first != sample(logits, seed=8, draw=3)).any() and (first != sample(logits, seed=7, draw=4)).any()


def test_sample_cold_and_refused():
    logits = np.array([[1.0, 3.0, 3.0, 2.0], [-np.inf, -5.0, -np.inf, -7.0]], np.float32)
    assert list(sample(logits, temperature=0.0)) == [1, 1]
    assert set(sample(np.tile(logits[1], (100, 1)))) <= {1, 3}
    for bad in (np.nan, np.inf):
        with pytest.raises(ArnnError) as caught:
            sample([[0.0, 1.0], [bad, 0.0]])
        assert "row 1" in caught.value.sentence
    assert lib.arnn_sample(ffi.NULL, ffi.NULL, 0, 0, 1.0, 0, 0, 0) == lib.ARNN_OK

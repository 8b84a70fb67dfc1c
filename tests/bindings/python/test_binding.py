"""Everything of the header is bound; errors are one to one; arrays of any layout give the same numbers."""
import copy
import pathlib
import pickle
import re
import textwrap

import arnn
import header
import numpy as np
import pytest
from arnn import _base

SOURCES = pathlib.Path(arnn.__file__).parent


@pytest.fixture
def model():
    return arnn.Model(cell="lstm", wiring="beside", inputs=3, hidden=8, layers=2, outputs=2, seed=1)


@pytest.fixture
def x():
    return np.random.default_rng(1).standard_normal((20, 4, 3)).astype(np.float32)


def test_every_function_is_called():
    text = "".join(file.read_text() for file in SOURCES.glob("*.py"))
    called = set(re.findall(r"\blib\.(arnn_\w+)", text))
    for kind in re.findall(r'fill\("(\w+)"', text):
        called.add(f"arnn_{kind}_default")
    for kind in re.findall(r'_(?:own|adopt)\("(\w+)"', text):
        called |= {f"arnn_{kind}_create", f"arnn_{kind}_destroy"}
    assert set(header.functions()) - called == {"arnn_last_error"} - called


def test_exceptions_are_the_statuses():
    names = [name for name in header.constants() if name in
             re.search(r"ARNN_OK = 0,.*?\};", header.CODE, re.S)[0] and name != "ARNN_OK"]
    assert {arnn.constant(name) for name in names} == set(_base.ERRORS) and len(names) == len(_base.ERRORS)
    for name in names:
        class_name = "".join(part.title() for part in name.split("_")[1:]).removesuffix("Error") + "Error"
        assert _base.ERRORS[arnn.constant(name)].__name__ == class_name


@pytest.mark.parametrize("error, act", [
    (arnn.InvalidArgumentError, lambda m: arnn.Model(hidden=0)),
    (arnn.ShapeError, lambda m: m.state().step(np.zeros((1, 4)))),
    (arnn.UnsupportedError, lambda m: arnn.Model(wiring="none", window=3)),
    (arnn.NotFoundError, lambda m: m["nothing"]),
    (arnn.BusyError, lambda m: (m.state(), m.init(2))),
    (arnn.FullError, lambda m: m.state(max_bytes=0).step(np.zeros((1, 3)))),
    (arnn.IoError, lambda m: arnn.Model.load("/nowhere/model")),
    (arnn.FormatError, lambda m: arnn.Model.load(b"nothing")),
])
def test_errors(model, error, act):
    with pytest.raises(error) as raised:
        act(model)
    assert len(str(raised.value)) > 15 and isinstance(raised.value, arnn.ArnnError)


def test_shape_errors_name_the_argument(model):
    with pytest.raises(arnn.ShapeError, match=r"x has shape \(5, 1, 4\), expected \(5, 1, 3\)"):
        model.state().forward(np.zeros((5, 1, 4)))
    with pytest.raises(arnn.ShapeError, match=r"out y has shape \(5, 1, 3\), expected \(5, 1, 2\)"):
        model.state().forward(np.zeros((5, 1, 3)), out=np.zeros((5, 1, 3)))
    with pytest.raises(arnn.ShapeError, match=r"weight_hh_l0 has shape \(2,\), expected \(32, 8\)"):
        model["weight_hh_l0"] = [1, 2]
    with pytest.raises(arnn.InvalidArgumentError, match="expected one of 'gru', 'lstm'"):
        arnn.Model(cell="elman")


LAYOUTS = {"float64": lambda x: x.astype(np.float64), "float16 rounded": lambda x: x, "Fortran": np.asfortranarray,
           "stream-major": lambda x: np.ascontiguousarray(x.transpose(1, 0, 2)).transpose(1, 0, 2),
           "negative strides": lambda x: np.ascontiguousarray(x[::-1, ::-1, ::-1])[::-1, ::-1, ::-1],
           "gaps": lambda x: np.repeat(np.repeat(x, 2, 0), 2, 1)[::2, ::2], "big-endian": lambda x: x.astype(">f4"),
           "list": lambda x: x.tolist(), "unaligned": lambda x: np.frombuffer(b"1" + x.tobytes(), np.float32, offset=1).reshape(x.shape)}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_input_layouts(model, x, layout):
    expected = model.state(4).forward(x)
    assert np.array_equal(model.state(4).forward(LAYOUTS[layout](x)), expected)


def test_out_layouts(model, x):
    expected = model.state(4).forward(x)
    for make in (lambda: np.empty((20, 4, 2), np.float32), lambda: np.empty((20, 4, 2)),
                 lambda: np.empty((4, 20, 2), np.float32).transpose(1, 0, 2), lambda: np.empty((2, 4, 20), np.float32).T,
                 lambda: np.empty((20, 4, 2), np.float32)[::-1], lambda: np.empty((40, 4, 4), np.float32)[::2, :, ::2]):
        out = make()
        assert model.state(4).forward(x, out=out) is out and np.array_equal(out, expected)
    with pytest.raises(TypeError, match="expected floats"):
        model.state(4).forward(x, out=np.empty((20, 4, 2), int))
    read_only = np.zeros((20, 4, 2), np.float32)
    read_only.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        model.state(4).forward(x, out=read_only)
    with pytest.raises(TypeError, match="dtype complex128"):
        model.state(4).forward(x.astype(complex))


def test_steps_are_the_sequence(model, x):
    expected, attention = model.state(4).forward(x, want=("y", "map"))
    state, row = model.state(4), np.empty((4, 3), np.float32)
    stepper, y = state.stepper(row)
    for time in range(20):
        row[:] = x[time]
        stepper()
        assert np.array_equal(y, expected[time])
    assert np.array_equal(state.weights(0, 2)[0], attention[-1, 2])
    assert np.array_equal(model.state().forward(x[:, 2]), expected[:, 2])
    with pytest.raises(arnn.InvalidArgumentError, match="copied at every step"):
        state.stepper(row.astype(np.float64))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_step_is_the_same_by_every_way(model, x, layout):
    """The short way, of dense float32 and floats that are made so, and the general one, of everything else."""
    plain, general, alone = model.state(4), model.state(4), model.state()
    out, wide = np.empty((4, 2), np.float32), np.empty((4, 2))
    for rows in x[:3]:
        given = LAYOUTS[layout](rows[None])
        given = given[0] if isinstance(given, list) else np.squeeze(given, 0)
        expected = general.step(rows, want=("y", "h"))[0]
        assert np.array_equal(plain.step(given), expected)
        assert plain.step(given, out=out) is out and general.step(given, out=wide) is wide and np.array_equal(out, wide)
        assert np.array_equal(general.step(rows, range(4)), plain.step(given, want="y"))
        assert alone.step(given[1]).shape == (2,) and alone.step(given[1:2]).shape == (1, 2)


def test_lengths(model, x):
    out = np.full((20, 4, 2), 7, np.float32)
    state = model.state(4)
    state.forward(x, lengths=[20, 0, 3, 1], out=out)
    assert (out[3:, 2] == 7).all() and (out[:, 1] == 7).all() and [state.length(b) for b in range(4)] == [20, 0, 3, 1]
    for lengths in ([1, 2], [-1, 0, 0, 0], [0.5] * 4, [21, 0, 0, 0]):
        with pytest.raises((ValueError, TypeError)):
            state.forward(x, lengths=lengths)


def test_tokens():
    model = arnn.Model(vocab=10, hidden=6, inputs=4, seed=1)
    y = model.state().forward([1, 2, 9])
    assert np.array_equal(model.state().forward(np.array([[1], [2], [9]], np.uint8))[:, 0], y)
    for wrong, error in (([1.0], TypeError), ([10], arnn.InvalidArgumentError), ([2 ** 32], ValueError)):
        with pytest.raises(error):
            model.state().forward(wrong)


def test_pickles(model, x):
    other = pickle.loads(pickle.dumps(model))
    assert np.array_equal(other.state(4).forward(x), model.state(4).forward(x)) and other.description == model.description
    for handle in (model.state(), model.cache(), arnn.Trainer(model), arnn.Record(model)):
        with pytest.raises(TypeError, match="does not pickle"):
            pickle.dumps(handle)
        with pytest.raises(TypeError, match="does not pickle"):
            copy.copy(handle)


def test_gradients(model, x):
    """Against differences along a random direction."""
    record, flat = arnn.Record(model, streams=4, steps=20), np.zeros(model.parameter_floats, np.float32)
    y = record.forward(x)
    given = record.backward(y=np.ones_like(y), parameters=flat, want=("x", "s"))
    way = np.random.default_rng(2).standard_normal(x.shape).astype(np.float32)
    far, near = (model.state(4).forward(x + step * way).astype(float).sum() for step in (0.01, -0.01))
    assert abs((far - near) / 0.02 - (given["x"] * way).sum()) <= 0.01 * np.linalg.norm(given["x"])
    named = model.split(flat)
    assert named.keys() == model.shapes.keys() and np.allclose(named["readout.bias"], 80) and given["s"].shape == (2, 4, 8)
    with pytest.raises(arnn.ArnnError):
        record.backward(y=np.ones_like(y))


def test_training(tmp_path):
    model = arnn.Model(vocab=5, hidden=16, inputs=8, outputs=5, seed=1)
    trainer = arnn.Trainer(model, streams=2, steps=10)
    tokens = np.arange(20).reshape(10, 2) // 2 % 5
    before = trainer.evaluate(tokens, (tokens + 1) % 5)["loss"]
    for _ in range(20):
        trainer.step(tokens, (tokens + 1) % 5, 0.01)
    assert trainer.evaluate(tokens, (tokens + 1) % 5)["loss"] < before / 2 and trainer.updates == 20
    trainer.save(tmp_path / "checkpoint")
    trainer.gradients(tokens, (tokens + 1) % 5)
    gradient = trainer.gradient
    trainer.gradient = 2 * gradient
    assert np.isclose(trainer.update(0.01), 2 * np.linalg.norm(gradient))
    trainer.load(tmp_path / "checkpoint")
    assert trainer.updates == 20
    assert arnn.sample([0, 5, 1.0], temperature=0) == 1


def test_numbers_of_training_stay_numbers():
    """Not words, where a loss happens to be the value of a constant."""
    trainer = arnn.Trainer(arnn.Model(inputs=1, hidden=1, outputs=1), loss="squared_error", steps=2, streams=1)
    assert trainer.evaluate(np.zeros((2, 1, 1)), np.zeros((2, 1, 1)))["loss"] == 0.0


def test_attend():
    rng = np.random.default_rng(3)
    rows, q = rng.standard_normal((9, 4)).astype(np.float32), rng.standard_normal(4)
    p = np.exp(rows @ q)
    context, logsumexp, weights = arnn.attend(q, rows, weights=True)
    assert np.allclose(context, p @ rows / p.sum(), atol=1e-5) and np.allclose(logsumexp, np.log(p.sum()), atol=1e-5)
    assert np.allclose(weights, p / p.sum(), atol=1e-6)
    assert np.array_equal(arnn.attend(q, np.ascontiguousarray(rows[::-1])[::-1])[0], context)
    halves = [arnn.attend([q], [rows[part]]) for part in (slice(4), slice(4, None))]
    assert np.allclose(arnn.attend_merge(*halves[0], *halves[1])[0][0], context, atol=1e-6)


def test_analysis():
    model = arnn.Model(wiring="none", inputs=3, hidden=8, outputs=1, seed=1)
    assert np.allclose(model.spectral_radius(), 1, atol=1e-5)
    assert len(model.lyapunov(np.zeros((50, 3)), 2, skip=5)) == 2
    states = np.random.default_rng(4).standard_normal((40, 8))
    model.fit_readout(states, states[:, :1] + 1)
    assert np.allclose(model["readout.weight"][0], np.eye(8)[0], atol=1e-4) and np.allclose(model["readout.bias"], 1, atol=1e-4)


def test_the_rest(model):
    model.set_weight_type("bf16")
    state = arnn.State(model, model.cache(tape_type="f16", streams=1, rows=10))
    state.cache.reserve(1, 20)
    assert state.cache.page[0] >= 16 and state.cache.bytes[0] > 0 and not state.lost()
    assert arnn.status_string(0) and arnn.build_info().startswith("arnn " + arnn.__version__)
    assert arnn.Record.room(model) > 0 and model.kernels in arnn.build_info()
    assert "lstm" in repr(model) and "1 streams" in repr(state) and "bytes" in repr(state.cache)


def test_the_programs_of_the_readmes():
    programs = re.findall(r"^```python\n(.*?)^```$", (header.TOP / "lib/bindings/python/README.md").read_text(), re.M | re.S)
    lines, = re.findall(r"^    import arnn.*\n(?:    .*\n)+", (header.TOP / "README.md").read_text(), re.M)
    programs.append(textwrap.dedent(lines))
    assert len(programs) > 1
    for program in programs:
        exec(program, {})

"""Training against the naive one: loss curves of 50 updates, gradients, masks, chunks, checkpoints."""
import numpy as np
import pytest
from library import Model
from naive import Naive
from oracle import Description
from trainer import Trainer

STEPS, STREAMS, UPDATES = 7, 3, 50

CURVES = [
    (Description(cell="rnn_tanh", wiring="none", vocab=5, outputs=5), "cross_entropy", "steps", "sgd"),
    (Description(cell="lstm", wiring="none", layers=2, outputs=2), "squared_error", "steps", "adam"),
    (Description(cell="rnn_tanh", wiring="after", vocab=5, outputs=5), "cross_entropy", "steps", "adam"),
    (Description(cell="gru", wiring="after", score="additive", align=3, outputs=4), "cross_entropy", "last", "adamw"),
    (Description(cell="lstm", wiring="before", outputs=3), "cross_entropy", "mean", "adam"),
    (Description(cell="rnn_tanh", wiring="before", score="general", layers=2, skip=1), "squared_error", "mean", "sgd"),
    (Description(cell="rnn_tanh", wiring="beside", source="hs", outputs=4), "cross_entropy", "steps", "adam"),
    (Description(cell="gru", wiring="beside", vocab=6, source="s", outputs=6), "cross_entropy", "last", "sgd"),
    (Description(cell="lstm", wiring="after", source="s"), "squared_error", "last", "adamw"),
]
# More outputs than one part of a readout.
WIDE = (Description(cell="rnn_tanh", wiring="none", source="h", outputs=70), "cross_entropy", "steps", "sgd")


def small(description):
    align = description.align or (3 if description.attends and description.score == "dot" else 0)
    return description.but(inputs=3, hidden=4, align=align)


def made_examples(d, loss, over, generator, ragged):
    shape = (STEPS, STREAMS)
    x = generator.integers(0, d.vocab, shape) if d.vocab else generator.normal(size=(*shape, d.inputs)).astype(np.float32)
    where = shape if over == "steps" else (STREAMS,)
    if loss == "squared_error":
        wanted = generator.normal(size=(*where, d.output_width)).astype(np.float32)
    else:
        wanted = generator.integers(-1, d.output_width, where)
        wanted.flat[0] = 0
    return {"x": x, "wanted": wanted, "lengths": [STEPS, 4, 1] if ragged else [STEPS] * STREAMS,
            "weights": np.array([1.0, 0.25, 2.0], np.float32) if ragged else np.ones(STREAMS, np.float32)}


def name(value):
    return f"{value.cell}-{value.wiring}-{value.score}" if isinstance(value, Description) else str(value)


@pytest.mark.parametrize("d, loss, over, optimiser", CURVES, ids=name)
def test_loss_curve(d, loss, over, optimiser):
    """The same as a double-precision training, update after update."""
    d, generator = small(d), np.random.default_rng(7)
    model = Model(d).init(11)
    rate, settings = (0.3, {"clip": 0.5}) if optimiser == "sgd" else (0.02, {"clip": 1.0})
    naive = Naive(d, {key: model.read(key) for key in model.shapes()}, loss, over, optimiser, decay=0.01, **settings)
    trainer = Trainer(model, loss=loss, over=over, optimiser=optimiser, weight_decay=0.01, streams=STREAMS, steps=STEPS, **settings)
    lessons = [made_examples(d, loss, over, generator, ragged) for ragged in (False, True)]
    first = last = None
    for update in range(UPDATES):
        lesson = lessons[update % 2]
        expected, norm = naive.step(lesson, rate)
        got = trainer.step(lesson["x"], lesson["wanted"], lengths=lesson["lengths"], weights=lesson["weights"], rate=rate)
        assert got.loss == pytest.approx(expected, abs=1e-3)
        assert got.norm == pytest.approx(norm, rel=2e-3, abs=1e-5)
        first, last = first or expected, expected
    assert last < first and trainer.updates() == UPDATES
    for key, values in naive.parameters.items():
        assert model.read(key) == pytest.approx(values, abs=5e-3), key


@pytest.mark.parametrize("d, loss, over, optimiser", [*CURVES, WIDE], ids=name)
def test_gradients_and_layout(d, loss, over, optimiser):
    d = small(d)
    model = Model(d).init(5)
    lesson = made_examples(d, loss, over, np.random.default_rng(1), True)
    naive = Naive(d, {key: model.read(key) for key in model.shapes()}, loss, over, optimiser)
    expected, gradients = naive.gradients(lesson)
    trainer = Trainer(model, loss=loss, over=over, optimiser=optimiser, streams=STREAMS, steps=STEPS)
    given = {"lengths": lesson["lengths"], "weights": lesson["weights"]}
    got = trainer.gradients(lesson["x"], lesson["wanted"], **given)
    assert got.loss == pytest.approx(expected, rel=1e-5)
    for index, (key, values) in enumerate(gradients.items()):
        assert trainer.gradient_of(index) == pytest.approx(values, abs=2e-5 * (1 + np.abs(values).max())), key
    judged = trainer.evaluate(lesson["x"], lesson["wanted"], **given)
    assert judged.loss == pytest.approx(expected, rel=1e-5) and judged.weight == got.weight
    assert judged.correct == got.correct and judged.norm == 0


@pytest.mark.parametrize("d", [CURVES[2][0], CURVES[3][0].but(vocab=5, outputs=5), CURVES[4][0].but(vocab=5, outputs=5),
                               CURVES[6][0].but(vocab=5, outputs=5)], ids=name)
def test_chunks_carry_on(d):
    """Truncated back-propagation: later chunks read the rows of earlier ones, as constants."""
    d, generator = small(d), np.random.default_rng(3)
    model = Model(d).init(2)
    naive = Naive(d, {key: model.read(key) for key in model.shapes()}, "cross_entropy", "steps", "adam", clip=1.0)
    trainer = Trainer(model, streams=STREAMS, steps=STEPS, past=4 * STEPS)
    for update in range(12):
        lesson = made_examples(d, "cross_entropy", "steps", generator, False)
        expected, _ = naive.step(lesson, 0.01, carry=update % 4 > 0)
        got = trainer.step(lesson["x"], lesson["wanted"], rate=0.01, carry=int(update % 4 > 0))
        assert got.loss == pytest.approx(expected, abs=1e-4), update


def test_halves_are_the_whole():
    d = small(CURVES[2][0])
    lesson = made_examples(d, "cross_entropy", "steps", np.random.default_rng(3), False)
    one, two = (Trainer(Model(d).init(2), streams=STREAMS, steps=STEPS) for _ in range(2))
    for _ in range(5):
        whole = one.step(lesson["x"], lesson["wanted"], rate=0.01)
        half = two.gradients(lesson["x"], lesson["wanted"])
        assert (whole.loss, whole.norm) == (half.loss, half.norm) and two.update(0.01) == half.norm
    assert one.model.save_memory() == two.model.save_memory()


def test_gradients_of_two_halves_of_a_batch_sum():
    """What two processes that share the streams would do."""
    d = small(CURVES[2][0])
    lesson = made_examples(d, "cross_entropy", "steps", np.random.default_rng(4), False)
    lesson["wanted"] = np.abs(lesson["wanted"])
    trainer = Trainer(Model(d).init(2), streams=4, steps=STEPS)
    trainer.gradients(lesson["x"], lesson["wanted"])
    whole, parts = trainer.gradient().copy(), 0
    for stream in range(STREAMS):
        trainer.gradients(lesson["x"][:, stream:stream + 1], lesson["wanted"][:, stream:stream + 1])
        parts = parts + trainer.gradient().copy() / STREAMS
    assert parts == pytest.approx(whole, abs=1e-6)


# ---- dropout ---------------------------------------------------------------------------------------------------------

def plain_rnn(p, x, labels):
    """Loss and gradients of a rnn with a readout, cross entropy at every step, in double."""
    steps, streams, n = *x.shape[:2], p["weight_hh_l0"].shape[0]
    h = np.zeros((steps + 1, streams, n))
    for t in range(steps):
        h[t + 1] = np.tanh(x[t] @ p["weight_ih_l0"].T + p["bias_ih_l0"] + h[t] @ p["weight_hh_l0"].T + p["bias_hh_l0"])
    y = h[1:] @ p["readout.weight"].T + p["readout.bias"]
    y -= y.max(-1, keepdims=True)
    dy, own = np.exp(y) / np.exp(y).sum(-1, keepdims=True), np.eye(y.shape[-1])[labels]
    loss, dy = -np.log((dy * own).sum(-1)).mean(), (dy - own) / labels.size
    dh, da, owed = dy @ p["readout.weight"], np.zeros((steps, streams, n)), 0.0
    for t in reversed(range(steps)):
        da[t] = (dh[t] + owed) * (1 - h[t + 1] ** 2)
        owed = da[t] @ p["weight_hh_l0"]
    bias = da.sum((0, 1))
    return loss, {"weight_ih_l0": np.einsum("tbi,tbj->ij", da, x), "weight_hh_l0": np.einsum("tbi,tbj->ij", da, h[:-1]),
                  "bias_ih_l0": bias, "bias_hh_l0": bias, "readout.weight": np.einsum("tbi,tbj->ij", dy, h[1:]),
                  "readout.bias": dy.sum((0, 1))}


@pytest.mark.parametrize("outputs, steps", [(10_000, 80), (300, 400)])
def test_readouts_of_several_blocks(outputs, steps):
    """More rows than are kept of a wide readout at once."""
    d, generator = Description(cell="rnn_tanh", wiring="none", inputs=3, hidden=4, outputs=outputs), np.random.default_rng(5)
    model = Model(d).init(3)
    x = generator.normal(size=(steps, STREAMS, 3)).astype(np.float32)
    labels = generator.integers(0, outputs, (steps, STREAMS))
    trainer = Trainer(model, streams=STREAMS, steps=steps)
    got = trainer.gradients(x, labels)
    loss, gradients = plain_rnn({key: model.read(key).astype(float) for key in model.shapes()}, x, labels)
    assert got.loss == pytest.approx(loss, rel=1e-5) and set(gradients) == set(model.shapes())
    for index, key in enumerate(model.shapes()):
        bound = 1e-5 * np.abs(gradients[key]).max()
        assert np.abs(trainer.gradient_of(index) - gradients[key]).max() <= bound, key


def dropped(seed, rate=0.5, d=None, updates=3, threads=1, streams=STREAMS, steps=STEPS):
    d = d or small(CURVES[2][0]).but(hidden=32, inputs=16)
    generator, shape = np.random.default_rng(3), (steps, streams)
    lesson = {"x": generator.integers(0, d.vocab, shape), "wanted": generator.integers(0, d.outputs, shape)}
    trainer = Trainer(Model(d).init(2), streams=streams, steps=steps, threads=threads, dropout=rate, readout_dropout=rate,
                      seed=seed)
    losses = [trainer.step(lesson["x"], lesson["wanted"], rate=0.01).loss for _ in range(updates)]
    return losses, trainer.model.save_memory(), trainer.evaluate(lesson["x"], lesson["wanted"]).loss


def test_dropout_is_decided_by_its_seed():
    assert dropped(1) == dropped(1)
    assert dropped(1)[0] != dropped(2)[0]
    assert dropped(1, rate=0.0) == dropped(2, rate=0.0)


def test_dropout_is_the_same_on_any_number_of_threads():
    """Of work that is shared: more streams than threads, and fewer."""
    d = CURVES[2][0].but(inputs=64, hidden=128, align=0)
    for streams in (1, 5):
        one, *others = (dropped(1, d=d, threads=threads, streams=streams, steps=48) for threads in (1, 2, 3))
        assert others == [one, one]


def test_dropout_gradients():
    """Of a loss with its mask held: the update's number stands still between calls without one."""
    d = small(CURVES[6][0]).but(layers=2, skip=1)
    lesson = made_examples(d, "cross_entropy", "steps", np.random.default_rng(3), False)
    model = Model(d).init(2)
    trainer = Trainer(model, streams=STREAMS, steps=STEPS, dropout=0.3, readout_dropout=0.4, seed=5)
    trainer.gradients(lesson["x"], lesson["wanted"])
    generator = np.random.default_rng(1)
    for index, (key, values) in enumerate((key, model.read(key)) for key in model.shapes()):
        slope = trainer.gradient_of(index).copy()
        direction = generator.normal(size=values.shape)
        losses = []
        for by in (1e-2, -1e-2):
            model.write(key, values + by * direction)
            losses.append(trainer.gradients(lesson["x"], lesson["wanted"]).loss)
        model.write(key, values)
        trainer.gradients(lesson["x"], lesson["wanted"])
        assert (losses[0] - losses[1]) / 2e-2 == pytest.approx((slope * direction).sum(), rel=2e-2, abs=2e-3), key


def test_dropout_keeps_the_mean():
    """Over many seeds the mean of the dropped loss of a linear readout is near the plain one; single ones are not."""
    d = Description(cell="rnn_tanh", wiring="none", inputs=8, hidden=8, outputs=1)
    generator = np.random.default_rng(1)
    x, wanted = generator.normal(size=(1, 1, 8)).astype(np.float32), np.full((1, 1, 1), 50.0, np.float32)
    model = Model(d).init(2)
    model.write("weight_ih_l0", 0.01 * generator.normal(size=(8, 8)))
    losses = [Trainer(model, loss="squared_error", streams=1, steps=1, dropout=0.5, readout_dropout=0.5, seed=seed)
              .gradients(x, wanted).loss for seed in range(400)]
    plain = Trainer(model, loss="squared_error", streams=1, steps=1).evaluate(x, wanted).loss
    assert np.std(losses) > 0.1 and abs(np.mean(losses) - plain) < 5 * np.std(losses) / 20


# ---- checkpoints -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("optimiser", ["sgd", "adam", "adamw"])
def test_resumed_training_is_the_same_to_the_last_bit(tmp_path, optimiser):
    d = small(CURVES[3][0]).but(vocab=5, outputs=5)
    lesson = made_examples(d, "cross_entropy", "steps", np.random.default_rng(3), False)

    def trainer(seed):
        return Trainer(Model(d).init(seed), optimiser=optimiser, streams=STREAMS, steps=STEPS, dropout=0.2, seed=seed)

    def train(one, updates):
        return [one.step(lesson["x"], lesson["wanted"], rate=0.01).loss for _ in range(updates)]

    straight = trainer(1)
    train(straight, 4)
    straight.save(tmp_path / "checkpoint")
    tail = train(straight, 4)
    resumed = trainer(9)
    train(resumed, 2)
    resumed.load(tmp_path / "checkpoint")
    assert resumed.updates() == 4 and train(resumed, 4) == tail
    assert resumed.model.save_memory() == straight.model.save_memory()
    resumed.save(tmp_path / "one")
    straight.save(tmp_path / "other")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_checkpoint_is_a_model(tmp_path):
    """Who wants the model alone passes over the moments."""
    d = small(CURVES[2][0])
    trainer = Trainer(Model(d).init(1), streams=1, steps=1)
    trainer.step(np.array([[1]]), np.array([[2]]), rate=0.1)
    trainer.save(tmp_path / "checkpoint")
    assert Model.load(tmp_path / "checkpoint", ignore_unknown=1).save_memory() == trainer.model.save_memory()

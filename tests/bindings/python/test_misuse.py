"""Use after close, threads, forks, leaks: refused or harmless, never a crash."""
import gc
import itertools
import multiprocessing
import pickle
import resource
import threading
import time

import arnn
import numpy as np
import pytest


@pytest.fixture(scope="module")
def model():
    return arnn.Model(inputs=64, hidden=256, seed=1)


def test_use_after_close():
    model = arnn.Model(inputs=3, hidden=8, seed=1)
    state = model.state()
    stepper, _ = state.stepper(np.zeros((1, 3), np.float32))
    with state:
        stepper()
    for use in (stepper, state.length, state.reset, state.weights, lambda: state.forward(np.zeros((1, 3))), lambda: len(state)):
        with pytest.raises(ValueError, match="State is closed"):
            use()
    other = model.state()
    model.close(), other.cache.close()
    assert other.step(np.zeros(3)).shape == (8,), "what rests on a model keeps it alive"
    with pytest.raises(ValueError, match="Model is closed"):
        model.init(1)
    record = arnn.Record(arnn.Model(inputs=3, hidden=8))
    record.close()
    for use in (lambda: record.forward(np.zeros((1, 3))), lambda: record.backward(), record.length):
        with pytest.raises(ValueError, match="Record is closed"):
            use()
    record.close(), model.close(), repr(record), repr(model)


def test_what_rests_on_a_closed_model_goes_on():
    model = arnn.Model(inputs=3, hidden=8, outputs=2, seed=1)
    trainer, record, x = arnn.Trainer(model, streams=1, steps=5), arnn.Record(model, steps=5), np.ones((5, 1, 3))
    model.close()
    assert trainer.step(x, np.zeros((5, 1), int), 0.01)["loss"] > 0 and trainer.gradient.any()
    flat = np.zeros_like(trainer.gradient)
    record.forward(x)
    record.backward(y=np.ones((5, 1, 2)), parameters=flat)
    assert flat.any()
    trainer.close()
    for use in (lambda: trainer.updates, lambda: trainer.gradient, lambda: trainer.update(1)):
        with pytest.raises(ValueError, match="Trainer is closed"):
            use()


@pytest.mark.parametrize("error, said, act", [
    (arnn.ShapeError, r"x has shape \(3,\), expected \(2, 3\)", lambda state: state.step(np.zeros(3))),
    (arnn.ShapeError, r"x has shape \(2, 3, 1\), expected \(2, 3\)", lambda state: state.step(np.zeros((2, 3, 1)))),
    (arnn.ShapeError, r"x has shape \(4,\), expected \(3,\)", lambda state: state.step(np.zeros(4), [1])),
    (arnn.ShapeError, r"x has shape \(5, 3\), expected \(5, 2, 3\)", lambda state: state.forward(np.zeros((5, 3)))),
    (arnn.ShapeError, r"out y has shape \(3,\)", lambda state: state.step(np.zeros((2, 3)), out=np.zeros(3))),
    (TypeError, "x has dtype complex128, expected floats", lambda state: state.step(np.zeros((2, 3), complex))),
    (TypeError, "x has dtype <U1, expected floats", lambda state: state.step([["a"] * 3] * 2)),
    (TypeError, "x has dtype object, expected floats", lambda state: state.step(np.array([[None] * 3] * 2))),
    (TypeError, "out y is tuple", lambda state: state.step(np.zeros((2, 3)), out=(1, 2))),
    (TypeError, "out y is list", lambda state: state.forward(np.zeros((1, 2, 3)), out=[[[0.0] * 8] * 2])),
    (TypeError, "out y has dtype int64, expected floats", lambda state: state.step(np.zeros((2, 3)), out=np.zeros((2, 8), int))),
    (arnn.InvalidArgumentError, "expected some of y, h, s", lambda state: state.step(np.zeros((2, 3)), want="z")),
    (arnn.InvalidArgumentError, "chosen twice", lambda state: state.step(np.zeros((2, 3)), [1, 1])),
    (arnn.NotFoundError, "stream 7 of 2", lambda state: state.step(np.zeros((1, 3)), [7])),
    (ValueError, "streams holds numbers outside", lambda state: state.step(np.zeros((1, 3)), [-1])),
])
def test_wrong_arrays_change_nothing(error, said, act):
    state = arnn.Model(inputs=3, hidden=8, seed=1).state(2)
    expected = state.step(np.ones((2, 3)), want=("y", "s"))
    with pytest.raises(error, match=said):
        act(state)
    assert [state.length(b) for b in range(2)] == [1, 1] and np.array_equal(state.get("s", stream=1), expected[1][1])


def test_a_second_thread_is_refused(model):
    """The first is in C, without the interpreter's lock, while the second tries."""
    state = model.state(2)
    x, refused = np.zeros((3000, 2, 64), np.float32), 0
    step, _ = state.stepper(x[0])
    first = threading.Thread(target=lambda: state.forward(x))
    first.start()
    while first.is_alive() and not state._guard.flag[0]:
        time.sleep(0.0001)
    uses = itertools.cycle((state.length, lambda: state.step(x[0]), step, state.reset, state.close, lambda: repr(state.cache.bytes)))
    while first.is_alive() and refused < 6:
        try:
            next(uses)()
        except arnn.BusyError as error:
            refused += 1
            assert "another thread" in str(error)
    first.join()
    assert refused == 6 and state.length() == 3000


def go_on(act, error):
    """Until the error comes, also while the other thread is at work."""
    while True:
        try:
            act()
        except arnn.BusyError:
            continue
        except error as found:
            return str(found)


def test_a_state_closed_while_another_thread_steps_it():
    """Whoever comes first: a step is made or the state is closed, never both."""
    model, x = arnn.Model(inputs=3, hidden=8, seed=1), np.zeros((1, 3), np.float32)
    for _ in range(30):
        state, said = model.state(), []
        step, _ = state.stepper(x)
        other = threading.Thread(target=lambda: said.append(go_on(step, ValueError)))
        other.start()
        time.sleep(0.001)
        go_on(lambda: (state.close(), len(state)), ValueError)
        other.join()
        assert said == ["this State is closed"]


def test_states_let_go_while_their_cache_is_at_work(model):
    cache = arnn.Cache(model)
    state, x = arnn.State(model, cache), np.zeros((3000, 1, 64), np.float32)
    first = threading.Thread(target=lambda: state.forward(x))
    others = [arnn.State(model, cache) for _ in range(3)]
    for other in others:
        other.forward(x[:20])
    first.start()
    del others, other
    gc.collect()
    first.join()
    assert cache._guard.waiting == [] and state.length() == 3000


def test_threads_share_a_model(model):
    x = np.random.default_rng(1).standard_normal((200, 64)).astype(np.float32)
    expected, found = model.state().forward(x), []
    threads = [threading.Thread(target=lambda: found.append(model.state().forward(x))) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(found) == 4 and all(np.array_equal(one, expected) for one in found)


def _forked(state, x, queue):
    queue.put(state.forward(x))


def test_a_forked_worker(model):
    x = np.random.default_rng(2).standard_normal((50, 2, 64)).astype(np.float32)
    state = model.state(2, threads=2)
    state.forward(x)
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=_forked, args=(state, x, queue))
    worker.start()
    found = queue.get(timeout=60)
    worker.join()
    assert worker.exitcode == 0 and np.array_equal(found, state.forward(x))


def _forked_amid_work(model, state, x, queue):
    try:
        state.length()
    except arnn.BusyError:
        queue.put(model.state().forward(x))


def test_a_worker_forked_while_another_thread_is_at_work(model):
    """What that thread had in hand stays busy in the child, for good; all else goes on."""
    state, x = model.state(2), np.random.default_rng(3).standard_normal((20, 64)).astype(np.float32)
    first = threading.Thread(target=lambda: state.forward(np.zeros((3000, 2, 64), np.float32)))
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    worker = context.Process(target=_forked_amid_work, args=(model, state, x, queue))
    first.start()
    while not state._guard.flag[0]:
        time.sleep(0.0001)
    worker.start()
    found = queue.get(timeout=60)
    worker.join()
    first.join()
    assert worker.exitcode == 0 and np.array_equal(found, model.state().forward(x)) and state.length() == 3000


def test_nothing_leaks():
    def once():
        model = arnn.Model(inputs=64, hidden=128, seed=1)
        state = model.state()
        state.forward(np.zeros((50, 64)))
        with pytest.raises(arnn.ShapeError):
            state.forward(np.zeros((50, 63)))
        state.stepper(np.zeros((1, 64), np.float32))[0]()
        pickle.loads(pickle.dumps(model))
        arnn.Record(model, steps=50).forward(np.zeros((50, 64)))

    for _ in range(15):
        once()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(60):
        once()
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 8000 # KiB; one round makes more than 600

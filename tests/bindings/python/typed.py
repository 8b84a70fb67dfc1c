"""Read by mypy --strict in test_types.py, as a user's program: every `type: ignore` must be an error, nothing else may be one."""
from typing import Any, Callable

import arnn
import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

Array = NDArray[np.float32]

model = arnn.Model(cell="gru", wiring="beside", inputs=8, hidden=64, outputs=2, seed=1)
arnn.Model(wiring="besides") # type: ignore[arg-type]
arnn.Model(hiden=3) # type: ignore[call-arg]
assert_type(model["weight_hh_l0"], Array)
assert_type(model.shapes, dict[str, tuple[int, ...]])
assert_type(model.to_bytes(), bytes)
assert_type(arnn.Model.load("file", description={"inputs": 3}), arnn.Model)
model.set_weight_type("f64") # type: ignore[arg-type]

with model.state(2, tape_type="bf16") as state:
    assert_type(state, arnn.State)
    assert_type(state.step(np.zeros((2, 8))), Array)
    assert_type(state.step([[0.0] * 8] * 2, want=("y", "h")), tuple[Array, ...])
    assert_type(state.forward(np.zeros((5, 2, 8)), [5, 3], want="map"), Array)
    state.forward(np.zeros((5, 2, 8)), want="z") # type: ignore[call-overload]
    step, y = state.stepper(np.zeros((2, 8), np.float32))
    assert_type(step, Callable[[], None])
    assert_type(y, Array)
    assert_type(state.stepper(np.zeros((2, 8), np.float32), out=y), Callable[[], None])
    assert_type(state.weights(), tuple[Array, float, float])
    assert_type(state.rows(memory=True), tuple[Array, Array])
    state.get("x") # type: ignore[arg-type]
    state.length("first") # type: ignore[arg-type]

record = arnn.Record(model, steps=20)
assert_type(record.backward(y=record.forward(np.zeros((20, 8))), want=("x",)), dict[str, Array])
trainer = arnn.Trainer(model, loss="squared_error", clip=0.5)
assert_type(trainer.step(np.zeros((9, 1, 8)), np.zeros((9, 1, 2)), 0.01)["loss"], float)
assert_type(arnn.attend(np.zeros(4), np.zeros((9, 4))), tuple[Array, ...])
assert_type(arnn.version(), tuple[int, int, int])
try:
    model.init(2)
except arnn.BusyError as error:
    assert_type(error.status, int)
anything: Any = arnn.constant("ARNN_CELL_GRU")

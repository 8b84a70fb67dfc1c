"""The official node vectors of ONNX for RNN, GRU and LSTM, as PyPI's `onnx` makes them."""
import importlib
import warnings

import numpy as np
import pytest

import library
from oracle import GATES, Description

onnx = pytest.importorskip("onnx")

# ONNX orders gates i, o, f, c and z, r, h; here they are i, f, g, o and r, u, g
GATE_ORDER = {"RNN": (0,), "GRU": (1, 0, 2), "LSTM": (0, 2, 3, 1)}
CELLS = {"RNN": "rnn_tanh", "GRU": "gru", "LSTM": "lstm"}
SKIPPED = {"test_lstm_with_peepholes": "peepholes",
           "test_gru_seq_length": "its reset gate acts before the recurrent product (linear_before_reset = 0)"}


def vectors():
    """The test cases of the three operators; importing their modules makes them."""
    node = importlib.import_module("onnx.backend.test.case.node")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("rnn", "gru", "lstm"):
            importlib.import_module(f"onnx.backend.test.case.node.{name}")
    return {case.name: case for case in node._NodeTestCases if case.model.graph.node[0].op_type in GATE_ORDER}


VECTORS = vectors()


def test_the_vectors_are_the_known_ones():
    """Six of each operator: a package that has lost or renamed some is not passed over in silence."""
    assert len(VECTORS) >= 18 and SKIPPED.keys() <= VECTORS.keys()


def reordered(operator, values):
    """Rows by gates in our order."""
    gates = np.split(values, len(GATE_ORDER[operator]))
    return np.concatenate([gates[index] for index in GATE_ORDER[operator]])


def run(operator, direction, given, x):
    """One direction: x (time, streams, d) to all h (time, streams, n), and the last m."""
    hidden = given["R"].shape[-1]
    description = Description(cell=CELLS[operator], wiring="none", inputs=x.shape[-1], hidden=hidden)
    biases = given.get("B", np.zeros((2, 2 * GATES[CELLS[operator]] * hidden)))[direction]
    parameters = dict(zip(("bias_ih_l0", "bias_hh_l0"), np.split(biases, 2)))
    parameters.update(weight_ih_l0=given["W"][direction], weight_hh_l0=given["R"][direction])
    model = library.Model(description, {name: reordered(operator, values) for name, values in parameters.items()})
    state = library.State(model, None, x.shape[1])
    for which, name in (("s", "initial_h"), ("m", "initial_c")):
        for stream in range(x.shape[1] if name in given else 0):
            state.set(which, 0, stream, given[name][direction, stream])
    h = state.forward(x)["h"]
    return h, np.stack([state.get("m", 0, stream) for stream in range(x.shape[1])]) if operator == "LSTM" else None


@pytest.mark.parametrize("name", VECTORS)
def test_vector(name):
    if name in SKIPPED:
        pytest.skip(SKIPPED[name])
    case = VECTORS[name]
    node = case.model.graph.node[0]
    attributes = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    given, wanted = ({key: np.asarray(value) for key, value in zip([key for key in keys if key], values)}
                     for keys, values in zip((node.input, node.output), case.data_sets[0]))
    assert not given.keys() & {"P", "sequence_lens"}
    batch_first = attributes.get("layout", 0) == 1
    x = given["X"].swapaxes(0, 1) if batch_first else given["X"]
    ways = {"forward": (False,), "reverse": (True,), "bidirectional": (False, True)}
    ways = ways[attributes.get("direction", b"forward").decode()]
    results = [run(node.op_type, direction, given, x[::-1] if back else x) for direction, back in enumerate(ways)]
    found = {"Y": np.stack([h[::-1] if back else h for (h, _), back in zip(results, ways)], axis=1),
             "Y_h": np.stack([h[-1] for h, _ in results])}
    if node.op_type == "LSTM":
        found["Y_c"] = np.stack([m for _, m in results])
    if batch_first:
        found = {"Y": found["Y"].transpose(2, 0, 1, 3), "Y_h": found["Y_h"].swapaxes(0, 1)}
    assert wanted
    for key, values in wanted.items():
        assert found[key].shape == values.shape and np.allclose(found[key], values, rtol=1e-5, atol=1e-5), key

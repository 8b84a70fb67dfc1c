"""Real weights: the LSTM of silero-vad, from the ONNX file in its wheel, against onnxruntime over 60 s of sound.

ONNX stacks the gates of an LSTM as i, o, f, c; PyTorch and arnn as i, f, g, o (ONNX's c is g). So they are taken by name.
"""
import subprocess
import sys
import zipfile

import arnn
import numpy as np
import pytest

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
from onnx import numpy_helper  # noqa: E402

WHEEL = "silero-vad==6.2.3"
FILE = "silero_vad/data/silero_vad_16k_sequence.onnx"
STEPS = 1875 # of 512 samples: 60 s at 16 kHz


def gates(stacked):
    """The blocks of one ONNX matrix or bias in arnn's order."""
    block = dict(zip("iofc", np.split(stacked, 4)))
    return np.concatenate([block[gate] for gate in "ifco"])


def from_onnx(graph, node):
    """An arnn.Model of an LSTM node."""
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    weight, recurrent, biases = (tensors[name][0] for name in node.input[1:4])
    model = arnn.Model(cell="lstm", wiring="none", inputs=weight.shape[1], hidden=recurrent.shape[1])
    model["weight_ih_l0"], model["weight_hh_l0"] = gates(weight), gates(recurrent)
    model["bias_ih_l0"], model["bias_hh_l0"] = map(gates, np.split(biases, 2))
    return model


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    folder = tmp_path_factory.mktemp("silero")
    subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, WHEEL], check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return onnx.load_from_string(wheel.read(FILE))


def sound():
    """60 s: a voice-like buzz whose pitch wanders, that comes and goes, in some noise. (STEPS, 576): frames with 64 samples of context."""
    time = np.arange(STEPS * 512) / 16000
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 0.4 * time) > 0)
    samples = (0.1 * buzz + 0.01 * np.random.default_rng(1).standard_normal(len(time))).astype(np.float32)
    padded = np.concatenate([np.zeros(64, np.float32), samples])
    return np.lib.stride_tricks.sliding_window_view(padded, 576)[::512]


def in_double(model, x):
    w = {name: model[name].astype(float) for name in model}
    h, m, rows = np.zeros(128), np.zeros(128), []
    for now in x.astype(float):
        i, f, g, o = np.split(w["weight_ih_l0"] @ now + w["bias_ih_l0"] + w["weight_hh_l0"] @ h + w["bias_hh_l0"], 4)
        i, f, o = (1 / (1 + np.exp(-gate)) for gate in (i, f, o))
        m = f * m + i * np.tanh(g)
        h = o * np.tanh(m)
        rows.append(h)
    return np.array(rows)


def test_silero(network):
    node, = (node for node in network.graph.node if node.op_type == "LSTM")
    for name in (node.input[0], node.output[0]):
        network.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(network.SerializeToString(), providers=["CPUExecutionProvider"])
    zeros = np.zeros((1, 1, 128), np.float32)
    frames = np.ascontiguousarray(sound())
    x, expected = session.run([node.input[0], node.output[0]], {"input": frames, "h": zeros, "c": zeros})
    assert x.shape == (STEPS, 1, 128) and np.abs(expected).max() > 0.5
    model = from_onnx(network.graph, node)
    whole = model.state().forward(x)
    # The cell's memory grows beyond 70 here, where float32 steps by 8e-6: onnxruntime itself is 3.7e-6 from double precision.
    exact = in_double(model, x[:, 0])
    theirs, ours = (np.abs(h - exact).max() for h in (expected.reshape(STEPS, 128), whole[:, 0]))
    assert ours <= 1.5 * theirs and theirs < 5e-6
    assert np.abs(whole[:, 0] - expected.reshape(STEPS, 128)).max() <= 5e-6
    state, now = model.state(), np.empty((1, 128), np.float32)
    step, h = state.stepper(now)
    for frame, row in zip(x, whole):
        now[:] = frame
        step()
        assert np.array_equal(h, row)

"""torch.nn.RNN, GRU and LSTM are what an attention-free model computes; their state_dicts load as they are."""
import json

import numpy as np
import pytest

import library
from oracle import Description

torch = pytest.importorskip("torch")

CELLS = {"rnn_tanh": lambda *sizes, **more: torch.nn.RNN(*sizes, nonlinearity="tanh", **more),
         "rnn_relu": lambda *sizes, **more: torch.nn.RNN(*sizes, nonlinearity="relu", **more),
         "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}
STEPS, STREAMS = 24, 5
MODULES = [(cell, layers, inputs, hidden) for cell in CELLS for layers in (1, 2, 3)
           for inputs, hidden in ((3, 17), (64, 130), (1, 1))]


def made(cell, layers, inputs, hidden, **more):
    """A module with its own random weights, its description, and an input."""
    torch.manual_seed(layers + 10 * hidden)
    module = CELLS[cell](inputs, hidden, num_layers=layers, **more)
    description = Description(cell=cell, wiring="none", inputs=inputs, hidden=hidden, layers=layers)
    return module, description, torch.randn(STEPS, STREAMS, inputs)


def initial(cell, layers, hidden):
    h, m = torch.rand(2, layers, STREAMS, hidden) * 2 - 1
    return (h, m) if cell == "lstm" else h


def safetensors(tensors, metadata=None):
    """The bytes of a safetensors file: length of the header, header (JSON), data."""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    kinds = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.bfloat16: "BF16"}
    for name, tensor in tensors.items():
        bits = tensor.contiguous().view(torch.uint8).numpy().tobytes()
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + len(bits)]}
        data += bits
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def agrees(module, description, model, x, start):
    """Outputs of all steps and the values in the end, within 1e-5."""
    state = library.State(model, None, STREAMS)
    with torch.no_grad():
        expected, end = module(x, start)
    ends = end if description.cell == "lstm" else (end,)
    starts = start if description.cell == "lstm" else (start,)
    for which, values in zip("sm", starts):
        for layer, stream in np.ndindex(description.layers, STREAMS):
            state.set(which, layer, stream, values[layer, stream].numpy())
    found = state.forward(x.numpy())
    assert np.allclose(found["h"], expected.numpy(), rtol=1e-5, atol=1e-5)
    assert np.array_equal(found["h"], found["y"]) and np.array_equal(found["h"], found["s"])
    for which, values in zip("sm", ends):
        for layer, stream in np.ndindex(description.layers, STREAMS):
            assert np.allclose(state.get(which, layer, stream), values[layer, stream].numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("cell, layers, inputs, hidden", MODULES)
def test_parameters_written_by_name(cell, layers, inputs, hidden):
    module, description, x = made(cell, layers, inputs, hidden)
    model = library.Model(description, {name: value.numpy() for name, value in module.state_dict().items()})
    agrees(module, description, model, x, initial(cell, layers, hidden))


@pytest.mark.parametrize("cell, layers, inputs, hidden", MODULES)
def test_a_state_dict_loads_as_it_is(cell, layers, inputs, hidden, tmp_path):
    module, description, x = made(cell, layers, inputs, hidden)
    path = tmp_path / "module.safetensors"
    path.write_bytes(safetensors(module.state_dict(), {"format": "pt"}))
    agrees(module, description, library.Model.load(path, description), x, initial(cell, layers, hidden))


@pytest.mark.parametrize("cell", CELLS)
def test_without_biases(cell):
    module, description, x = made(cell, 2, 3, 17, bias=False)
    model = library.Model.load(safetensors(module.state_dict()), description)
    agrees(module, description, model, x, initial(cell, 2, 17))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_number_types_convert(dtype):
    module, description, x = made("gru", 2, 3, 17)
    halves = {name: value.to(dtype) for name, value in module.state_dict().items()}
    model = library.Model.load(safetensors(halves), description)
    for name, value in halves.items():
        assert np.array_equal(model.read(name), value.float().numpy())
    module.load_state_dict({name: value.float() for name, value in halves.items()})
    agrees(module, description, model, x, initial("gru", 2, 17))


def test_a_part_of_a_larger_file_by_its_prefix():
    """encoder.weight_ih_l0 .. beside tensors of other modules."""
    module, description, x = made("lstm", 1, 3, 17)
    tensors = {"encoder." + name: value for name, value in module.state_dict().items()}
    tensors["head.weight"] = torch.ones(2, 2)
    model = library.Model.load(safetensors(tensors), description, prefix="encoder.", ignore_unknown=1)
    agrees(module, description, model, x, initial("lstm", 1, 17))
    with pytest.raises(library.ArnnError):
        library.Model.load(safetensors(tensors), description, prefix="encoder.")


@pytest.mark.parametrize("more, name", [({"bidirectional": True}, "_reverse"), ({"proj_size": 4}, "weight_hr")])
def test_what_the_library_has_not_is_refused_by_name(more, name):
    module, description, _ = made("lstm", 1, 3, 17, **more)
    with pytest.raises(library.ArnnError, match=name):
        library.Model.load(safetensors(module.state_dict()), description)
    with pytest.raises(library.ArnnError, match=name):
        library.Model.load(safetensors(module.state_dict()), description, ignore_unknown=1)


def test_what_the_library_saves_torch_loads():
    """The file's bytes, read by the rules of the format, give the module its weights back."""
    module, description, _ = made("gru", 2, 3, 17)
    weights = {name: value.numpy() for name, value in module.state_dict().items()}
    data = library.Model(description, weights).save_memory()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__")
    for name, value in module.state_dict().items():
        start, end = header[name]["data_offsets"]
        values = np.frombuffer(data[8 + size + start:8 + size + end], dtype="<f4").reshape(header[name]["shape"])
        assert header[name]["dtype"] == "F32" and np.array_equal(values, value.numpy())
    assert header.keys() == module.state_dict().keys()

"""arnn.torch against autograd of torch's own cells, and of the plain loop. Skipped where PyTorch is not installed."""
import copy

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from arnn import torch as torch_module  # noqa: E402
from arnn._arrays import source  # noqa: E402
from arnn.torch import AttentiveRNN  # noqa: E402


@pytest.mark.parametrize("cell, options", [("RNN", {"cell": "rnn_tanh"}), ("GRU", {"cell": "gru"}), ("LSTM", {"cell": "lstm"})])
def test_state_dicts_interchange(cell, options):
    torch.manual_seed(1)
    theirs = getattr(torch.nn, cell)(3, 8, num_layers=2)
    ours = AttentiveRNN(wiring="none", inputs=3, hidden=8, layers=2, **options)
    ours.load_state_dict(theirs.state_dict())
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(7, 4, 3, requires_grad=True)
    other = x.detach().clone().requires_grad_()
    (ours(x)[0] ** 2).sum().backward()
    (theirs(other)[0] ** 2).sum().backward()
    assert torch.allclose(x.grad, other.grad, atol=1e-5)
    for name, parameter in theirs.named_parameters():
        assert torch.allclose(ours.get_parameter(name).grad, parameter.grad, atol=1e-4), name


def plain(module, x):
    """Lecture 9 in PyTorch's own operations, in the module's precision."""
    w, rows, s, out = dict(module.named_parameters()), [], x.new_zeros(x.shape[1], 8), []
    for now in x:
        rows.append(torch.tanh(now @ w["weight_ih_l0"].T + w["bias_ih_l0"] + s @ w["weight_hh_l0"].T + w["bias_hh_l0"]))
        past = torch.stack(rows)
        scores = torch.einsum("tbk,bk->tb", past @ w["attn_key_l0"].T, rows[-1] @ w["attn_query_l0"].T)
        s = (scores.softmax(0)[..., None] * past).sum(0)
        out.append(s)
    return torch.stack(out)


def test_gradients_of_the_plain_loop():
    module = AttentiveRNN(inputs=3, hidden=8, seed=1)
    x = torch.randn(9, 2, 3, generator=torch.Generator().manual_seed(1))
    found = torch.autograd.grad((module(x)[2] ** 2).sum(), list(module.parameters()))
    for exact, bound in ((module, 1e-4), (copy.deepcopy(module).double(), 1e-5)):
        given = x.to(exact.weight_ih_l0.dtype)
        expected = torch.autograd.grad((plain(exact, given) ** 2).sum(), list(exact.parameters()))
        for name, one, other in zip(dict(module.named_parameters()), found, expected):
            assert torch.allclose(one.to(other.dtype), other, rtol=0, atol=bound * (1 + float(other.abs().max()))), name


def test_it_learns_and_streams():
    module = AttentiveRNN(vocab=5, inputs=4, hidden=8, outputs=5, batch_first=True, seed=1)
    tokens = (torch.arange(12) % 5).repeat(3, 1)
    optimiser = torch.optim.Adam(module.parameters(), 0.02)
    for _ in range(60):
        optimiser.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(tokens)[0].flatten(0, 1), (tokens.flatten() + 1) % 5)
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.3
    y = module.write_back().state().forward(tokens[0].numpy())
    assert np.array_equal(y, module(tokens[:1])[0][0].detach().numpy())


def test_parameters_are_copied_where_they_changed():
    """Also where nothing but `.data` was written; and what runs at once has a worker each, which serves again."""
    module, x = AttentiveRNN(inputs=3, hidden=8, outputs=2, seed=1), torch.randn(9, 2, 3)
    first = module(x)[0]
    worker = first.grad_fn.lease.worker
    second = module(2 * x)[0]
    assert second.grad_fn.lease.worker is not worker
    known = dict(worker.known)
    first.sum().backward()
    assert module._free == [worker]
    with torch.no_grad():
        again = module(x)[0]
        assert torch.equal(again, first) and module._free == [worker]
        assert all(worker.known[name] is known[name] for name in known), "nothing was copied"
        module.get_parameter("readout.bias").data.add_(1)
        again = module(x)[0]
        assert torch.allclose(again, first + 1)
        assert {name for name in known if worker.known[name] is not known[name]} == {"readout.bias"}
        longer = module(torch.cat([x, x]))[0]
        assert torch.equal(longer[:9], again), "more steps than ever before"
    with pytest.raises(RuntimeError, match="once"):
        first.grad_fn.apply(torch.ones_like(first), None, None)


def test_copies_and_pickles(tmp_path):
    module, x = AttentiveRNN(inputs=3, hidden=8, seed=1), torch.randn(9, 2, 3)
    expected = module(x)[0].detach()
    torch.save(module, tmp_path / "module")
    for other in (copy.deepcopy(module), torch.load(tmp_path / "module", weights_only=False)):
        with torch.no_grad():
            found = other(x)[0]
        assert torch.equal(found, expected) and len(other._free) == 1 and other._free[0] not in module._free


def test_tensors_are_arrays_without_a_copy():
    x = torch.randn(2, 9, 3).transpose(0, 1)
    given = torch_module._array(x)
    assert np.shares_memory(given, x.numpy()) and np.shares_memory(source("x", given, (9, 2, 3))[0], x.numpy())


def test_some_outputs_and_lengths():
    """What is not used owes nothing; what is beyond a stream's length neither."""
    module = AttentiveRNN(inputs=3, hidden=8, batch_first=True, seed=1)
    x = torch.randn(2, 9, 3, requires_grad=True)
    h = module(x, [9, 4])[1]
    h[1].sum().backward()
    assert h.shape == (2, 9, 8) and not x.grad[0].any() and x.grad[1, :4].any() and not x.grad[1, 4:].any()
    double = copy.deepcopy(module).double()
    assert double(x.detach().double())[1].dtype == torch.float64

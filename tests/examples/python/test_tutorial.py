# # Attention for recurrent networks, with arnn
#
# A tutorial for readers of lecture 9 of Wang Shusen's *RNN models and NLP applications*; pytest runs it as a test. Cells are
# divided in jupytext's percent format.

# %% [markdown]
# ## A SimpleRNN forgets
#
# Its next state is all that it knows: `h_t = tanh(A [x_t; h_{t-1}] + b)`. With attention it keeps all of h_1 .. h_t:
#
#     h_t = tanh(A [x_t; s_{t-1}] + b)
#     a_i = softmax_i(align(h_i, h_t))      i = 1 .. t
#     s_t = a_1 h_1 + .. + a_t h_t          s_0 = 0, so that s_1 = h_1

# %%
import pickle

import arnn
import numpy as np


def softmax(scores):
    scores = np.exp(scores - scores.max())
    return scores / scores.sum()


# %% [markdown]
# ## The formulas, and the library
#
# wiring="after" is that network. `score="dot"` aligns by (W_K h_i)'(W_Q h_t), lecture 8's second option.

# %%
def test_the_lecture():
    model = arnn.Model(wiring="after", score="dot", inputs=4, hidden=8, seed=1)
    state = model.state()
    x = np.random.default_rng(1).standard_normal((30, 4)).astype(np.float32)
    h, s, maps = state.forward(x, want=("h", "s", "map"))

    w = {name: model[name].astype(float) for name in model}
    past, summary = [], np.zeros(8)
    for t in range(30):
        past.append(np.tanh(w["weight_ih_l0"] @ x[t] + w["bias_ih_l0"] + w["weight_hh_l0"] @ summary + w["bias_hh_l0"]))
        a = softmax(np.array([(w["attn_key_l0"] @ row) @ (w["attn_query_l0"] @ past[-1]) for row in past]))
        summary = a @ np.array(past)
        assert np.allclose(h[t], past[-1], atol=1e-4) and np.allclose(s[t], summary, atol=1e-4)
        assert np.allclose(maps[t, :t + 1], a, atol=1e-4) and not maps[t, t + 1:].any()


# %% [markdown]
# ## Streaming
#
# A stream needs not be known in advance. A state carries the past on, and one step at a time gives the same numbers, to the
# last bit. Where every microsecond counts, a stepper works on arrays that stay where they are.

# %%
def test_streaming():
    model = arnn.Model(inputs=4, hidden=8, seed=1)
    x = np.random.default_rng(2).standard_normal((30, 4)).astype(np.float32)
    whole, state, now = model.state().forward(x), model.state(), np.empty((1, 4), np.float32)
    step, y = state.stepper(now)
    for t in range(30):
        now[0] = x[t]
        step()
        assert np.array_equal(y[0], whole[t])
    assert state.length() == 30


# %% [markdown]
# ## Training: to copy what was seen
#
# A key is shown first and asked for at the end. The loss is the cross entropy of the last output. What was learnt is saved with
# the model (a safetensors file; it pickles too).

# %%
def examples(rng, streams=32, steps=12, keys=4):
    tokens = rng.integers(keys, keys + 3, (steps, streams))
    tokens[0] = rng.integers(0, keys, streams)
    return tokens, tokens[0]


def learnt():
    model = arnn.Model(wiring="beside", vocab=7, inputs=16, hidden=32, outputs=4, seed=1)
    trainer, rng = arnn.Trainer(model, over="last", streams=32, steps=12), np.random.default_rng(3)
    for _ in range(150):
        trainer.step(*examples(rng), 0.01)
    return model, trainer.evaluate(*examples(rng))


def test_training_and_looking_at_attention(tmp_path):
    model, result = learnt()
    assert result["correct"] > 0.9 and result["loss"] < 0.5
    model.save(tmp_path / "recall.safetensors")
    again = arnn.Model.load(tmp_path / "recall.safetensors")
    assert pickle.loads(pickle.dumps(model)).description == again.description

    # Whom does the last step attend to? The weights of every step are a map (time, row), lower triangular.
    tokens, _ = examples(np.random.default_rng(4))
    y, attention = again.state(32).forward(tokens, want=("y", "map"))
    assert (y[-1].argmax(-1) == tokens[0]).mean() > 0.9
    assert np.allclose(attention.sum(-1), 1, atol=1e-5) and not np.triu(attention[:, 0], 1).any()

    # The key came first, and the first few states still hold it fresh; the distractors after them are left out. (A picture of such
    # a map, for a model that reads bytes: python -m arnn attend MODEL TEXT --out map.png)
    early = attention[-1, :, :5].sum(-1)
    assert early.mean() > 0.9

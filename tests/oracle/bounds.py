"""How far a float32 result may lie from the double one: bounds of the form c n eps, derived here.

Let u = 2^-24, half the spacing of float32 numbers at 1. Every operation rounds by at most u relative to its result.
All inputs of a step are the library's own float32 numbers, so that only one step's rounding counts.

Sums of products. In a sum of n terms with partial sums P_i the errors are at most u |P_i|, of random sign and,
uniformly distributed, of standard deviation u |P_i| / sqrt 3. The terms t of our products have random signs, so that
P_i is about sqrt(i) times their root mean square, and the error of the whole has a standard deviation of n u rms(t) /
sqrt 6, that is 0.4 sqrt(n) u |t|; where one term outweighs all others, P_i is that term and it is 0.6 sqrt(n) u |t|.
That is the worst order, plain summation; several accumulators only lessen it. The bound is seven or more of these,

    4 sqrt(n) u |t|  =  4 n u rms(t)                                       RANDOM = 4, n counts all that rounds

far below the n u sum |t| of the worst case, and tight enough that one weight that is off by 1e-4 shows at n = 130.
Errors that enter a product from an earlier one are independent as well and add by squares; all others add in size.

Functions. tanh and exp are taken to be right within FUNCTION u = 8 u relative (4 units in the last place): tanh of
small arguments keeps relative accuracy. Near follows errors through the cell by derivatives at the worst point.

Softmax. If score i is off by at most d_i, then to first order

    weight a_i by a_i (d_i + sum a d),   logsumexp by sum a d,   the mean s by sum a_i |h_i - s| d_i,

the last because moving all scores together moves nothing; a factor exp(2 max d) covers the rest. To d_i belongs what
the argument of exp loses: 2 u (|e_i| + the largest |e|), and exp itself. The sums over L rows have terms of one sign:
for those P_i grows like i, and RANDOM sqrt(L) u sum |terms| is, likewise, many standard deviations. Eight more
roundings are granted for scaling when the maximum moves and for merges of pages.
"""
import numpy as np

from oracle import scores, zero_row

U = 2.0 ** -24
RANDOM = 4
FUNCTION = 8
TINY = 1e-37  # underflow to zero or to denormals


def rounding(count, squares):
    """Error of a sum of `count` operations whose terms have this sum of squares."""
    return RANDOM * U * np.sqrt(count * squares)


def nonzero(x):
    """How many terms of a product with x round: adding a zero does not."""
    return np.count_nonzero(x, axis=-1, keepdims=True)


class Near:
    """A double, the error that came into it, and the sum of terms that it is: `count` roundings, `squares` of terms."""

    def __init__(self, value, slack=0.0, count=0, squares=None):
        self.value = np.asarray(value, dtype=np.float64)
        self.slack = np.broadcast_to(slack, self.value.shape)
        self.count = np.broadcast_to(count, self.value.shape)
        self.squares = self.value ** 2 if squares is None else squares

    def __array_ufunc__(self, function, method, *arguments):
        return {np.tanh: Near.tanh, np.exp: Near.exp, np.maximum: Near.maximum}[function](*arguments)

    @property
    def bound(self):
        return self.slack + rounding(self.count, self.squares)

    def __getitem__(self, index):
        return Near(self.value[index], self.slack[index], self.count[index], self.squares[index])

    def __matmul__(self, matrix):
        # the squares of errors of a product add; elsewhere the slack is zero
        bound = self.bound
        slack = np.sqrt(bound ** 2 @ matrix ** 2) if np.any(bound) else 0.0
        return Near(self.value @ matrix, slack, nonzero(self.value), self.value ** 2 @ matrix ** 2)

    def __add__(self, other):
        other = other if isinstance(other, Near) else Near(other)
        return Near(self.value + other.value, self.slack + other.slack, self.count + other.count + 1,
                    self.squares + other.squares)

    def __mul__(self, other):
        slack = np.abs(self.value) * other.bound + np.abs(other.value) * self.bound + self.bound * other.bound
        return Near(self.value * other.value, slack, 1)

    def __neg__(self):
        return Near(-self.value, self.slack, self.count, self.squares)

    def __radd__(self, number):
        return self + np.full_like(self.value, number)

    def __rsub__(self, number):
        return number + (-self)

    def __rtruediv__(self, number):
        """Of a number by one of at least one."""
        value = number / self.value
        return Near(value, value * self.bound / (self.value - self.bound), 1)

    def exp(self):
        value = np.exp(np.minimum(self.value, 300))  # what comes of more is nothing, in float32, once it divides
        return Near(value, value * (np.expm1(self.bound) + FUNCTION * U))

    def tanh(self):
        value, nearest = np.tanh(self.value), np.maximum(np.abs(self.value) - self.bound, 0)
        return Near(value, self.bound * (1 - np.tanh(nearest) ** 2) + FUNCTION * U * np.abs(value))

    def maximum(self, number):
        return Near(np.maximum(self.value, number), np.where(self.value + self.bound > number, self.bound, 0))


def product(x, weight, slack=None):
    """The bound of x @ weight.T, for x that is off by slack."""
    squares = (weight ** 2).T
    own = rounding(nonzero(x) + 1, x ** 2 @ squares)
    return own if slack is None else own + np.sqrt(slack ** 2 @ squares)


def _chain(description, parameters, layer, z, rows):
    """Dot and general: the query goes through one folded matrix, itself rounded once, or through one matrix after the
    other, whichever is worse; then the score is a product of width n (.., queries, rows)."""
    get = lambda name: parameters[f"attn_{name}_l{layer}"]
    if description.score == "general":
        weight = description.scale * get("general")
        error = product(z, weight)
    else:
        weight = description.scale * get("key").T @ get("query")
        error = np.maximum(product(z, weight), abs(description.scale) *
                           product(z @ get("query").T, get("key").T, product(z, get("query"))))
    q, squares = z @ weight.T, np.swapaxes(rows, -1, -2) ** 2
    count = np.count_nonzero(rows, axis=-1)[..., None, :]
    return np.sqrt(error ** 2 @ squares) + rounding(count, q ** 2 @ squares)


def _additive(description, parameters, layer, z, rows):
    """v' tanh(p + y): the products p and y, what exp loses of them, FUNCTION u for each unit, and the sum over k of
    terms no larger than 2 v (a unit may be made as 1 - 2 / (1 + exp ..), in parts)."""
    get = lambda name: parameters[f"attn_{name}_l{layer}"]
    p, y = (rows @ get("key").T)[..., None, :, :], (z @ get("query").T)[..., :, None, :]
    error = product(rows, get("key"))[..., None, :, :] + product(z, get("query"))[..., :, None, :]
    v, t = get("score"), np.tanh(p + y)
    inside = (1 - t ** 2) * (error + 3 * U * (np.abs(p) + np.abs(y)))
    return np.sqrt(inside ** 2 @ v ** 2) + RANDOM * FUNCTION * U * np.linalg.norm(v) + rounding(len(v), 4 * v @ v)


def score(description, parameters, layer, z, rows):
    """The bound of each score (.., queries, rows)."""
    return (_additive if description.score == "additive" else _chain)(description, parameters, layer, z, rows)


def read(description, parameters, layer, z, rows, memories, reading, aged):
    """Bounds of a reading: summary, memory, weights, zero, logsumexp. aged: what recency took from each score."""
    zeros = zero_row(rows)
    all_rows = np.concatenate([rows, zeros], axis=-2)
    weights = np.concatenate([reading.weights, reading.zero[..., None]], axis=-1)
    e = np.abs(scores(description, parameters, layer, z, all_rows))
    taken = np.concatenate([np.broadcast_to(np.abs(aged), e[..., :-1].shape), np.zeros_like(e[..., :1])], axis=-1)
    e = np.where(weights > 0, e + taken, 0)
    d = score(description, parameters, layer, z, all_rows)
    if description.score != "additive":
        d[..., -1] = 0
    return softmax(d + 2 * U * (e + np.max(e, axis=-1, keepdims=True)), weights, all_rows,
                   None if memories is None else np.concatenate([memories, zeros], axis=-2), reading)


def softmax(d, weights, rows, memories, reading):
    """The same from bounds d of the scores; the last row is the zero row."""
    d = np.where(weights > 0, d, 0)
    growth = np.exp(2 * np.max(d, axis=-1, keepdims=True))
    count = np.sum(weights > 0, axis=-1, keepdims=True)
    sums = (RANDOM * np.sqrt(count) + 8 + FUNCTION) * U
    mean = np.sum(weights * d, axis=-1, keepdims=True)
    weight = weights * (d + mean + sums) * growth + TINY
    logsumexp = mean[..., 0] * growth[..., 0] + sums[..., 0] + 2 * U * np.abs(
        np.where(np.isfinite(reading.logsumexp), reading.logsumexp, 0))
    return (_mean(d, growth, sums, weights, rows, reading.summary),
            None if memories is None else _mean(d, growth, sums, weights, memories, reading.memory),
            weight[..., :-1], weight[..., -1], logsumexp)


def _mean(d, growth, sums, weights, rows, mean):
    spread = np.abs(rows[..., None, :, :] - mean[..., :, None, :])
    moved = np.sum((weights * d)[..., None] * spread, axis=-2)
    return moved * growth + 2 * sums * (weights @ np.abs(rows)) + TINY

"""The read alone, for your own cache; and what runs here."""
from __future__ import annotations

from typing import Sequence, Tuple, Union

import numpy as np

from ._arrays import F32, dense, expect, pointer
from ._base import ShapeError, check, ffi, lib
from ._types import Array, ArrayLike

TYPES = {"float32": lib.ARNN_TYPE_F32, "float16": lib.ARNN_TYPE_F16, "bfloat16": lib.ARNN_TYPE_BF16, "int8": lib.ARNN_TYPE_I8}


def _rows(values, width, number):
    """An array (count, width) whose rows are contiguous; copied only where they are not."""
    array = np.asarray(values)
    expect(f"rows[{number}]", array.shape, (None, width))
    array = array if array.dtype.name in TYPES else array.astype(F32)
    item = array.itemsize
    fits = array.flags.aligned and array.dtype.isnative and (width < 2 or array.strides[1] == item)
    fits = fits and (len(array) < 2 or (array.strides[0] % item == 0 and array.strides[0] >= width * item))
    return array if fits else np.array(array, order="C")


def attend(queries: ArrayLike, rows: Union[ArrayLike, Sequence[ArrayLike]], *, scale: float = 1.0,
           weights: bool = False) -> Tuple[Array, ...]:
    """softmax(scale rows q)' rows: for queries (batch, width) and a list of arrays rows[b] (count, width), float32, float16, int8
    or ml_dtypes' bfloat16, all of one type; or one query (width) and one array. Gives (contexts (batch, width), logsumexp (batch)),
    with weights=True also (batch, largest count)."""
    queries = np.asarray(queries)
    if alone := queries.ndim == 1:
        queries, rows = queries[None], [rows]
    queries = dense("queries", queries, (None, None))
    batch, width = queries.shape
    if len(rows) != batch:
        raise ShapeError(f"rows has {len(rows)} arrays, expected {batch}: one for each query")
    arrays = [_rows(values, width, number) for number, values in enumerate(rows)]
    if len({array.dtype for array in arrays}) > 1:
        arrays = [array.astype(F32) for array in arrays]
    table = ffi.new("arnn_rows[]", max(batch, 1))
    for entry, array in zip(table, arrays):
        entry.data, entry.count = ffi.cast("void *", array.ctypes.data), len(array)
        entry.stride = array.strides[0] // array.itemsize if len(array) > 1 else width
    contexts, sums = np.empty((batch, width), F32), np.empty(batch, F32)
    most = max(map(len, arrays), default=0)
    found = np.empty((batch, most), F32) if weights else None
    kind = TYPES[arrays[0].dtype.name] if arrays else lib.ARNN_TYPE_F32
    check(lib.arnn_attend(pointer(contexts), pointer(sums), pointer(found), pointer(queries), table, batch, width, most, kind, scale))
    results = (contexts, sums) + ((found,) if weights else ())
    return tuple(result[0] for result in results) if alone else results


def attend_merge(contexts: ArrayLike, logsumexp: ArrayLike, other_contexts: ArrayLike,
                 other_logsumexp: ArrayLike) -> Tuple[Array, Array]:
    """What attend would give over both sets of rows: (contexts (batch, width), logsumexp (batch)), new arrays."""
    contexts = np.array(dense("contexts", contexts, (None, None)))
    batch, width = contexts.shape
    logsumexp = np.array(dense("logsumexp", logsumexp, (batch,)))
    other = dense("other_contexts", other_contexts, (batch, width))
    other_sum = dense("other_logsumexp", other_logsumexp, (batch,))
    check(lib.arnn_attend_merge(pointer(contexts), pointer(logsumexp), pointer(other), pointer(other_sum), batch, width))
    return contexts, logsumexp


def build_info() -> str:
    """One line: version, kernel tables, BLAS."""
    return ffi.string(lib.arnn_build_info()).decode()


def constant(name: str) -> int:
    """The value of a constant of the header."""
    value = ffi.new("int32_t *")
    check(lib.arnn_constant(name.encode(), value))
    return value[0]


def status_string(status: int) -> str:
    """A few words for a status."""
    return ffi.string(lib.arnn_status_string(status)).decode()


def version() -> Tuple[int, int, int]:
    """(major, minor, patch) of the library inside."""
    number = lib.arnn_version()
    return number // 10000, number // 100 % 100, number % 100

"""NumPy arrays as the library takes them: without a copy where their layout allows."""
import numpy as np

from ._base import NULL, ShapeError, ffi

F32, I32, SIZE = np.dtype(np.float32), np.dtype(np.int32), np.dtype(np.uintp)
LIMITS = {dtype: (np.iinfo(dtype).min, np.iinfo(dtype).max) for dtype in (I32, SIZE)}


def expect(name, shape, wanted):
    """Raises unless the shape is the one wanted, in which None stands for any size."""
    if shape == wanted:
        return
    if len(shape) != len(wanted) or any(want is not None and want != size for size, want in zip(shape, wanted)):
        text = "(" + ", ".join("any" if want is None else str(want) for want in wanted) + ("," if len(wanted) == 1 else "") + ")"
        raise ShapeError(f"{name} has shape {tuple(shape)}, expected {text}")


def pointer(array, ctype="float *"):
    if array is None:
        return NULL
    return ffi.cast(ctype, ffi.from_buffer(array) if array.flags.c_contiguous else array.ctypes.data) # the first is the faster


def numbers(name, values, dtype):
    """As an array of dtype: any float array for floats; for integers nothing that would lose a part."""
    array = np.asarray(values)
    kinds = "fiub" if dtype.kind == "f" else "iu"
    if array.dtype.kind not in kinds and array.size:
        raise TypeError(f"{name} has dtype {array.dtype}, expected {'floats' if dtype.kind == 'f' else 'integers'}")
    if dtype.kind in "iu" and array.size and array.dtype != dtype:
        least, most = LIMITS[dtype]
        if array.min() < least or array.max() > most:
            raise ValueError(f"{name} holds numbers outside {least} .. {most}")
    return array


def dense(name, values, shape=None, dtype=F32):
    """A contiguous array of dtype, copied only if it is not one."""
    array = numbers(name, values, np.dtype(dtype))
    array = np.require(array, dtype, ["C", "A"])
    if shape is not None:
        expect(name, array.shape, shape)
    return array


def strides(array):
    """(time stride, stream stride) in elements of an array (time, stream, width) or (time, stream); None: it needs a copy."""
    item = array.itemsize
    width = array.shape[2] if array.ndim == 3 else 1
    flags = array.flags
    if not flags.aligned or not array.dtype.isnative:
        return None
    if flags.c_contiguous or 0 in array.shape:
        return (0, 0)
    if array.ndim == 3 and width > 1 and array.strides[2] != item:
        return None
    steps, streams = array.shape[:2]
    time, stream = (array.strides[axis] // item for axis in (0, 1))
    if any(array.shape[axis] > 1 and (array.strides[axis] <= 0 or array.strides[axis] % item) for axis in (0, 1)):
        return None
    stream = stream if streams > 1 else width
    time = time if steps > 1 else streams * stream
    if stream < width or time < width or (time < stream * streams and stream < time * steps):
        return None
    return (time, stream)


def source(name, values, shape, dtype=F32):
    """(array, time stride, stream stride) of an input (time, stream[, width])."""
    array = numbers(name, values, np.dtype(dtype))
    expect(name, array.shape, shape)
    if array.dtype == dtype:
        found = strides(array)
        if found is not None:
            return (array, *found)
    return (np.require(array, dtype, ["C", "A"]), 0, 0)


def target(name, array, shape):
    """(array to fill, time stride, stream stride) of an output; another array than the one given where it needs a copy back."""
    expect(name, array.shape, shape)
    if not array.flags.writeable:
        raise ValueError(f"{name} is read-only")
    if array.dtype.kind != "f":
        raise TypeError(f"{name} has dtype {array.dtype}, expected floats")
    if array.dtype == F32:
        found = strides(array)
        if found is not None:
            return (array, *found)
    return (np.array(array, F32, order="C"), 0, 0)


def sizes(name, values):
    """(pointer, keeper, count) of a list of sizes; None gives NULL."""
    if values is None:
        return NULL, None, 0
    array = numbers(name, values, SIZE)
    if array.ndim != 1:
        raise ShapeError(f"{name} has shape {array.shape}, expected (any,)")
    array = np.ascontiguousarray(array, SIZE)
    return pointer(array, "size_t *"), array, len(array)

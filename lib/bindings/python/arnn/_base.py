"""Errors, descriptions and handles: what the other modules stand on."""
from __future__ import annotations

import threading
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

from ._arnn import ffi, lib

NULL = ffi.NULL


class ArnnError(Exception):
    """Base of all errors of the library; `status` is the number of the header."""

    status: int = -1


class InvalidArgumentError(ArnnError, ValueError):
    status: int = lib.ARNN_INVALID_ARGUMENT


class ShapeError(ArnnError, ValueError):
    status: int = lib.ARNN_SHAPE


class UnsupportedError(ArnnError, ValueError):
    status: int = lib.ARNN_UNSUPPORTED


class NotFoundError(ArnnError, LookupError):
    status: int = lib.ARNN_NOT_FOUND


class BusyError(ArnnError, RuntimeError):
    status: int = lib.ARNN_BUSY


class FullError(ArnnError, RuntimeError):
    status: int = lib.ARNN_FULL


class NoMemoryError(ArnnError, MemoryError):
    status: int = lib.ARNN_NO_MEMORY


class IoError(ArnnError, OSError):
    status: int = lib.ARNN_IO


class FormatError(ArnnError, ValueError):
    status: int = lib.ARNN_FORMAT


ERRORS = {error.status: error for error in (InvalidArgumentError, ShapeError, UnsupportedError, NotFoundError, BusyError,
                                            FullError, NoMemoryError, IoError, FormatError)}


def failed(status):
    """The exception of a status, with the library's sentence."""
    return ERRORS[status](ffi.string(lib.arnn_last_error()).decode(errors="replace"))


def check(status):
    if status:
        raise failed(status)


# ---- Descriptions: structs by keywords, constants as words -----------------------------------------------------------

# Which members of which struct are constants of the header, and how those begin.
WORDS = {"cell": "ARNN_CELL_", "wiring": "ARNN_WIRING_", "score": "ARNN_SCORE_", "attention_start": "ARNN_ATTENTION_",
         "start_row": "ARNN_START_", "source": "ARNN_SOURCE_", "tape_type": "ARNN_TYPE_", "memory_type": "ARNN_TYPE_",
         "key_type": "ARNN_TYPE_", "loss": "ARNN_LOSS_", "over": "ARNN_OVER_", "optimiser": "ARNN_OPTIMISER_"}
HIDDEN = {"struct_size", "reserved"}


@lru_cache(maxsize=None)
def words(start):
    """{word: value} of the constants that begin with `start`: words("ARNN_TYPE_") is {"f32": 0, ..}."""
    return {name[len(start):].lower(): getattr(lib, name) for name in dir(lib) if name.startswith(start)}


def constant(start, value, what):
    """The value of a word; numbers pass as they are."""
    if not isinstance(value, str):
        return value
    known = words(start)
    if value not in known:
        raise InvalidArgumentError(f"{what} is {value!r}, expected one of {', '.join(map(repr, known))}")
    return known[value]


def fill(kind, given):
    """A struct arnn_{kind} with the library's defaults and the members given."""
    struct = ffi.new(f"arnn_{kind} *")
    check(getattr(lib, f"arnn_{kind}_default")(struct, ffi.sizeof(f"arnn_{kind}")))
    members = [name for name, _ in ffi.typeof(f"arnn_{kind}").fields if name not in HIDDEN]
    for name, value in given.items():
        if name not in members:
            raise TypeError(f"{name!r} is no option; there are {', '.join(members)}")
        value = constant(WORDS[name], value, name) if name in WORDS else value
        try:
            setattr(struct, name, value)
        except (OverflowError, TypeError) as error:
            raise InvalidArgumentError(f"{name} is {value!r}: {error}") from None
    return struct


def read(kind, struct):
    """The members of a struct as a dict, constants as words."""
    found = {}
    for name, _ in ffi.typeof(f"arnn_{kind}").fields:
        if name in HIDDEN:
            continue
        value = getattr(struct, name)
        if name in WORDS and isinstance(value, int): # not the loss of a step of training
            value = next((word for word, number in words(WORDS[name]).items() if number == value), value)
        found[name] = value
    return found


# ---- Who may use a handle --------------------------------------------------------------------------------------------

class Guard:
    """One thread at a time: a second one gets BusyError. What is let go meanwhile is destroyed by the one at work."""

    def __init__(self, what):
        self.what = what
        self.flag = ffi.new("bool *")
        self.waiting = []

    def take(self):
        if not lib.guard_take(self.flag):
            raise self.busy()

    def busy(self):
        return BusyError(f"this {self.what} is at work in another thread; a thread waits, or uses a {self.what} of its own")

    def give(self):
        lib.guard_give(self.flag)
        if self.waiting:
            self.drain()

    def drain(self):
        while self.waiting and lib.guard_take(self.flag):
            try:
                while self.waiting:
                    destroy, handle = self.waiting.pop()
                    destroy(handle)
            finally:
                lib.guard_give(self.flag)

    def __enter__(self):
        self.take()

    def __exit__(self, *_):
        self.give()

    def destroyer(self, destroy, place):
        """For ffi.gc: destroys now, or leaves it to the thread at work. In its place nobody finds it any more."""
        def later(handle):
            place[0] = NULL
            self.waiting.append((destroy, handle))
            self.drain()
        return later


class Readers:
    """A model: many threads read it, or one changes it."""

    def __init__(self):
        self.mutex = threading.Lock()
        self.readers = 0
        self.writing = False

    @contextmanager
    def reading(self):
        with self.mutex:
            if self.writing:
                raise BusyError("this Model is being changed by another thread")
            self.readers += 1
        try:
            yield
        finally:
            with self.mutex:
                self.readers -= 1

    @contextmanager
    def changing(self):
        with self.mutex:
            if self.writing or self.readers:
                raise BusyError("this Model is in use by another thread, and cannot change meanwhile")
            self.writing = True
        try:
            yield
        finally:
            with self.mutex:
                self.writing = False


Self = TypeVar("Self", bound="Handle")


class Handle:
    """Owns a handle of the library. `with` closes it; so does the garbage collector."""

    _handle = None

    def _own(self, kind, guard, *arguments):
        out = ffi.new(f"arnn_{kind} **")
        check(getattr(lib, f"arnn_{kind}_create")(out, *arguments))
        self._adopt(kind, guard, out[0])

    def _adopt(self, kind, guard, raw):
        destroy = getattr(lib, f"arnn_{kind}_destroy")
        self._place = ffi.new(f"arnn_{kind} **", raw)
        self._handle = ffi.gc(raw, guard.destroyer(destroy, self._place) if guard else destroy)

    @property
    def _c(self):
        if self._handle is None:
            raise ValueError(f"this {type(self).__name__} is closed")
        return self._handle

    def close(self) -> None:
        """Lets go of what it holds; what rests on it stays alive. A second time does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            ffi.release(handle)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} does not pickle: it is memory in use; pickle the Model, and what "
                        "State.rows and State.get give")

"""Recurrent networks whose every step attends to all of their past hidden states.

    model = arnn.Model(cell="gru", wiring="beside", inputs=8, hidden=64, outputs=2, seed=1)
    state = model.state()
    y = state.forward(x)                 # x (time, 8), y (time, 2)
    weights, zero, logsumexp = state.weights()

Names, shapes and rules are those of arnn.h, which is the manual.
"""
from ._attend import attend, attend_merge, build_info, constant, status_string, version
from ._base import (ArnnError, BusyError, FormatError, FullError, InvalidArgumentError, IoError, NoMemoryError, NotFoundError,
                    ShapeError, UnsupportedError)
from ._model import Cache, Model
from ._record import Record
from ._state import State
from ._trainer import Trainer, sample

__version__ = ".".join(map(str, version()))
__all__ = ["ArnnError", "BusyError", "Cache", "FormatError", "FullError", "InvalidArgumentError", "IoError", "Model",
           "NoMemoryError", "NotFoundError", "Record", "ShapeError", "State", "Trainer", "UnsupportedError", "attend",
           "attend_merge", "build_info", "constant", "sample", "status_string", "version"]

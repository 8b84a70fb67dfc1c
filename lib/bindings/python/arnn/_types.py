"""The types of public signatures: arrays, and the options of structs by keyword (members of the header, constants as words)."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, Literal, Sequence, TypedDict, Union

import numpy as np
from numpy.typing import ArrayLike as ArrayLike, NDArray

if TYPE_CHECKING:
    from typing_extensions import Unpack as Unpack

Array = NDArray[np.float32]
AnyArray = NDArray[Any]
Doubles = NDArray[np.float64]
Tokens = NDArray[np.int32]
Sizes = Union[Sequence[int], NDArray[np.integer[Any]]]
Wanted = Literal["y", "h", "s", "map", "map_zero"]
Value = Literal["s", "m", "h"]
Step = Callable[[], None]

Cell = Union[Literal["rnn_tanh", "rnn_relu", "gru", "lstm"], int]
Wiring = Union[Literal["none", "after", "beside", "before"], int]
Score = Union[Literal["dot", "general", "additive"], int]
Element = Union[Literal["f32", "f16", "bf16", "i8"], int]


class ModelOptions(TypedDict, total=False):
    """arnn_model_desc."""

    cell: Cell
    wiring: Wiring
    score: Score
    attention_start: Union[Literal["spread", "newest"], int]
    start_row: Union[Literal["none", "zero"], int]
    recency: int
    skip: int
    source: Union[Literal["h", "s", "hs"], int]
    scale: float
    recency_start: float
    inputs: int
    hidden: int
    layers: int
    vocab: int
    align: int
    window: int
    sinks: int
    outputs: int


class CacheOptions(TypedDict, total=False):
    """arnn_cache_desc."""

    tape_type: Element
    memory_type: Element
    key_type: Element
    threads: int
    page_rows: int
    streams: int
    rows: int
    max_bytes: int


class TrainerOptions(TypedDict, total=False):
    """arnn_trainer_desc."""

    loss: Union[Literal["cross_entropy", "squared_error"], int]
    over: Union[Literal["steps", "last", "mean"], int]
    optimiser: Union[Literal["sgd", "adam", "adamw"], int]
    threads: int
    momentum: float
    second_momentum: float
    epsilon: float
    weight_decay: float
    clip: float
    dropout: float
    readout_dropout: float
    seed: int
    streams: int
    steps: int
    past: int


class Training(TypedDict):
    """arnn_training: what a step of learning tells."""

    loss: float
    weight: float
    correct: float
    norm: float

"""What a layer is told about one call, beyond its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(slots=True)
class Run:
    """The conditions of one call of one layer on one micro-batch.

    `empty(shape, dtype)` gives an uninitialised array, which lives as long as somebody holds it; its
    memory comes from the worker's workspace and goes back there by itself.
    """

    dtype: np.dtype[Any]
    training: bool = False
    batch_size: int = 0  # samples in the whole batch, of which the micro-batch is a part
    needs: tuple[bool, ...] = (True,)  # backward: which inputs' gradients are wanted
    owned: tuple[bool, ...] = (False,)  # forward: which inputs may be written over
    owns_dy: bool = False  # backward: dy may be written over
    keep: bool = True  # forward: a backward pass will follow, so the cache is needed
    totals: Array | None = None  # coupled layers: the batch's sums
    generator: Callable[[], np.random.Generator] = field(default=np.random.default_rng)
    empty: Callable[..., Array] = np.empty

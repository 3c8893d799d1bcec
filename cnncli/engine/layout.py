"""The one place that knows both layouts: batch first outside the engine, batch last inside."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.layers.run import Run

Array = NDArray[Any]


def to_engine(x: Array, run: Run) -> Array:
    """(n, *shape) of any dtype -> a new (*shape, n) in the run's dtype."""
    y = run.empty((*x.shape[1:], x.shape[0]), run.dtype)
    np.copyto(y, x.transpose(*range(1, x.ndim), 0), casting="same_kind")
    return y


def to_user(x: Array) -> Array:
    """A view (n, *shape) of (*shape, n)."""
    return x.transpose(-1, *range(x.ndim - 1))

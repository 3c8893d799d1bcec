"""Sums over everything but the channels, quick and exact enough to be trusted in single precision.

Each image row (all samples of it) is summed in the array's own precision by BLAS, several times as fast as
np.sum; the rows' sums, which are where rounding would pile up, in double precision.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def channel_sums(x: Array) -> Array:
    """(C, ..., n) -> (C,), in double precision."""
    rows = _rows(x)
    return _total(np.matmul(rows, np.ones(rows.shape[-1], x.dtype)))


def channel_dots(a: Array, b: Array) -> Array:
    """The sums of a * b, without conjugation: (C, ..., n), (C, ..., n) -> (C,), in double precision."""
    return _total(np.matmul(_rows(a)[..., None, :], _rows(b)[..., None])[..., 0, 0])


def _rows(x: Array) -> Array:
    """(C, rows, numbers in a row)."""
    return x.reshape(x.shape[0], x.shape[1] if x.ndim > 2 else 1, -1)


def _total(sums: Array) -> Array:
    total: Array = sums.sum(axis=1, dtype=np.result_type(sums.dtype, np.float64))
    return total

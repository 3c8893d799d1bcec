"""Sums over everything but the channels, quick and exact enough to be trusted in single precision.

The numbers of a channel are summed in rows of at most ROW, in the array's own precision, by BLAS, several times as
fast as np.sum; the rows' sums, which are where rounding would pile up, in double precision.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.kernels.blocks import channel_blocks, scratch_for

Array = NDArray[Any]
Empty = Callable[..., Array]

ROW = 1024
"""BLAS adds up 16 to 64 numbers side by side, so that no sum in single precision has more than 64 terms; in longer
rows the time of a call does not count any more."""

NEAR = 4
"""A mean whose square is at most so many variances is near enough to 0: of the 24 bits the variance loses two."""


def channel_sums(x: Array) -> Array:
    """(C, ..., n) -> (C,), in double precision."""
    rows = _rows(x)
    return _total(np.dot(rows, _ones(rows.shape[1], x.dtype)), len(x))


def channel_dots(a: Array, b: Array) -> Array:
    """The sums of a * b, without conjugation: (C, ..., n), (C, ..., n) -> (C,), in double precision."""
    return _total(_dots(_rows(a), _rows(b)), len(a))


def sums_and_dots(a: Array, b: Array) -> tuple[Array, Array]:
    """`channel_sums(a)` and `channel_dots(a, b)`, reading a from memory once."""
    sums, dots = [], []
    for block in channel_blocks(a):
        rows = _rows(a[block])
        sums.append(np.dot(rows, _ones(rows.shape[1], a.dtype)))
        dots.append(_dots(rows, _rows(b[block])))
    return _total(np.concatenate(sums), len(a)), _total(np.concatenate(dots), len(a))


def centred_sums(x: Array, empty: Empty) -> tuple[Array, Array, Array]:
    """For every channel a number c, and the sums of x - c and of (x - c)^2; (C,) each, in double precision.

    Around 0 the squares lose digits where the mean is large beside the deviation. There c is the mean of the channel's
    middle row; the mean itself would take one more pass. Elsewhere c is 0, which saves the pass that subtracts it.
    Which it is, the middle row tells, too, for a block of channels at once.
    """
    middle = x.reshape(len(x), -1, _row(x.size // len(x)))
    middle = middle[:, middle.shape[1] // 2]
    centre = np.dot(middle, _ones(middle.shape[1], x.dtype)) / middle.shape[1]
    variance = (_dots(middle, middle) / middle.shape[1] - centre * centre).real
    near = np.abs(centre) ** 2 <= NEAR * variance
    column = centre.reshape(-1, *(1,) * (x.ndim - 1))
    scratch = None if near.all() else scratch_for(x, empty)
    sums, squares = [], []
    for block in channel_blocks(x):
        part = x[block]
        if scratch is None or near[block].all():
            centre[block] = 0
        else:
            part = np.subtract(part, column[block], out=scratch[: len(part)])
        rows = _rows(part)
        sums.append(np.dot(rows, _ones(rows.shape[1], x.dtype)))
        squares.append(_dots(rows, rows))
    return _total(centre, len(x)), _total(np.concatenate(sums), len(x)), _total(np.concatenate(squares), len(x))


def _rows(x: Array) -> Array:
    """(C * rows, numbers in a row)."""
    return x.reshape(-1, _row(x.size // len(x)))


@lru_cache(maxsize=1024)
def _row(size: int) -> int:
    """The longest row of at most ROW numbers that divides a channel of this size."""
    count = -(-size // ROW)
    while size % count:
        count += 1
    return size // count


@lru_cache(maxsize=1024)
def _ones(length: int, dtype: DTypeLike) -> Array:
    ones = np.ones(length, dtype)
    ones.flags.writeable = False
    return ones


def _dots(a: Array, b: Array) -> Array:
    dots: Array = np.vecdot(a.conj() if a.dtype.kind == "c" else a, b)  # vecdot conjugates a
    return dots


def _total(sums: Array, channels: int) -> Array:
    """(C * rows,) -> (C,)."""
    double = np.result_type(sums.dtype, np.float64)
    if len(sums) == channels:
        return sums.astype(double)
    total: Array = np.add.reduce(sums.reshape(channels, -1), axis=1, dtype=double)
    return total

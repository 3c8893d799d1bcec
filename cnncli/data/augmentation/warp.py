"""Every picture of a batch seen through a linear map of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

_BLOCK = 1 << 13
"""Pixels that are worked on at a time: what is in between then stays in the cache."""


def warp(x: Array, matrix: Array, shift: Array) -> Array:
    """y[n, :, i, j] = x[n, :, u, v], with (u, v) - centre = matrix[n] @ ((i, j) - centre) + shift[n], bilinearly.

    `x` is (N, C, H, W), `matrix` (N, 2, 2), `shift` (N, 2) in pixels. Outside of the picture everything is 0.
    The identity gives x itself, to the bit.
    """
    n, _, height, width = x.shape
    y = np.empty_like(x)
    step = max(1, _BLOCK // (height * width))
    for start in range(0, n, step):
        part = slice(start, start + step)
        _warp(x[part], matrix[part].astype(x.dtype), shift[part].astype(x.dtype), y[part])
    return y


def _warp(x: Array, matrix: Array, shift: Array, y: Array) -> None:
    n, channels, height, width = x.shape
    # A border of zeros, on which everything lies that is farther out. Below and on the right it is two wide: a
    # pixel on it has a neighbour too.
    rows, columns = height + 3, width + 3
    bordered = np.zeros((channels, n, rows, columns), x.dtype)
    bordered[:, :, 1:-2, 1:-2] = x.swapaxes(0, 1)
    top, u = _split(_sources(matrix[:, 0], shift[:, 0], height, width, height), height + 1)
    left, v = _split(_sources(matrix[:, 1], shift[:, 1], height, width, width), width + 1)
    place = top  # of the upper left one of four neighbours, among all the pixels of a channel: (N, H, W)
    place += np.arange(n)[:, None, None] * rows
    place *= columns
    place += left
    places = (place, place + 1, place + columns, place + columns + 1)
    for channel, plane in enumerate(bordered):
        upper_left, upper_right, lower_left, lower_right = (plane.take(place) for place in places)
        y[:, channel] = _between(_between(upper_left, upper_right, v), _between(lower_left, lower_right, v), u)


def _sources(row: Array, shift: Array, height: int, width: int, side: int) -> Array:
    """Where each pixel of the result comes from, along one side of the bordered picture: (N, H, W)."""
    i = np.arange(height, dtype=row.dtype) - (height - 1) / 2
    j = np.arange(width, dtype=row.dtype) - (width - 1) / 2
    along_rows = row[:, :1] * i + (shift + (side - 1) / 2 + 1)[:, None]  # (N, H)
    along_columns = row[:, 1:] * j  # (N, W)
    return along_rows[:, :, None] + along_columns[:, None]


def _split(position: Array, most: int) -> tuple[NDArray[np.int64], Array]:
    """The pixel at or before each position, from 0 to `most`, and how far the position is from there to the next."""
    np.maximum(position, 0, out=position)
    np.minimum(position, most, out=position)
    before = np.floor(position)
    position -= before
    return before.astype(np.int64), position


def _between(first: Array, second: Array, share: Array) -> Array:
    """`first` where the share is 0, `second` where it is 1; written over the second."""
    second -= first
    second *= share
    second += first
    return second

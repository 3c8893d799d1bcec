"""Pooling over windows, one tap of the kernel at a time: what the tap sees is first gathered into an array of
the output's shape, so that the arithmetic runs over contiguous memory.

x is (C, H, W, n), y is (C, oh, ow, n); the geometry says which input pixel an output's tap sees.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.geometry import Axis, Geometry

Array = NDArray[Any]
Empty = Callable[..., Array]
Region = tuple[slice, slice, slice]


def max_pool(x: Array, geometry: Geometry, empty: Empty, record: bool) -> tuple[Array, Array | None]:
    """The largest value of every window and, if `record`, which tap it came from, counted row by row: of
    several the first, as PyTorch has it. Complex numbers are compared by their real parts."""
    y = empty((x.shape[0], *geometry.out, x.shape[-1]), x.dtype)
    larger = empty(y.shape, np.bool_)
    kind = np.min_scalar_type(geometry.kernel[0] * geometry.kernel[1] - 1)
    winners = candidates = None
    if record:
        winners, candidates = empty(y.shape, kind), empty(y.shape, kind)
        winners[...] = 0
    for number, seen in _gathered(x, y, geometry, empty, -np.inf):
        if winners is not None and candidates is not None:
            np.greater(seen.real, y.real, out=larger)
            np.multiply(larger.view(np.uint8), kind.type(number), out=candidates)
            np.maximum(winners, candidates, out=winners)
        if x.dtype.kind == "c":
            np.copyto(y, seen, where=np.greater(seen.real, y.real, out=larger))
        else:
            np.maximum(y, seen, out=y)
    return y, winners


def max_pool_backward(winners: Array, dy: Array, geometry: Geometry, empty: Empty) -> Array:
    """dx: every output's gradient goes to the pixel that won its window."""
    dx = _blank(dy, geometry, empty)
    share = empty(dy.shape, dy.dtype)
    won = empty(dy.shape, np.bool_)
    for number, tap in enumerate(_taps(geometry)):
        np.equal(winners, number, out=won)
        np.multiply(dy, won, out=share)
        _scatter(share, tap, dx, geometry)
    return dx


def sum_pool(x: Array, geometry: Geometry, empty: Empty) -> Array:
    """The sum over every window; padding counts as zeros."""
    y = empty((x.shape[0], *geometry.out, x.shape[-1]), x.dtype)
    for _, seen in _gathered(x, y, geometry, empty, 0):
        y += seen
    return y


def sum_pool_backward(dy: Array, geometry: Geometry, empty: Empty) -> Array:
    """dx: every pixel of a window gets the output's gradient."""
    dx = _blank(dy, geometry, empty)
    for tap in _taps(geometry):
        _scatter(dy, tap, dx, geometry)
    return dx


def window_counts(geometry: Geometry) -> Array:
    """How many pixels of the image, padding left out, each window sees: (oh, ow)."""
    return np.multiply.outer(_axis_counts(geometry.height), _axis_counts(geometry.width))


def copy_cells(target: Array, source: Array) -> None:
    """target[...] = source. The n numbers of a pixel are moved as one item, two to three times as fast as
    n at a time where neighbouring pixels of either are not neighbours in memory. The last axes are contiguous."""
    cell = np.dtype((np.void, source.itemsize * source.shape[-1]))
    np.copyto(target.view(cell), source.view(cell))


def _taps(geometry: Geometry) -> Iterator[tuple[Region, Region]]:
    """For every tap, row by row: the outputs whose tap lies in the image, and the pixels it sees there."""
    everything = slice(None)
    for i in range(geometry.height.kernel):
        rows_out, rows_in = geometry.height.inside(i, 0, geometry.height.out)
        for j in range(geometry.width.kernel):
            columns_out, columns_in = geometry.width.inside(j, 0, geometry.width.out)
            yield (everything, rows_out, columns_out), (everything, rows_in, columns_in)


def _gathered(x: Array, y: Array, geometry: Geometry, empty: Empty, outside: float) -> Iterator[tuple[int, Array]]:
    """Puts the first tap into y and gives every other one's number and what it sees, (C, oh, ow, n), which is
    `outside` in the padding. The array is the same each time."""
    target = y
    for number, (outputs, pixels) in enumerate(_taps(geometry)):
        if geometry.padded:
            target[...] = outside
        copy_cells(target[outputs], x[pixels])
        if number:
            yield number, target
        else:
            target = empty(y.shape, y.dtype)


def _scatter(share: Array, tap: tuple[Region, Region], dx: Array, geometry: Geometry) -> None:
    outputs, pixels = tap
    if _disjoint(geometry):
        copy_cells(dx[pixels], share[outputs])
    else:
        dx[pixels] += share[outputs]


def _disjoint(geometry: Geometry) -> bool:
    """No pixel lies in two windows."""
    return all(axis.kernel <= axis.stride for axis in (geometry.height, geometry.width))


def _blank(dy: Array, geometry: Geometry, empty: Empty) -> Array:
    """dx to scatter into, which has to be zero unless every pixel is written exactly once."""
    height, width = geometry.height, geometry.width
    dx = empty((dy.shape[0], height.size, width.size, dy.shape[-1]), dy.dtype)
    written = _axis_counts(height).sum() * _axis_counts(width).sum()
    if not _disjoint(geometry) or written < height.size * width.size:
        dx[...] = 0
    return dx


def _axis_counts(axis: Axis) -> Array:
    counts = np.zeros(axis.out, np.int64)
    for tap in range(axis.kernel):
        counts[axis.inside(tap, 0, axis.out)[0]] += 1
    return counts

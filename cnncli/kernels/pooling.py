"""Pooling over windows. What every tap of the window sees is first gathered, one contiguous array a tap, so that
the arithmetic runs over contiguous memory; all of that for one block of channels after the other. Where the maximum
alone is wanted, the rows of a window and then its columns are compared in place instead, which moves less.

x is (C, H, W, n), y is (C, oh, ow, n); the geometry says which input pixel an output's tap sees. Arrays are
C-contiguous, and windows have no dilation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.blocks import blocks, widest
from cnncli.kernels.cells import copy_cells
from cnncli.kernels.geometry import Axis, Geometry

Array = NDArray[Any]
Empty = Callable[..., Array]
Slices = tuple[slice, slice]


def max_pool(x: Array, geometry: Geometry, empty: Empty, record: bool) -> tuple[Array, Array | None]:
    """The largest value of every window and, if `record`, which tap it came from, counted row by row: of
    several the first, as PyTorch has it. Complex numbers are compared by their real parts."""
    y = empty((x.shape[0], *geometry.out, x.shape[-1]), x.dtype)
    if not record and x.dtype.kind != "c":
        _largest(x, y, geometry, empty)
        return y, None
    winners = empty(y.shape, np.min_scalar_type(geometry.kernel[0] * geometry.kernel[1] - 1))
    shape = (widest(_blocks(x, geometry)), *y.shape[1:])
    larger, number = empty(shape, np.bool_), empty(shape, winners.dtype)
    for block, taps in _gathered(x, geometry, empty, -np.inf):
        count = taps.shape[1]
        _first_largest(taps, winners[block], larger[:count], number[:count], y[block])
    return y, winners if record else None


def _largest(x: Array, y: Array, geometry: Geometry, empty: Empty) -> None:
    """Writes the largest value of every window into y: first over its rows, a whole row of the image at a time, which
    leaves less to do for the short runs of numbers of its columns."""
    cut = _blocks(x, geometry)
    height, width = geometry.height, geometry.width
    rows = empty((widest(cut), height.out, width.before + width.size + width.after, x.shape[-1]), x.dtype)
    for block in cut:
        seen = _bordered(x[block], geometry, empty, -np.inf) if geometry.padded else x[block]
        part = rows[: len(seen)]
        _largest_of([seen[:, tap] for tap in _taps(height.kernel, height.stride, height.out)], part)
        _largest_of([part[:, :, tap] for tap in _taps(width.kernel, width.stride, width.out)], y[block])


def _largest_of(taps: Sequence[Array], y: Array) -> None:
    if len(taps) == 1:
        y[...] = taps[0]
        return
    np.maximum(taps[0], taps[1], out=y)
    for seen in taps[2:]:
        np.maximum(y, seen, out=y)


@lru_cache(maxsize=4096)
def _taps(kernel: int, stride: int, out: int) -> tuple[slice, ...]:
    """What every tap of an axis sees, counted from the padding's start."""
    return tuple(slice(tap, tap + (out - 1) * stride + 1, stride) for tap in range(kernel))


def _first_largest(taps: Array, winners: Array, larger: Array, number: Array, y: Array) -> None:
    """Writes the largest of the taps, (taps, *y.shape), into y, and the number of the first such tap into `winners`.
    `larger` and `number` are scratch."""
    if len(taps) == 1:
        winners[...] = 0
    best = taps[0]
    for tap, seen in enumerate(taps[1:], start=1):
        np.greater(seen.real, best.real, out=larger)
        if tap == 1:
            winners[...] = larger
        else:
            np.multiply(larger.view(np.uint8), winners.dtype.type(tap), out=number)
            np.maximum(winners, number, out=winners)
        best = _larger_of(best, seen, y)
    if best is not y:
        y[...] = best


def _larger_of(a: Array, b: Array, out: Array) -> Array:
    """The larger of two by the real part, the first of equal ones, into `out`, which may be a."""
    if out.dtype.kind == "c":
        out[...] = np.where(b.real > a.real, b, a)
    else:
        np.maximum(a, b, out=out)
    return out


def max_pool_backward(winners: Array, dy: Array, geometry: Geometry, empty: Empty) -> Array:
    """dx: every output's gradient goes to the pixel that won its window."""
    kh, kw = geometry.kernel
    numbers = np.arange(kh * kw, dtype=winners.dtype).reshape(kh, kw, 1, 1, 1, 1)
    dx = empty((len(dy), geometry.height.size, geometry.width.size, dy.shape[-1]), dy.dtype)
    cut = _blocks(dx, geometry)
    shape = (kh, kw, widest(cut), *dy.shape[1:])
    won, shares = empty(shape, np.bool_), empty(shape, dy.dtype)
    for block in cut:
        part = (slice(None), slice(None), slice(block.stop - block.start))
        np.equal(winners[block], numbers, out=won[part])
        np.multiply(dy[block], won[part], out=shares[part])
        _scatter(shares[part], dx[block], geometry, empty)
    return dx


def sum_pool(x: Array, geometry: Geometry, empty: Empty) -> Array:
    """The sum over every window; padding counts as zeros."""
    y = empty((x.shape[0], *geometry.out, x.shape[-1]), x.dtype)
    for block, taps in _gathered(x, geometry, empty, 0):
        np.add.reduce(taps, axis=0, out=y[block])
    return y


def sum_pool_backward(dy: Array, geometry: Geometry, empty: Empty) -> Array:
    """dx: every pixel of a window gets the output's gradient."""
    dx = empty((len(dy), geometry.height.size, geometry.width.size, dy.shape[-1]), dy.dtype)
    for block in _blocks(dx, geometry):
        _scatter(np.broadcast_to(dy[block], (*geometry.kernel, *dy[block].shape)), dx[block], geometry, empty)
    return dx


def window_counts(geometry: Geometry) -> Array:
    """How many pixels of the image, padding left out, each window sees: (oh, ow)."""
    return np.multiply.outer(_axis_counts(geometry.height), _axis_counts(geometry.width))


def _gathered(x: Array, geometry: Geometry, empty: Empty, outside: float) -> Iterator[tuple[slice, Array]]:
    """For every block of channels what its taps see, (kh*kw, channels, oh, ow, n), `outside` in the padding; the
    next block's overwrites it."""
    cut = _blocks(x, geometry)
    gathered = empty((*geometry.kernel, widest(cut), *geometry.out, x.shape[-1]), x.dtype)
    taps = gathered.reshape(-1, *gathered.shape[2:])
    for block in cut:
        seen = _bordered(x[block], geometry, empty, outside) if geometry.padded else x[block]
        copy_cells(gathered[:, :, : len(seen)], _windows(seen, geometry))
        yield block, taps[:, : len(seen)]


def _blocks(x: Array, geometry: Geometry) -> tuple[slice, ...]:
    """Blocks of channels. A channel counts as the mean of its pixels and of what its taps see."""
    (kh, kw), (oh, ow) = geometry.kernel, geometry.out
    pixels = (geometry.height.size * geometry.width.size + kh * kw * oh * ow) // 2
    return blocks(x.shape[0], pixels * x.shape[-1] * x.itemsize)


def _bordered(x: Array, geometry: Geometry, empty: Empty, outside: float) -> Array:
    """x (C, H, W, n) with the geometry's padding around it."""
    height, width = geometry.height, geometry.width
    rows, columns = (axis.before + axis.size + axis.after for axis in (height, width))
    bordered = empty((x.shape[0], rows, columns, x.shape[-1]), x.dtype)
    bordered[...] = outside
    bordered[:, height.before : height.before + height.size, width.before : width.before + width.size] = x
    return bordered


def _windows(x: Array, geometry: Geometry) -> Array:
    """x (C, H, W, n), which needs no padding any more, as what every tap sees: a view (kh, kw, C, oh, ow, n)."""
    channel, row, column, number = x.strides
    steps = (row, column, channel, row * geometry.height.stride, column * geometry.width.stride, number)
    return np.ndarray((*geometry.kernel, len(x), *geometry.out, x.shape[-1]), x.dtype, x, 0, steps)


def _scatter(shares: Array, dx: Array, geometry: Geometry, empty: Empty) -> None:
    """Writes into dx, for every pixel, the sum of the shares (kh, kw, C, oh, ow, n) of the taps that see it."""
    lattices, whole = _lattices(geometry)
    if not whole:
        dx[...] = 0
    if not _disjoint(geometry):
        shares = _summed(shares, geometry, empty)
    elif not geometry.padded:
        copy_cells(_windows(dx, geometry), shares)
        return
    for (i, j), (rows, columns), (rows_in, columns_in) in lattices:
        copy_cells(dx[:, rows_in, columns_in], shares[i, j, :, rows, columns])


def _summed(shares: Array, geometry: Geometry, empty: Empty) -> Array:
    """The shares of overlapping windows, added up where their taps see the same pixels, a stride apart: from
    (kh, kw, C, oh, ow, n) to (stride, stride, C, rows, columns, n). This way the sums run over whole rows."""
    (kh, kw), (oh, ow) = geometry.kernel, geometry.out
    height, width = geometry.height, geometry.width
    sums = empty(
        (height.stride, width.stride, shares.shape[2], _count(height), _count(width), shares.shape[-1]), shares.dtype
    )
    sums[...] = 0
    for i, j in product(range(kh), range(kw)):
        down, right = i // height.stride, j // width.stride
        sums[i % height.stride, j % width.stride, :, down : down + oh, right : right + ow] += shares[i, j]
    return sums


class _Lattice(NamedTuple):
    """Pixels a stride apart."""

    place: tuple[int, int]  # of the first, counted from the padding's corner
    inside: Slices  # those that are not in the padding, counted from the first
    pixels: Slices  # the same in the image


@lru_cache(maxsize=4096)
def _lattices(geometry: Geometry) -> tuple[tuple[_Lattice, ...], bool]:
    """Those that the windows' taps see, and whether that is every pixel."""
    height, width = geometry.height, geometry.width
    lattices = []
    for i, j in product(range(min(height.kernel, height.stride)), range(min(width.kernel, width.stride))):
        rows, rows_in = height.inside(i, 0, _count(height))
        columns, columns_in = width.inside(j, 0, _count(width))
        lattices.append(_Lattice((i, j), (rows, columns), (rows_in, columns_in)))
    seen = sum((s[0].stop - s[0].start) * (s[1].stop - s[1].start) for _, s, _ in lattices)
    return tuple(lattices), seen == height.size * width.size


def _count(axis: Axis) -> int:
    """The pixels of a lattice, one a stride, that the windows reach."""
    return axis.out + (axis.kernel - 1) // axis.stride


def _disjoint(geometry: Geometry) -> bool:
    """No pixel lies in two windows."""
    return all(axis.kernel <= axis.stride for axis in (geometry.height, geometry.width))


def _axis_counts(axis: Axis) -> Array:
    counts = np.zeros(axis.out, np.int64)
    for tap in range(axis.kernel):
        counts[axis.inside(tap, 0, axis.out)[0]] += 1
    return counts

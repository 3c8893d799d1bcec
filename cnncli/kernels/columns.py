"""What the windows of a convolution see, copied so that matrix products can read it, in bands of output rows that
stay in the cache.

x is (C, H, W, n), with C = groups * c. P = ow * n numbers make a row of the output.

    columns  (groups, c*kh*kw, rows*P)         im2col: every tap of every window
    strips   (groups, rows, kh*kw*c, P)        only the kw horizontal taps are copied: what the taps one lower see of
             (groups, kh, kw*c, rows*P)        one output row is what the tap itself sees of the next, so that the
                                               matrices overlap in memory
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.cells import copy_cells
from cnncli.kernels.geometry import Axis, Geometry
from cnncli.kernels.products import DEEP

Array = NDArray[Any]
Empty = Callable[..., Array]
Index = tuple[Any, ...]
Band = tuple[int, int, Array]
"""First output row, the row after the last, and the matrices."""

FEWEST_ROWS = 2
"""In a band of strips: with 1, more rows would be moved from band to band than copied."""

FEWEST_COLUMNS = 1024
"""In a band where products are not cut: every band costs another copy of the kernels inside BLAS."""

ALL = slice(None)

BAND_BYTES = 1024 * 1024
"""What a band's matrices may take: they are written and read again at once, so they should stay in a core's
cache (1 or 2 MB on current processors)."""

CALL_BYTES = 16 * 1024
"""What is copied in the time that a call takes. An image that takes less than this for each tap is copied once more,
with its padding, so that one call finds all taps."""


def columns(x: Array, geometry: Geometry, groups: int, empty: Empty) -> Iterator[Band]:
    """For each band the matrices (groups, c*kh*kw, rows*P), whose memory is used again for the next band."""
    channels, n = x.shape[0], x.shape[-1]
    (kh, kw), (oh, ow) = geometry.kernel, geometry.out
    if geometry.pointwise:
        yield 0, oh, x.reshape(groups, channels // groups, -1)
        return
    taps = channels * kh * kw
    most = BAND_BYTES // (taps * ow * n * x.itemsize)
    if taps > DEEP:
        most = max(most, FEWEST_COLUMNS // (ow * n))
    edges = band_edges(oh, most)
    buffer = empty((taps * edges[1] * ow * n,), x.dtype)
    padded_bytes = channels * prod(reach(geometry)[0]) * n * x.itemsize
    image = padded(x, geometry, empty) if padded_bytes <= kh * kw * CALL_BYTES else None
    for start, stop in pairwise(edges):
        size = (stop - start) * ow * n
        band = buffer[: taps * size]
        target = band.reshape(channels, kh, kw, stop - start, ow, n)
        if image is None:
            gather(x, geometry.height, geometry.width, start, stop, target.transpose(1, 2, 0, 3, 4, 5))
        else:
            copy_windows(image, geometry, start, target)
        yield start, stop, band.reshape(groups, -1, size)


def padded(x: Array, geometry: Geometry, empty: Empty) -> Array:
    """(C, rows, columns, n): x with zeros around it, as far as windows look."""
    shape, inside, pixels = reach(geometry)
    image = empty((len(x), *shape, x.shape[-1]), x.dtype)
    image[...] = 0
    image[inside] = x[pixels]
    return image


@lru_cache(maxsize=4096)
def reach(geometry: Geometry) -> tuple[tuple[int, ...], Index, Index]:
    """Height and width of the `padded` image, where x goes in it, and which pixels of x these are."""
    axes = (geometry.height, geometry.width)
    shape = tuple((axis.out - 1) * axis.stride + axis.extent for axis in axes)
    (rows, rows_in), (cols, cols_in) = (axis.every.inside(0, 0, size) for axis, size in zip(axes, shape, strict=True))
    return shape, (ALL, rows, cols), (ALL, rows_in, cols_in)


def copy_windows(image: Array, geometry: Geometry, start: int, target: Array) -> None:
    """target (C, kh, kw, rows, ow, n) = what each tap sees of the `padded` image in the output rows from `start` on,
    by one call. What it moves as one item are the ow*n numbers of a row if these are neighbours in the image, or
    else the n numbers of a pixel."""
    height, width = geometry.height, geometry.width
    *shape, ow, n = target.shape
    channel, row, pixel, _ = image.strides
    items = 1 if width.stride == 1 else ow
    item = np.dtype((np.void, ow // items * n * image.itemsize))
    strides = (channel, height.dilation * row, width.dilation * pixel, height.stride * row, width.stride * pixel)
    windows = np.ndarray((*shape, items), item, image, start * height.stride * row, strides)
    np.copyto(np.ndarray(windows.shape, item, target), windows)


def row_strips(x: Array, geometry: Geometry, groups: int, empty: Empty) -> Iterator[Band]:
    """For each band the matrices (groups, rows, kh*kw*c, P). The vertical dilation must be 1."""
    for start, stop, strips in strip_bands(x, geometry, groups, empty, (1, 3, 0, 2)):
        _, tall, kw, inner, ow, n = strips.shape
        row = kw * inner * ow * n * x.itemsize
        shape = (groups, stop - start, geometry.height.kernel * kw * inner, ow * n)
        strides = (tall * row, geometry.height.stride * row, ow * n * x.itemsize, x.itemsize)
        yield start, stop, np.ndarray(shape, x.dtype, strips, 0, strides)


def tap_strips(x: Array, geometry: Geometry, groups: int, empty: Empty) -> Iterator[Band]:
    """For each band the matrices (groups, kh, kw*c, rows*P). Vertical dilation and stride must be 1."""
    for start, stop, strips in strip_bands(x, geometry, groups, empty, (1, 0, 2, 3)):
        _, kw, inner, tall, ow, n = strips.shape
        row = ow * n * x.itemsize
        shape = (groups, geometry.height.kernel, kw * inner, (stop - start) * ow * n)
        strides = (kw * inner * tall * row, row, tall * row, x.itemsize)
        yield start, stop, np.ndarray(shape, x.dtype, strips, 0, strides)


def strip_bands(
    x: Array, geometry: Geometry, groups: int, empty: Empty, order: tuple[int, int, int, int]
) -> Iterator[Band]:
    """For each band of output rows what the horizontal taps see in all rows of the padded image that the band looks
    at: an array of the axes (kw, groups, c, rows, ow, n), of which the first four lie in memory in the given order.
    The rows that bands have in common are moved within it, not copied from x again."""
    kh, stride = geometry.height.kernel, geometry.height.stride
    channels, n = x.shape[0], x.shape[-1]
    oh, ow = geometry.out
    row_bytes = geometry.width.kernel * channels * ow * n * x.itemsize
    most = (BAND_BYTES // row_bytes - kh) // stride + 1
    edges = band_edges(oh, max(most, FEWEST_ROWS))
    axes = (geometry.width.kernel, groups, channels // groups, (edges[1] - 1) * stride + kh)
    strips = empty((*(axes[axis] for axis in order), ow, n), x.dtype)
    target = strips.transpose(*(order.index(axis) for axis in range(4)), 4, 5)
    pixels = x.reshape(groups, channels // groups, *x.shape[1:])
    low = high = 0
    for start, stop in pairwise(edges):
        kept = max(0, high - start * stride)
        if kept:
            target[:, :, :, :kept] = target[:, :, :, high - low - kept : high - low]
        low, high = start * stride, (stop - 1) * stride + kh
        gather(
            pixels, geometry.height.every, geometry.width, low + kept, high, target[None, :, :, :, kept : high - low]
        )
        yield start, stop, strips


def gather(x: Array, height: Axis, width: Axis, start: int, stop: int, target: Array) -> None:
    """target (kh, kw, ..., rows, ow, n) = what each tap sees of x (..., H, W, n) in the output rows start..stop."""
    copy = np.copyto if width.stride == 1 else copy_cells
    for pixels, inside, outside in taps(height, width, start, stop):
        for border in outside:
            target[border] = 0
        copy(target[inside], x[pixels])


@lru_cache(maxsize=4096)
def taps(height: Axis, width: Axis, start: int, stop: int) -> list[tuple[Index, Index, list[Index]]]:
    """For every tap the pixels that it sees of x, where they go in `gather`'s target, and what remains there."""
    found = []
    for i, j in np.ndindex(height.kernel, width.kernel):
        rows, rows_in = height.inside(i, start, stop)
        cols, cols_in = width.inside(j, 0, width.out)
        rows_out = (slice(0, rows.start), slice(rows.stop, stop - start))
        cols_out = (slice(0, cols.start), slice(cols.stop, width.out))
        outside: list[Index] = [(i, j, ..., gap, ALL, ALL) for gap in rows_out if gap.start != gap.stop]
        outside += [(i, j, ..., rows, gap, ALL) for gap in cols_out if gap.start != gap.stop]
        found.append(((..., rows_in, cols_in, ALL), (i, j, ..., rows, cols, ALL), outside))
    return found


def band_edges(rows: int, most: int) -> list[int]:
    """Where the bands begin, and the last one's end: of one height, as far as that goes, and of `most` rows (or 1).
    The first is none of the lower ones."""
    count = -(-rows // min(max(most, 1), rows))
    return [*range(0, rows, -(-rows // count)), rows]

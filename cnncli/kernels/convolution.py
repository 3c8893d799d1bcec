"""Convolution as matrix products over what the windows see (`columns`), in bands that stay in the cache.

    y  = weight @ windows             (O, K) @ (K, P)
    dW = windows @ dy^T               (K, P) @ (P, O)
    dx = convolution of dy with the flipped kernels, in and out exchanged; with strides one for each phase
         of dx, that is, for every stride-th row and column, or one that has the phases as outputs (`interleave`)

with K = c*kh*kw numbers in a window and P = rows*ow*n windows. With the batch innermost neither input nor
output is ever transposed, and windows are copied in runs of ow*n numbers.

Where there are more inputs than outputs it is less work to copy rows alone, to find what each horizontal tap
contributes to an output for every pixel, and to add that up where the tap sees the pixel (`spread`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.cells import copy_cells
from cnncli.kernels.columns import columns, row_strips, tap_strips
from cnncli.kernels.geometry import Axis, Geometry
from cnncli.kernels.products import DEEP, LANE, LEAST, product, product_transposed

Array = NDArray[Any]
Empty = Callable[..., Array]

FEW = 16
"""Outputs in a group up to which the time of an input gradient with strides goes into moving numbers, of which
`interleave` moves fewer, and not into products, of which it has more."""


def convolve(
    x: Array, weight: Array, geometry: Geometry, groups: int, empty: Empty, bias: Array | None = None
) -> Array:
    """x (C, H, W, n), weight (O, C/groups, kh, kw), bias (O,) -> y (O, oh, ow, n)."""
    y = empty((weight.shape[0], *geometry.out, x.shape[-1]), x.dtype)
    kernels = weight.reshape(groups, -1, *weight.shape[1:])
    if spread_pays(kernels, geometry, x.shape[-1]):
        target = y.reshape(groups, -1, *y.shape[1:])
        bands = spread(x, kernels, geometry.height, [(slice(None), geometry.width)], target, empty)
    else:
        bands = correlate(x, kernels, geometry, empty, y)
    for start, stop, _ in bands:
        if bias is not None:
            y[:, start:stop] += bias[:, None, None, None]
    return y


def weight_gradient(x: Array, dy: Array, weight: Array, geometry: Geometry, groups: int, empty: Empty) -> Array:
    """dweight for y = convolve(x, weight); only the weight's shape and dtype are used."""
    (outputs, inner, kh, kw), (oh, ow) = weight.shape, geometry.out
    row = ow * x.shape[-1]
    flat = dy.reshape(groups, 1, outputs // groups, -1)
    total = empty((groups, kh * kw * inner, outputs // groups), weight.dtype)
    total[...] = 0
    overlap = rows_overlap(geometry, x.shape[-1])
    if overlap and geometry.height.stride == 1 and kw * inner >= LEAST:
        for start, stop, windows in tap_strips(x, geometry, groups, empty):
            part = product_transposed(windows, flat[..., start * row : stop * row], empty)
            total += part.reshape(total.shape)
    elif overlap and row >= 2 * LANE:  # shorter sums would cost more than it saves to copy fewer taps
        rows = dy.reshape(groups, outputs // groups, oh, row).swapaxes(1, 2)
        for start, stop, windows in row_strips(x, geometry, groups, empty):
            total += product_transposed(windows, rows[:, start:stop], empty).sum(axis=1)
    else:
        for start, stop, windows in columns(x, geometry, groups, empty):
            total += product_transposed(windows[:, None], flat[..., start * row : stop * row], empty)[:, 0]
        return total.swapaxes(1, 2).reshape(weight.shape)
    total = total.reshape(groups, kh, kw, inner, outputs // groups)  # the order of the strips
    return total.transpose(0, 4, 3, 1, 2).reshape(weight.shape)


def input_gradient(dy: Array, weight: Array, geometry: Geometry, channels: int, groups: int, empty: Empty) -> Array:
    """dx (channels, H, W, n) for y = convolve(x, weight)."""
    height, width = geometry.height, geometry.width
    back = exchanged(weight, groups)
    if height.stride == width.stride == 1:
        taps, windows = geometry.back
        return convolve(dy, back[:, :, *taps], windows, groups, empty)
    dx = empty((channels, height.size, width.size, dy.shape[-1]), dy.dtype)
    if back.shape[1] <= FEW or geometry.kernel == (1, 1):
        interleave(dy, back, geometry, groups, empty, dx)
        return dx
    target = dx.reshape(groups, -1, *dx.shape[1:])
    kernels = back.reshape(groups, -1, *back.shape[1:])
    phases = [width.phase(left) for left in range(min(width.stride, width.size))]
    for first in range(min(height.stride, height.size)):
        rows, tall = height.phase(first)
        pixels = target[:, :, first :: height.stride]
        if kernels[..., rows, :].size:
            for _ in spread(dy, kernels[..., rows, :], tall, phases, pixels, empty):
                pass
        else:
            pixels[...] = 0
    return dx


def interleave(dy: Array, back: Array, geometry: Geometry, groups: int, empty: Empty, dx: Array) -> None:
    """dx with strides, by one convolution of dy, whose outputs are the phases of every channel of dx. Their kernels,
    of back (C, O/groups, kh, kw), are filled up with zeros to one size."""
    (rows, tall), (columns, wide) = side_by_side(geometry.height), side_by_side(geometry.width)
    phases = [(row, column) for row in rows for column in columns]
    down, across = geometry.height.stride, geometry.width.stride
    if len(phases) < down * across:
        dx[...] = 0
    if not phases:
        return
    kernels = np.zeros((len(back), len(phases), back.shape[1], tall.kernel, wide.kernel), back.dtype)
    for index, (row, column) in enumerate(phases):
        kernels[:, index, :, row.place, column.place] = back[:, :, row.taps, column.taps]
    found = convolve(dy, kernels.reshape(-1, *kernels.shape[2:]), Geometry(tall, wide), groups, empty)
    for index, (row, column) in enumerate(phases):
        target = dx[:, row.first :: down, column.first :: across]
        copy_cells(target, found[index :: len(phases), : target.shape[1], : target.shape[2]])


class Phase(NamedTuple):
    """Every stride-th pixel from the first on, the taps that see these, and where in larger windows the taps are."""

    first: int
    taps: slice
    place: slice


@lru_cache(maxsize=4096)
def side_by_side(axis: Axis) -> tuple[list[Phase], Axis]:
    """The phases of an axis that any taps see, and the smallest windows, in steps of 1, that hold those of each."""
    seen = [(first, *axis.phase(first)) for first in range(min(axis.stride, axis.size))]
    seen = [(first, taps, windows) for first, taps, windows in seen if len(range(axis.kernel)[taps])]
    before = max((windows.before for *_, windows in seen), default=0)
    phases = []
    for first, taps, windows in seen:
        shift = before - windows.before
        phases.append(Phase(first, taps, slice(shift, shift + windows.extent, windows.dilation)))
    kernel = max((phase.place.stop for phase in phases), default=1)
    out = -(-axis.size // axis.stride)
    return phases, Axis(axis.out, kernel, 1, 1, before, out - axis.out - before + kernel - 1)


def exchanged(weight: Array, groups: int) -> Array:
    """(O, C/groups, kh, kw) -> (C, O/groups, kh, kw): inputs and outputs change places within each group."""
    outputs, inputs, kh, kw = weight.shape
    grouped = weight.reshape(groups, outputs // groups, inputs, kh, kw)
    return grouped.swapaxes(1, 2).reshape(groups * inputs, outputs // groups, kh, kw)


def correlate(
    x: Array, kernels: Array, geometry: Geometry, empty: Empty, y: Array | None = None
) -> Iterator[tuple[int, int, Array]]:
    """kernels (groups, o, c, kh, kw) times windows for each band of output rows: first and end row, and the numbers
    (groups, o, rows, ow*n), which are a part of y (groups*o, oh, ow, n) if there is one."""
    groups, outputs = kernels.shape[:2]
    row = geometry.out[1] * x.shape[-1]
    target = None if y is None else y.reshape(groups, outputs, -1)
    overlap = rows_overlap(geometry, x.shape[-1]) and kernels[0, 0].size <= DEEP
    if overlap:
        kernels = kernels.transpose(0, 1, 3, 4, 2)  # (i, j, c), as in the strips
    matrix = kernels.reshape(groups, outputs, -1)
    for start, stop, windows in (row_strips if overlap else columns)(x, geometry, groups, empty):
        if target is None:
            found = empty((groups, outputs, (stop - start) * row), x.dtype)
        else:
            found = target[:, :, start * row : stop * row]
        rows = found.reshape(groups, outputs, -1, row)
        if overlap:
            product(matrix, windows, rows.swapaxes(1, 2))
        else:
            product(matrix, windows[:, None], found[:, None])
        yield start, stop, rows


def spread(
    x: Array, kernels: Array, height: Axis, phases: Sequence[tuple[slice, Axis]], y: Array, empty: Empty
) -> Iterator[tuple[int, int, Array]]:
    """Adds up in y (groups, o, rows, columns, n), band by band, what the pixels contribute. Every column of a phase,
    which are every len(phases)-th, sees the taps in its slice through the windows of its axis."""
    groups, outputs, inputs, tall, kw = kernels.shape
    width, n = x.shape[2:]
    taps = kernels.transpose(0, 4, 1, 2, 3).reshape(groups, kw * outputs, inputs, tall, 1)
    pixels = Geometry(height, Axis(width, 1, 1, 1, 0, 0))
    for start, stop, found in correlate(x, taps, pixels, empty):
        shares = found.reshape(groups, kw, outputs, stop - start, width, n).swapaxes(0, 1)
        for left, (seeing, axis) in enumerate(phases):
            add_taps(shares[seeing], axis, y[:, :, start:stop, left :: len(phases)])
        yield start, stop, y[:, :, start:stop]


def add_taps(shares: Array, axis: Axis, target: Array) -> None:
    """target (..., columns, n) = the sum of what each tap sees of its share; the shares (taps, ..., width, n) may be
    written over."""
    taps = [(tap, *axis.inside(tap, 0, axis.out)) for tap in range(len(shares))]
    total, whole = target, next(((tap, seen) for tap, where, seen in taps if where == slice(0, axis.out)), None)
    if whole is None:
        target[...] = 0
    else:
        total = shares[whole[0]][..., whole[1], :]
    for tap, where, seen in taps:
        if whole is None or tap != whole[0]:
            total[..., where, :] += shares[tap][..., seen, :]
    if whole is not None:
        copy_cells(target, total)


def spread_pays(kernels: Array, geometry: Geometry, n: int) -> bool:
    """Few outputs, or so many inputs that the windows of a row fill the cache. A single sample is better off with
    the large products of `correlate`, which BLAS shares out among threads."""
    _, outputs, inputs, *_ = kernels.shape
    few = 2 * outputs <= inputs or kernels[0, 0].size > DEEP
    return n > 1 and few and geometry.width.stride == 1 and rows_overlap(geometry, n)


def rows_overlap(geometry: Geometry, n: int) -> bool:
    """The windows of output rows share input rows, and the rows are wide enough for matrices of their own."""
    height = geometry.height
    return height.dilation == 1 and height.kernel > height.stride and geometry.out[1] * n >= LANE

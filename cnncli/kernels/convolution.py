"""Convolution as matrix products over columns (im2col), in bands of output rows that stay in the cache.

    y    = weight @ cols            (O, K) @ (K, P)
    dW   = dy @ cols^T              (O, P) @ (P, K)
    dx   = convolution of dy with the flipped kernels, in and out exchanged; or, with strides,
    dcols = weight^T @ dy           (K, O) @ (O, P), then added back where the columns came from

with K = C*kh*kw numbers in a window and P = oh*ow*n windows. With the batch innermost neither input nor
output is ever transposed, and a column row is copied in runs of at least n (at stride 1: ow*n) numbers.
Groups are a leading axis of every matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from cnncli.kernels.geometry import Geometry
from cnncli.kernels.products import product, product_transposed

Array = NDArray[Any]
Empty = Callable[..., Array]

BAND_BYTES = 1024 * 1024
"""What a band's columns may take: they are written and read again at once, so they should stay in a core's
cache (1 or 2 MB on current processors)."""


def convolve(x: Array, weight: Array, geometry: Geometry, groups: int, empty: Empty) -> Array:
    """x (C, H, W, n), weight (O, C/groups, kh, kw) -> y (O, oh, ow, n)."""
    outputs, n = weight.shape[0], x.shape[-1]
    y = empty((outputs, *geometry.out, n), x.dtype)
    matrix = weight.reshape(groups, outputs // groups, -1)
    rows = y.reshape(groups, outputs // groups, -1)
    for band, cols in bands(x, geometry, groups, empty):
        product(matrix, cols, rows[:, :, band])
    return y


def weight_gradient(x: Array, dy: Array, weight: Array, geometry: Geometry, groups: int, empty: Empty) -> Array:
    """dweight for y = convolve(x, weight); only the weight's shape and dtype are used."""
    outputs = weight.shape[0]
    matrix = empty((groups, outputs // groups, weight.size // outputs), weight.dtype)
    matrix[...] = 0
    dy_rows = dy.reshape(groups, outputs // groups, -1)
    for band, cols in bands(x, geometry, groups, empty):
        matrix += product_transposed(dy_rows[:, :, band], cols, empty)
    return matrix.reshape(weight.shape)


def input_gradient(dy: Array, weight: Array, geometry: Geometry, channels: int, groups: int, empty: Empty) -> Array:
    """dx (channels, H, W, n) for y = convolve(x, weight)."""
    if geometry.pointwise:
        return convolve(dy, _transposed(weight, groups), geometry, groups, empty)
    if geometry.dense and weight.shape[0] <= 2 * channels:
        return convolve(dy, _transposed(weight, groups)[:, :, ::-1, ::-1], geometry.reversed(), groups, empty)
    return _scattered(dy, weight, geometry, channels, groups, empty)


def _transposed(weight: Array, groups: int) -> Array:
    """(O, C/groups, kh, kw) -> (C, O/groups, kh, kw): inputs and outputs change places within each group."""
    outputs, inputs, kh, kw = weight.shape
    grouped = weight.reshape(groups, outputs // groups, inputs, kh, kw)
    return grouped.swapaxes(1, 2).reshape(groups * inputs, outputs // groups, kh, kw)


def _scattered(dy: Array, weight: Array, geometry: Geometry, channels: int, groups: int, empty: Empty) -> Array:
    """dx by way of the columns' gradient: for strides, and where that is the smaller matrix."""
    outputs, n = weight.shape[0], dy.shape[-1]
    matrix = weight.reshape(groups, outputs // groups, -1).swapaxes(1, 2)
    dy_rows = dy.reshape(groups, outputs // groups, -1)
    dx = empty((channels, geometry.height.size, geometry.width.size, n), dy.dtype)
    dx[...] = 0
    taps = weight.size // outputs * groups
    oh, ow = geometry.out
    rows = band_rows(oh, ow * n * taps * dy.itemsize)
    buffer = empty((taps * rows[0][1] * ow * n,), dy.dtype)
    for start, stop in rows:
        size = (stop - start) * ow * n
        dcols = buffer[: taps * size].reshape(groups, -1, size)
        product(matrix, dy_rows[:, :, start * ow * n : stop * ow * n], dcols)
        add_columns(dx, dcols, geometry, start, stop)
    return dx


def bands(x: Array, geometry: Geometry, groups: int, empty: Empty) -> Iterator[tuple[slice, Array]]:
    """For each band of output rows its slice of the P windows, and its columns (groups, K, windows), whose memory is
    used again for the next band."""
    channels, n = x.shape[0], x.shape[-1]
    oh, ow = geometry.out
    if geometry.pointwise:
        yield slice(0, oh * ow * n), x.reshape(groups, channels // groups, -1)
        return
    kh, kw = geometry.kernel
    taps = channels * kh * kw
    rows = band_rows(oh, ow * n * taps * x.itemsize)
    view = window_view(x, geometry, empty)  # (C, kh, kw, oh, ow, n)
    buffer = empty((taps * rows[0][1] * ow * n,), x.dtype)
    for start, stop in rows:
        size = (stop - start) * ow * n
        cols = buffer[: taps * size]
        np.copyto(cols.reshape(channels, kh, kw, stop - start, ow, n), view[:, :, :, start:stop])
        yield slice(start * ow * n, stop * ow * n), cols.reshape(groups, -1, size)


def band_rows(rows: int, row_bytes: int) -> list[tuple[int, int]]:
    """First and end row of every band: all of one height, as far as that goes, and within BAND_BYTES. The first is
    none of the lower ones."""
    count = max(1, -(-rows * row_bytes // BAND_BYTES))
    step = -(-rows // min(count, rows))
    return [(start, min(start + step, rows)) for start in range(0, rows, step)]


def window_view(x: Array, geometry: Geometry, empty: Empty) -> Array:
    """A view (C, kh, kw, oh, ow, n) of x, which is copied only if it needs padding."""
    padded = pad(x, geometry, empty) if geometry.padded else x
    (kh, kw), (oh, ow) = geometry.kernel, geometry.out
    h, w = geometry.height, geometry.width
    c_step, h_step, w_step, n_step = padded.strides
    return as_strided(
        padded,
        (x.shape[0], kh, kw, oh, ow, x.shape[-1]),
        (c_step, h.dilation * h_step, w.dilation * w_step, h.stride * h_step, w.stride * w_step, n_step),
        writeable=False,
    )


def pad(x: Array, geometry: Geometry, empty: Empty) -> Array:
    """x (C, H, W, n) with the geometry's border of zeros around it."""
    h, w = geometry.height, geometry.width
    padded = empty((x.shape[0], h.before + h.size + h.after, w.before + w.size + w.after, x.shape[-1]), x.dtype)
    padded[:, : h.before] = 0
    padded[:, h.before + h.size :] = 0
    middle = padded[:, h.before : h.before + h.size]
    middle[:, :, : w.before] = 0
    middle[:, :, w.before + w.size :] = 0
    middle[:, :, w.before : w.before + w.size] = x
    return padded


def add_columns(dx: Array, dcols: Array, geometry: Geometry, start: int, stop: int) -> None:
    """col2im for the output rows start..stop: adds every column's gradient to the pixel it was copied from."""
    kh, kw = geometry.kernel
    ow, n = geometry.out[1], dx.shape[-1]
    taps = dcols.reshape(dx.shape[0], kh, kw, stop - start, ow, n)
    for i in range(kh):
        rows_out, rows_in = geometry.height.inside(i, start, stop)
        for j in range(kw):
            columns_out, columns_in = geometry.width.inside(j, 0, ow)
            dx[:, rows_in, columns_in] += taps[:, i, j, rows_out, columns_out]

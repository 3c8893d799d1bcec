"""Windows as the textbook has them: loops over outputs and taps. One sample, (C, H, W)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.geometry import Geometry

Array = NDArray[Any]


def windows(geometry: Geometry) -> Iterator[tuple[tuple[int, int], list[tuple[int, int, int, int]]]]:
    """For every output position its taps inside the image, row by row: (tap row, tap column, y, x)."""
    height, width = geometry.height, geometry.width
    for oy in range(height.out):
        for ox in range(width.out):
            taps = []
            for i in range(height.kernel):
                for j in range(width.kernel):
                    y = oy * height.stride + i * height.dilation - height.before
                    x = ox * width.stride + j * width.dilation - width.before
                    if 0 <= y < height.size and 0 <= x < width.size:
                        taps.append((i, j, y, x))
            yield (oy, ox), taps


def convolve(x: Array, weight: Array, geometry: Geometry, groups: int) -> Array:
    y = np.zeros((len(weight), *geometry.out))
    for position, taps in windows(geometry):
        for filter_, channel, within in _pairs(x, weight, groups):
            for i, j, row, column in taps:
                y[filter_, *position] += weight[filter_, within, i, j] * x[channel, row, column]
    return y


def convolve_backward(x: Array, weight: Array, dy: Array, geometry: Geometry, groups: int) -> tuple[Array, Array]:
    """dx and dweight."""
    dx, dweight = np.zeros_like(x), np.zeros_like(weight)
    for position, taps in windows(geometry):
        for filter_, channel, within in _pairs(x, weight, groups):
            for i, j, row, column in taps:
                dx[channel, row, column] += weight[filter_, within, i, j] * dy[filter_, *position]
                dweight[filter_, within, i, j] += x[channel, row, column] * dy[filter_, *position]
    return dx, dweight


def _pairs(x: Array, weight: Array, groups: int) -> Iterator[tuple[int, int, int]]:
    """(filter, input channel, the channel's number within the group)."""
    filters, channels = len(weight) // groups, len(x) // groups
    for filter_ in range(len(weight)):
        for within in range(channels):
            yield filter_, filter_ // filters * channels + within, within


def max_pool(x: Array, dy: Array, geometry: Geometry) -> tuple[Array, Array]:
    """y, and dx with the gradient at the first largest value."""
    y, dx = np.zeros((len(x), *geometry.out)), np.zeros_like(x)
    for position, taps in windows(geometry):
        for channel in range(len(x)):
            values = [x[channel, row, column] for _, _, row, column in taps]
            winner = int(np.argmax(values))
            y[channel, *position] = values[winner]
            dx[channel, *taps[winner][2:]] += dy[channel, *position]
    return y, dx


def avg_pool(x: Array, dy: Array, geometry: Geometry, count_include_pad: bool) -> tuple[Array, Array]:
    y, dx = np.zeros((len(x), *geometry.out)), np.zeros_like(x)
    for position, taps in windows(geometry):
        size = geometry.kernel[0] * geometry.kernel[1] if count_include_pad else len(taps)
        for channel in range(len(x)):
            for _, _, row, column in taps:
                y[channel, *position] += x[channel, row, column] / size
                dx[channel, row, column] += dy[channel, *position] / size
    return y, dx

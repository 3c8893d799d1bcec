"""The three products of a fully connected layer, cut along the long axis of its weight into small ones, which BLAS
computes up to three times as fast (see `products`).

weight is (out, in), x is (in, n), y is (out, n); `in` is the long axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels.products import SMALL

Array = NDArray[Any]
Empty = Callable[..., Array]

FEW = 32
"""Outputs below which the weight's gradient is quicker in parts, and samples from which it is."""

SHORT = 112
"""Columns that such a part may have."""


def deep_product(weight: Array, x: Array, empty: Empty) -> Array:
    """y = weight @ x: the sum of the parts' products."""
    (rows, inner), n = weight.shape, x.shape[1]
    y = empty((rows, n), x.dtype)
    count = parts(inner, SMALL // (rows * n))
    if count == 1:
        return np.matmul(weight, x, out=y)
    products = empty((count, rows, n), x.dtype)
    np.matmul(weight.reshape(rows, count, -1).swapaxes(0, 1), x.reshape(count, -1, n), out=products)
    return np.add.reduce(products, axis=0, out=y)


def tall_product(weight: Array, dy: Array, empty: Empty) -> Array:
    """dx = weight^T @ dy: the parts' products below each other."""
    (rows, inner), n = weight.shape, dy.shape[1]
    dx = empty((inner, n), dy.dtype)
    count = parts(inner, SMALL // (rows * n))
    np.matmul(weight.reshape(rows, count, -1).transpose(1, 2, 0), dy, out=dx.reshape(count, -1, n))
    return dx


def outer_product(dy: Array, x: Array, empty: Empty) -> Array:
    """dweight = dy @ x^T: the parts' products side by side."""
    (rows, n), inner = dy.shape, len(x)
    gradient = empty((rows, inner), dy.dtype)
    count = parts(inner, SHORT) if rows < FEW <= n else 1
    out = gradient.reshape(rows, count, -1).swapaxes(0, 1)
    np.matmul(dy, x.reshape(count, -1, n).swapaxes(1, 2), out=out)
    return gradient


@lru_cache(maxsize=4096)
def parts(length: int, most: int) -> int:
    """In how many even parts of at most `most` a length is cut: as few as possible, or 1 where that takes more than
    twice as many as uneven parts."""
    if most < 1:
        return 1
    least = -(-length // most)
    return next((count for count in range(least, min(2 * least, length) + 1) if length % count == 0), 1)

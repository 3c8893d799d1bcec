"""Matrix products in panels, because BLAS is quickest on small ones.

OpenBLAS copies the operands of a large product into its own order first, which costs more than it gains where
one side is short, as in the first layers of a CNN; products of up to SMALL multiplications go through kernels
that read the operands where they lie. One call of `np.matmul` on stacked views runs all the panels.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Empty = Callable[..., Array]

SMALL = 1_000_000
"""Multiplications, M * N * K, up to which OpenBLAS takes its kernels for small products."""

NARROWEST = 32
"""Columns in a panel below which the calls cost more than they save."""

SHORTEST = 256
"""The same for the length of the sums in `product_transposed`."""


def product(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for (groups, M, K) @ (groups, K, P), in panels of columns."""
    (groups, rows, inner), length = a.shape, b.shape[-1]
    width = panel(length, rows * inner, NARROWEST)
    if width == length:
        np.matmul(a, b, out=out)
        return
    panels = (groups, -1, length // width, width)
    np.matmul(a[:, None], b.reshape(panels).swapaxes(1, 2), out=out.reshape(panels).swapaxes(1, 2))


def product_transposed(a: Array, b: Array, empty: Empty) -> Array:
    """a @ b^T for (groups, M, P) and (groups, K, P) -> (groups, M, K), in panels of the sum over P.

    BLAS is quicker where the larger of M and K gives the rows of the result.
    """
    (groups, rows, length), columns = a.shape, b.shape[-2]
    if rows < columns:
        return product_transposed(b, a, empty).swapaxes(1, 2)
    width = panel(length, rows * columns, SHORTEST)
    panels = (groups, -1, length // width, width)
    parts = empty((groups, length // width, rows, columns), a.dtype)
    np.matmul(a.reshape(panels).swapaxes(1, 2), b.reshape(panels).transpose(0, 2, 3, 1), out=parts)
    return parts[:, 0] if length == width else parts.sum(axis=1)


@lru_cache(maxsize=4096)
def panel(length: int, work: int, least: int) -> int:
    """The widest even division of `length` whose product is small, or `length` itself if that is below `least`."""
    most = SMALL // work
    if length <= most or most < least:
        return length
    for count in range(-(-length // most), length // least + 1):
        if length % count == 0:
            return length // count
    return length

"""Matrix products cut into small ones, because BLAS is quickest on these.

OpenBLAS copies the operands of a large product into its own order first, which costs more than it gains where one
side is short, as in the layers of a CNN. Products of up to SMALL multiplications go through kernels that read the
operands where they lie, at up to 90 % of what a core can do against some 60 %. One call of `np.matmul` on stacked
views runs all of them.
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

LANE = 64
"""Columns that these kernels take at a time: four vector registers of 16 floats."""

FEWEST = 16
"""Rows of the result below which cutting no longer pays, unless there are no more."""

FEWEST_WHOLE = 8
"""The same where the rows alone are cut, which is better than panels of which the last is narrower."""

DEEP = SMALL // (LANE * FEWEST)
"""The longest sums for which cutting pays."""

TILE_WIDTH, TILE = 32, 1024
"""`product_transposed`: columns and numbers of a result that the kernels for small products still take."""

LEAST = 4
"""Rows or columns of a tile below which cutting no longer pays."""

SHORTEST = 256
"""The same for the length of its sums."""


def product(a: Array, b: Array, out: Array) -> None:
    """out = a @ b for a (groups, M, K), b (groups, stack, K, P) and out (groups, stack, M, P)."""
    (groups, rows, inner), length = a.shape, b.shape[-1]
    height, width = blocks(rows, inner, length)
    if (height, width) == (rows, length):
        np.matmul(np.ascontiguousarray(a)[:, None], b, out=out)
        return
    a = np.ascontiguousarray(a).reshape(groups, 1, 1, rows // height, height, inner)
    start = 0
    while start < length:  # twice if the width does not divide the length
        width = min(width, length - start)
        stop = length - (length - start) % width
        b_panels = b[..., start:stop].reshape(*b.shape[:-1], -1, width).swapaxes(2, 3)[:, :, :, None]
        out_panels = out[..., start:stop].reshape(*out.shape[:2], rows // height, height, -1, width)
        np.matmul(a, b_panels, out=out_panels.transpose(0, 1, 4, 2, 3, 5))
        start = stop


@lru_cache(maxsize=4096)
def blocks(rows: int, inner: int, length: int) -> tuple[int, int]:
    """Rows of a and columns of b in one product for (rows, inner) @ (inner, length): all, if cutting does not pay.

    The rows are cut evenly; the last panel of columns may be narrower than the others.
    """
    height = divisor(rows, SMALL // (inner * LANE))
    if rows * inner * length <= SMALL or length < LANE or height < min(rows, FEWEST):
        return rows, length
    width = min(SMALL // (inner * height) // LANE * LANE, length)
    lower = divisor(rows, SMALL // (inner * length))
    if length % width and lower >= FEWEST_WHOLE:
        return lower, length
    return height, width


def product_transposed(a: Array, b: Array, empty: Empty) -> Array:
    """a @ b^T for a (groups, stack, M, P) and b (groups, stack or 1, N, P) -> (groups, stack, M, N)."""
    (groups, stack, rows, length), columns = a.shape, b.shape[2]
    height, width, run = tiles(rows, columns, length)
    grid = (groups, stack, rows // height, columns // width, height, width)
    parts = empty((length // run, *grid), a.dtype)
    a = a.reshape(groups, stack, rows // height, 1, height, -1, run).transpose(5, 0, 1, 2, 3, 4, 6)
    b = b.reshape(groups, -1, 1, columns // width, width, length // run, run).transpose(5, 0, 1, 2, 3, 6, 4)
    np.matmul(a, b, out=parts)
    total = parts[0] if len(parts) == 1 else parts.sum(axis=0, out=empty(grid, a.dtype))
    return total.swapaxes(3, 4).reshape(groups, stack, rows, columns)


@lru_cache(maxsize=4096)
def tiles(rows: int, columns: int, length: int) -> tuple[int, int, int]:
    """Rows and columns of one product's result and the length of its sums, which all divide evenly."""
    width = divisor(columns, TILE_WIDTH)
    height = divisor(rows, TILE // width)
    if width < min(columns, LEAST) or height < min(rows, LEAST):
        height, width = rows, columns
    most = max(1, SMALL // (height * width))
    counts = range(-(-length // most), length // SHORTEST + 1)
    return height, width, length // next((count for count in counts if length % count == 0), 1)


def divisor(number: int, most: int) -> int:
    """The largest divisor of the number up to `most`, or 0."""
    return next((d for d in range(min(number, most), 0, -1) if number % d == 0), 0)

"""A rectangle in every picture of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def inside(shape: tuple[int, ...], start: NDArray[Any], stop: NDArray[Any]) -> NDArray[np.bool_]:
    """Which pixels lie in it, (N, 1, H, W), for pictures of `shape` (N, C, H, W).

    `start` and `stop` are (N, 2), the first row and column and those after the last; they may lie outside.
    """
    rows, columns = (
        (start[:, axis, None] <= np.arange(side)) & (np.arange(side) < stop[:, axis, None])
        for axis, side in enumerate(shape[2:])
    )
    within: NDArray[np.bool_] = rows[:, None, :, None] & columns[:, None, None, :]
    return within

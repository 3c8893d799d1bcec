"""Moving pixels: the n numbers of a pixel, one a sample, lie side by side."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def copy_cells(target: Array, source: Array) -> None:
    """target[...] = source. The n numbers of a pixel are moved as one item, two to three times as fast as
    n at a time where neighbouring pixels of either are not neighbours in memory. The last axes are contiguous."""
    cell = np.dtype((np.void, source.itemsize * source.shape[-1]))
    np.copyto(target.view(cell), source.view(cell))

"""Memory that is used again from step to step, so that a warm training step allocates next to nothing.

Fresh large arrays cost page faults on every step. A workspace keeps the buffers it ever made; an array that
it hands out is a view into one, and Python's own reference count says when the last view is gone. So nobody
frees anything, and nothing can be used after it was freed.
"""

from __future__ import annotations

import math
import mmap
import sys
from bisect import bisect_left
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

SMALL = 2048  # bytes; NumPy's own allocator is as quick for these

_someone = [object()]
_UNUSED = sys.getrefcount(_someone[0])
"""The count of an object that only its list refers to, measured because it differs among Python's versions."""


class Workspace:
    """Serves one micro-batch at a time."""

    def __init__(self) -> None:
        self._sizes: list[int] = []  # ascending; parallel to _buffers
        self._buffers: list[mmap.mmap] = []  # whole pages, so every array is aligned

    @property
    def nbytes(self) -> int:
        return sum(self._sizes)

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
        """An uninitialised array in the smallest free buffer that holds it, or in a new one."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        if size <= SMALL:
            return np.empty(shape, kind)
        buffers = self._buffers
        first = bisect_left(self._sizes, size)
        for index in range(first, len(buffers)):
            if sys.getrefcount(buffers[index]) == _UNUSED:
                return np.ndarray(shape, kind, buffers[index])
        self._sizes.insert(first, size)
        buffers.insert(first, mmap.mmap(-1, size))
        return np.ndarray(shape, kind, buffers[first])

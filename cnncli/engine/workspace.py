"""Memory that is used again from step to step, so that a warm training step allocates next to nothing.

Fresh large arrays cost page faults on every step. A workspace keeps the buffers it ever made; an array that
it hands out is a view into one, and Python's own reference count says when the last view is gone. So nobody
frees anything, and nothing can be used after it was freed.
"""

from __future__ import annotations

import math
import sys
from bisect import insort
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

Array = NDArray[Any]

SMALL = 2048  # bytes; NumPy's own allocator is as quick for these
ALIGNMENT = 64  # a cache line, and the widest vector register


def _references(buffers: list[Any], index: int) -> int:
    return sys.getrefcount(buffers[index])


_UNUSED = _references([object()], 0)
"""The count of an object that only its list refers to, measured because it differs among Python's versions."""


class Workspace:
    """Serves one micro-batch at a time, on one thread at a time."""

    def __init__(self) -> None:
        self._sizes: list[int] = []  # ascending; parallel to _buffers
        self._buffers: list[Array] = []

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
        for index, capacity in enumerate(self._sizes):
            if capacity >= size and _references(buffers, index) == _UNUSED:
                return _aligned(buffers[index], shape, kind)
        buffer = np.empty(size + ALIGNMENT, np.uint8)
        insort(self._sizes, size)
        buffers.insert(self._sizes.index(size), buffer)
        return _aligned(buffer, shape, kind)


def _aligned(buffer: Array, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    offset = -buffer.ctypes.data % ALIGNMENT
    return np.ndarray(shape, dtype, buffer=buffer, offset=offset)

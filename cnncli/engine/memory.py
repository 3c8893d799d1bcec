"""Memory that several processes see: a nameless file that lives in memory, found by its descriptor alone.

There is nothing to clean up: the memory is gone with the last process that holds it.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.layers.base import Shape


class Block:
    """A stretch of shared memory, which starts as zeros. Arrays on it stay valid as long as somebody holds them."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self.size = size
        self._bytes = mmap.mmap(descriptor, size)

    @classmethod
    def create(cls, size: int) -> Block:
        """Raises OSError where there is no memory for it."""
        size = max(size, 1)
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("cnncli")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        os.ftruncate(descriptor, size)
        return cls(descriptor, size)

    def array(self, shape: Shape, dtype: DTypeLike, offset: int = 0) -> NDArray[Any]:
        """A view from `offset` bytes on."""
        return np.ndarray(shape, dtype, self._bytes, offset)

    def close(self) -> None:
        """Lets go of the descriptor, which other processes no longer need; the arrays stay valid."""
        os.close(self.descriptor)

"""Memory that several processes see: a nameless file, found by its descriptor alone.

There is nothing to clean up: it is gone with the last process that holds it. On Linux it lies in memory; elsewhere it
is a temporary file, of which the system keeps in memory what is in use.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from cnncli.layers.base import Shape


class Block:
    """A stretch of shared memory, which starts as zeros. Arrays on it stay valid as long as somebody holds them; the
    descriptor, which belongs to the block, as long as somebody holds the block."""

    def __init__(self, descriptor: int, size: int) -> None:
        self.descriptor = descriptor
        self.size = size
        weakref.finalize(self, os.close, descriptor)
        self._bytes = mmap.mmap(descriptor, size)

    @classmethod
    def create(cls, size: int) -> Block:
        """Raises OSError where there is no memory for it."""
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("cnncli")
        else:
            with tempfile.TemporaryFile() as file:
                descriptor = os.dup(file.fileno())
        try:
            os.ftruncate(descriptor, max(size, 1))
        except OSError:
            os.close(descriptor)
            raise
        return cls(descriptor, max(size, 1))

    def array(self, shape: Shape, dtype: DTypeLike, offset: int = 0) -> NDArray[Any]:
        """A view from `offset` bytes on."""
        return np.ndarray(shape, dtype, self._bytes, offset)

"""Arrays in files, however large, at constant memory."""

from __future__ import annotations

import math
import os
import weakref
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.files import reading
from cnncli.data.stores.store import Array, Shape, Store
from cnncli.errors import DataError
from cnncli.wording import printable

_SMALL = 64 << 20  # bytes; a mapped array that takes no more is left to the system
_POSSIBLE = hasattr(os, "preadv") and hasattr(os, "posix_fadvise")  # Linux


class InFile:
    """The samples of an array that a file holds, each read when it is asked for.

    Reading through the mapping would leave every page that was touched, and up to megabytes around it, counted as
    this process's memory; a file that is cut short meanwhile would kill it.
    """

    def __init__(self, path: Path, offset: int, array: Array) -> None:
        """`array` tells shape and strides; its first byte is at `offset` in the file."""
        self.shape: Shape = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.ndim = array.ndim
        self._path = path
        self._offset = offset
        self._step, *self._strides = array.strides
        self._size = math.prod(array.shape[1:]) * array.itemsize  # of a sample, in bytes
        self._rows = np.arange(len(array))
        with reading(path):
            self._descriptor = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._descriptor)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> Array:
        """A copy. Raises DataError if the file has become shorter, or cannot be read."""
        asked = self._rows[rows]
        wanted = np.atleast_1d(asked)
        content = np.empty((len(wanted), self._size), np.uint8)
        for first, last in self._runs(wanted):
            self._read(content[first:last], int(wanted[first]))
        shape = (len(wanted), *self.shape[1:])
        samples = np.ndarray(shape, self.dtype, content.data, strides=(self._size, *self._strides))
        return samples if asked.ndim else samples[0]

    def prefetch(self, rows: NDArray[np.int64], /) -> None:
        """Ask the system to bring these samples into its cache of files."""
        for first, last in self._runs(rows):
            start = self._offset + int(rows[first]) * self._step
            with suppress(OSError):  # of a system of files that takes no advice
                os.posix_fadvise(self._descriptor, start, (last - first) * self._size, os.POSIX_FADV_WILLNEED)

    def _runs(self, rows: NDArray[np.int64]) -> list[tuple[int, int]]:
        """Where in `rows` samples follow one another that do so in the file: first, and one past the last."""
        follows = (np.diff(rows) == 1) & (self._step == self._size)
        edges = [0, *(np.flatnonzero(~follows) + 1).tolist(), len(rows)]
        return list(pairwise(edges)) if len(rows) else []

    def _read(self, content: NDArray[np.uint8], row: int) -> None:
        left = content.reshape(-1).data
        start = self._offset + row * self._step
        with reading(self._path):
            while left:
                count = os.preadv(self._descriptor, [left], start)
                if not count:
                    raise DataError(f"{printable(self._path)}: has become shorter while it was read")
                left, start = left[count:], start + count


def unmapped(array: Array) -> Array | Store:
    """The array as `InFile`, where it is large, lies in a mapped file, and has each sample in one piece."""
    base: object = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    if not _POSSIBLE or array.nbytes <= _SMALL or not isinstance(base, np.memmap) or not _in_pieces(array):
        return array
    offset = base.offset + _address(array) - _address(base)
    return InFile(Path(str(base.filename)), offset, array)


def _in_pieces(array: Array) -> bool:
    """Whether the bytes of a sample lie in the file without others between them."""
    sample = array[0]
    span = sum((size - 1) * stride for size, stride in zip(sample.shape, sample.strides, strict=True))
    steps = [stride for size, stride in zip(array.shape, array.strides, strict=True) if size > 1]  # of 1: any number
    return min(steps, default=1) > 0 and span + array.itemsize == sample.nbytes


def _address(array: Array) -> int:
    return int(array.__array_interface__["data"][0])

"""What a split needs of the place where its samples lie."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class Store(Protocol):
    """Samples, (M, ...): an array is one, and so is what reads like an array and holds only what it is asked for."""

    @property
    def shape(self) -> Shape:
        """(M, *a sample)."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the numbers: uint8 are bytes of pictures."""

    @property
    def ndim(self) -> int:
        """The length of `shape`."""

    def __len__(self) -> int: ...

    def __getitem__(self, rows: Any, /) -> Array:
        """One sample, (...), or those of an array of rows or of a slice, (n, ...). Raises DataError if unreadable."""


@runtime_checkable
class Fetching(Store, Protocol):
    """A store that takes time to fetch a sample, and may do so ahead of being asked."""

    def prefetch(self, rows: NDArray[np.int64], /) -> None:
        """Start fetching these samples; returns at once."""


def prefetch(store: Array | Store, rows: NDArray[np.int64]) -> None:
    """Says that these samples are asked for next: where they have to be decoded first, that begins."""
    if isinstance(store, Fetching):
        store.prefetch(rows)

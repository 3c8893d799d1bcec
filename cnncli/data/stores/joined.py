"""Several stores, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.data.stores.store import Array, Shape, Store, prefetch

Rows = NDArray[np.int64]


class Joined:
    """Stores of samples that are alike, as if they were one."""

    def __init__(self, parts: Sequence[Array | Store]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])
        self.shape: Shape = (int(self._starts[-1]), *parts[0].shape[1:])
        self.dtype: np.dtype[Any] = parts[0].dtype
        self.ndim = len(self.shape)
        self._rows = np.arange(len(self))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: Any, /) -> Array:
        """A copy."""
        asked = self._rows[rows]
        wanted = np.atleast_1d(asked)
        samples = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for part, here, rows_there in self._at_home(wanted):
            samples[here] = part[rows_there]
        return samples if asked.ndim else samples[0]

    def prefetch(self, rows: Rows, /) -> None:
        """Each part hears of its own."""
        for part, _, rows_there in self._at_home(rows):
            prefetch(part, rows_there)

    def _at_home(self, rows: Rows) -> Iterator[tuple[Array | Store, NDArray[np.bool_], Rows]]:
        """Each part that has some of the rows: it, which these are, and what they are there."""
        homes = np.searchsorted(self._starts, rows, side="right") - 1  # the part that has each row
        for home in np.unique(homes).tolist():
            here = homes == home
            yield self._parts[home], here, rows[here] - self._starts[home]

"""Several stores, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncli.data.stores.store import Array, Shape, Store


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
        homes = np.searchsorted(self._starts, wanted, side="right") - 1  # the part that has each row
        samples = np.empty((len(wanted), *self.shape[1:]), self.dtype)
        for home in np.unique(homes).tolist():
            here = homes == home
            samples[here] = self._parts[home][wanted[here] - self._starts[home]]
        return samples if asked.ndim else samples[0]

"""The samples that excite each channel most: what is kept of a layer as the samples go by."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]


class Largest:
    """Of each channel the largest values, one a sample: what has been seen of a layer so far."""

    def __init__(self, shape: Shape, count: int) -> None:
        self.positions = shape[1:]
        self.values = np.empty((0, shape[0]))  # (count, C), the largest first
        self.samples = np.empty((0, shape[0]), np.int64)
        self.places = np.empty((0, shape[0]), np.int64)
        self.count = count
        self.nonfinite = 0

    def add(self, indices: NDArray[np.int64], values: Array) -> None:
        """Of the samples `indices` (n,), (n, C, *positions)."""
        finite = np.isfinite(values)
        if not finite.all():
            self.nonfinite += int(np.count_nonzero(~finite))
            values = np.where(np.isnan(values), -np.inf, values)
        flat = values.reshape(*values.shape[:2], -1)
        places = flat.argmax(axis=2)  # (n, C)
        peaks = np.take_along_axis(flat, places[..., None], axis=2)[..., 0]
        every = np.concatenate([self.values, peaks])
        order = np.argsort(-every, axis=0, kind="stable")[: self.count]
        self.values = np.take_along_axis(every, order, axis=0)
        repeated = np.broadcast_to(indices[:, None], peaks.shape)
        self.samples = np.take_along_axis(np.concatenate([self.samples, repeated]), order, axis=0)
        self.places = np.take_along_axis(np.concatenate([self.places, places]), order, axis=0)

    @property
    def dead(self) -> Array:
        """Of each channel (C,) whether it is 0 for all samples."""
        return np.asarray(self.values[0] == 0)

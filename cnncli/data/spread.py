"""Mean and standard deviation of more numbers than are looked at together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(eq=False)
class Spread:
    """Mean and standard deviation of the numbers of each channel, chunk by chunk, in double precision.

    Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """

    count: NDArray[np.float64]  # (C,)
    mean: NDArray[np.float64]
    squares: NDArray[np.float64]  # of the distances from the mean, summed

    @classmethod
    def of_none(cls, channels: int) -> Spread:
        """Before the first chunk."""
        return cls(*np.zeros((3, channels)))

    def add(self, values: NDArray[np.float64], counted: NDArray[np.bool_] | None = None) -> None:
        """(C, numbers); `counted` says which of them count, None if all do."""
        with np.errstate(over="ignore", invalid="ignore"):
            kept = values if counted is None else np.where(counted, values, 0)
            count = np.full(len(values), values.shape[1], np.float64) if counted is None else counted.sum(axis=1)
            mean = kept.sum(axis=1) / np.maximum(count, 1)
            distance = values - mean[:, None]
            squares = np.square(distance if counted is None else np.where(counted, distance, 0)).sum(axis=1)
            total = np.maximum(self.count + count, 1)
            delta = mean - self.mean
            self.squares += squares + delta**2 * (self.count * count / total)
            self.mean += delta * (count / total)
        self.count += count

    @property
    def std(self) -> NDArray[np.float64]:
        """(C,)."""
        return np.asarray(np.sqrt(self.squares / np.maximum(self.count, 1)))


def by_channel(samples: NDArray[Any]) -> NDArray[Any]:
    """(n, C, ...) as (C, numbers)."""
    return np.moveaxis(samples, 1, 0).reshape(samples.shape[1], -1)

"""The order in which samples are visited: arrays of indices, one a batch; the last one may be smaller."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def shuffled_batches(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """All of 0..n-1 in an order that depends on (seed, epoch) alone, so that any epoch can be resumed."""
    order = np.random.default_rng([seed, epoch]).permutation(n)
    return (order[start : start + batch_size] for start in range(0, n, batch_size))


def sequential_batches(n: int, batch_size: int) -> Iterator[NDArray[np.int64]]:
    """All of 0..n-1 in order."""
    return (np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size))

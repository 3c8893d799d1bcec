"""The order in which samples are visited: arrays of indices, one a batch; the last may be smaller."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray


def shuffled_batches(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """All of 0..n-1 in an order that depends on (seed, epoch) alone, so that any epoch can be resumed.

    A single sample left over joins the batch before it: batch norm could not take it alone.
    """
    order = np.random.default_rng([seed, epoch]).permutation(n)
    edges = [batch_size * index for index in range(batch_count(n, batch_size))]
    return (order[start:stop] for start, stop in zip(edges, [*edges[1:], n], strict=True))


def batch_count(n: int, batch_size: int) -> int:
    """How many batches `shuffled_batches` makes."""
    alone = n % batch_size == 1 and n > batch_size
    return -(-n // batch_size) - alone


def sequential_batches(n: int, batch_size: int) -> Iterator[NDArray[np.int64]]:
    """All of 0..n-1 in order."""
    return (np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size))

"""The order in which samples are visited: arrays of indices, one a batch; the last may be smaller."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import DataError

Indices = NDArray[np.int64]


def shuffled_batches(n: int, batch_size: int, seed: int, epoch: int) -> Iterator[Indices]:
    """All of 0..n-1 in an order that depends on (seed, epoch) alone, so that any epoch can be resumed.

    A single sample left over joins the batch before it: batch norm could not take it alone.
    """
    return _cut(np.random.default_rng([seed, epoch]).permutation(n), batch_size)


def balanced_batches(targets: NDArray[Any], batch_size: int, seed: int, epoch: int) -> Iterator[Indices]:
    """As many indices as there are samples, of every class equally many, give or take one; epochs count from 1.

    A class is walked through in a random order, and in another one when that is done. Each epoch goes on where
    the one before it ended, so that samples of a large class take turns, and those of a small one are repeated.
    `targets` is (n,) class numbers.
    """
    n = len(targets)
    classes, numbers = np.unique(targets, return_inverse=True)
    # Visits go round the classes, epoch after epoch: visit v is the (v // K)-th of class v % K.
    first, last = (epoch - 1) * n, epoch * n
    visits = []
    for number in range(len(classes)):
        start, stop = (-(-(visit - number) // len(classes)) for visit in (first, last))
        visits.append(_walk(np.flatnonzero(numbers == number), start, stop, seed, number))
    order = np.random.default_rng([seed, epoch]).permutation(np.concatenate(visits))
    return _cut(order, batch_size)


def require_classes(targets: NDArray[Any]) -> None:
    """Raises DataError where there is not one class number a sample, as `balanced_batches` needs."""
    if targets.ndim > 1 or targets.dtype.kind not in "iu":
        raise DataError(
            f"data.sampling: balanced needs one class number a sample, but the targets are {targets.dtype} numbers of "
            f"shape {targets.shape[1:]}; set data.sampling to shuffle"
        )


def _walk(members: Indices, start: int, stop: int, seed: int, number: int) -> Indices:
    """Visits `start` to `stop` of the members of a class, which come in a new random order each time round."""
    size = len(members)

    def ordered(lap: int) -> Indices:
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, lap))).permutation(members)

    first, last = start // size, stop // size
    if first == last:
        return ordered(first)[start % size : stop % size]
    between = np.tile(members, last - first - 1)  # whole rounds: the epoch is shuffled in any case
    return np.concatenate([ordered(first)[start % size :], between, ordered(last)[: stop % size]])


def _cut(order: Indices, batch_size: int) -> Iterator[Indices]:
    n = len(order)
    edges = [batch_size * index for index in range(batch_count(n, batch_size))]
    return (order[start:stop] for start, stop in zip(edges, [*edges[1:], n], strict=True))


def batch_count(n: int, batch_size: int) -> int:
    """How many batches `shuffled_batches` and `balanced_batches` make."""
    alone = n % batch_size == 1 and n > batch_size
    return -(-n // batch_size) - alone


def sequential_batches(n: int, batch_size: int) -> Iterator[Indices]:
    """All of 0..n-1 in order."""
    return (np.arange(start, min(start + batch_size, n)) for start in range(0, n, batch_size))

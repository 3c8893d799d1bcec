"""Choosing some of the samples at random, with every class in its share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray


def draw(targets: NDArray[Any], count: int, rng: np.random.Generator, *, spare: bool = False) -> NDArray[np.int64]:
    """`count` of the rows of `targets`, ascending; stratified where the targets are classes, (N,) integers.

    `spare`: leave at least one sample of every class undrawn, where that is possible.
    """
    stratify = targets.ndim == 1 and targets.dtype.kind in "iu"
    classes = np.unique(targets, return_inverse=True)[1] if stratify else np.zeros(len(targets), np.int64)
    sizes = np.bincount(classes)
    taken = apportion(count, sizes.tolist(), spare=spare)
    shuffled = rng.permutation(len(targets))
    grouped = shuffled[np.argsort(classes[shuffled], kind="stable")]  # class by class, each in random order
    rank = np.arange(len(targets)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # place within the class
    return np.sort(grouped[rank < np.repeat(taken, sizes)])


def apportion(total: int, sizes: Sequence[int], *, spare: bool = False) -> list[int]:
    """Whole numbers that sum to `total`, in proportion to `sizes` and none above its size.

    Largest remainders (Hamilton's method); the first wins a tie. `spare` keeps each below its size where possible.
    """
    everything = sum(sizes)
    room = [size - spare for size in sizes] if total <= everything - len(sizes) * spare else list(sizes)
    taken = [total * size // everything for size in sizes]
    by_remainder = sorted(range(len(sizes)), key=lambda index: (-(total * sizes[index] % everything), index))
    missing = total - sum(taken)
    for index in cycle(by_remainder):
        if not missing:
            break
        if taken[index] < room[index]:
            taken[index] += 1
            missing -= 1
    return taken

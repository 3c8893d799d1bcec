"""What guessing comes to: the scores of the best answer that is the same for every sample."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.losses import Loss, are_classes

Array = NDArray[Any]


@dataclass(frozen=True)
class Baseline:
    """For K balanced classes and cross entropy, ln K and 1 / K."""

    loss: float
    accuracy: float | None  # None for regression
    even: float  # the loss of who does not know the frequencies either, and thinks all alike


def baseline_of(loss: Loss, targets: Array, shape: tuple[int, ...]) -> Baseline:
    """For targets as the data set has them, and the shape of what the loss reads.

    With p the mean target at each position: the entropy of p for a softmax, the mean entropy of each p_k for a sigmoid,
    and else the mean variance of the targets. Positions are averaged. The options of the loss are left out: they all
    keep a network from being quite sure.

    Of a single sample it is the least loss that there can be: 0 where the target is certain.
    """
    numbered = are_classes(targets, shape)
    if numbered:
        mean = _shares(targets.reshape(len(targets), -1), shape[0])
        square = mean
    else:
        numbers = targets.reshape(len(targets), -1)
        mean = numbers.mean(axis=0, dtype=np.float64)
        square = np.einsum("nk,nk->k", numbers, numbers, dtype=np.float64) / len(numbers)
    if loss.link == "softmax":
        mean = mean.reshape(shape[0], -1)
        total = mean.sum(axis=0)  # 1, unless the targets are other numbers than shares
        entropy = _entropy(mean).sum(axis=0) - _entropy(total)
        return Baseline(float(entropy.mean()), _most(mean), math.log(shape[0]) * float(total.mean()))
    if loss.link == "sigmoid":
        right = _most(mean) if numbered else float(np.maximum(mean, 1 - mean).mean())
        return Baseline(float((_entropy(mean) + _entropy(1 - mean)).mean()), right, math.log(2))
    variance = float(np.maximum(square - mean**2, 0).mean())  # rounding may bring it below
    return Baseline(variance, _most(mean) if numbered else None, variance)


def _shares(classes: Array, count: int) -> Array:
    """Of each of so many classes at every position, (count, P), of class numbers (N, P)."""
    positions = classes.shape[1]
    places = classes.astype(np.int64, copy=False) * positions + np.arange(positions)
    return np.bincount(places.ravel(), minlength=count * positions).reshape(count, positions) / len(classes)


def _most(shares: Array) -> float:
    """How often the most frequent class is right, at every position its own."""
    return float(shares.max(axis=0).mean())


def _entropy(shares: Array) -> Array:
    """-p ln p, 0 for 0."""
    return np.where(shares > 0, -shares * np.log(np.maximum(shares, math.ulp(0.0))), 0.0)

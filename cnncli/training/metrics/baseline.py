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

    With p the mean target: the entropy of p for a softmax, the mean entropy of each p_k for a sigmoid, and else the
    mean variance of the targets.
    """
    numbered = are_classes(targets, shape)
    if numbered:
        mean = np.bincount(targets.ravel(), minlength=shape[0]) / targets.size
        square = mean
    else:
        numbers = targets.reshape(len(targets), -1)
        mean = numbers.mean(axis=0, dtype=np.float64)
        square = np.einsum("nk,nk->k", numbers, numbers, dtype=np.float64) / len(numbers)
    if loss.link == "softmax":
        shares = mean if numbered else mean.reshape(shape[0], -1).mean(axis=1)
        return Baseline(float(_entropy(shares).sum()), float(shares.max()), math.log(shape[0]))
    accuracy = float(mean.max()) if numbered else None
    if loss.link == "sigmoid":
        here = np.maximum(mean, 1 - mean).mean() if accuracy is None else accuracy
        return Baseline(float((_entropy(mean) + _entropy(1 - mean)).mean()), float(here), math.log(2))
    variance = float((square - mean**2).mean())
    return Baseline(variance, accuracy, variance)


def _entropy(shares: Array) -> Array:
    """-p ln p, 0 for 0."""
    return np.where(shares > 0, -shares * np.log(np.maximum(shares, math.ulp(0.0))), 0.0)

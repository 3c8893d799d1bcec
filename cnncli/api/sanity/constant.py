"""The loss of predictions that take no notice of the input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cnncli.losses import Loss

LEAST = 1e-12
"""A share of a class is no smaller: its logarithm is taken."""


def zero_loss(loss: Loss, targets: NDArray[np.floating]) -> float:
    """Of an output of zeros: with cross entropy the same probability for every class, hence ln C.

    `targets` are encoded for the loss, (*shape, N).
    """
    return _mean(loss, np.zeros(targets.shape), targets)


def best_constant_loss(loss: Loss, targets: NDArray[np.floating]) -> float:
    """Of the one output, the same for every sample, that has the least loss: the mean of the targets, or what its link
    function makes that mean.

    `targets` are encoded for the loss, (*shape, N). For a single sample it is the least loss that there can be.
    """
    mean = targets.mean(axis=-1, keepdims=True, dtype=np.float64)
    if loss.link == "softmax":
        best = np.log(np.maximum(mean, LEAST))
    elif loss.link == "sigmoid":
        share = np.clip(mean, LEAST, 1 - LEAST)
        best = np.log(share / (1 - share))
    else:
        best = mean
    return _mean(loss, np.broadcast_to(best, targets.shape).copy(), targets)


def least_loss(loss: Loss, targets: NDArray[np.floating]) -> float:
    """The mean, over the samples, of the least loss that each can have: 0 where the targets are certain."""
    return float(np.mean([best_constant_loss(loss, targets[..., [place]]) for place in range(targets.shape[-1])]))


def _mean(loss: Loss, y: NDArray[np.float64], targets: NDArray[np.floating]) -> float:
    values, _ = loss.forward(y, targets)
    return float(values.mean())

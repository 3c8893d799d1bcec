"""Class weights: how much more the samples of one class count than those of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cnncli.errors import UsageError
from cnncli.wording import plural

Array = NDArray[Any]

KEY = "train.class_weight"


def class_weights(targets: Array, classes: int, wanted: Literal["balanced"] | Sequence[float]) -> Array:
    """A weight for each class, float64 (K,), from the targets of the whole training split.

    `classes` is how many outputs the network has: a single one is the probability of the second of two classes.
    "balanced" is N / (K * N_c) for a class of N_c of the N samples, K being how many classes occur (scikit-learn's
    compute_class_weight; King and Zeng 2001), and 0 for one that never occurs; else the numbers themselves. Raises
    UsageError where they do not fit.
    """
    count = max(classes, 2)
    if wanted == "balanced":
        occur = np.bincount(targets, minlength=count) if _numbered(targets) else _shares(targets, count).sum(axis=0)
        total = len(targets) / np.count_nonzero(occur)
        return np.divide(total, occur, out=np.zeros(count), where=occur > 0)
    if not _numbered(targets):
        _shares(targets, count)
    given = np.asarray(wanted, np.float64)
    if len(given) != count:
        what = f"{plural(len(given), 'number')} for {count} classes"
        raise UsageError(f"{KEY}: {what}; expected one for each, or balanced")
    if not given.any():
        raise UsageError(f"{KEY}: every weight is 0, so that there is nothing to learn; expected a number above 0")
    return given


def sample_weights(weights: Array, targets: Array) -> tuple[Array, float]:
    """For the targets of a batch: the weight of each sample's class, (N,), over their mean, and the sum of them all.

    The mean of the losses times these weights is sum(w l) / sum(w), the weighted mean that PyTorch's
    CrossEntropyLoss(weight=...) takes. A sample with shares of several classes has the mean of their weights. All are
    0 where the batch holds none but samples of weight 0.
    """
    found: Array = weights[targets] if _numbered(targets) else _shares(targets, len(weights)) @ weights
    total = float(found.sum())
    return (found * (len(found) / total) if total > 0 else found), total


def _numbered(targets: Array) -> bool:
    """Whether they are one class number for each sample."""
    return targets.dtype.kind in "iu" and targets.ndim == 1


def _shares(targets: Array, classes: int) -> Array:
    """(N, classes) float64, of shares (N, classes), or of the share of the second of two classes, (N,) or (N, 1)."""
    shares = targets.astype(np.float64)
    if classes == 2 and shares[0].size == 1:
        second = shares.reshape(-1)
        shares = np.stack([1 - second, second], axis=1)
    if shares.shape != (len(targets), classes) or shares.min() < 0 or abs(shares.sum(axis=1) - 1).max() > 1e-3:
        raise UsageError(f"{KEY}: needs one class for each sample, and these targets are something else; leave it out")
    return shares

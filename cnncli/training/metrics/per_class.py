"""Precision, recall and F1: what the counts of each class, or each label, say.

The counts are (3, K), flat: how often class k is right, how often it is the target, how often it is predicted. The
definitions are scikit-learn's, 0 / 0 being 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def counts(right: Array, true: Array, predicted: Array) -> Array:
    """(3 * K,) float64."""
    return np.concatenate([right, true, predicted]).astype(np.float64)


def precisions(sums: Array) -> Array:
    """(K,): right / predicted."""
    right, _, predicted = sums.reshape(3, -1)
    return ratio(right, predicted)


def recalls(sums: Array) -> Array:
    """(K,): right / true."""
    right, true, _ = sums.reshape(3, -1)
    return ratio(right, true)


def f1s(sums: Array) -> Array:
    """(K,): 2 right / (true + predicted), the harmonic mean of precision and recall."""
    right, true, predicted = sums.reshape(3, -1)
    return ratio(2 * right, true + predicted)


def occurring(sums: Array) -> Array:
    """(K,): which classes are a target, or are predicted, at all."""
    _, true, predicted = sums.reshape(3, -1)
    return true + predicted > 0


def ratio(part: Array, whole: Array) -> Array:
    """part / whole, 0 where that is 0 / 0."""
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)

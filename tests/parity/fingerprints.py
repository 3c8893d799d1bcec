"""A few numbers that stand for a tensor, so that a reference file stays small."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def fingerprint(tensor: Array) -> Array:
    """The largest magnitude, and the projections on three fixed waves: any wrong element changes them."""
    flat = np.asarray(tensor, np.float64).ravel()
    positions = np.arange(flat.size)
    waves = [np.cos(k * positions + k) for k in (0.1, 0.7, 1.9)]
    return np.array([np.abs(flat).max(initial=0), *(wave @ flat for wave in waves)])


def agree(ours: Array, reference: Array, allowed: float) -> bool:
    """Whether `ours` can be the tensor of this fingerprint, each element being off by `allowed` at most and the
    errors independent."""
    margin = allowed * np.array([1, *[4 * np.sqrt(max(ours.size, 1))] * 3])
    return bool((np.abs(fingerprint(ours) - reference) <= margin).all())

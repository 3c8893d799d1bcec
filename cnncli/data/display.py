"""Samples as pictures that one can look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def to_picture(sample: Array, like: Array | None = None) -> NDArray[np.uint8]:
    """A sample, (C, H, W), (C, L) or (F,), as (H, W), or (H, W, 3) where it has three channels.

    Bytes stay what they are; numbers between 0 and 1 count as brightness, others are stretched from their
    smallest to their largest. Other than one or three channels are averaged; what has no height becomes one row.
    With `like` the brightness is as it would be for that sample, so that the two can be compared.
    """
    if sample.ndim < 3:
        return to_picture(np.atleast_2d(sample)[None], like)
    picture = sample if sample.dtype == np.uint8 and like is None else _bytes(sample, sample if like is None else like)
    if len(picture) == 3:
        return np.ascontiguousarray(picture.transpose(1, 2, 0))
    mean: NDArray[np.float64] = picture.mean(axis=0)
    return mean.round().astype(np.uint8)


def _bytes(sample: Array, like: Array) -> NDArray[np.uint8]:
    low, high = _ends(like)
    brightness: NDArray[np.float64] = (_finite(sample) - low) * (255 / ((high - low) or 1))
    return brightness.clip(0, 255).round().astype(np.uint8)


def _ends(sample: Array) -> tuple[float, float]:
    """What is black in it, and what is white."""
    if sample.dtype == np.uint8:
        return 0.0, 255.0
    numbers = _finite(sample)
    low, high = float(numbers.min()), float(numbers.max())
    return (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)


def _finite(sample: Array) -> NDArray[np.float64]:
    """What cannot be drawn is 0; the rest is so small that differences are finite."""
    return np.nan_to_num(sample.astype(np.float64), posinf=0, neginf=0).clip(-1e300, 1e300)

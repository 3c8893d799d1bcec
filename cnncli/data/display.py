"""Samples as pictures that one can look at."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_picture(sample: NDArray[Any]) -> NDArray[np.uint8]:
    """A sample, (C, H, W), (C, L) or (F,), as (H, W), or (H, W, 3) where it has three channels.

    Bytes stay what they are; numbers between 0 and 1 count as brightness, others are stretched from their
    smallest to their largest. Other than one or three channels are averaged; what has no height becomes one row.
    """
    if sample.ndim < 3:
        return to_picture(np.atleast_2d(sample)[None])
    picture = sample if sample.dtype == np.uint8 else _bytes(sample)
    if len(picture) == 3:
        return np.ascontiguousarray(picture.transpose(1, 2, 0))
    mean: NDArray[np.float64] = picture.mean(axis=0)
    return mean.round().astype(np.uint8)


def _bytes(sample: NDArray[Any]) -> NDArray[np.uint8]:
    numbers = np.nan_to_num(sample.astype(np.float64), posinf=0, neginf=0).clip(-1e300, 1e300)
    low, high = float(numbers.min()), float(numbers.max())
    if low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    brightness: NDArray[np.float64] = (numbers - low) * (255 / ((high - low) or 1))
    return brightness.round().astype(np.uint8)

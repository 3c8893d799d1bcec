"""Numbers about one array, and the ranking of its channels."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.kernels import moments
from cnncli.kernels.moments import Moments

Array = NDArray[Any]


@dataclass(frozen=True)
class Statistics:
    """Over the finite elements, in float64; nan where there are none. `zeros` and `nonfinite` are of all `size`."""

    size: int
    min: float
    mean: float
    max: float
    std: float
    norm: float
    """sqrt(sum of x^2)."""
    zeros: float
    """The share of elements that are exactly 0."""
    nonfinite: int
    """How many elements are NaN or infinite."""


def statistics(array: Array) -> Statistics:
    """Of all elements of a real array of any shape."""
    values = array.ravel()
    finite = np.isfinite(values)
    kept = values if finite.all() else values[finite]
    zeros = 1 - np.count_nonzero(values) / values.size if values.size else 0.0
    if not kept.size:
        nan = float("nan")
        return Statistics(values.size, nan, nan, nan, nan, nan, zeros, values.size)
    largest = float(np.abs(kept).max())
    scale = 1.0 if 1e-100 < largest < 1e100 else largest or 1.0  # so that no square overflows or vanishes
    scaled = kept.astype(np.float64) / scale
    return Statistics(
        size=values.size,
        min=float(kept.min()),
        mean=float(scaled.mean()) * scale,
        max=float(kept.max()),
        std=float(scaled.std()) * scale,
        norm=float(np.sqrt(np.square(scaled).sum())) * scale,
        zeros=zeros,
        nonfinite=values.size - kept.size,
    )


def merged(a: Statistics, b: Statistics) -> Statistics:
    """Those of the elements of both together, without any square that could overflow."""
    size, nonfinite = a.size + b.size, a.nonfinite + b.nonfinite
    zeros = (a.zeros * a.size + b.zeros * b.size) / size if size else 0.0
    n, m = a.size - a.nonfinite, b.size - b.nonfinite
    if not n or not m:
        return replace(a if n else b, size=size, zeros=zeros, nonfinite=nonfinite)
    _, mean, std = moments.merged(Moments(n, a.mean, a.std), Moments(m, b.mean, b.std))
    return Statistics(
        size=size,
        min=min(a.min, b.min),
        mean=mean,
        max=max(a.max, b.max),
        std=std,
        norm=math.hypot(a.norm, b.norm),
        zeros=zeros,
        nonfinite=nonfinite,
    )


def scaled(found: Statistics, factor: float) -> Statistics:
    """Those of the elements times `factor`, which is above 0."""
    names = ("min", "mean", "max", "std", "norm")
    return found if factor == 1 else replace(found, **{name: getattr(found, name) * factor for name in names})


def as_maps(array: Array) -> Array:
    """One sample's value as maps (T, H, W): (C, H, W) as it is, (C, L) and (F,) as a single map.

    Maps of one pixel each are a vector in another guise, and become one row too.
    """
    if array.ndim == 3 and array.shape[1:] != (1, 1):
        return array
    if array.ndim == 2:
        return array[None]
    return array.reshape(1, 1, -1)


def strengths(maps: Array) -> NDArray[np.float64]:
    """mean |x| of every map (T, ...), what channels are ranked by; one with NaN or infinity is the strongest."""
    with np.errstate(over="ignore"):
        strength = np.abs(maps).reshape(len(maps), -1).mean(axis=1, dtype=np.float64)
    return np.where(np.isfinite(strength), strength, np.inf)


def ranking(maps: Array) -> tuple[int, ...]:
    """The maps' numbers, the strongest first; equal ones in their order."""
    return tuple(np.argsort(-strengths(maps), kind="stable").tolist())

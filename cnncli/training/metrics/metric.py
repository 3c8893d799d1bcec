"""What a metric is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Metric:
    """A number about many samples, from sums over them, so that it can be gathered batch by batch.

    `sums(output, targets)` are additive, float64 (k,), for output (n, *shape), which is what the loss reads, and
    targets as the data set has them, (n,) or (n, *shape). `value(sums, samples)` is the number; `is_share`: it lies
    between 0 and 1, and people read it as a percentage; `is_error`: the lower the better.
    """

    name: str
    sums: Callable[[Array, Array], Array]
    value: Callable[[Array, int], float]
    is_share: bool = False
    is_error: bool = False


def mean(sums: Array, samples: int) -> float:
    """Of a single sum."""
    return float(sums[0]) / samples

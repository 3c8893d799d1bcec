"""The arithmetic of the comparison: ratios round by round, medians, spreads."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

T = TypeVar("T")
Speeds = Mapping[str, Sequence[float]]
"""For every contestant its speed in each round."""


@dataclass(frozen=True)
class Spread:
    """The median of several measurements, the least and the largest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        """Of at least one value."""
        ordered = sorted(values)
        return cls(statistics.median(ordered), ordered[0], ordered[-1])


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """ours / theirs in each round. The machine may be slower in one round than in another: the two of one round met
    the same machine, so they are divided before the median is taken."""
    return Spread.of(a / b for a, b in zip(ours, theirs, strict=True))


def fastest(speeds: Speeds, peers: Iterable[str]) -> list[float]:
    """In each round the speed of whichever peer was the fastest in it."""
    return [max(values) for values in zip(*(speeds[peer] for peer in peers), strict=True)]


def rotated(items: Sequence[T], turn: int) -> list[T]:
    """The order of a round: each begins with another contestant."""
    start = turn % len(items)
    return [*items[start:], *items[:start]]


def geometric_mean(values: Iterable[float]) -> float:
    """Of ratios: the ratio of a and b is then 1 over the ratio of b and a."""
    return math.exp(statistics.fmean(math.log(value) for value in values))

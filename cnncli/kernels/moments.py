"""Mean and spread of numbers that come in parts."""

from __future__ import annotations

import math
from typing import NamedTuple


class Moments(NamedTuple):
    """Of `size` numbers: their mean, and the root of their mean squared distance from it."""

    size: int
    mean: float
    std: float


def merged(a: Moments, b: Moments) -> Moments:
    """Those of the numbers of both together, without any square that could overflow; one of them may have no numbers.

    Source: Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances", 1979.
    """
    if not a.size or not b.size:
        return a if a.size else b
    size = a.size + b.size
    p, q = a.size / size, b.size / size
    std = math.hypot(math.sqrt(p) * a.std, math.sqrt(q) * b.std, math.sqrt(p * q) * (a.mean - b.mean))
    return Moments(size, p * a.mean + q * b.mean, std)

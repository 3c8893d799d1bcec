"""How much of a difference between two slopes is rounding.

Close by a true difference is about the same, while one that rounding makes is another one each time. So it is
measured again at a few points close by, where everything is scaled by almost 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.functions import Function
from cnncli.inspection.gradcheck.oracles import EPS, complex_step, difference, magnitude
from cnncli.inspection.gradcheck.sampling import dense

Array = NDArray[Any]

POINTS = 4
ATTEMPTS = 8
"""So many points, of so many looked at."""
MARGIN = 30
"""How much larger than the largest of these samples a rounding error may be."""
NEGLIGIBLE = 1000 * EPS
"""The share of the largest term that nobody sees."""


@dataclass(frozen=True, eq=False)
class Point:
    """A function at a point, and what backward says of sum(cotangent * terms) there."""

    function: Function
    cotangent: Array
    gradient: Array


def gradient_of(function: Function, name: str, cotangent: Array) -> Array:
    """What backward says; 0 where it says nothing."""
    gradient = function.gradients(cotangent).get(name)
    return np.zeros_like(function.tensors[name]) if gradient is None else gradient


class Rounding:
    """Around a point, for one of its tensors."""

    def __init__(self, name: str, point: Point, rng: np.random.Generator) -> None:
        self._name = name
        self._point = point
        self._rng = rng

    @property
    def reliable(self) -> bool:
        """Whether the function takes the same branches close by. Otherwise more than rounding may be at work."""
        return self._close_by[1]

    @cached_property
    def typical(self) -> float:
        """Along dense directions. Few samples in one direction may happen to agree, as roundings come in steps."""
        everything = np.ones(self._point.gradient.shape, np.bool_)
        return max(self.along(dense(everything, self._rng).direction) for _ in range(POINTS))

    def along(self, direction: Array, step: float | None = None) -> float:
        """In the difference between backward's slope and the complex step's or, with `step`, that of a difference."""
        here = self._discrepancy(self._point, direction, step)
        moved = max(abs(self._discrepancy(point, direction, step) - here) for point in self._close_by[0])
        return max(MARGIN * moved, self.negligible)

    @cached_property
    def negligible(self) -> float:
        """A slope that is none: to move the tensor by its own magnitude would change no term that anybody sees."""
        largest = float(np.abs(self._point.cotangent * self._point.function.base.magnitudes).max(initial=0))
        return NEGLIGIBLE * largest / magnitude(self._point.function.tensors[self._name])

    def _discrepancy(self, point: Point, direction: Array, step: float | None) -> float:
        if step is None:
            slope = complex_step(point.function, self._name, direction, point.cotangent) or 0.0
        else:
            slope = difference(point.function, self._name, direction, step).slope(point.cotangent)
        return float((point.gradient * direction).sum()) - slope

    @cached_property
    def _close_by(self) -> tuple[Sequence[Point], bool]:
        """Points with the same branches, and True; if there are hardly any, others."""
        branches = self._point.function.base.branches
        faithful: list[Point] = []
        others: list[Point] = []
        for _ in range(ATTEMPTS):
            function = self._point.function.rescaled(self._rng)
            cotangent = function.cotangent * (self._point.cotangent != 0)
            point = Point(function, cotangent, gradient_of(function, self._name, cotangent))
            same = all(np.array_equal(branches[name], taken) for name, taken in function.base.branches.items())
            (faithful if same else others).append(point)
            if len(faithful) == POINTS:
                break
        return (faithful, True) if len(faithful) > 1 else (others, False)

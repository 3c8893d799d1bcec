"""Two ways to find a directional derivative from forward passes alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck.functions import Evaluation, Function

Array = NDArray[Any]

IMAGINARY_STEP = 1e-30
STEPS = (1e-5, 1e-6, 1e-7, 1e-9, 1e-11)
"""Times max(1, |theta|): near the best step, the cube root of the rounding error (6e-6), and smaller ones for when a
corner is close or the function is curved."""
LAST_STEP = 1e-7
"""Times the tensor's own magnitude, so that nothing small is overrun."""

EPS = float(np.finfo(np.float64).eps)


def complex_step(function: Function, name: str, direction: Array, cotangent: Array) -> float | None:
    """Im f(theta + i h u) / h, exact to rounding since nothing is subtracted (Martins, Sturdza and Alonso 2003).

    None where the forward pass cannot compute with complex numbers, or computes something else.
    """
    slopes = _by_complex_step(function, name, direction)
    return None if slopes is None else float((cotangent * slopes).sum())


def slopes(function: Function, name: str, direction: Array) -> Array:
    """Of every term, by the better oracle that there is."""
    exact = _by_complex_step(function, name, direction)
    if exact is not None:
        return exact
    left, right = difference(function, name, direction, STEPS[0]).slopes()
    between: Array = (left + right) / 2
    return between


def slope(function: Function, name: str, direction: Array, cotangent: Array) -> float:
    """Of sum(cotangent * terms), by the better oracle that there is."""
    return float((cotangent * slopes(function, name, direction)).sum())


def _by_complex_step(function: Function, name: str, direction: Array) -> Array | None:
    """d(terms) / d(direction)."""
    try:
        terms = function.forward(name, function.tensors[name] + 1j * IMAGINARY_STEP * direction).terms
    except TypeError:
        return None
    if terms.dtype.kind != "c" or not np.allclose(terms.real, function.base.terms, rtol=1e-9, atol=_size(function)):
        return None
    exact: Array = terms.imag / IMAGINARY_STEP
    return exact


def _size(function: Function) -> float:
    return 1e-9 * float(np.abs(function.base.terms).max(initial=0))


@dataclass(frozen=True, eq=False)
class Difference:
    """The function a step to either side."""

    step: float
    moved: Array  # (theta+ - theta-) / 2h, the direction as rounded numbers realise it
    base: Evaluation
    plus: Evaluation
    minus: Evaluation

    def slopes(self) -> tuple[Array, Array]:
        """Of every term, to the left and to the right."""
        middle = self.base.terms
        return (middle - self.minus.terms) / self.step, (self.plus.terms - middle) / self.step

    def slope(self, cotangent: Array) -> float:
        """(f(theta + h u) - f(theta - h u)) / 2h."""
        return float((cotangent * (self.plus.terms - self.minus.terms)).sum() / (2 * self.step))

    def noise(self, cotangent: Array) -> float:
        """What rounding the terms may do to a slope: eps |f| / h."""
        return EPS * float(np.abs(cotangent * self.base.terms).sum()) / self.step

    def worst_noise(self, cotangent: Array) -> float:
        """The same, if the terms have the rounding of the larger numbers that they were made from."""
        return EPS * float(np.abs(cotangent * self.base.magnitudes).sum()) / self.step


def difference(function: Function, name: str, direction: Array, step: float) -> Difference:
    """With a tensor a step along a direction to either side of the point."""
    point = function.tensors[name]
    above, below = point + step * direction, point - step * direction
    moved = (above - below) / (2 * step)
    return Difference(step, moved, function.base, function.forward(name, above), function.forward(name, below))


def differences(function: Function, name: str, direction: Array) -> Iterator[Difference]:
    """With ever smaller steps."""
    point = function.tensors[name]
    largest = max(1.0, float(np.abs(point[direction != 0]).max(initial=0)))
    steps = [relative * largest for relative in STEPS]
    last = smallest_step(function, name)
    for step in [*steps, last] if last < steps[-1] else steps:
        yield difference(function, name, direction, step)


def smallest_step(function: Function, name: str) -> float:
    """What is hardly more than a point, and yet more than rounding."""
    return LAST_STEP * magnitude(function.tensors[name])


def magnitude(point: Array) -> float:
    """The root mean square of what is not 0; 1 where all is."""
    values = point[point != 0]
    largest = float(np.abs(values).max(initial=0))
    return largest * float(np.sqrt(np.mean((values / largest) ** 2))) if largest else 1.0

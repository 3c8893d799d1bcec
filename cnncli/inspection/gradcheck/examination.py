"""One tensor of a function against the oracles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck import kinks, sampling, verdicts
from cnncli.inspection.gradcheck.functions import Function
from cnncli.inspection.gradcheck.oracles import (
    STEPS,
    Difference,
    complex_step,
    difference,
    differences,
    slope,
    smallest_step,
)
from cnncli.inspection.gradcheck.rounding import Point, Rounding, gradient_of
from cnncli.inspection.gradcheck.sampling import Probe
from cnncli.inspection.gradcheck.verdicts import CENTRAL, COMPLEX, Tolerance, Verdict, compare

Array = NDArray[Any]
F_co = TypeVar("F_co", bound=Function, covariant=True)

COMPLEX_STEP, CENTRAL_DIFFERENCE, ONE_SIDED = "complex step", "central difference", "one-sided slopes"

CLEAR = 1000
"""A difference of so many times the typical rounding error is none, whatever the direction."""
NEAR = 2
"""From this one of the steps on a corner that is met belongs to the point."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One directional derivative: what backward says, what the deciding oracle says."""

    probe: Probe
    verdict: Verdict
    analytic: float
    numeric: float
    error: float
    oracle: str


@dataclass(frozen=True)
class _Opinion:
    """Of one oracle."""

    numeric: float
    verdict: Verdict
    error: float


class Examination(Generic[F_co]):
    """A tensor of a function, `gradient` being what backward says of sum(cotangent * terms).

    Terms that lie on a corner are taken out of the cotangent, so that what remains can be judged sharply; they are
    judged on their own, as far as that goes.
    """

    def __init__(self, function: F_co, name: str, gradient: Array, rng: np.random.Generator) -> None:
        self.function = function
        self.name = name
        self.rng = rng
        self.corners = kinks.cornered(function, name, rng)
        self.cotangent, self.gradient = function.cotangent, gradient
        if self.corners is not None:
            self.cotangent = function.cotangent * ~self.corners
            self.gradient = gradient_of(function, name, self.cotangent)
        self._rounding = Rounding(name, Point(function, self.cotangent, self.gradient), rng)

    def trials(self) -> Iterator[Trial]:
        if self.corners is None or not self.corners.all():
            for _ in range(sampling.DIRECTIONS):
                yield from self._direction()
            for probe in sampling.elements(self.gradient, sampling.ELEMENTS, self.rng):
                yield self._trial(probe)
        if self.corners is not None:
            yield from self._on_corners(self.corners)

    @property
    def negligible(self) -> float:
        """Slopes as small as this are nothing but rounding."""
        return self._rounding.negligible

    def slope(self, direction: Array) -> float:
        """By the better oracle that there is."""
        return slope(self.function, self.name, direction, self.cotangent)

    def is_wrong(self, direction: Array) -> bool:
        exact = self._by_complex_step(_dot(self.gradient, direction), direction)
        return (exact or self._opinion_of(self._first_difference(direction), 0)).verdict is Verdict.FAIL

    def _first_difference(self, direction: Array) -> Difference:
        return difference(self.function, self.name, direction, STEPS[0])

    def _direction(self) -> Iterator[Trial]:
        """A dense direction; where corners are in the way, one that moves fewer elements as well."""
        for support in sampling.supports(self.function.tensors[self.name], self.rng):
            trial = self._trial(sampling.dense(support, self.rng))
            yield trial
            if trial.verdict is not Verdict.KINK:
                return

    def _trial(self, probe: Probe) -> Trial:
        analytic = _dot(self.gradient, probe.direction)
        exact = self._by_complex_step(analytic, probe.direction)
        found, smooth = self._smooth_difference(probe.direction, exact)
        central = self._by_difference(found, exact)
        if not smooth:
            return Trial(probe, Verdict.KINK, analytic, central.numeric, 0.0, ONE_SIDED)
        if exact is None:
            return Trial(probe, central.verdict, analytic, central.numeric, central.error, CENTRAL_DIFFERENCE)
        apart = abs(exact.numeric - central.numeric)
        agree = apart <= CENTRAL.bad * abs(exact.numeric) + 10 * found.worst_noise(self.cotangent)
        verdict = verdicts.combine(exact.verdict, central.verdict, agree)
        if verdict is Verdict.SUSPICIOUS and exact.verdict is Verdict.PASS:
            return Trial(probe, verdict, analytic, central.numeric, central.error, CENTRAL_DIFFERENCE)
        return Trial(probe, verdict, analytic, exact.numeric, exact.error, COMPLEX_STEP)

    def _by_complex_step(self, analytic: float, direction: Array) -> _Opinion | None:
        numeric = complex_step(self.function, self.name, direction, self.cotangent)
        if numeric is None:
            return None
        opinion = _opinion(analytic, numeric, 0, COMPLEX)
        if opinion.verdict is Verdict.PASS:
            return opinion
        noise = self._rounding.typical
        if abs(analytic - numeric) < CLEAR * noise:
            noise = max(noise, self._rounding.along(direction))
        if verdicts.is_zero(analytic, numeric, noise if self._rounding.reliable else self._rounding.negligible):
            return _Opinion(numeric, Verdict.PASS, 0.0)
        return _opinion(analytic, numeric, noise, COMPLEX)

    def _smooth_difference(self, direction: Array, exact: _Opinion | None) -> tuple[Difference, bool]:
        """With the first step that meets no corner and, if the complex step has nothing against the gradient, is
        short enough not to see the function's curvature; where none is, with the first that meets no corner. False if
        the point itself is on a corner."""
        smooth: Difference | None = None
        corner = False
        for number, found in enumerate(differences(self.function, self.name, direction)):
            if kinks.crossed(found, self.corners):
                corner = corner or (number >= NEAR and kinks.visible(found, self.cotangent))
                continue
            smooth = smooth or found
            disputed = exact is not None and exact.verdict is not Verdict.PASS
            if disputed or self._opinion_of(found, 0).verdict is not Verdict.FAIL:
                return found, True
        return (found, not corner) if smooth is None else (smooth, True)

    def _by_difference(self, found: Difference, exact: _Opinion | None) -> _Opinion:
        opinion = self._opinion_of(found, 0)
        if opinion.verdict is Verdict.FAIL and exact is not None and exact.verdict is Verdict.PASS:
            return self._opinion_of(found, self._rounding.along(found.moved, found.step))
        return opinion

    def _opinion_of(self, found: Difference, noise: float) -> _Opinion:
        noise = max(noise, 10 * found.worst_noise(self.cotangent))
        return _opinion(_dot(self.gradient, found.moved), found.slope(self.cotangent), noise, CENTRAL)

    def _on_corners(self, corners: Array) -> Iterator[Trial]:
        cotangent = self.function.cotangent * corners
        gradient = gradient_of(self.function, self.name, cotangent)
        everything = np.ones(gradient.shape, np.bool_)
        step = smallest_step(self.function, self.name)
        probes = [sampling.dense(everything, self.rng) for _ in range(sampling.DIRECTIONS)]
        probes += sampling.elements(gradient, sampling.ELEMENTS, self.rng)
        for probe in probes:
            found = difference(self.function, self.name, probe.direction, step)
            analytic = _dot(gradient, found.moved)
            verdict = Verdict.KINK if kinks.between(found, cotangent, analytic) else Verdict.FAIL
            numeric = found.slope(cotangent)
            error = 0.0 if verdict is Verdict.KINK else verdicts.relative_error(analytic, numeric)
            yield Trial(probe, verdict, analytic, numeric, error, ONE_SIDED)


def _opinion(analytic: float, numeric: float, noise: float, tolerance: Tolerance) -> _Opinion:
    error = verdicts.relative_error(analytic, numeric)
    return _Opinion(numeric, compare(analytic, numeric, noise, tolerance), error)


def _dot(a: Array, b: Array) -> float:
    return float((a * b).sum())

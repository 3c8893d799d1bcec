"""One tensor of a subject against the oracles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.inspection.gradcheck import kinks, sampling, verdicts
from cnncli.inspection.gradcheck.oracles import (
    EPS,
    STEPS,
    Difference,
    complex_step,
    difference,
    differences,
    magnitude,
    smallest_step,
)
from cnncli.inspection.gradcheck.report import Verdict
from cnncli.inspection.gradcheck.sampling import Probe
from cnncli.inspection.gradcheck.subjects import Subject
from cnncli.inspection.gradcheck.verdicts import CENTRAL, COMPLEX, Tolerance, compare

Array = NDArray[Any]

COMPLEX_STEP, CENTRAL_DIFFERENCE, ONE_SIDED = "complex step", "central difference", "one-sided slopes"

REROLLS = 4
ATTEMPTS = 8
"""So many points close by, of so many looked at, show how roundings fall out."""
MARGIN = 30
"""How much larger than the largest of these samples a rounding error may be."""


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


@dataclass(frozen=True)
class _CloseBy:
    """The subject at points close by; `faithful` if it takes the same branches there."""

    subjects: Sequence[Subject]
    faithful: bool


class Examination:
    """A tensor, `gradient` being what backward says of sum(cotangent * terms).

    Terms that lie on a corner are taken out of the cotangent, so that what remains can be judged sharply; they are
    judged on their own, as far as that goes.
    """

    def __init__(self, subject: Subject, name: str, gradient: Array, rng: np.random.Generator) -> None:
        self.subject = subject
        self.name = name
        self.rng = rng
        self.corners = kinks.cornered(subject, name, rng)
        self.cotangent, self.gradient = subject.cotangent, gradient
        if self.corners is not None:
            self.cotangent = subject.cotangent * ~self.corners
            self.gradient = self._gradient_of(subject, self.cotangent)

    def trials(self) -> Iterator[Trial]:
        if self.corners is None or not self.corners.all():
            for _ in range(sampling.DIRECTIONS):
                yield from self._direction()
            for probe in sampling.elements(self.gradient, sampling.ELEMENTS, self.rng):
                yield self._trial(probe)
        if self.corners is not None:
            yield from self._on_corners(self.corners)

    def slope(self, direction: Array) -> float:
        """By the better oracle that there is."""
        exact = complex_step(self.subject, self.name, direction, self.cotangent)
        if exact is not None:
            return exact
        return difference(self.subject, self.name, direction, STEPS[0]).slope(self.cotangent)

    def is_wrong(self, direction: Array) -> bool:
        tolerance = COMPLEX if self._complex_works else CENTRAL
        return compare(_dot(self.gradient, direction), self.slope(direction), 0, tolerance) is Verdict.FAIL

    @cached_property
    def _complex_works(self) -> bool:
        direction = np.zeros(self.gradient.shape)
        return complex_step(self.subject, self.name, direction, self.cotangent) is not None

    def _direction(self) -> Iterator[Trial]:
        """A dense direction; where corners are in the way, one that moves fewer elements as well."""
        for support in sampling.supports(self.subject.tensors[self.name], self.rng):
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
        agree = apart <= CENTRAL.bad * abs(exact.numeric) + 10 * found.noise(self.cotangent)
        verdict = verdicts.combine(exact.verdict, central.verdict, agree)
        if verdict is Verdict.SUSPICIOUS and exact.verdict is Verdict.PASS:
            return Trial(probe, verdict, analytic, central.numeric, central.error, CENTRAL_DIFFERENCE)
        return Trial(probe, verdict, analytic, exact.numeric, exact.error, COMPLEX_STEP)

    def _by_complex_step(self, analytic: float, direction: Array) -> _Opinion | None:
        numeric = complex_step(self.subject, self.name, direction, self.cotangent)
        if numeric is None:
            return None
        opinion = _opinion(analytic, numeric, 0, COMPLEX)
        if opinion.verdict is Verdict.PASS:
            return opinion
        noise = max(self._rounding(direction), self._typical_rounding)
        if self._close_by.faithful and verdicts.is_zero(analytic, numeric, noise):
            return _Opinion(numeric, Verdict.PASS, 0.0)
        return _opinion(analytic, numeric, noise, COMPLEX)

    def _smooth_difference(self, direction: Array, exact: _Opinion | None) -> tuple[Difference, bool]:
        """With the first step that meets no corner and, if the complex step has nothing against the gradient, is
        short enough not to see the function's curvature. False if the point itself is on a corner."""
        smooth = None
        for found in differences(self.subject, self.name, direction):
            if kinks.crossed(found, self.corners):
                continue
            smooth = found
            disputed = exact is not None and exact.verdict is not Verdict.PASS
            if disputed or self._opinion_of(found, 0).verdict is not Verdict.FAIL:
                break
        return smooth or found, smooth is not None or not kinks.visible(found, self.cotangent)

    def _by_difference(self, found: Difference, exact: _Opinion | None) -> _Opinion:
        opinion = self._opinion_of(found, 0)
        if opinion.verdict is Verdict.FAIL and exact is not None and exact.verdict is Verdict.PASS:
            return self._opinion_of(found, self._rounding(found.moved, found.step))
        return opinion

    def _opinion_of(self, found: Difference, noise: float) -> _Opinion:
        noise = max(noise, 10 * found.noise(self.cotangent))
        return _opinion(_dot(self.gradient, found.moved), found.slope(self.cotangent), noise, CENTRAL)

    def _on_corners(self, corners: Array) -> Iterator[Trial]:
        cotangent = self.subject.cotangent * corners
        gradient = self._gradient_of(self.subject, cotangent)
        everything = np.ones(gradient.shape, np.bool_)
        step = smallest_step(self.subject, self.name)
        probes = [sampling.dense(everything, self.rng) for _ in range(sampling.DIRECTIONS)]
        probes += sampling.elements(gradient, sampling.ELEMENTS, self.rng)
        for probe in probes:
            found = difference(self.subject, self.name, probe.direction, step)
            analytic = _dot(gradient, found.moved)
            verdict = Verdict.KINK if kinks.between(found, cotangent, analytic) else Verdict.FAIL
            numeric = found.slope(cotangent)
            error = 0.0 if verdict is Verdict.KINK else verdicts.relative_error(analytic, numeric)
            yield Trial(probe, verdict, analytic, numeric, error, ONE_SIDED)

    def _rounding(self, direction: Array, step: float | None = None) -> float:
        """What rounding may do to the difference between backward's slope and the complex step's, or, with `step`,
        that of a difference.

        Close by a true difference is about the same, while one made by rounding is another one each time. The least
        that is allowed for is the rounding of the terms.
        """

        def discrepancy(subject: Subject, gradient: Array, cotangent: Array) -> float:
            if step is None:
                slope = complex_step(subject, self.name, direction, cotangent) or 0.0
            else:
                slope = difference(subject, self.name, direction, step).slope(cotangent)
            return _dot(gradient, direction) - slope

        here = discrepancy(self.subject, self.gradient, self.cotangent)
        moved = []
        for other in self._close_by.subjects:
            cotangent = other.cotangent * (self.cotangent != 0)
            moved.append(abs(discrepancy(other, self._gradient_of(other, cotangent), cotangent) - here))
        largest = float(np.abs(self.cotangent * self.subject.base.terms).max(initial=0))
        return MARGIN * max(*moved, EPS * largest / magnitude(self.subject.tensors[self.name]))

    @cached_property
    def _typical_rounding(self) -> float:
        """Along dense directions. Few samples in one direction may happen to agree, as roundings come in steps."""
        everything = np.ones(self.gradient.shape, np.bool_)
        return max(self._rounding(sampling.dense(everything, self.rng).direction) for _ in range(REROLLS))

    @cached_property
    def _close_by(self) -> _CloseBy:
        branches = self.subject.base.branches
        faithful, others = [], []
        for _ in range(ATTEMPTS):
            other = self.subject.rescaled(self.rng)
            same = all(np.array_equal(branches[name], taken) for name, taken in other.base.branches.items())
            (faithful if same else others).append(other)
            if len(faithful) == REROLLS:
                break
        return _CloseBy(faithful, True) if len(faithful) > 1 else _CloseBy(others, False)

    def _gradient_of(self, subject: Subject, cotangent: Array) -> Array:
        gradient = subject.gradients(cotangent).get(self.name)
        return np.zeros_like(self.subject.tensors[self.name]) if gradient is None else gradient


def _opinion(analytic: float, numeric: float, noise: float, tolerance: Tolerance) -> _Opinion:
    error = verdicts.relative_error(analytic, numeric)
    return _Opinion(numeric, compare(analytic, numeric, noise, tolerance), error)


def _dot(a: Array, b: Array) -> float:
    return float((a * b).sum())

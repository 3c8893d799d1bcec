"""The parts of gradcheck: verdicts, directions, oracles, corners, against what is known in closed form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cnncli.inspection.gradcheck import kinks, sampling
from cnncli.inspection.gradcheck.functions import Evaluation, is_input
from cnncli.inspection.gradcheck.oracles import complex_step, difference, differences, magnitude
from cnncli.inspection.gradcheck.verdicts import (
    CENTRAL,
    COMPLEX,
    Tolerance,
    Verdict,
    combine,
    compare,
    of_tensor,
    overall,
)

Array = NDArray[Any]
PASS, FAIL, SUSPICIOUS = Verdict.PASS, Verdict.FAIL, Verdict.SUSPICIOUS
KINK, UNCHECKED, INCONCLUSIVE = Verdict.KINK, Verdict.UNCHECKED, Verdict.INCONCLUSIVE


@dataclass(frozen=True, eq=False)
class Rectified:
    """max(x, 0)^3 + sin(x), or with `sharp` max(x, 0), element by element."""

    x: Array
    sharp: bool = False

    @property
    def tensors(self) -> Mapping[str, Array]:
        return {"x": self.x}

    @property
    def cotangent(self) -> Array:
        return np.ones_like(self.x)

    @cached_property
    def base(self) -> Evaluation:
        return self.forward("x", self.x)

    def forward(self, name: str, value: Array) -> Evaluation:
        positive = value.real > 0
        rectified = np.where(positive, value, 0)
        return Evaluation(rectified if self.sharp else rectified**3 + np.sin(value), {"it": positive})

    def slopes(self) -> Array:
        return 3 * np.maximum(self.x, 0) ** 2 + np.cos(self.x)

    def gradients(self, cotangent: Array) -> Mapping[str, Array | None]:
        return {"x": cotangent * self.slopes()}

    def rescaled(self, rng: np.random.Generator) -> Rectified:
        return replace(self, x=self.x * (1 + 1e-7 * rng.uniform()))


X = np.array([[0.3, -1.2, 2.0], [0.7, -0.4, 1e-3]])


def test_the_complex_step_is_exact() -> None:
    function, direction = Rectified(X), np.random.default_rng(0).normal(size=X.shape)
    found = complex_step(function, "x", direction, function.cotangent)
    assert found == pytest.approx(float((function.slopes() * direction).sum()), rel=1e-14)


def test_differences_are_as_good_as_their_step() -> None:
    function, direction = Rectified(X), sampling.dense(X != 0, np.random.default_rng(0)).direction
    true = float((function.slopes() * direction).sum())
    errors = [abs(found.slope(function.cotangent) - true) for found in differences(function, "x", direction)]
    assert errors[0] < 1e-9
    assert errors[-1] > 10 * errors[0], "rounding"
    for found, error in zip(differences(function, "x", direction), errors, strict=True):
        assert error <= 1e-9 + 10 * found.noise(function.cotangent)


def test_steps_grow_and_shrink_with_what_they_move() -> None:
    def steps(scale: float) -> list[float]:
        x = np.array([scale, -scale])
        return [found.step for found in differences(Rectified(x), "x", np.array([1.0, 0]))]

    assert steps(1.0) == [1e-5, 1e-6, 1e-7, 1e-9, 1e-11]
    assert steps(100.0)[0] == pytest.approx(1e-3)
    assert steps(1e-8)[-1] == pytest.approx(1e-15)


@pytest.mark.parametrize(("point", "size"), [([0, 0], 1), ([3, 0, -3], 3), ([1e-200, 1e-200], 1e-200), ([7], 7)])
def test_magnitude(point: list[float], size: float) -> None:
    assert magnitude(np.array(point)) == pytest.approx(size)


def test_corners_are_seen_where_they_are() -> None:
    function = Rectified(np.array([0.0, 1.0, -1.0, 1e-7]), sharp=True)
    corners = kinks.cornered(function, "x", np.random.default_rng(0))
    assert corners is not None
    assert corners.tolist() == [True, False, False, False]
    assert kinks.cornered(Rectified(X), "x", np.random.default_rng(0)) is None
    across = difference(function, "x", np.array([1.0, 0, 0, 0]), 1e-7)
    assert kinks.crossed(across, None)
    assert not kinks.crossed(across, corners)
    assert kinks.visible(across, function.cotangent)
    assert not kinks.visible(difference(Rectified(np.zeros(4)), "x", np.ones(4), 1e-7), function.cotangent)


@given(st.floats(-0.5, 1.5))
def test_a_slope_on_a_corner_is_bounded_by_its_sides(slope: float) -> None:
    function = Rectified(np.zeros(1), sharp=True)
    found = difference(function, "x", np.ones(1), 1e-7)
    assert kinks.between(found, np.ones(1), slope) == (-1e-5 < slope < 1 + 1e-5) or abs(slope * (1 - slope)) < 1e-4


def test_elements_are_the_largest_the_corners_and_others() -> None:
    gradient = np.zeros((4, 5, 6))
    gradient[1, 2, 3], gradient[3, 0, 0] = -7, 5
    probes = sampling.elements(gradient, 12, np.random.default_rng(0))
    places = [probe.index for probe in probes]
    assert len(set(places)) == len(places) == 12
    assert places[:2] == [(1, 2, 3), (3, 0, 0)]
    assert {(0, 0, 0), (3, 4, 5)} <= set(places)
    assert all(probe.direction.sum() == 1 == probe.direction[probe.index] for probe in probes)
    assert len(sampling.elements(np.zeros(3), 12, np.random.default_rng(0))) == 3


def test_numbers_go_by_the_names_that_they_are_for() -> None:
    def drawn(seed: int, *names: str) -> list[float]:
        return sampling.numbers_for(seed, *names).normal(size=3).tolist()

    assert drawn(1, "a", "b") == drawn(1, "a", "b")
    others = [drawn(1, "a", "b"), drawn(2, "a", "b"), drawn(1, "b", "a"), drawn(1, "a"), drawn(1, "ab")]
    assert len({numbers[0] for numbers in others}) == len(others)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [(("input", "input0", "input12"), True), (("3", "", "weight", "conv1.weight", "input.weight", "inputs"), False)],
)
def test_inputs_are_told_by_their_names(names: tuple[str, ...], wanted: bool) -> None:
    assert {is_input(name) for name in names} == {wanted}


def test_dense_directions_move_everything_that_they_may() -> None:
    support = np.array([[True, False], [True, True]])
    direction = sampling.dense(support, np.random.default_rng(0)).direction
    np.testing.assert_array_equal(direction != 0, support)
    assert np.linalg.norm(direction) == pytest.approx(1)


def test_supports_leave_the_background_out_and_end_at_one_element() -> None:
    picture = np.zeros((2, 2, 5, 5))
    picture[:, 1] = -0.5
    picture[:, :, 1:4, 1:4] = np.random.default_rng(0).normal(size=(2, 2, 3, 3))
    every, varied, *fewer = sampling.supports(picture, np.random.default_rng(0))
    assert every.all()
    np.testing.assert_array_equal(varied[0, 0] & varied[1, 1], picture[0, 0] != 0)
    assert [int(mask.sum()) for mask in fewer] == [2, 1]
    assert all((mask <= varied).all() for mask in fewer)


@pytest.mark.parametrize(
    ("analytic", "numeric", "noise", "tolerance", "verdict"),
    [
        (0, 0, 0, COMPLEX, PASS),
        (1, 1 + 1e-11, 0, COMPLEX, PASS),
        (1, 1 + 1e-9, 0, COMPLEX, SUSPICIOUS),
        (1, 1 + 1e-7, 0, COMPLEX, FAIL),
        (1, 1 + 1e-9, 1e-8, COMPLEX, PASS),
        (1, 1 + 1e-7, 1e-6, COMPLEX, UNCHECKED),
        (1, 1 + 1e-7, 0, CENTRAL, PASS),
        (1, 1 + 1e-5, 0, CENTRAL, SUSPICIOUS),
        (1, 1.001, 0, CENTRAL, FAIL),
        (1, 1.001, 0.01, CENTRAL, UNCHECKED),
        (1e-12, 0, 0, CENTRAL, FAIL),
        (1e-12, 0, 1e-10, CENTRAL, UNCHECKED),
        (1, -1, 0, CENTRAL, FAIL),
    ],
)
def test_compare(analytic: float, numeric: float, noise: float, tolerance: Tolerance, verdict: Verdict) -> None:
    assert compare(analytic, numeric, noise, tolerance) is verdict


@pytest.mark.parametrize(
    ("by_complex", "by_central", "agree", "verdict"),
    [
        (None, FAIL, True, FAIL),
        (None, UNCHECKED, True, UNCHECKED),
        (PASS, PASS, True, PASS),
        (PASS, UNCHECKED, True, PASS),
        (PASS, FAIL, False, SUSPICIOUS),
        (FAIL, FAIL, True, FAIL),
        (FAIL, PASS, True, FAIL),
        (FAIL, PASS, False, SUSPICIOUS),
        (UNCHECKED, PASS, True, UNCHECKED),
        (SUSPICIOUS, PASS, True, SUSPICIOUS),
    ],
)
def test_two_oracles(by_complex: Verdict | None, by_central: Verdict, agree: bool, verdict: Verdict) -> None:
    assert combine(by_complex, by_central, agree) is verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([PASS, KINK, FAIL], FAIL),
        ([PASS, SUSPICIOUS], SUSPICIOUS),
        ([PASS, KINK, KINK, UNCHECKED], PASS),
        ([PASS, UNCHECKED, UNCHECKED], UNCHECKED),
        ([KINK, KINK], KINK),
        ([KINK, UNCHECKED], UNCHECKED),
    ],
)
def test_of_tensor(found: list[Verdict], verdict: Verdict) -> None:
    assert of_tensor(found) is verdict


@pytest.mark.parametrize(
    ("found", "verdict"),
    [([PASS, PASS], PASS), ([PASS, FAIL, KINK], FAIL), ([PASS, KINK], INCONCLUSIVE), ([SUSPICIOUS], INCONCLUSIVE)],
)
def test_overall(found: list[Verdict], verdict: Verdict) -> None:
    assert overall(found) is verdict

"""Moments of parts, put together, are those of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from cnncli.kernels.moments import Moments, merged


def moments(numbers: np.ndarray) -> Moments:
    return Moments(numbers.size, float(numbers.mean()), float(numbers.std()))


def test_parts_of_different_sizes_around_different_means() -> None:
    rng = np.random.default_rng(0)
    parts = [rng.normal(shift, 1 + shift, size) for shift, size in ((0, 3), (5, 1), (100, 400))]
    found = merged(merged(moments(parts[0]), moments(parts[1])), moments(parts[2]))
    assert found == pytest.approx(moments(np.concatenate(parts)), rel=1e-13)


def test_a_part_without_numbers_changes_nothing() -> None:
    some, none = Moments(2, 3.0, 0.5), Moments(0, float("nan"), float("nan"))
    assert merged(some, none) == merged(none, some) == some


def test_nothing_overflows() -> None:
    assert merged(Moments(1, 1e300, 0.0), Moments(1, -1e300, 0.0)) == pytest.approx((2, 0, 1e300))

from __future__ import annotations

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnncli.inspection.statistics import as_maps, merged, ranking, scaled, statistics

ANY_FLOAT = arrays(np.float32, array_shapes(max_dims=4, max_side=5), elements=st.floats(width=32))
FINITE = arrays(np.float64, array_shapes(max_dims=4, max_side=5), elements=st.floats(-1e6, 1e6))


def test_a_small_array_by_hand() -> None:
    result = statistics(np.array([[0.0, -3.0], [4.0, 0.0]], np.float32))
    assert (result.size, result.min, result.mean, result.max) == (4, -3.0, 0.25, 4.0)
    assert result.norm == 5.0
    assert result.std == pytest.approx(math.sqrt((9 + 16) / 4 - 0.0625))
    assert (result.zeros, result.nonfinite) == (0.5, 0)


@settings(deadline=None)
@given(FINITE)
def test_agrees_with_numpy(array: np.ndarray) -> None:
    result = statistics(array)
    close = {"rel": 1e-9, "abs": 1e-9}
    assert result.mean == pytest.approx(array.mean(), **close)
    assert result.std == pytest.approx(array.std(), **close)
    assert result.norm == pytest.approx(np.linalg.norm(array.ravel()), **close)
    assert result.zeros == pytest.approx(np.mean(array == 0))


@settings(deadline=None)
@given(ANY_FLOAT)
def test_any_numbers_at_all(array: np.ndarray) -> None:
    result = statistics(array)
    finite = array[np.isfinite(array)]
    assert result.nonfinite == array.size - finite.size
    if finite.size:
        assert result.min == finite.min()
        assert result.max == finite.max()
        assert math.isfinite(result.mean)
        assert math.isfinite(result.norm)
    else:
        assert math.isnan(result.mean)


def test_no_square_overflows_or_vanishes() -> None:
    assert statistics(np.array([3e300, 4e300])).norm == pytest.approx(5e300)
    assert statistics(np.array([3e-300, 4e-300])).norm == pytest.approx(5e-300)
    assert statistics(np.full(2, sys.float_info.max)).max == sys.float_info.max


def test_what_is_not_finite_is_left_out_and_counted() -> None:
    result = statistics(np.array([np.nan, np.inf, 0.0, 2.0]))
    assert (result.min, result.mean, result.max, result.nonfinite, result.zeros) == (0.0, 1.0, 2.0, 2, 0.25)


@pytest.mark.parametrize(
    ("shape", "maps"),
    [
        ((3, 4, 5), (3, 4, 5)),
        ((1, 1, 5), (1, 1, 5)),
        ((7, 1, 1), (1, 1, 7)),
        ((3, 5), (1, 3, 5)),
        ((6,), (1, 1, 6)),
        ((), (1, 1, 1)),
    ],
)
def test_every_shape_becomes_maps(shape: tuple[int, ...], maps: tuple[int, ...]) -> None:
    array = np.arange(math.prod(shape)).reshape(shape)
    assert as_maps(array).shape == maps
    assert np.array_equal(as_maps(array).ravel(), array.ravel())


def test_channels_are_ranked_by_mean_magnitude_equals_in_order() -> None:
    maps = np.array([[[1.0, -1.0]], [[0.0, 0.0]], [[-5.0, 0.0]], [[1.0, 1.0]], [[np.nan, 0.0]]])
    assert ranking(maps) == (4, 2, 0, 3, 1)


@settings(deadline=None)
@given(FINITE, FINITE)
def test_two_together_are_those_of_both(a: np.ndarray, b: np.ndarray) -> None:
    found = merged(statistics(a), statistics(b))
    whole = statistics(np.concatenate([a.ravel(), b.ravel()]))
    assert (found.size, found.min, found.max, found.nonfinite) == (whole.size, whole.min, whole.max, 0)
    for name in ("mean", "std", "norm", "zeros"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-6), name


@settings(deadline=None)
@given(ANY_FLOAT, ANY_FLOAT)
def test_two_together_of_any_numbers(a: np.ndarray, b: np.ndarray) -> None:
    found = merged(statistics(a), statistics(b))
    whole = statistics(np.concatenate([a.ravel(), b.ravel()]))
    assert (found.size, found.nonfinite) == (whole.size, whole.nonfinite)
    assert found.zeros == pytest.approx(whole.zeros)
    assert (found.min, found.max) == pytest.approx((whole.min, whole.max), rel=0, abs=0, nan_ok=True)


def test_huge_numbers_do_not_overflow_when_they_are_put_together() -> None:
    huge = statistics(np.array([1e300, -1e300]))
    found = merged(huge, huge)
    assert found.norm == pytest.approx(2e300)
    assert found.std == pytest.approx(1e300)


@settings(deadline=None)
@given(FINITE, st.floats(1e-3, 1e3))
def test_scaled_numbers(array: np.ndarray, factor: float) -> None:
    found, whole = scaled(statistics(array), factor), statistics(array * factor)
    for name in ("min", "mean", "max", "std", "norm"):
        assert getattr(found, name) == pytest.approx(getattr(whole, name), rel=1e-9, abs=1e-6), name
    assert (found.size, found.zeros) == (whole.size, statistics(array).zeros)

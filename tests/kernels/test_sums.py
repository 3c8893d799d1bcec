from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnncli.kernels.sums import centred_sums, channel_dots, channel_sums, sums_and_dots

SHAPES = st.sampled_from([(3, 5), (3, 4, 5), (3, 2, 6, 5), (2, 41, 3, 17), (1, 13, 13, 13), (4, 1031, 1)])
DTYPES = st.sampled_from([np.float32, np.float64, np.complex128])


@given(SHAPES, DTYPES)
def test_they_are_the_plain_sums(shape: tuple[int, ...], dtype: type) -> None:
    parts = np.random.default_rng(0).normal(size=(2, 2, *shape))
    a, b = (parts[0] + 1j * parts[1] if dtype is np.complex128 else parts[0]).astype(dtype)
    rest = tuple(range(1, len(shape)))
    double = np.promote_types(dtype, np.float64)
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    sums, dots = a.sum(axis=rest, dtype=double), (a.astype(double) * b).sum(axis=rest)
    for found, expected in zip(
        (channel_sums(a), channel_dots(a, b), *sums_and_dots(a, b)), (sums, dots, sums, dots), strict=True
    ):
        assert found.dtype == double
        np.testing.assert_allclose(found, expected, atol=tolerance * a[0].size)
    centre, first, second = centred_sums(a, np.empty)
    around = a.astype(double) - centre.reshape(-1, *(1,) * len(rest))
    np.testing.assert_allclose(first, around.sum(axis=rest), atol=tolerance * a[0].size)
    np.testing.assert_allclose(second, (around * around).sum(axis=rest), atol=tolerance * a[0].size)


def test_single_precision_sums_keep_their_digits() -> None:
    x = np.full((2, 500, 40, 16), 0.1, np.float32)
    np.testing.assert_allclose(channel_sums(x), float(x[0, 0, 0, 0]) * 320_000, rtol=1e-6)


@pytest.mark.parametrize("mean", [0.0, 1.0, -1.9, 2.1, 1e3, -1e5])
def test_the_squares_keep_the_digits_of_the_variance(mean: float) -> None:
    x = np.random.default_rng(0).normal(mean, 1, (4, 9, 7, 16)).astype(np.float32)
    x[0] -= np.float32(mean)  # a channel whose mean is near 0 beside the others
    centre, sums, squares = centred_sums(x, np.empty)
    count = x[0].size
    np.testing.assert_allclose(
        squares / count - (sums / count) ** 2, x.var(axis=(1, 2, 3), dtype=np.float64), rtol=1e-6
    )
    np.testing.assert_allclose(centre + sums / count, x.mean(axis=(1, 2, 3), dtype=np.float64), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("mean", [1e3, -1e5])
def test_the_centre_lies_close_to_a_mean_that_is_large_beside_the_deviation(mean: float) -> None:
    x = np.random.default_rng(0).normal(mean, 1, (4, 9, 7, 16)).astype(np.float32)
    centre, _, _ = centred_sums(x, np.empty)
    np.testing.assert_allclose(centre, mean, atol=0.2)


@pytest.mark.parametrize("mean", [0.0, 1.0, -1.5])
def test_a_mean_that_is_not_is_left_where_it_is(mean: float) -> None:
    x = np.random.default_rng(0).normal(mean, 1, (4, 9, 7, 16)).astype(np.float32)
    centre, _, _ = centred_sums(x, np.empty)
    np.testing.assert_array_equal(centre, 0)

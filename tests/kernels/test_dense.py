from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.kernels import dense


@given(st.integers(1, 100_000), st.integers(0, 10_000))
def test_parts_are_even_and_small_enough_or_one(length: int, most: int) -> None:
    count = dense.parts(length, most)
    assert length % count == 0
    assert count == 1 or length // count <= most


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 300), st.sampled_from([1, 8, 33, 64]))
def test_cut_products_equal_plain_ones(rows: int, inner: int, n: int) -> None:
    rng = np.random.default_rng(0)
    weight, x, dy = rng.normal(size=(rows, inner)), rng.normal(size=(inner, n)), rng.normal(size=(rows, n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dense, "SMALL", 20_000)  # so that small matrices are cut too
        np.testing.assert_allclose(dense.deep_product(weight, x, np.empty), weight @ x, atol=1e-11)
        np.testing.assert_allclose(dense.tall_product(weight, dy, np.empty), weight.T @ dy, atol=1e-11)
        np.testing.assert_allclose(dense.outer_product(dy, x, np.empty), dy @ x.T, atol=1e-11)

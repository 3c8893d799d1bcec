"""Panels change the order of the work, not the result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.kernels import products
from cnncli.kernels.products import panel, product, product_transposed
from cnncli.kernels.sums import channel_dots, channel_sums


@given(st.integers(1, 100_000), st.integers(1, 10**7), st.integers(1, 300))
def test_a_panel_divides_the_length(length: int, work: int, least: int) -> None:
    width = panel(length, work, least)
    assert length % width == 0
    assert width == length or (width >= least and width * work <= products.SMALL)


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 40), st.integers(1, 40), st.sampled_from([7, 64, 96, 1024]), st.booleans())
def test_products_equal_plain_ones(groups: int, rows: int, inner: int, length: int, strided: bool) -> None:
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(products, "SMALL", 20_000)  # so that small matrices are cut too
        patch.setattr(products, "SHORTEST", 16)
        panel.cache_clear()
        a, b = rng.normal(size=(groups, rows, inner)), rng.normal(size=(groups, inner, length))
        wide = np.full((groups, rows, 2 * length), np.nan)
        out = wide[:, :, length:] if strided else np.empty((groups, rows, length))
        product(a, b, out)
        np.testing.assert_allclose(out, a @ b, atol=1e-12)
        c = rng.normal(size=(groups, inner, length))
        found = product_transposed(out, c, np.empty)
        np.testing.assert_allclose(found, out @ c.swapaxes(1, 2), rtol=1e-9, atol=1e-9)
    panel.cache_clear()


@given(st.sampled_from([(3, 5), (3, 4, 5), (3, 2, 6, 5)]))
def test_sums_over_all_but_the_channels(shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    rest = tuple(range(1, len(shape)))
    np.testing.assert_allclose(channel_sums(a), a.sum(axis=rest, dtype=np.float64), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(channel_dots(a, b), (a * b).sum(axis=rest, dtype=np.float64), rtol=1e-5, atol=1e-6)


def test_single_precision_sums_keep_their_digits() -> None:
    x = np.full((2, 500, 40, 16), 0.1, np.float32)
    np.testing.assert_allclose(channel_sums(x), float(x[0, 0, 0, 0]) * 320_000, rtol=1e-6)

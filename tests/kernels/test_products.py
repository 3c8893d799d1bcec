"""Cutting products changes the order of the work, not the result."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.kernels import products
from cnncli.kernels.products import blocks, product, product_transposed, tiles
from cnncli.kernels.sums import channel_dots, channel_sums


@given(st.integers(1, 600), st.integers(1, 5000), st.integers(1, 20_000))
def test_blocks_are_small_and_cover_the_product(rows: int, inner: int, length: int) -> None:
    height, width = blocks(rows, inner, length)
    assert rows % height == 0
    assert 0 < width <= length
    assert (height, width) == (rows, length) or height * width * inner <= products.SMALL


def test_rows_alone_are_cut_where_the_last_panel_would_be_narrow() -> None:
    assert blocks(32, 288, 224) == (8, 224)  # not 3 panels of 64 columns and one of 32
    assert blocks(64, 576, 256) == (16, 64)
    assert blocks(64, 576, 49) == (64, 49)  # less than one panel


@given(st.integers(1, 600), st.integers(1, 600), st.integers(1, 20_000))
def test_tiles_are_small_and_cover_the_product(rows: int, columns: int, length: int) -> None:
    height, width, run = tiles(rows, columns, length)
    assert (rows % height, columns % width, length % run) == (0, 0, 0)
    assert (height, width) == (rows, columns) or height * width <= products.TILE
    assert run == length or run >= products.SHORTEST


sizes = st.integers(1, 40)


@settings(deadline=None)
@given(st.integers(1, 3), st.integers(1, 3), sizes, sizes, st.sampled_from([7, 64, 100, 1024]), st.booleans())
def test_products_equal_plain_ones(groups: int, stack: int, rows: int, inner: int, length: int, shared: bool) -> None:
    rng = np.random.default_rng(0)
    with pytest.MonkeyPatch.context() as patch:
        small = {"SMALL": 5000, "LANE": 4, "FEWEST": 2, "FEWEST_WHOLE": 2, "SHORTEST": 16, "TILE": 64, "TILE_WIDTH": 8}
        for name, value in small.items():
            patch.setattr(products, name, value)  # so that small matrices are cut too
        blocks.cache_clear()
        tiles.cache_clear()
        a, b = rng.normal(size=(groups, rows, inner)), rng.normal(size=(groups, stack, inner, length))
        out = np.full((groups, rows, stack, 2 * length), np.nan)[..., length:].swapaxes(1, 2)
        product(a, b, out)
        np.testing.assert_allclose(out, a[:, None] @ b, atol=1e-12)
        c = rng.normal(size=(groups, 1 if shared else stack, inner, length))
        found = product_transposed(b, c, np.empty)
        np.testing.assert_allclose(found, b @ c.swapaxes(2, 3), rtol=1e-9, atol=1e-9)
    blocks.cache_clear()
    tiles.cache_clear()


@given(st.sampled_from([(3, 5), (3, 4, 5), (3, 2, 6, 5)]))
def test_sums_over_all_but_the_channels(shape: tuple[int, ...]) -> None:
    a, b = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    rest = tuple(range(1, len(shape)))
    np.testing.assert_allclose(channel_sums(a), a.sum(axis=rest, dtype=np.float64), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(channel_dots(a, b), (a * b).sum(axis=rest, dtype=np.float64), rtol=1e-5, atol=1e-6)


def test_single_precision_sums_keep_their_digits() -> None:
    x = np.full((2, 500, 40, 16), 0.1, np.float32)
    np.testing.assert_allclose(channel_sums(x), float(x[0, 0, 0, 0]) * 320_000, rtol=1e-6)

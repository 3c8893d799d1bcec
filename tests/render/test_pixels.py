from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from PIL import Image

from cnncli.render.colors import DEAD, Limits
from cnncli.render.pixels import (
    FRAME,
    LINING,
    colored,
    diminished,
    enlarge,
    framed,
    magnified,
    reduce,
    reduction,
    smooth,
)
from tests.render.makers import numbers

UNSIGNED = Limits(0.0, 1.0, "viridis")


@settings(deadline=None)
@given(array_shapes(min_dims=2, max_dims=4, max_side=9), st.integers(1, 5))
def test_reducing_takes_means_of_blocks(shape: tuple[int, ...], factor: int) -> None:
    values = numbers(*shape)
    small = reduce(values, factor)
    assert small.shape == (*shape[:-2], -(-shape[-2] // factor), -(-shape[-1] // factor))
    for y in range(small.shape[-2]):
        for x in range(small.shape[-1]):
            block = values[..., y * factor : (y + 1) * factor, x * factor : (x + 1) * factor]
            assert small[..., y, x] == pytest.approx(block.mean(axis=(-2, -1)), rel=1e-5, abs=1e-6)


@given(array_shapes(min_dims=2, max_dims=3, max_side=300), st.integers(1, 40), st.integers(1, 40))
def test_the_least_reduction_that_fits(shape: tuple[int, ...], height: int, width: int) -> None:
    factor = reduction(shape, height, width)
    assert -(-shape[-2] // factor) <= height
    assert -(-shape[-1] // factor) <= width
    assert factor == 1 or -(-shape[-2] // (factor - 1)) > height or -(-shape[-1] // (factor - 1)) > width


def test_enlarging_repeats() -> None:
    assert enlarge(np.array([[1, 2]]), 2).tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]


def test_an_enlarged_picture_keeps_its_colours() -> None:
    picture = np.array([[[10, 20, 30], [40, 50, 60]]], np.uint8)
    assert enlarge(picture, 2).tolist() == [[[10, 20, 30]] * 2 + [[40, 50, 60]] * 2] * 2


@settings(deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))
def test_enlarging_smoothly_is_bilinear_as_pillow_has_it(height: int, width: int, down: int, right: int) -> None:
    values = numbers(height, width)
    size = (height * down, width * right)
    expected = np.asarray(Image.fromarray(values).resize(size[::-1], Image.Resampling.BILINEAR))
    assert np.abs(smooth(values, *size) - expected).max() < 1e-5


def test_what_is_not_finite_spreads_no_further_than_to_its_neighbours() -> None:
    values = np.ones((1, 9))
    values[0, 4] = np.nan
    wrong = np.isnan(smooth(values, 1, 36))[0]
    assert wrong[16:20].all()
    assert not wrong[:14].any()
    assert not wrong[22:].any()
    assert np.isnan(smooth(values, 1, 9)).sum() == 1


def test_of_maps_that_can_die_those_that_are_all_zero_are_grey() -> None:
    maps = np.stack([np.zeros((2, 2)), np.eye(2)])
    colors = colored(maps, UNSIGNED, can_die=True)
    assert (colors[0] == DEAD).all()
    assert tuple(colors[1, 0, 1]) == tuple(UNSIGNED.table[0])
    assert (colored(np.zeros((3, 3)), UNSIGNED, can_die=True) == DEAD).all()
    assert (colored(maps, UNSIGNED)[0] == UNSIGNED.table[0]).all()


def test_a_reduced_picture_keeps_its_colours() -> None:
    picture = np.zeros((5, 4, 3), np.uint8)
    picture[:, :2] = (10, 20, 30)
    small = reduce(picture, 2)
    assert small.shape == (3, 2, 3)
    assert small[:, 0].tolist() == [[10, 20, 30]] * 3
    assert reduce(picture[..., 0], 5).tolist() == [[5]]


def test_a_frame_is_around_the_box_and_lined_within() -> None:
    colors = np.full((7, 7, 3), 9, np.uint8)
    drawn = framed(colors, [(2, 2, 5, 5)], lined=True)
    assert (colors == 9).all()
    yellow, black = ((drawn == color).all(axis=2) for color in (FRAME, LINING))
    assert yellow.sum() == 4 * 4
    assert yellow[1, 1:6].all()
    assert black.sum() == 4 * 2
    assert (drawn[3, 3] == 9).all()


def test_a_frame_around_everything_is_seen() -> None:
    drawn = framed(np.full((3, 4, 3), 9, np.uint8), [(0, 0, 3, 4)])
    assert (drawn == FRAME).all(axis=2).sum() == 10


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 9))
def test_no_box_vanishes_when_it_is_diminished(start: int, size: int, factor: int) -> None:
    ((top, left, bottom, right),) = diminished([(start, 0, start + size, 1)], factor)
    assert top * factor <= start < start + size <= bottom * factor
    assert (left, right) == (0, 1)
    assert top < bottom


def test_boxes_grow_with_the_pixels() -> None:
    mask = np.zeros((4, 4), bool)
    mask[1:3, 2:4] = True
    ((top, left, bottom, right),) = magnified([(1, 2, 3, 4)], 3)
    large = np.zeros((12, 12), bool)
    large[top:bottom, left:right] = True
    assert np.array_equal(large, enlarge(mask, 3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1)])
def test_single_rows_and_columns_are_smoothed_too(shape: tuple[int, int]) -> None:
    values = np.ones(shape)
    assert np.array_equal(smooth(values, 8, 8), np.ones((8, 8)))

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    overlaid,
    reduced_picture,
    smooth,
)
from tests.render.makers import numbers

UNSIGNED = Limits(0.0, 1.0, "viridis")


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


def test_every_map_that_is_all_zero_is_grey() -> None:
    colors = colored(np.stack([np.zeros((2, 2)), np.eye(2)]), UNSIGNED)
    assert (colors[0] == DEAD).all()
    assert tuple(colors[1, 0, 1]) == tuple(UNSIGNED.table[0])
    assert (colored(np.zeros((3, 3)), UNSIGNED) == DEAD).all()


def test_a_dead_map_over_a_picture_is_grey_too() -> None:
    picture = np.full((2, 2), 50, np.uint8)
    assert (overlaid(picture, np.zeros((1, 1)), UNSIGNED) == (50 + DEAD[0]) // 2).all()


def test_a_reduced_picture_keeps_its_colours() -> None:
    picture = np.zeros((5, 4, 3), np.uint8)
    picture[:, :2] = (10, 20, 30)
    small = reduced_picture(picture, 2)
    assert small.shape == (3, 2, 3)
    assert small[:, 0].tolist() == [[10, 20, 30]] * 3
    assert reduced_picture(picture[..., 0], 5).tolist() == [[5]]


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

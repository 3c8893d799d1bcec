"""The PNG of a panel: what it says about itself, where its pixels are, and that it decodes to the values."""

from __future__ import annotations

import io
import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cnncli.inspection.views import Panel, Subject
from cnncli.render.canvas import BACKGROUND, drawable, font, text_width
from cnncli.render.colors import DEAD, NOT_FINITE
from cnncli.render.scale import Scale
from cnncli.render.sheet import decode, draw_panel
from tests.render.makers import Array, numbers, panel, view

SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 5), st.integers(1, 70)),
    st.tuples(st.integers(1, 70)),
)


def pixels(png: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(png)))


def texts(png: bytes) -> dict[str, str]:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image.text  # type: ignore[attr-defined, no-any-return]


def level(drawn: Panel, scale: Scale) -> float:
    """The largest step between two colours."""
    limits = scale.limits(view(drawn), drawn)
    return max(each.reach for each in limits) / (127 if drawn.signed else 255)


@settings(deadline=None, max_examples=40)
@given(SHAPES, st.sampled_from(["layer", "map", "net"]), st.booleans(), st.integers(0, 99))
def test_decodes_to_the_values_within_half_a_level(shape: tuple[int, ...], mode: str, signed: bool, seed: int) -> None:
    array = numbers(*shape, seed=seed)
    drawn = panel(array if signed else np.abs(array), what="weight" if signed else "activation")
    values = decode(draw_panel(view(drawn), drawn, Scale(mode)))
    assert np.abs(values - drawn.maps.reshape(values.shape)).max() <= level(drawn, Scale(mode)) / 2 * (1 + 1e-6)


@settings(deadline=None, max_examples=40)
@given(
    SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(width=32))),
    st.sampled_from(["layer", "map"]),
)
def test_any_numbers_at_all_can_be_drawn(array: Array, mode: str) -> None:
    drawn = panel(array)
    values = decode(draw_panel(view(drawn), drawn, Scale(mode)))
    assert np.array_equal(np.isnan(values), ~np.isfinite(drawn.maps.reshape(values.shape)))


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (1,), (2048, 1, 3), (1, 1, 5), (5, 1, 2), (4096,), (1024, 3)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    drawn = panel(numbers(*shape))
    png = draw_panel(view(drawn), drawn, Scale())
    assert decode(png).size == np.prod(shape)
    assert max(pixels(png).shape) < 6000


def test_the_grid_has_ceil_sqrt_columns_two_pixels_apart() -> None:
    array = np.ones((5, 4, 4), np.float32)
    drawn = panel(array)
    image = pixels(draw_panel(view(drawn), drawn, Scale()))
    tile = (image == (253, 231, 37)).all(axis=2)
    row = tile[np.flatnonzero(tile.any(axis=1))[-1] - 1 - 28 * 5]  # a line through the first row of tiles
    runs = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
    starts, ends = runs[::2], runs[1::2]
    assert len(starts) == 3
    assert set(ends - starts) == {112}  # 4 values, each 28 pixels
    assert (starts[1:] - ends[:-1]).tolist() == [2, 2]


def test_values_are_enlarged_to_squares_without_blur() -> None:
    drawn = panel(np.array([[[0.0, 1.0], [1.0, 0.0]]]))
    image = pixels(draw_panel(view(drawn), drawn, Scale()))
    grid = image[-12 - 224 : -12, 12 : 12 + 224]
    assert {tuple(color) for color in grid.reshape(-1, 3).tolist()} == {(68, 1, 84), (253, 231, 37)}
    assert (grid[:112, :112] == (68, 1, 84)).all()
    assert (grid[:112, 112:] == (253, 231, 37)).all()


def test_dead_maps_are_grey_and_what_is_not_finite_magenta() -> None:
    array = np.zeros((2, 2, 2), np.float32)
    array[1] = [[1, np.nan], [np.inf, 2]]
    drawn = panel(array)
    png = draw_panel(view(drawn), drawn, Scale())
    colors = {tuple(color) for color in pixels(png).reshape(-1, 3).tolist()}
    assert {DEAD, NOT_FINITE} <= colors
    values = decode(png)
    assert (values[0] == 0).all()
    assert np.isnan(values[1]).tolist() == [[False, True], [True, False]]


def test_the_file_says_what_it_shows() -> None:
    drawn = panel(numbers(3, 4, 4), channels=[2, 0])
    subject = Subject("test:17", true="Coat", predicted="Shirt", target="logit of class Coat")
    png = draw_panel(view(drawn, subject=subject), drawn, Scale())
    assert png.count(b"iTXt") == 11
    said = texts(png)
    reach = float(np.abs(drawn.array).max())
    assert float(said["vmin"]) == -reach
    assert float(said["vmax"]) == reach
    expected = {
        "colormap": "diverging",
        "scale": "layer",
        "target": "logit of class Coat",
        "node": "conv1",
        "what": "activation",
        "input": "test:17",
        "channels": "2,0",
        "shape": "[2, 1, 4, 4]",
    }
    assert {key: said[key] for key in expected} == expected


def test_a_file_name_that_is_no_text_is_told_with_escapes() -> None:
    drawn = panel(numbers(1, 2, 2))
    png = draw_panel(view(drawn, subject=Subject("a\udcff.png")), drawn, Scale())
    assert texts(png)["input"] == r"a\udcff.png"


def test_with_a_scale_for_each_map_the_limits_of_each_are_told() -> None:
    array = np.array([[[1.0, 0.5]], [[4.0, 0.0]]])
    said = texts(draw_panel(view(panel(array)), panel(array), Scale("map")))
    assert (said["vmin"], said["vmax"]) == ("0.0,0.0", "1.0,4.0")


def test_the_input_is_shown_as_it_looks() -> None:
    picture = np.zeros((28, 28, 3), np.uint8)
    picture[0, 0] = (1, 2, 3)
    drawn = panel(numbers(1, 2, 2))
    image = pixels(draw_panel(view(drawn, subject=Subject("a.png", picture=picture)), drawn, Scale()))
    assert (image[12:14, 12:14] == (1, 2, 3)).all()
    assert (image[14, 14] == 0).all()
    assert (image[12 + 56, 12] == BACKGROUND).all()


def test_a_large_picture_becomes_a_small_one() -> None:
    picture = np.full((300, 500), 200, np.uint8)
    drawn = panel(numbers(1, 2, 2))
    image = pixels(draw_panel(view(drawn, subject=Subject("a.png", picture=picture)), drawn, Scale()))
    assert (image[12 : 12 + 38, 12 : 12 + 63] == 200).all()


def test_the_same_panel_gives_the_same_bytes() -> None:
    drawn = panel(numbers(6, 5, 5))
    assert draw_panel(view(drawn), drawn, Scale()) == draw_panel(view(drawn), drawn, Scale())


def test_too_many_pixels_are_reduced_to_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.render.sheet.LARGEST", 100)
    array = np.kron(np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.ones((10, 10)))
    drawn = panel(array)
    values = decode(draw_panel(view(drawn), drawn, Scale()))
    assert values.shape == (1, 10, 10)
    assert np.abs(values[0, ::9, ::9] - [[1, 2], [3, 4]]).max() <= 4 / 255 / 2 + 1e-9


@pytest.mark.parametrize(("shape", "seconds"), [((512, 28, 28), 2.0), ((6, 28, 28), 0.2)])
def test_drawing_is_quick(shape: tuple[int, ...], seconds: float) -> None:
    drawn = panel(numbers(*shape))
    start = time.process_time()
    draw_panel(view(drawn), drawn, Scale())
    assert time.process_time() - start < seconds


def test_letters_that_the_font_lacks_are_replaced() -> None:
    assert drawable("café · 犬 ±1") == "cafe · ? ±1"
    assert text_width("犬", 12) == text_width("?", 12)
    assert font(12) is font(12)


def test_a_title_wider_than_the_picture_fits() -> None:
    drawn = replace(panel(numbers(1, 2, 2)), node="a" * 30)
    subject = Subject("folder/" * 6, true="x" * 30, predicted="y" * 30, target="loss of label " + "x" * 30)
    image = pixels(draw_panel(view(drawn, subject=subject), drawn, Scale()))
    assert (image[:, -12:] == BACKGROUND).all()

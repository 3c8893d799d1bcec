"""The PNG of a panel: what it says about itself, where its pixels are, and that it decodes to the values."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Row, Tile
from cnncli.render.colors import DEAD, NOT_FINITE
from cnncli.render.paging import pages
from cnncli.render.pixels import FRAME
from cnncli.render.png.canvas import BACKGROUND, class_name, drawable, font, text_width, wrap, wrap_words
from cnncli.render.png.sheet import decode, draw_page
from cnncli.render.scale import Scale, scaled
from tests.render.makers import Array, board, numbers, tensor

SHAPES = st.one_of(
    st.tuples(st.integers(1, 5), st.integers(1, 6), st.integers(1, 6)),
    st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 5), st.integers(1, 70)),
    st.tuples(st.integers(1, 70)),
)


def png(*rows: Row, scale: str | Scale = "layer", subject: Subject | None = None, notes: str = "") -> bytes:
    """Of rows that fit on a page."""
    how = Scale.parse(scale) if isinstance(scale, str) else scale
    drawn = board(*rows, subject=subject, together=len(rows) > 1, notes=notes)
    (sheet,) = drawn.sheets
    (page,) = pages(sheet, scaled(drawn, sheet, how))
    return draw_page(drawn, page, how)


def pixels(png: bytes) -> Array:
    return np.asarray(Image.open(io.BytesIO(png)))


def texts(png: bytes) -> dict[str, str]:
    image = Image.open(io.BytesIO(png))
    image.load()
    return image.text  # type: ignore[attr-defined, no-any-return]


def level(row: Row, mode: str) -> float:
    """The largest step between two colours."""
    limits = Scale(mode).limits(board(row), row)
    return max(each.reach for each in limits) / (127 if row.signed else 255)


def assert_decodes(png: bytes, *rows: Row, mode: str = "layer") -> None:
    """To half a level."""
    decoded = decode(png)
    assert len(decoded) == len(rows)
    for values, row in zip(decoded, rows, strict=True):
        expected = [tile.values for tile in row.tiles if not tile.is_picture]
        assert [each.shape for each in values] == [each.shape for each in expected]
        for each, true in zip(values, expected, strict=True):
            assert np.abs(each - true).max() <= level(row, mode) / 2 * (1 + 1e-6)


@settings(deadline=None, max_examples=40)
@given(SHAPES, st.sampled_from(["layer", "map", "net"]), st.booleans(), st.integers(0, 99))
def test_decodes_to_the_values_within_half_a_level(shape: tuple[int, ...], mode: str, signed: bool, seed: int) -> None:
    array = numbers(*shape, seed=seed)
    row = tensor(array if signed else np.abs(array), what="weight" if signed else "activation")
    assert_decodes(png(row, scale=mode), row, mode=mode)


@settings(deadline=None, max_examples=40)
@given(st.lists(SHAPES, min_size=2, max_size=5), st.sampled_from(["layer", "map"]), st.booleans())
def test_every_row_of_a_sheet_decodes(shapes: list[tuple[int, ...]], mode: str, pictures: bool) -> None:
    rows = [tensor(numbers(*shape, seed=seed), what=f"w{seed}") for seed, shape in enumerate(shapes)]
    if pictures:
        tile = Tile("input", np.full((5, 7, 3), 9, np.uint8), boxes=((1, 1, 3, 4),))
        rows = [replace(row, tiles=(tile, *row.tiles)) for row in rows]
    assert_decodes(png(*rows, scale=mode), *rows, mode=mode)


@settings(deadline=None, max_examples=40)
@given(
    SHAPES.flatmap(lambda shape: arrays(np.float32, shape, elements=st.floats(width=32))),
    st.sampled_from(["layer", "map", "percentile:90", "fixed:-1,1"]),
)
def test_any_numbers_at_all_can_be_drawn(array: Array, mode: str) -> None:
    row = tensor(array)
    (values,) = decode(png(row, scale=mode))
    for each, tile in zip(values, row.tiles, strict=True):
        assert np.array_equal(np.isnan(each), ~np.isfinite(tile.values))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2, unique=True).map(sorted),
    arrays(np.float32, (2, 2, 3), elements=st.floats(-10, 10, width=32)),
)
def test_any_two_numbers_can_be_the_ends_of_a_scale(ends: list[float], array: Array) -> None:
    (values,) = decode(png(tensor(array), scale=Scale("fixed", (ends[0], ends[1]))))
    reach = max(map(abs, ends))
    for each, tile in zip(values, array, strict=True):
        shown = np.clip(tile.astype(np.float64), *ends) if tile.any() else 0  # dead maps are grey, whatever the scale
        assert np.abs(each / 2 - shown / 2).max() <= reach / 127 / 2


@pytest.mark.parametrize("size", [1e-320, 1e-300, 1.0, 1e300, 1.7e308])
@pytest.mark.parametrize("signed", [True, False])
def test_numbers_of_any_size(size: float, signed: bool) -> None:
    array = np.array([[[1.0, 0.5], [-1.0 if signed else 0.25, 0.0]]]) * size
    row = tensor(array)
    (values,) = decode(png(row))
    assert np.abs(values[0] / size - array[0] / size).max() <= 1 / 254 * (1 + 1e-6) + (size < 1e-310)


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 1, 1), (1,), (60, 1, 3), (1, 1, 5), (5, 1, 2), (4096,), (1024, 3)])
def test_odd_shapes(shape: tuple[int, ...]) -> None:
    row = tensor(numbers(*shape))
    (values,) = decode(drawn := png(row))
    assert sum(each.size for each in values) == np.prod(shape)
    assert max(pixels(drawn).shape) < 6000


@pytest.mark.parametrize("shape", [(5, 100, 2), (5, 2, 100), (1, 300, 1)])
def test_maps_much_higher_or_broader_than_long_stay_on_the_screen(shape: tuple[int, ...]) -> None:
    assert max(pixels(png(tensor(numbers(*shape)))).shape) < 1800


def test_the_grid_has_ceil_sqrt_columns_two_pixels_apart() -> None:
    array = np.ones((5, 4, 4), np.float32)
    image = pixels(png(tensor(array)))
    tile = (image == (253, 231, 37)).all(axis=2)
    row = tile[np.flatnonzero(tile.any(axis=1))[-1] - 1 - 28 * 5]  # a line through the first row of tiles
    runs = np.flatnonzero(np.diff(np.concatenate([[0], row, [0]])))
    starts, ends = runs[::2], runs[1::2]
    assert len(starts) == 3
    assert set(ends - starts) == {112}  # 4 values, each 28 pixels
    assert (starts[1:] - ends[:-1]).tolist() == [2, 2]


def test_values_are_enlarged_to_squares_without_blur() -> None:
    image = pixels(png(tensor(np.array([[[0.0, 1.0], [1.0, 0.0]]]))))
    grid = image[-12 - 224 : -12, 12 : 12 + 224]
    assert {tuple(color) for color in grid.reshape(-1, 3).tolist()} == {(68, 1, 84), (253, 231, 37)}
    assert (grid[:112, :112] == (68, 1, 84)).all()
    assert (grid[:112, 112:] == (253, 231, 37)).all()


def test_a_short_vector_has_its_indices_above_it() -> None:
    array = np.ones(10)
    image = pixels(png(tensor(array, node="fc")))
    filled = (image == (253, 231, 37)).all(axis=2)
    top = int(np.flatnonzero(filled.sum(axis=1) > 300)[0])
    text = (image[top - 12 : top] != BACKGROUND).any(axis=(0, 2))
    starts = np.flatnonzero(np.diff(text.astype(int), prepend=0) == 1)
    cells = {int(start - 12) // 48 for start in starts}
    assert cells == set(range(10))


def test_a_map_of_zeros_that_is_no_unit_is_white() -> None:
    array = np.zeros((2, 2, 2))
    array[0] = 1
    image = pixels(png(tensor(array, what="gradient")))
    assert not (image == DEAD).all(axis=2).any()
    assert (image[-40, 12 + 168 + 2 + 20] == 255).all()


def test_dead_maps_are_grey_and_what_is_not_finite_magenta() -> None:
    array = np.zeros((2, 2, 2), np.float32)
    array[1] = [[1, np.nan], [np.inf, 2]]
    drawn = png(tensor(array))
    colors = {tuple(color) for color in pixels(drawn).reshape(-1, 3).tolist()}
    assert {DEAD, NOT_FINITE} <= colors
    (values,) = decode(drawn)
    assert (values[0] == 0).all()
    assert np.isnan(values[1]).tolist() == [[False, True], [True, False]]


def test_the_file_says_what_it_shows() -> None:
    row = tensor(numbers(3, 4, 4), channels=[2, 0])
    subject = Subject("test:17", true="Coat", predicted="Shirt", target="logit of class Coat")
    drawn = png(row, subject=subject)
    assert drawn.count(b"iTXt") == 10
    said = texts(drawn)
    assert row.array is not None
    reach = float(np.abs(row.array).max())
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
    }
    assert {key: said[key] for key in expected} == expected


def test_what_is_said_of_each_row_stands_in_their_order() -> None:
    picture = Row(("input",), "picture", (Tile("", np.zeros((2, 2), np.uint8)),))
    rows = tensor(np.ones((2, 2, 2))), picture, tensor(-np.ones((3, 3)), node="fc", what="weight")
    said = texts(png(*rows))
    expected = {
        "vmin": "0.0; ; -1.0",
        "vmax": "1.0; ; 1.0",
        "colormap": "viridis; none; diverging",
        "node": "conv1; ; fc",
        "what": "activation; picture; weight",
        "channels": "0,1; ; ",
    }
    assert {key: said[key] for key in expected} == expected


def test_a_file_name_that_is_no_text_is_told_with_escapes() -> None:
    drawn = png(tensor(numbers(1, 2, 2)), subject=Subject("a\udcff.png"))
    assert texts(drawn)["input"] == r"a\udcff.png"


def test_with_a_scale_for_each_map_the_limits_of_each_are_told() -> None:
    said = texts(png(tensor(np.array([[[1.0, 0.5]], [[4.0, 0.0]]])), scale="map"))
    assert (said["vmin"], said["vmax"]) == ("0.0,0.0", "1.0,4.0")


def test_the_input_is_shown_as_it_looks() -> None:
    picture = np.zeros((28, 28, 3), np.uint8)
    picture[0, 0] = (1, 2, 3)
    image = pixels(png(tensor(numbers(1, 2, 2)), subject=Subject("a.png", picture=picture)))
    assert (image[12:14, 12:14] == (1, 2, 3)).all()
    assert (image[14, 14] == 0).all()
    assert (image[12 + 56, 12] == BACKGROUND).all()


def test_a_large_picture_becomes_a_small_one() -> None:
    picture = np.full((300, 500), 200, np.uint8)
    image = pixels(png(tensor(numbers(1, 2, 2)), subject=Subject("a.png", picture=picture)))
    assert (image[12 : 12 + 38, 12 : 12 + 63] == 200).all()


def test_a_picture_among_the_tiles_stands_for_that_of_the_input() -> None:
    picture = np.full((8, 8), 77, np.uint8)
    row = Row(("x",), "saliency", (Tile("input", picture), Tile("saliency", numbers(8, 8))), signed=True)
    image = pixels(png(row, subject=Subject("a.png", picture=picture)))
    rows, columns = np.nonzero((image == 77).all(axis=2))
    assert len(rows) == 168 * 168
    assert (columns.min(), columns.max()) == (12, 12 + 167)


def test_pictures_are_enlarged_without_blur() -> None:
    picture = np.array([[[255, 0, 0], [0, 255, 0]]], np.uint8)
    row = Row(("x",), "picture", (Tile("input", picture),))
    image = pixels(png(row))
    for color in ([255, 0, 0], [0, 255, 0]):
        rows, columns = np.nonzero((image == color).all(axis=2))
        assert (np.ptp(rows) + 1) == (np.ptp(columns) + 1) == 112


def test_what_lies_over_a_picture_is_smoothed_and_half_transparent() -> None:
    picture = np.full((4, 4, 3), (200, 100, 0), np.uint8)
    row = Row(("x",), "cam", (Tile("over", picture, over=np.array([[0.0, 1.0]])),))
    image = pixels(png(row))[-12 - 168 : -12, 12 : 12 + 168].astype(int)
    grey = 255 * (0.2126 * 200 + 0.7152 * 100) / 255
    for column, color in ((0, (68, 1, 84)), (-1, (253, 231, 37))):
        assert np.abs(image[:, column] - (grey + np.array(color)) / 2).max() <= 1
    assert (np.diff(image[0, :, 1]) >= 0).all()
    assert len(np.unique(image[0], axis=0)) > 60


def test_frames_leave_the_values_readable() -> None:
    values = np.abs(numbers(40, 40))
    boxes = ((3, 5, 9, 7), (0, 0, 40, 40), (39, 39, 40, 40))
    row = Row(("x",), "activation", (Tile("framed", values, boxes=boxes),))
    drawn = png(row)
    assert (pixels(drawn) == FRAME).all(axis=2).sum() > 100
    assert_decodes(drawn, row)


def test_the_same_row_gives_the_same_bytes() -> None:
    row = tensor(numbers(6, 5, 5))
    assert png(row) == png(row)


def test_too_many_pixels_are_reduced_to_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnncli.render.png.band.LARGEST", 100)
    array = np.kron(np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.ones((10, 10)))
    ((values,),) = decode(png(tensor(array)))
    assert values.shape == (10, 10)
    assert np.abs(values[::9, ::9] - [[1, 2], [3, 4]]).max() <= 4 / 255 / 2 + 1e-9


def test_columns_stand_below_one_another() -> None:
    first, second = np.full((3, 4, 4), 2.0), np.full((3, 7, 7), 2.0)
    image = pixels(png(tensor(first), tensor(second, what="other")))
    filled = (image == (253, 231, 37)).all(axis=2)
    lines = np.flatnonzero(filled.sum(axis=1) > 300)
    starts = [np.flatnonzero(np.diff(filled[line].astype(int), prepend=0) == 1).tolist() for line in lines[[0, -1]]]
    assert len(starts[0]) == 3
    assert starts[0] == starts[1]


def test_side_by_side_a_small_map_is_as_large_as_a_picture() -> None:
    picture = np.full((32, 32, 3), 77, np.uint8)
    for size in (4, 7, 8, 16):
        row = Row(("x",), "cam", (Tile("input", picture), Tile("cam", np.ones((size, size)))))
        for drawn in (png(row), png(row, row)):
            image = pixels(drawn)
            areas = [(image == color).all(axis=2).sum() for color in ((77, 77, 77), (253, 231, 37))]
            assert 0.9 < areas[1] / areas[0] <= 1.01
            assert_decodes(drawn, *[replace(row, tiles=row.tiles[1:])] * (1 if drawn == png(row) else 2))


def test_rows_with_the_same_limits_share_a_bar_and_others_have_their_own() -> None:
    row = tensor(np.ones((1, 4, 4)))
    same, own = png(row, row), png(row, tensor(2 * np.ones((1, 4, 4))))
    assert [bars(pixels(drawn)) for drawn in (same, own)] == [1, 2]


def bars(image: Array) -> int:
    """How many colour bars there are: nothing else has so many colours in a line."""
    colorful = np.array([len(np.unique(line, axis=0)) > 100 for line in image])
    return int((np.diff(colorful.astype(int)) == 1).sum())


def test_notes_are_under_the_tiles() -> None:
    row = tensor(numbers(1, 4, 4))
    plain = pixels(png(row))
    for noted in (png(replace(row, notes=("residual 1e-16",))), png(row, notes="residual 1e-16")):
        image = pixels(noted)
        assert image.shape[0] > plain.shape[0]
        assert (image[-20:] != BACKGROUND).any()


def test_letters_that_the_font_lacks_are_replaced() -> None:
    assert drawable("café · 犬 ±1") == "cafe · ? ±1"
    assert text_width("犬", 12) == text_width("?", 12)
    assert font(12) is font(12)


def test_a_class_whose_name_cannot_be_drawn_has_a_number() -> None:
    names = ["cat", "café", "犬", "犬 dog", "what?"]
    assert [class_name(name, 3) for name in names] == ["cat", "café", "class 3", "class 3", "what?"]


@pytest.mark.parametrize("together", [False, True])
def test_text_wider_than_the_picture_is_wrapped(together: bool) -> None:
    row = replace(tensor(numbers(1, 2, 2)), title=("a" * 60, "conv2d"), notes=("note " * 60, "b" * 200))
    subject = Subject("folder/" * 20, true="x" * 30, predicted="y" * 30, target="loss of label " + "x" * 30)
    image = pixels(png(*[row] * (1 + together), subject=subject, notes="check " * 60))
    assert (image[:, -12:] == BACKGROUND).all()


def test_lines_are_broken_between_words_and_nothing_is_lost() -> None:
    text = "conv1 · conv2d · weight-gradient · 6x1x5x5"
    lines = wrap_words(text, 120, 16)
    assert all(text_width(line, 16) <= 120 for line in lines)
    assert " ".join(lines) == text
    assert "".join(wrap_words("a" * 50, 100, 13)) == "a" * 50
    assert wrap(["input: a", "true: b"], 1000, 13) == ["input: a    true: b"]
    assert wrap(["input: a", "true: b"], 60, 13) == ["input: a", "true: b"]


def test_a_long_label_has_several_lines() -> None:
    row = Row(("x",), "cam", (Tile("integrated gradients, 50 steps, from black", numbers(4, 4)),), signed=True)
    image = pixels(png(row))
    assert (image[:, -12:] == BACKGROUND).all()
    assert_decodes(png(row), row)

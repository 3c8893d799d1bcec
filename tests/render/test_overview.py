"""Overviews of a network as PNG: the layers side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet
from cnncli.render.paging import pages
from cnncli.render.png.sheet import decode, draw_page
from cnncli.render.png.shelf import SCREEN
from cnncli.render.png.tiling import SMALL_SIDE
from cnncli.render.scale import Scale, scaled
from tests.render.makers import Array, numbers, tensor
from tests.render.test_sheet import assert_decodes, bars, pixels, texts

LAYERS = st.lists(
    st.one_of(
        st.tuples(st.integers(1, 2), st.integers(1, 40), st.integers(1, 40)),
        st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5)),
        st.tuples(st.integers(1, 80), st.integers(1, 150)),
        st.tuples(st.integers(1, 500)),
    ),
    min_size=1,
    max_size=9,
)


def layer(node: str, *arrays: Array) -> list[Row]:
    """The first array is its activation, the second the gradient of that."""
    kinds = zip(("activation", "gradient"), arrays, strict=False)
    rows = [tensor(array, node=node, what=what) for what, array in kinds]
    return [replace(row, title=(node, row.what, row.title[-1])) for row in rows]


def overview(rows: list[Row], scale: str = "layer", notes: tuple[str, ...] = ()) -> bytes:
    sheet = Sheet("00_overview__mirror", tuple(rows), ("all",), notes=notes, across=True)
    drawn = Board("backward", Subject("test:17"), (sheet,))
    (page,) = pages(sheet, scaled(drawn, sheet, Scale.parse(scale)))
    return draw_page(drawn, page, Scale.parse(scale))


@settings(deadline=None, max_examples=40)
@given(LAYERS, st.sampled_from(["layer", "map", "fixed:-9,9"]))
def test_every_value_is_there_in_the_order_of_the_rows(shapes: list[tuple[int, ...]], scale: str) -> None:
    arrays = [np.clip(numbers(*shape, seed=seed), -9, 9) for seed, shape in enumerate(shapes)]
    rows = [row for place, array in enumerate(arrays) for row in layer(f"layer{place // 2}", array)]
    if scale == "fixed:-9,9":
        for values, row in zip(decode(overview(rows, scale)), rows, strict=True):
            for each, tile in zip(values, row.tiles, strict=True):
                assert np.abs(each - tile.values).max() <= 9 / 254 * (1 + 1e-6)
    else:
        assert_decodes(overview(rows, scale), *rows, mode=scale)


def test_layers_stand_side_by_side_and_go_on_below() -> None:
    pair = (np.abs(numbers(2, 28, 28)), numbers(2, 28, 28))
    heights, widths = [], []
    for count in (1, 3, 12, 30):
        height, width, _ = pixels(
            overview([row for place in range(count) for row in layer(f"conv{place}", *pair)])
        ).shape
        heights.append(height)
        widths.append(width)
    assert heights[0] == heights[1] < heights[2] < heights[3]
    assert max(widths) <= SCREEN + 24
    assert heights[2] < 2 * heights[0]


def test_shelves_are_about_equally_full() -> None:
    rows = [row for place in range(8) for row in layer(f"conv{place}", np.ones((2, 28, 28)))]
    image = pixels(overview(rows))
    filled = (image == (253, 231, 37)).all(axis=2)
    lines = [line for line in filled if line.sum() > 2 * SMALL_SIDE]
    assert {int((np.diff(line.astype(int), prepend=0) == 1).sum()) for line in lines} == {8}  # 4 layers, 2 maps of each


def test_rows_are_level_with_those_of_the_layers_beside_them() -> None:
    large, small = numbers(2, 28, 28), numbers(2, 5, 5)
    drawn = overview([*layer("conv1", large, large), *layer("conv2", small, small)])
    tops = [{place[1] for _, place in row} for row in json.loads(texts(drawn)["geometry"])]
    assert tops[:2] == tops[2:]
    assert tops[0] != tops[1]


@pytest.mark.parametrize("size", [1, 10, 84, 120, 1000, 5000])
def test_vectors_stand_upright(size: int) -> None:
    vector = np.ones(size)
    image = pixels(overview(layer("linear", vector)))
    rows, columns = np.nonzero((image == (253, 231, 37)).all(axis=2)[110:])
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    assert height <= SMALL_SIDE
    assert height >= 2 * width or size == 1


def test_what_is_large_is_reduced() -> None:
    large = np.kron(np.array([[[1.0, 2.0], [3.0, 4.0]]]), np.ones((112, 112)))
    ((values,),) = decode(overview(layer("conv1", large)))
    assert values.shape == (75, 75)
    assert np.abs(values[::74, ::74] - [[1, 2], [3, 4]]).max() <= 4 / 255 / 2 + 1e-9
    assert pixels(overview(layer("conv1", large))).shape == pixels(overview(layer("conv1", large[:, ::3, ::3]))).shape


def test_a_bar_for_each_kind_of_colours_and_the_scale() -> None:
    signed, plain = numbers(1, 4, 4), np.abs(numbers(1, 4, 4))
    drawn = overview([*layer("a", plain, signed), *layer("b", plain, signed)], notes=("some layers",))
    assert bars(pixels(drawn)) == 2
    assert bars(pixels(overview(layer("a", plain)))) == 1
    assert texts(drawn)["node"] == "a; a; b; b"

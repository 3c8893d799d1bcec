"""Boards in the terminal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cnncli.inspection.subject import Subject
from cnncli.inspection.views.board import Board, Row, Sheet, Tile
from cnncli.render.scale import Scale
from cnncli.render.terminal.board import board as draw_board
from cnncli.render.terminal.tile import broken
from tests.render.makers import board, draw, lines, numbers, tensor


def test_channels_are_labelled_tiles() -> None:
    array = np.zeros((3, 4, 4), np.float32)
    array[0] = 2
    array[2, :2] = -0.125
    drawn = board(tensor(array), subject=Subject("test:17", true="Coat", target="logit of class Coat"))
    assert lines(draw_board(drawn), width=60) == [
        "feature-maps   input test:17   true Coat",
        "target logit of class Coat",
        "",
        "conv1  conv2d  activation  3x4x4",
        "scale layer [-2, 2]   3 maps",
        "-2 MNosxci  0  .-=+*%@ 2",
        "c00 [2, 2]        c01 dead          c02 [-0.12, 0]",
        *["@@@@@@@@@@@@@@@@                    iiiiiiiiiiiiiiii"] * 4,
        *["@@@@@@@@@@@@@@@@"] * 4,
        "",
    ]


def test_filters_are_rows_of_tiles() -> None:
    weight = np.zeros((2, 3, 2, 2), np.float32)
    weight[:, 1] = 1
    weight[1, 2] = -1
    text = lines(draw_board(board(tensor(weight, what="weight"), name="filters")), width=40)
    assert "scale layer [-1, 1]   2 filters" in text
    place = text.index("c00 [0, 1]")
    assert text[place + 1] == "         @@@@@@@@"
    place = text.index("c01 [-1, 1]")
    assert text[place + 1] == "         @@@@@@@@ MMMMMMMM"


def test_a_long_vector_says_how_it_was_shortened() -> None:
    text = lines(draw_board(board(tensor(np.abs(numbers(250)), node="fc", type_="linear"))), width=100)
    assert "fc  linear  activation  250" in text
    assert any("shown at 1/3 (means of 3)" in line for line in text)


def test_what_is_left_out_is_told() -> None:
    few = replace(tensor(numbers(4, 70, 3, 3), channels=[2, 0], what="weight"), ranked=True)
    fewer = replace(few, tiles=tuple(replace(tile, values=tile.values[:64]) for tile in few.tiles))
    text = lines(draw_board(board(fewer)))
    assert any(line.endswith("2 of 4 filters, strongest first") for line in text)
    assert "the 64 strongest of 70 input channels" in text


def test_the_limits_of_single_maps_are_not_in_the_colour_bar() -> None:
    text = lines(draw_board(board(tensor(numbers(2, 4, 4))), Scale("map")))
    assert "scale map, each +-max|x|   2 maps" in text
    assert any(line.startswith("-max|x| M") for line in text)


@pytest.mark.parametrize(("side", "height"), [(2, 8), (3, 9), (5, 10), (7, 7), (12, 12), (16, 16), (28, 14)])
def test_without_colour_every_row_of_a_small_map_has_lines_of_its_own(side: int, height: int) -> None:
    array = np.zeros((2, side, side))
    array[:, ::2] = 1
    text = lines(draw_board(board(tensor(array))))
    drawn = text[text.index(next(line for line in text if line.startswith("c00"))) + 1 : -1]
    assert len(drawn) + drawn.count("") >= height
    marks = {mark for line in drawn for mark in line} - {" "}
    assert marks == ({"@"} if side <= 16 else {"="})
    assert any("two rows share a line, as their means" in line for line in text) == (side > 16)


def test_only_the_unit_of_an_activation_is_dead() -> None:
    zeros = np.zeros((1, 4, 4))
    for row, label in (
        (tensor(zeros), "c00 dead"),
        (tensor(zeros, node="input", type_="input"), "c00 all 0"),
        (tensor(zeros, what="saliency"), "c00 all 0"),
    ):
        assert label in lines(draw_board(board(row)))


def test_what_the_scale_is_of_is_told() -> None:
    row = replace(tensor(np.ones((1, 4, 4))), scale_of="channel c00")
    assert "scale channel c00 [0, 1]   1 map" in lines(draw_board(board(row)))
    assert "scale net [0, 1]   1 map" in lines(draw_board(board(row), Scale("net")))


def test_a_short_vector_has_its_indices() -> None:
    text = lines(draw_board(board(tensor(np.array([1.0, 0.5, 0.25]), node="fc"))), width=60)
    assert text[text.index("[0.25, 1]") + 1 :] == ["@@@@++++----", "0   1   2", ""]


def test_rows_stand_below_one_another_column_by_column() -> None:
    first, second = np.ones((3, 4, 4)), np.ones((3, 8, 8))
    second[1] = 0
    drawn = board(tensor(first), tensor(second, what="gradient"), together=True, notes="all is well")
    assert lines(draw_board(drawn), width=60) == [
        "feature-maps   input test:17",
        "",
        "all",
        "conv1  conv2d  activation  3x4x4",
        "scale layer [0, 1]   3 maps",
        "0  ..::-==++*##%%@ 1",
        "c00 [1, 1]        c01 [1, 1]        c02 [1, 1]",
        *["@@@@@@@@@@@@@@@@  @@@@@@@@@@@@@@@@  @@@@@@@@@@@@@@@@"] * 8,
        "",
        "conv1  conv2d  gradient  3x8x8",
        "scale layer [-1, 1]   3 maps",
        "-1 MNosxci  0  .-=+*%@ 1",
        "c00 [1, 1]        c01 all 0         c02 [1, 1]",
        *["@@@@@@@@@@@@@@@@                    @@@@@@@@@@@@@@@@"] * 8,
        "",
        "all is well",
        "",
    ]


def test_columns_that_do_not_fit_go_on_below_all_rows() -> None:
    drawn = board(*(tensor(np.ones((3, 4, 4)), node=name) for name in "ab"), together=True)
    text = lines(draw_board(drawn), width=40)
    assert [line for line in text if line.startswith("c0")] == [
        *["c00 [1, 1]        c01 [1, 1]"] * 2,
        *["c02 [1, 1]"] * 2,
    ]
    assert [line[0] for line in text if "conv2d" in line] == ["a", "b", "a", "b"]


def test_rows_with_one_scale_share_a_bar() -> None:
    rows = [tensor(np.ones((2, 2, 2)), node=name) for name in "abc"]
    text = lines(draw_board(board(*rows, together=True)))
    assert len([line for line in text if line.startswith("0  ..::")]) == 1


def test_notes_are_under_what_they_are_of() -> None:
    row = replace(tensor(np.ones((1, 2, 2))), notes=("of the row",))
    sheet = Sheet("a", (row,), ("title",), notes=("of the sheet",))
    text = lines(draw_board(Board("v", Subject(""), (sheet, sheet), ("of the board",))))
    assert [line for line in text if line.startswith("of")] == [*["of the row", "of the sheet"] * 2, "of the board"]


def test_a_sheet_can_have_its_own_subject() -> None:
    sheets = tuple(
        Sheet(
            name, (tensor(np.ones((1, 2, 2))),), subject=Subject(name, true="Bag", picture=np.zeros((4, 4), np.uint8))
        )
        for name in ("test:1", "test:2")
    )
    text = lines(draw_board(Board("v", Subject("2 inputs"), sheets)))
    assert [line for line in text if "input" in line] == [
        "v   input 2 inputs",
        "input test:1   true Bag",
        "input test:2   true Bag",
    ]


def test_pictures_and_what_lies_over_them() -> None:
    picture = np.zeros((8, 8), np.uint8)
    picture[:4] = 255
    over = np.array([[0.0, 1.0]])
    row = Row(("test:1",), "cam", (Tile("input", picture), Tile("cam", over), Tile("both", picture, over=over)))
    drawn = board(row, subject=Subject("test:1", picture=picture))
    text = lines(draw_board(drawn), width=60)
    assert text[:6] == [
        "feature-maps   input test:1",
        "",
        "test:1",
        "scale layer [0, 1]",
        "0  ..::-==++*##%%@ 1",
        "input             cam [0, 1]        both",
    ]
    assert text[6].startswith("@@@@@@@@@@@@@@@@          @@@@@@@@")
    assert text[-2].startswith("                  ")
    sent = draw(draw_board(drawn), width=60, color="truecolor")
    half = [(255 + level) // 2 for level in (253, 231, 37)]
    assert "{};{};{}".format(*half) in sent


def test_a_long_label_has_several_lines() -> None:
    label = "integrated gradients, 50 steps, from black"
    row = Row(("test:1",), "saliency", (Tile(label, np.ones((4, 4))), Tile("a", np.ones((4, 4)))))
    text = lines(draw_board(board(row)))
    assert text[5:8] == ["integrated gradients,  a [1, 1]", "50 steps, from black", "[1, 1]"]


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("test:787: Trouser > Dress", ["test:787: Trouser", "> Dress"]),
        ("test:5: round, dark > round, soft", ["test:5: round, dark", "> round, soft"]),
        ("test:5: round, dark, large > soft", ["test:5:", "round, dark, large", "> soft"]),
        ("round, dark, large, soft, old", ["round, dark, large,", "soft, old"]),
        ("a word and another word of it", ["a word and another word", "of it"]),
        ("x" * 30, ["x" * 24, "x" * 6]),
        ("", [""]),
    ],
)
def test_a_label_is_broken_where_it_reads_best(label: str, expected: list[str]) -> None:
    assert broken(label, 24) == expected


def test_what_is_framed() -> None:
    picture = np.zeros((28, 28), np.uint8)
    row = Row(("test:1",), "picture", (Tile("input", picture, boxes=((4, 4, 12, 12),)),))
    text = lines(draw_board(board(row)))
    top = text.index("input") + 1
    assert text[top : top + 7] == ["", "   |________|", *["   |        |"] * 4, "   |________|"]
    assert "38;2;255;214;0" in draw(draw_board(board(row)), color="truecolor")


@settings(deadline=None, max_examples=60)
@given(
    array_shapes(min_dims=1, max_dims=4, max_side=40).flatmap(
        lambda shape: arrays(np.float32, shape, elements=st.floats(width=32), fill=st.floats(width=32))
    ),
    st.integers(10, 120),
    st.sampled_from([None, "truecolor"]),
    st.sampled_from(["layer", "map"]),
    st.booleans(),
)
def test_anything_can_be_drawn_in_any_width(
    array: np.ndarray, width: int, color: str | None, mode: str, together: bool
) -> None:
    row = tensor(array, channels=range(min(len(array), 6)) if array.ndim > 2 else None)
    picture = Tile("a picture", np.zeros((30, 20, 3), np.uint8), boxes=((0, 0, 30, 20),))
    rows = [row, replace(row, tiles=(picture, *row.tiles))]
    text = lines(draw_board(board(*rows, together=together), Scale(mode)), width=width, color=color)
    assert max(map(len, text)) <= width

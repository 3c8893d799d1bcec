from __future__ import annotations

import io
import re
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rich.console import Console

from cnncli.render.colors import Limits
from cnncli.render.terminal.bars import Bars, indexed
from cnncli.render.terminal.board import board as draw_board
from cnncli.render.terminal.raster import (
    NEGATIVE_RAMP,
    RAMP,
    Bar,
    ColorBar,
    Raster,
    thumbnail,
)
from tests.render.makers import board, draw, lines, numbers, tensor

SIGNED = Limits(-1.0, 1.0, "diverging")
UNSIGNED = Limits(0.0, 1.0, "viridis")


def test_two_pixels_a_cell_in_colour() -> None:
    sent = draw(Raster.of_map(np.array([[0.0], [1.0], [0.0]]), UNSIGNED), color="truecolor")
    assert sent.splitlines() == [
        "\x1b[38;2;68;1;84;48;2;253;231;37m▀\x1b[0m",
        "\x1b[38;2;68;1;84m▀\x1b[0m",
    ]


def test_equal_cells_are_sent_at_once() -> None:
    sent = draw(Raster.of_map(np.ones((2, 5)), UNSIGNED), color="truecolor")
    assert sent == "\x1b[38;2;253;231;37;48;2;253;231;37m▀▀▀▀▀\x1b[0m\n"


@pytest.mark.parametrize(("color", "code"), [("256", "\x1b[38;5;"), ("standard", "\x1b[")])
def test_fewer_colours_where_there_are_fewer(color: str, code: str) -> None:
    sent = draw(Raster.of_map(np.ones((2, 2)), UNSIGNED), color=color)
    assert sent.startswith(code)
    assert "38;2;" not in sent


@pytest.mark.parametrize(
    ("limits", "codes"),
    [(UNSIGNED, "35 34 36 32 92 93"), (SIGNED, "34 94 96 97 93 91 31")],
)
def test_sixteen_colours_are_climbed_step_by_step(limits: Limits, codes: str) -> None:
    values = np.linspace(limits.vmin, limits.vmax, 1000)[None]
    sent = draw(Raster.of_map(values, limits), color="standard", width=1000)
    assert [code for code, _ in groupby(re.findall(r"\x1b\[(\d+)m▀", sent))] == codes.split()


def test_without_colour_a_ramp_and_letters_below_zero() -> None:
    values = np.linspace(0, 1, 10)[None]
    assert lines(Raster.of_map(values, SIGNED)) == [RAMP]
    assert lines(Raster.of_map(-values, SIGNED)) == [NEGATIVE_RAMP]
    assert not set(RAMP[1:]) & set(NEGATIVE_RAMP[1:])


def test_without_colour_no_escape_codes() -> None:
    assert "\x1b" not in draw(Raster.of_map(numbers(4, 4), SIGNED))


def test_a_terminal_that_shall_have_no_colour_gets_the_ramp() -> None:
    file = io.StringIO()
    console = Console(file=file, color_system="truecolor", force_terminal=True, _environ={"NO_COLOR": "1"})
    console.print(Raster.of_map(np.ones((2, 3)), UNSIGNED))
    assert file.getvalue() == "@@@\n" * 2


def test_one_picture_in_two_colour_systems() -> None:
    raster = Raster.of_map(np.full((2, 2), 0.4321), UNSIGNED)
    first, second, third = (draw(raster, color=color) for color in ("truecolor", "256", "truecolor"))
    assert first == third != second


def test_a_terminal_that_knows_only_ascii_gets_only_ascii() -> None:
    drawn = board(tensor(numbers(2, 6, 6)), tensor(numbers(5), node="fc"))
    for each in (draw_board(drawn), Bar(0.4, 10)):
        assert draw(each, encoding="ascii", color="truecolor").isascii()


def test_what_is_not_finite_is_a_question_mark_or_magenta() -> None:
    raster = Raster.of_map(np.array([[np.nan, np.inf], [0.0, 0.0]]), UNSIGNED)
    assert lines(raster) == ["??", ""]
    assert "38;2;255;0;255" in draw(raster, color="truecolor")


def test_a_dead_map_is_grey_and_one_that_cannot_die_is_white() -> None:
    for can_die, color in ((True, "150;150;150"), (False, "255;255;255")):
        assert f"38;2;{color}" in draw(Raster.of_map(np.zeros((2, 2)), SIGNED, can_die=can_die), color="truecolor")


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 6), st.integers(1, 7))
def test_without_colour_every_row_of_a_small_map_has_as_many_lines_of_its_own(rows: int, columns: int, by: int) -> None:
    values = np.random.default_rng(rows).choice(10, (rows, columns)) / 9
    drawn = [["".join(RAMP[round(9 * value)] * by for value in row)] * -(-by // 2) for row in values]
    assert lines(Raster.of_map(values, UNSIGNED, by)) == [line.rstrip() for each in drawn for line in each]


def test_without_colour_two_rows_of_a_large_map_share_a_line_as_their_means() -> None:
    values = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]] * 3)
    assert lines(Raster.of_map(values, UNSIGNED)) == ["=", "==", " =", "=", " @"]


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (1, ["", " |_|", " | |", " |_|"]),
        (2, ["", "   |__|", "   |  |", "   |__|"]),
        (3, ["", "", "", "     |___|", "     |   |", "     |   |", "     |___|", ""]),
    ],
)
def test_frames_are_around_their_rows(factor: int, expected: list[str]) -> None:
    raster = Raster.of_map(np.zeros((4, 5)), UNSIGNED, factor)
    box = (2 * factor, 2 * factor, 3 * factor, 3 * factor)
    assert lines(raster.framed([box])) == expected


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2, unique=True).map(sorted),
    arrays(np.float32, (3, 2), elements=st.floats(width=32)),
    st.sampled_from([None, "truecolor"]),
)
def test_any_two_numbers_can_be_the_ends_of_a_scale(ends: list[float], values: np.ndarray, color: str | None) -> None:
    low, high = ends
    limits = Limits(low, high, "diverging" if low < 0 else "viridis")
    assert len(lines(Raster.of_map(values, limits), color=color)) == (3 if color is None else 2)
    assert lines(indexed(values.ravel(), limits, 30)[0], color=color)[-1].split() == list("012345")


@pytest.mark.parametrize(
    ("count", "room", "line"),
    [(3, 40, "0   1   2"), (3, 6, "0 1 2"), (10, 10, "0123456789"), (11, 33, "0  1  2  3  4  5  6  7  8  9  10")],
)
def test_the_numbers_of_a_short_vector_have_their_indices(count: int, room: int, line: str) -> None:
    drawn, columns = indexed(np.ones(count), UNSIGNED, room)
    assert lines(drawn)[1].rstrip() == line
    assert columns == len(lines(drawn)[0]) <= room


@pytest.mark.parametrize(
    ("count", "room", "reduced"), [(11, 22, False), (33, 200, False), (10, 40, True), (1, 4, False)]
)
def test_where_there_is_no_room_or_no_sense_there_are_no_indices(count: int, room: int, reduced: bool) -> None:
    assert len(lines(indexed(np.ones(count), UNSIGNED, room, reduced=reduced)[0])) == 1


def test_bars_stand_and_hang() -> None:
    bars = Bars(np.array([1.0, -0.5, 0.0, 0.25, np.nan]), SIGNED)
    sent = draw(bars, color="truecolor").splitlines()
    assert [line.count("█") for line in sent] == [1, 0]
    assert "▂" in sent[0]
    assert "\x1b[7;38;2;" in sent[1]
    assert "▄" in sent[1]
    assert lines(bars) == ["@  -?", " s"]


def test_bars_without_sign_take_one_line() -> None:
    assert len(lines(Bars(np.array([1.0, 0.5]), UNSIGNED))) == 1


def test_the_colour_bar_has_the_ends_and_zero() -> None:
    assert lines(ColorBar(SIGNED, ("-1", "0", "1"))) == ["-1 MNosxci  0  .-=+*%@ 1"]
    assert lines(ColorBar(UNSIGNED, ("0", "1"))) == ["0  ..::-==++*##%%@ 1"]


def test_a_thumbnail_keeps_colours() -> None:
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[..., 1] = 250
    raster = thumbnail(picture, 30)
    assert raster.colors.shape == (20, 30, 3)
    assert (raster.colors == (0, 250, 0)).all()

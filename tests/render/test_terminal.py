from __future__ import annotations

import io
import re
import time
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from rich.console import Console

from cnncli.render.colors import Limits
from cnncli.render.pixels import enlarge, reduce, reduction
from cnncli.render.terminal.board import board as draw_board
from cnncli.render.terminal.raster import (
    NEGATIVE_RAMP,
    RAMP,
    Bar,
    Bars,
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
    values = np.repeat(np.linspace(0, 1, 10)[None], 2, axis=0)
    assert lines(Raster.of_map(values, SIGNED)) == [RAMP]
    assert lines(Raster.of_map(-values, SIGNED)) == [NEGATIVE_RAMP]
    assert not set(RAMP[1:]) & set(NEGATIVE_RAMP[1:])


def test_without_colour_no_escape_codes() -> None:
    assert "\x1b" not in draw(Raster.of_map(numbers(4, 4), SIGNED))


def test_a_terminal_that_shall_have_no_colour_gets_the_ramp() -> None:
    file = io.StringIO()
    console = Console(file=file, color_system="truecolor", force_terminal=True, _environ={"NO_COLOR": "1"})
    console.print(Raster.of_map(np.ones((2, 3)), UNSIGNED))
    assert file.getvalue() == "@@@\n"


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
    assert lines(raster) == ["??"]
    assert "38;2;255;0;255" in draw(raster, color="truecolor")


def test_a_dead_map_is_grey() -> None:
    assert "38;2;150;150;150" in draw(Raster.of_map(np.zeros((2, 2)), SIGNED), color="truecolor")


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


def test_a_thumbnail_keeps_colours() -> None:
    picture = np.zeros((60, 90, 3), np.uint8)
    picture[..., 1] = 250
    raster = thumbnail(picture, 30)
    assert raster.colors.shape == (20, 30, 3)
    assert (raster.colors == (0, 250, 0)).all()


def test_drawing_is_quick() -> None:
    raster = Raster.of_map(numbers(64, 64), SIGNED)
    draw(raster, color="truecolor")
    start = time.process_time()
    draw(raster, color="truecolor")
    assert time.process_time() - start < 0.2

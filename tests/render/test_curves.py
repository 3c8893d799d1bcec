from __future__ import annotations

import io
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cnncli.inspection.views import Chart, CurvesView, Series
from cnncli.render.axes import ticks, trace
from cnncli.render.curves import curves
from cnncli.render.plot import draw_curves
from tests.render.makers import draw, lines

LOSS = Chart("loss", (1, 2, 3), (Series("train", (3.0, 2.0, 1.0)), Series("val", (3.0, math.nan, 2.0))))
VIEW = CurvesView("runs/a", (LOSS,))
FLOATS = st.lists(st.floats(width=32), min_size=1, max_size=12)


def test_in_a_pipe_with_a_mark_for_each_series() -> None:
    assert lines(curves(VIEW), width=30) == [
        "runs/a",
        "",
        "loss   o train 1   x val 2",
        "  3┤xo",
        "   │  oo",
        "   │    oo",
        "2.5┤      oo",
        "   │        oo",
        "   │          oo",
        "  2┤            ooo         x",
        "   │               oo",
        "1.5┤                 oo",
        "   │                   oo",
        "   │                     oo",
        "  1┤                       oo",
        "   └─────────────────────────",
        "    epoch 1                 3",
        "",
    ]


def test_in_colour_with_braille() -> None:
    sent = draw(curves(VIEW), width=40, color="truecolor")
    assert "\x1b[38;2;86;180;233m" in sent
    assert any("⠀" < character <= "⣿" for character in sent)
    assert "\x1b[38;2;230;159;0m" in sent


def test_in_ascii_nothing_else() -> None:
    assert draw(curves(VIEW), encoding="ascii", color="truecolor").count("|") > 5


def test_two_charts_share_a_row_where_there_is_room() -> None:
    two = CurvesView("", (LOSS, Chart("accuracy", (1, 2, 3), (Series("train", (0.1, 0.2, 0.3)),))))
    assert len(lines(curves(two), width=120)) * 2 == len(lines(curves(two), width=80))


def test_the_png_has_the_lines_in_their_colours() -> None:
    image = np.asarray(Image.open(io.BytesIO(draw_curves(VIEW))))
    colors = {tuple(color) for color in image.reshape(-1, 3).tolist()}
    assert {(86, 180, 233), (230, 159, 0)} <= colors
    assert draw_curves(VIEW) == draw_curves(VIEW)


@settings(deadline=None, max_examples=40)
@given(FLOATS, FLOATS, st.integers(12, 120), st.sampled_from([None, "truecolor"]))
def test_any_values_can_be_drawn(train: list[float], val: list[float], width: int, color: str | None) -> None:
    count = min(len(train), len(val))
    series = Series("train", tuple(train[:count])), Series("val", tuple(val[:count]))
    view = CurvesView("run", (Chart("loss", tuple(range(count)), series),))
    assert max(map(len, lines(curves(view), width=width, color=color))) <= width
    assert draw_curves(view).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.13, 0.98, 4, [0.2, 0.4, 0.6, 0.8]),
        (1.0, 15.0, 8, [2, 4, 6, 8, 10, 12, 14]),
        (-3e-5, 2e-5, 5, [-3e-5, -2e-5, -1e-5, 0, 1e-5, 2e-5]),
        (7.0, 7.0, 4, [7]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


def test_a_line_has_no_gaps() -> None:
    cells = trace([(0.0, 0.0), (1.0, 1.0)], 30, 10)
    assert np.abs(np.diff(cells, axis=0)).max() == 1
    assert cells[0].tolist() == [0, 9]
    assert cells[-1].tolist() == [29, 0]

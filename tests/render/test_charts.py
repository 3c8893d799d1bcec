from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from cnncli.inspection.views.charts import Chart, Charts, Series
from cnncli.render.axes import Axis, Frame, tick_text, ticks, trace
from cnncli.render.colors import SERIES
from cnncli.render.png.charts import BELOW, INSET, LABELS, draw_charts
from cnncli.render.png.glyphs import KINDS, draw_glyph
from cnncli.render.terminal.cells import CLASSES, MARKS
from cnncli.render.terminal.charts import SIZES, charts
from tests.render.makers import draw, lines

EPOCHS = (1.0, 2.0, 3.0)
LOSS = Chart(
    "loss", (Series("train", EPOCHS, (3.0, 2.0, 1.0)), Series("val", EPOCHS, (3.0, math.nan, 2.0))), x_name="epoch"
)
VIEW = Charts("curves", "runs/a", (LOSS,))
FLOATS = st.lists(st.floats(), min_size=1, max_size=12)


def pixels(view: Charts) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(draw_charts(view))).convert("RGB"))


def colors(view: Charts) -> set[tuple[int, ...]]:
    return {tuple(color) for color in pixels(view).reshape(-1, 3).tolist()}


def clouds(count: int, size: int = 20) -> Charts:
    rng = np.random.default_rng(0)
    series = [
        Series(f"class {index}", tuple(rng.normal(index, 1, size)), tuple(rng.normal(0, 1, size)))
        for index in range(count)
    ]
    return Charts("embedding", "linear2", (Chart("", tuple(series), kind="points", x_name="1st", y_name="2nd"),))


def test_in_a_pipe_with_a_mark_for_each_series() -> None:
    assert lines(charts(VIEW), width=30) == [
        "runs/a",
        "",
        "loss   o train 1   x val 2",
        "  3┤xo",
        "   │  oo",
        "   │    oo",
        "2.5┤      ooo",
        "   │         oo",
        "   │           oo",
        "  2┤            ooo          x",
        "   │               oo",
        "1.5┤                 ooo",
        "   │                    oo",
        "   │                      oo",
        "  1┤                        oo",
        "   └──────────────────────────",
        "    epoch 1                  3",
        "",
    ]


def test_in_colour_with_braille() -> None:
    sent = draw(charts(VIEW), width=40, color="truecolor")
    assert "\x1b[38;2;86;180;233m" in sent
    assert any("⠀" < character <= "⣿" for character in sent)
    assert "\x1b[38;2;230;159;0m" in sent


def test_in_ascii_nothing_else() -> None:
    marked = Chart("ratio", LOSS.series, marks=((2.5, "is healthy"),))
    for view in (VIEW, Charts("", "", (marked,)), clouds(3)):
        assert draw(charts(view), encoding="ascii", color="truecolor").count("|") > 5


def test_as_many_charts_share_a_row_as_there_is_room_for() -> None:
    four = Charts("", "", (LOSS,) * 4)
    heights = {width: len(lines(charts(four), width=width)) for width in (80, 120, 240)}
    assert heights[80] == 2 * heights[120] == 4 * heights[240]


def test_plots_in_a_row_stand_on_one_line_however_long_their_legends() -> None:
    many = Chart("many", tuple(Series(f"conv{index}", EPOCHS, EPOCHS) for index in range(9)))
    floor = [line for line in lines(charts(Charts("", "", (LOSS, many))), width=120) if "└" in line]
    assert [line.count("└") for line in floor] == [2]


def test_steps_stand_on_the_axis() -> None:
    chart = Chart(
        "conv1.weight", (Series("", (-1.0, 0.0, 1.0, 3.0), (2.0, 4.0, 0.9)),), kind="steps", notes=("mean 0",)
    )
    assert lines(charts(Charts("", "", (chart,))), width=38)[:-1] == [
        "conv1.weight",
        "mean 0",
        "4┤         #########",
        " │         #########",
        " │         #########",
        "2┤##################",
        " │##################..................",
        "0┤####################################",
        " └────────────────────────────────────",
        "  -1                                 3",
    ]


def test_steps_by_powers_of_ten_show_even_a_single_count() -> None:
    chart = Chart("", (Series("", (0.0, 1.0, 2.0, 3.0), (1.0, 0.0, 1000.0)),), kind="steps", log_y=True)
    drawn = lines(charts(Charts("", "", (chart,))), width=38)
    assert drawn[1:7] == [
        "   │                      ############",
        "100┤                      ############",
        "   │                      ############",
        "   │                      ############",
        "   │                      ############",
        "  1┤############          ############",
    ]


def test_a_mark_is_a_line_and_an_entry_of_the_legend() -> None:
    chart = Chart("ratio", (Series("conv1", EPOCHS, (1e-4, 1e-3, 1e-2)),), log_y=True, marks=((1e-3, "is healthy"),))
    drawn = lines(charts(Charts("", "", (chart,))), width=40)
    assert drawn[0] == "ratio   o conv1 0.01000"
    assert drawn[1] == "╌ 0.001 is healthy"
    assert sum(line.count("╌") for line in drawn) > 20
    ticks = [line.partition("┤")[0].strip() for line in drawn if "┤" in line]
    assert ticks == ["0.01", "0.001", "1e-4"]


@pytest.mark.parametrize(("encoding", "mark"), [("utf-8", "╎"), ("ascii", ":")])
def test_an_upright_line_stands_at_its_place(encoding: str, mark: str) -> None:
    chart = Chart("loss", (Series("", EPOCHS, (3.0, 1.0, 2.0)),), uprights=((2, "best epoch"),))
    legend, *drawn = lines(charts(Charts("", "", (chart,))), width=41, encoding=encoding)
    assert legend == f"loss   {mark} best epoch 2"
    crossed = [line for line in drawn if mark in line]
    assert len(crossed) == SIZES["lines"].lines - 1  # the line itself lies over it once
    assert {line.index(mark) for line in crossed} == {4 + 18}


def test_an_upright_line_in_a_png() -> None:
    plain = Chart("loss", (Series("", EPOCHS, (3.0, 3.0, 3.0)),))
    first, second = (pixels(Charts("", "", (each,))) for each in (plain, replace(plain, uprights=((2, "best epoch"),))))
    plot = slice(-BELOW - 200, -BELOW)
    _, columns = np.nonzero((first[plot] != second[plot]).any(axis=2))
    assert set(columns) == {LABELS + round(INSET + 0.5 * (420 - 2 * INSET - 1))}


@pytest.mark.parametrize("count", [3, 40])
def test_points_in_a_pipe_are_the_sign_of_their_class(count: int) -> None:
    drawn = "\n".join(lines(charts(clouds(count)), width=80))
    for index in range(count):
        assert f"{CLASSES[index]} class {index}" in drawn
        assert drawn.count(CLASSES[index]) > 2


def test_points_in_colour_are_dots_while_colours_tell_them_apart() -> None:
    few, many = (draw(charts(clouds(count)), width=80, color="truecolor") for count in (12, 13))
    assert any("⠀" < character <= "⣿" for character in few)
    assert not any("⠀" < character <= "⣿" for character in many)


def test_the_png_has_the_lines_in_their_colours() -> None:
    assert {(86, 180, 233), (230, 159, 0)} <= colors(VIEW)
    assert draw_charts(VIEW) == draw_charts(VIEW)


def test_a_hundred_classes_of_fifty_points_in_all_colours() -> None:
    assert {*SERIES} <= colors(clouds(100, 50))


def test_enough_shapes_for_a_hundred_classes() -> None:
    drawn = set()
    for kind in range(KINDS):
        image = Image.new("L", (40, 40))
        draw_glyph(ImageDraw.Draw(image), kind, (20, 20), 12, (255,), (128,))
        drawn.add(image.tobytes())
    assert len(drawn) * len(SERIES) > 100


def test_points_do_not_cover_a_class_whole() -> None:
    xs, ys = (tuple(np.random.default_rng(seed).normal(size=2000)) for seed in (0, 1))
    chart = Chart("", (Series("a", xs, ys), Series("b", xs, ys)), kind="points")
    image = pixels(Charts("", "", (chart,)))[60:]
    counts = [np.count_nonzero((image == color).all(axis=2)) for color in SERIES[:2]]
    assert min(counts) > 0.2 * max(counts)


@settings(deadline=None, max_examples=60)
@given(
    FLOATS,
    FLOATS,
    st.integers(20, 120),
    st.sampled_from([None, "truecolor"]),
    st.sampled_from(["lines", "steps", "points"]),
    st.booleans(),
)
def test_any_values_can_be_drawn(
    first: list[float], second: list[float], width: int, color: str | None, kind: str, log: bool
) -> None:
    count = min(len(first), len(second))
    across = tuple(map(float, range(count + (kind == "steps"))))
    series = Series("train", across, tuple(first[:count])), Series("val", across, tuple(second[:count]))
    view = Charts("", "run", (Chart("loss", series, kind=kind, log_y=log),))  # type: ignore[arg-type]
    assert max(map(len, lines(charts(view), width=width, color=color))) <= max(width, 20)
    assert draw_charts(view).startswith(b"\x89PNG")


def test_nothing_at_all_can_be_drawn() -> None:
    for kind in ("lines", "steps", "points"):
        view = Charts("", "", (Chart("empty", (), kind=kind),))  # type: ignore[arg-type]
        assert lines(charts(view), width=40)[0] == "empty"
        assert draw_charts(view).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 5, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.13, 0.98, 4, [0.2, 0.4, 0.6, 0.8]),
        (1.0, 15.0, 8, [2, 4, 6, 8, 10, 12, 14]),
        (-3e-5, 2e-5, 5, [-3e-5, -2e-5, -1e-5, 0, 1e-5, 2e-5]),
        (7.0, 7.0, 4, [7]),
        (-1.7e308, 1.7e308, 2, [-1e308, 0, 1e308]),
    ],
)
def test_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert ticks(low, high, most) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (1e-4, 1e-1, 4, [1e-4, 1e-3, 1e-2, 1e-1]),
        (5e-5, 2e-1, 2, [1e-4, 1e-2]),
        (2.0, 7.0, 4, [2, 4, 6]),  # not one power of ten and the next
    ],
)
def test_ticks_on_a_log_axis(low: float, high: float, most: int, expected: list[float]) -> None:
    assert Axis(low, high, log=True).ticks(most) == pytest.approx(expected)


def test_a_log_axis_has_no_place_for_zero() -> None:
    axis = Axis.around([0.0, -1.0, 1e-4, 1e-2], log=True)
    assert (axis.low, axis.high) == (1e-4, 1e-2)
    assert axis.place(1e-3) == pytest.approx(0.5)
    assert math.isnan(axis.place(0.0))


@pytest.mark.parametrize(
    ("values", "ends"),
    [
        ([3e-7, 0.02, 0.0, 40.0, math.inf, math.nan], (1e-7, 100)),
        ([1.0, 2.0, 3.0], (1e-3, 10)),
        ([1.0], (1e-4, 1)),
        ([], (1e-4, 1)),
        ([5e-324, 1.7e308], (1e-307, 1e308)),
        ([5e-324], (1e-307, 1e-303)),
    ],
)
def test_an_axis_of_decades_ends_with_powers_of_ten_four_apart(values: list[float], ends: tuple[float, float]) -> None:
    axis = Axis.decades(values, 4)
    assert (axis.low, axis.high) == pytest.approx(ends, rel=1e-12, abs=0)
    assert axis.place(axis.low) == 0
    assert axis.place(axis.high) == 1
    assert axis.place(math.sqrt(axis.low) * math.sqrt(axis.high)) == pytest.approx(0.5)


def test_an_axis_from_zero() -> None:
    series = Series("", EPOCHS, (0.5, 0.6, 0.7))
    assert Frame.of(Chart("", (series,))).y == Axis(0.5, 0.7)
    assert Frame.of(Chart("", (series,), from_zero=True)).y == Axis(0.0, 0.7)
    assert Frame.of(Chart("", (series,), marks=((1.0, ""),))).y == Axis(0.5, 1.0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (250.0, "250"), (0.001, "0.001"), (1e-5, "1e-5"), (2e6, "2e6"), (-2.5e-7, "-2.5e-7")],
)
def test_tick_text(value: float, text: str) -> None:
    assert tick_text(value) == text


def test_a_line_has_no_gaps() -> None:
    cells = trace([(0.0, 0.0), (1.0, 1.0)], 30, 10)
    assert np.abs(np.diff(cells, axis=0)).max() == 1
    assert cells[0].tolist() == [0, 9]
    assert cells[-1].tolist() == [29, 0]


def test_signs_are_distinct() -> None:
    assert len(set(MARKS)) == len(MARKS) >= len(SERIES)
    assert len(set(CLASSES)) == len(CLASSES) > 90

"""Charts in the terminal: braille dots and block characters in colour, plain characters without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cnncli.render.axes import Frame, entry, tick_text
from cnncli.render.terminal.cells import (
    ASCII_LEVEL,
    ASCII_UPRIGHT,
    CROWD,
    LEVEL,
    UPRIGHT,
    Cells,
    bars,
    lines,
    points,
    series_style,
    symbols,
)
from cnncli.render.terminal.fitted import in_lines
from cnncli.render.terminal.raster import color_system
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Chart, Charts

SPACE = 3
"""Blank columns between charts that stand side by side."""
AXES, ASCII_AXES = ("┤", "│", "└", "─"), ("+", "|", "+", "-")
"""A tick, the upright axis, the corner, the level axis."""


@dataclass(frozen=True)
class Size:
    """Of charts of one kind, in characters: so many lines, and columns between these bounds."""

    lines: int
    narrowest: int
    widest: int


SIZES = {"lines": Size(12, 48, 72), "steps": Size(6, 36, 56), "points": Size(24, 80, 80)}


def charts(view: Charts) -> RenderableType:
    """All charts, as many side by side as there is room for."""
    return _Charts(view)


@dataclass(frozen=True)
class _Charts:
    view: Charts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = self.view.charts
        if self.view.name:
            yield Text(f"{self.view.name}\n", style="bold")
        sizes = [SIZES[chart.kind] for chart in drawn]
        narrowest = max((size.narrowest for size in sizes), default=1)
        across = max(min((options.max_width + SPACE) // (narrowest + SPACE), len(drawn)), 1)
        width = min((options.max_width + SPACE) // across - SPACE, max((size.widest for size in sizes), default=1))
        for start in range(0, len(drawn), across):
            grid = Table.grid(padding=(0, SPACE, 0, 0))
            for _ in range(across):
                grid.add_column(vertical="bottom")
            grid.add_row(*(_Chart(chart, width) for chart in drawn[start : start + across]))
            yield grid
        for note in self.view.notes:
            yield Text(note, style="dim")


@dataclass(frozen=True)
class _Chart:
    """Title, legend and notes; the plot with the values on its left; what goes across."""

    chart: Chart
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        chart, frame = self.chart, Frame.of(self.chart)
        plain, ascii_only = color_system(console, options) is None, options.ascii_only
        tick, upright, corner, level = ASCII_AXES if ascii_only else AXES
        height = SIZES[chart.kind].lines
        labels = _labels(chart, frame, height)
        margin = max(map(len, labels.values()), default=0)
        columns = max(self.width - margin - 1, 4)
        yield from in_lines(
            [Text(chart.title, style="bold"), *_legend(chart, plain=plain, ascii_only=ascii_only)], self.width
        )
        yield from (Text(note, style="dim") for note in chart.notes)
        if chart.y_name:
            yield Text(chart.y_name, style="dim")
        cells = _cells(chart, frame, (height, columns), plain=plain)
        for row, line in enumerate(cells.lines(ascii_only=ascii_only)):
            axis = labels.get(row, "").rjust(margin) + (tick if row in labels else upright)
            yield Text.assemble((axis, "dim"), line)
        yield Text(" " * margin + corner + level * columns, style="dim")
        yield Text(" " * (margin + 1) + _across(chart, frame, columns), style="dim")
        yield Text()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)


def _cells(chart: Chart, frame: Frame, size: tuple[int, int], *, plain: bool) -> Cells:
    if chart.kind == "steps":
        return bars(chart, frame, size, plain=plain)
    return (lines if chart.kind == "lines" else points)(chart, frame, size, plain=plain)


def _labels(chart: Chart, frame: Frame, height: int) -> dict[int, str]:
    """The lines at which a value is written: where a point of it lies, or a step of it ends."""
    places = {tick_text(value): 1 - frame.y.place(value) for value in frame.y_ticks(max(height // 3, 2))}
    if chart.kind == "steps":
        return {min(int(place * height + 1e-9), height - 1): text for text, place in places.items()}
    return {round(place * (height - 1)): text for text, place in places.items()}


def _across(chart: Chart, frame: Frame, columns: int) -> str:
    """The ends of the axis below, its name between them or before the first."""
    name = chart.x_name
    first, last = (number(end, 3) for end in (frame.x.low, frame.x.high))
    single = len({x for series in chart.series for x in series.x}) == 1
    if single:
        return f"{name} {number(chart.series[0].x[0])}".strip()
    if chart.kind == "lines":
        start = f"{name} {first}".strip()
        return start + last.rjust(columns - len(start))
    room = columns - len(first) - len(last)
    return first + (name.center(room) if len(name) < room else " " * room) + last


def _legend(chart: Chart, *, plain: bool, ascii_only: bool) -> list[Text]:
    """One item a series, and one a mark; a line's has its last value. A single series without name needs none."""
    shown: Sequence[str] = symbols(chart) if plain or len(chart.series) > CROWD else "━●"[chart.kind == "points"] * 99
    items = [
        Text.assemble((f"{symbol} ", series_style(index)), entry(chart, series))
        for index, (symbol, series) in enumerate(zip(shown, chart.series, strict=False))
        if series.name
    ]
    level, upright = (ASCII_LEVEL, ASCII_UPRIGHT) if ascii_only else (LEVEL, UPRIGHT)
    marks = [f"{level} {tick_text(value)} {text}" for value, text in chart.marks]
    marks += [f"{upright} {text} {tick_text(value)}" for value, text in chart.uprights]
    return [*items, *(Text(mark, style="dim") for mark in marks)]

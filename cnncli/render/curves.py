"""Training curves in the terminal: braille dots, or plain characters without colour."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from cnncli.render.axes import COLORS, epoch_range, last_value, place, points, ticks, trace, value_range
from cnncli.render.terminal import color_system
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views import Chart, CurvesView

LINES = 12
WIDEST = 72
SIDE_BY_SIDE = 100
"""Columns from which on two charts share a row."""
SPACE = 3

DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bits of the dots of a braille character, four lines of two (Unicode 2800 to 28FF)."""
MARKS = "oxv+"
AXES, ASCII_AXES = ("┤", "│", "└", "─"), ("+", "|", "+", "-")
"""A tick, the upright axis, the corner, the level axis."""


def curves(view: CurvesView) -> RenderableType:
    """All charts."""
    return _Charts(view)


@dataclass(frozen=True)
class _Charts:
    view: CurvesView

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        charts = self.view.charts
        across = 2 if options.max_width >= SIDE_BY_SIDE and len(charts) > 1 else 1
        width = min((options.max_width - SPACE * (across - 1)) // across, WIDEST)
        if self.view.name:
            yield Text(f"{self.view.name}\n", style="bold")
        for start in range(0, len(charts), across):
            grid = Table.grid(padding=(0, SPACE, 0, 0))
            grid.add_row(*(_Chart(chart, width) for chart in charts[start : start + across]))
            yield grid


@dataclass(frozen=True)
class _Chart:
    """Legend, plot with the values on its left, epochs."""

    chart: Chart
    width: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        plain = color_system(console, options) is None
        tick, upright, corner, level = ASCII_AXES if options.ascii_only else AXES
        labels = _labels(self.chart)
        margin = max(map(len, labels.values()))
        columns = max(self.width - margin - 2, 4)
        yield _legend(self.chart, plain=plain)
        for row, line in enumerate(_marks(self.chart, columns) if plain else _braille(self.chart, columns)):
            axis = labels.get(row, "").rjust(margin) + (tick if row in labels else upright)
            yield Text.assemble((axis, "dim"), line)
        yield Text(" " * margin + corner + level * columns, style="dim")
        yield Text(" " * (margin + 1) + _epochs(self.chart, columns), style="dim")
        yield Text()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width, self.width)


def _labels(chart: Chart) -> dict[int, str]:
    """The lines at which a value is written."""
    low, high = value_range(chart)
    return {round((1 - place(value, low, high)) * (LINES - 1)): f"{value:g}" for value in ticks(low, high, 4)}


def _epochs(chart: Chart, columns: int) -> str:
    first, last = (number(epoch) for epoch in epoch_range(chart))
    start = f"epoch {first}"
    return start if first == last else start + last.rjust(columns - len(start))


def _legend(chart: Chart, *, plain: bool) -> Text:
    legend = Text.assemble((chart.title, "bold"))
    for index, series in enumerate(chart.series):
        legend.append(f"   {MARKS[index % len(MARKS)] if plain else '━'} ", _style(index))
        legend.append(f"{series.name} {number(last_value(series))}")
    return legend


def _style(index: int) -> str:
    red, green, blue = COLORS[index % len(COLORS)]
    return f"rgb({red},{green},{blue})"


def _braille(chart: Chart, columns: int) -> list[Text]:
    """LINES lines; where series cross, the cell has the colour of the later one."""
    bits = np.zeros((LINES, columns), int)
    owner = np.zeros((LINES, columns), int)
    for index, series in enumerate(chart.series):
        for run in points(chart, series):
            for right, down in trace(run, columns * 2, LINES * 4).tolist():
                bits[down // 4, right // 2] |= DOTS[down % 4][right % 2]
                owner[down // 4, right // 2] = index
    return [
        Text.assemble(*((chr(0x2800 + dots), _style(index)) if dots else " " for dots, index in zip(*row, strict=True)))
        for row in zip(bits.tolist(), owner.tolist(), strict=True)
    ]


def _marks(chart: Chart, columns: int) -> list[Text]:
    cells = np.full((LINES, columns), " ")
    for index, series in enumerate(chart.series):
        for run in points(chart, series):
            right, down = trace(run, columns, LINES).T
            cells[down, right] = MARKS[index % len(MARKS)]
    return [Text("".join(row)) for row in cells.tolist()]

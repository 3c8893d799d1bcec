"""Histograms in the terminal: few as charts, many as a table with one line each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.text import Text

from cnncli.render.terminal.charts import charts
from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.terminal.raster import BARS, RAMP, color_system
from cnncli.render.text import number, percent
from cnncli.wording import shape_text

if TYPE_CHECKING:
    from cnncli.inspection.histograms import Histogram
    from cnncli.inspection.views.histograms import HistogramsView

FEW = 6
"""Histograms up to which each has a chart."""
BELOW, ABOVE = Style(color="rgb(74,134,204)"), Style(color="rgb(217,103,79)")
"""Of the bars left and right of 0, as elsewhere of negative and positive values."""


def histograms(view: HistogramsView, *, log: bool) -> RenderableType:
    """All of them; `log`: the counts by powers of ten."""
    if len(view.histograms) <= FEW:
        return Group(*(charts(sheet) for sheet in view.charts(log=log)))
    parts: list[RenderableType] = []
    for _, title, found in view.groups():
        parts += [Text(title, style="bold"), _table(found, log=log), Text()]
    return Group(*parts, *(Text(note, style="dim") for note in view.notes))


def _table(found: tuple[Histogram, ...], *, log: bool) -> Fitted:
    zeros = [percent(each.statistics.zeros) if each.statistics.zeros else "" for each in found]
    odd = [f"{each.statistics.nonfinite:,}" if each.statistics.nonfinite else "" for each in found]
    columns = [
        Column("tensor", [each.title for each in found]),
        Column("shape", [shape_text(each.shape) for each in found], drop=4),
        Column("min", [number(each.statistics.min, 3) for each in found], right=True, drop=1),
        Column("without zeros" + (", log" if log else ""), [_Spark(each, log) for each in found]),
        Column("max", [number(each.statistics.max, 3) for each in found], drop=1),
        Column("mean", [number(each.statistics.mean, 3) for each in found], right=True, drop=3),
        Column("std", [number(each.statistics.std, 3) for each in found], right=True, drop=2),
        Column("zeros", zeros, right=True),
    ]
    return Fitted([*columns, *([Column("NaN", odd, right=True)] if any(odd) else [])])


@dataclass(frozen=True, eq=False)
class _Spark:
    """The bars in one line; whatever is not 0 is seen."""

    histogram: Histogram
    log: bool

    CELLS = 32

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        counts = np.array(self.histogram.counts, np.float64)
        if len(counts) < 2:
            yield Text(self.histogram.notes[0][: self.CELLS], style="dim")
            return
        cells = _in_cells(counts, self.CELLS)
        heights = np.log1p(cells) if self.log else cells
        ramp = RAMP if color_system(console, options) is None else BARS
        levels = np.ceil(heights / (heights.max() or 1.0) * (len(ramp) - 1) - 1e-9).astype(int)
        edges = np.array(self.histogram.edges)
        middles = _in_cells(edges[:-1] / 2 + edges[1:] / 2, self.CELLS)
        for level, middle in zip(levels.tolist(), middles.tolist(), strict=True):
            yield Segment(ramp[level], BELOW if middle < 0 else ABOVE)
        yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.CELLS, self.CELLS)


def _in_cells(values: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """The sums of neighbours, where there are more values than cells; or each in several cells. Powers of two."""
    if len(values) < cells:
        return values.repeat(cells // len(values))
    return np.asarray(values.reshape(cells, -1).sum(axis=1))

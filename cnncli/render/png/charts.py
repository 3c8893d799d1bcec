"""Charts as PNG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from PIL import Image, ImageDraw

from cnncli.files import write_atomic
from cnncli.render.axes import Frame, entry, tick_text
from cnncli.render.colors import SERIES, series_color
from cnncli.render.png.canvas import (
    BACKGROUND,
    FAINT,
    LARGE,
    MARGIN,
    NORMAL,
    SMALL,
    Canvas,
    line_height,
    text_width,
    wrap,
)
from cnncli.render.png.glyphs import draw_glyph

if TYPE_CHECKING:
    from cnncli.inspection.views.charts import Chart, Charts

LABELS = 64
"""Pixels to the left of a plot for the values."""
BELOW = 2 * line_height(SMALL) + MARGIN
"""Pixels below a plot."""
INSET = 6
"""Pixels that are left free around lines and points."""
FINE = 4
"""Lines are drawn this much larger and then reduced, which smooths them."""
MOST_DOTS = 40
"""Points of a line up to which each has a dot."""
DOT, POINT = 3, 3.5
"""The radius of a line's dots and of the points of a cloud, in pixels."""
SYMBOL, GAP = 22, 16
"""Pixels that the symbol of a legend's entry takes, and between two entries."""
PLOT_BACKGROUND, GRID, MARK = (tuple(level + more for level in BACKGROUND) for more in (10, 30, 90))


Entry = tuple[int | Literal["level", "upright"], str]
"""Of a legend: the number of a series, or what line a mark is; and what is written."""


@dataclass(frozen=True)
class Size:
    """Of charts of one kind: so many in a row, a plot of so many pixels."""

    across: int
    width: int
    height: int


SIZES = {"lines": Size(2, 420, 240), "steps": Size(3, 280, 120), "points": Size(1, 680, 520)}


def save_charts(view: Charts, out: Path, stem: str | None = None) -> Path:
    """Writes `out/<stem>.png`, by default named as the view, and returns its path. Raises OutputError."""
    path = out / f"{stem or view.view}.png"
    write_atomic(path, draw_charts(view))
    return path


def draw_charts(view: Charts) -> bytes:
    """The PNG of all charts."""
    drawn = [_Drawn(chart) for chart in view.charts]
    across = min([len(drawn), *(each.size.across for each in drawn)])
    rows = [drawn[start : start + across] for start in range(0, len(drawn), across)]
    width = LABELS + max(each.size.width for each in drawn) + MARGIN
    notes = wrap(view.notes, across * width - MARGIN, NORMAL)
    top = MARGIN + (line_height(LARGE) + MARGIN if view.name else 0)
    height = top + sum(max(each.height for each in row) for row in rows) + len(notes) * line_height(NORMAL)
    canvas = Canvas(across * width + MARGIN, height + MARGIN)
    canvas.text(MARGIN, MARGIN, view.name, LARGE)
    for row in rows:
        head = max(each.head for each in row)
        for place, each in enumerate(row):
            each.draw(canvas, place * width + LABELS, top + head)
        top += max(each.height for each in row)
    canvas.lines(MARGIN, top, notes, NORMAL, FAINT)
    return canvas.png({"view": view.view, "about": view.name})


class _Drawn:
    """One chart, which measures itself and then draws itself."""

    def __init__(self, chart: Chart) -> None:
        self.chart = chart
        self.frame = Frame.of(chart)
        self.size = SIZES[chart.kind]
        self.inset = 0 if chart.kind == "steps" else INSET
        self.legend = self._legend()
        self.notes = wrap(chart.notes, self.size.width, SMALL)
        self.lines = self._entries_in_lines()
        lines = len(self.lines) * line_height(NORMAL) + len(self.notes) * line_height(SMALL)
        self.head = lines + (line_height(SMALL) if chart.y_name else 0) + 6
        self.height = self.head + self.size.height + BELOW

    def _legend(self) -> list[Entry]:
        """The series that have names, then the marks."""
        names: list[Entry] = [
            (index, entry(self.chart, series)) for index, series in enumerate(self.chart.series) if series.name
        ]
        levels: list[Entry] = [("level", f"{tick_text(value)} {text}") for value, text in self.chart.marks]
        uprights: list[Entry] = [("upright", f"{text} {tick_text(value)}") for value, text in self.chart.uprights]
        return [*names, *levels, *uprights]

    def _entries_in_lines(self) -> list[list[Entry]]:
        """All in the title's line, or else in columns below it."""
        widths = [SYMBOL + text_width(text, NORMAL) + GAP for _, text in self.legend]
        if text_width(self.chart.title, NORMAL) + sum(widths) <= self.size.width:
            return [self.legend]
        columns = max((self.size.width + GAP) // max(widths), 1)
        return [[], *(self.legend[start : start + columns] for start in range(0, len(self.legend), columns))]

    def draw(self, canvas: Canvas, left: int, plot: int) -> None:
        """The plot's corner at (left, plot), the legend right above it."""
        end = self._draw_legend(canvas, left, plot - self.head)
        end = canvas.lines(left, end, self.notes, SMALL, FAINT)
        canvas.text(left, plot - line_height(SMALL) - 2, self.chart.y_name, SMALL, FAINT)
        canvas.image.paste(self._plot(), (left, plot))
        width, height = self.size.width, self.size.height
        for tick in self.frame.y_ticks(max(height // 45, 2)):
            canvas.text(left - 6, plot + self._down(self.frame.y.place(tick)), tick_text(tick), SMALL, FAINT, "rm")
        for tick in self.frame.x_ticks(width // 60):
            place = left + self._right(self.frame.x.place(tick))
            canvas.text(place, plot + height + 4, tick_text(tick), SMALL, FAINT, "ma")
        below = plot + height + 4 + line_height(SMALL)
        canvas.text(left + width / 2, below, self.chart.x_name, SMALL, FAINT, "ma")

    def _draw_legend(self, canvas: Canvas, left: int, top: int) -> int:
        canvas.text(left, top, self.chart.title, NORMAL)
        step = max((SYMBOL + text_width(text, NORMAL) + GAP for _, text in self.legend), default=0)
        for row, line in enumerate(self.lines):
            right = left + (text_width(self.chart.title, NORMAL) + GAP if row == 0 else 0)
            for index, text in line:
                self._symbol(canvas, index, right, top + line_height(NORMAL) // 2 - 1)
                canvas.text(right + SYMBOL, top, text, NORMAL)
                right += step if row else SYMBOL + text_width(text, NORMAL) + GAP
            top += line_height(NORMAL)
        return top

    def _symbol(self, canvas: Canvas, index: int | Literal["level", "upright"], left: int, middle: int) -> None:
        if index == "level":
            for start in range(left, left + 16, 6):
                canvas.draw.line((start, middle, start + 3, middle), fill=MARK)
        elif index == "upright":
            for start in range(middle - 7, middle + 7, 6):
                canvas.draw.line((left + 10, start, left + 10, start + 3), fill=MARK)
        elif self.chart.kind == "points":
            draw_glyph(canvas.draw, index // len(SERIES), (left + 10, middle), POINT + 0.5, series_color(index))
        else:
            canvas.draw.line((left, middle, left + 16, middle), fill=series_color(index), width=3)

    def _right(self, share: float) -> float:
        return self.inset + share * (self.size.width - 2 * self.inset - 1)

    def _down(self, share: float) -> float:
        return self.inset + (1 - share) * (self.size.height - 2 * self.inset - 1)

    def _plot(self) -> Image.Image:
        width, height = self.size.width * FINE, self.size.height * FINE
        image = Image.new("RGB", (width, height), PLOT_BACKGROUND)
        draw = ImageDraw.Draw(image)
        for tick in self.frame.y_ticks(max(self.size.height // 45, 2)):
            y = self._down(self.frame.y.place(tick)) * FINE
            draw.line((0, y, width, y), fill=GRID, width=FINE)
        {"lines": self._lines, "steps": self._steps, "points": self._points}[self.chart.kind](draw)
        small = image.reduce(FINE)
        self._marks(ImageDraw.Draw(small))
        return small

    def _lines(self, draw: ImageDraw.ImageDraw) -> None:
        for index, series in enumerate(self.chart.series):
            for run in self.frame.runs(series):
                corners = [(self._right(right) * FINE, self._down(up) * FINE) for right, up in run]
                draw.line(corners, fill=series_color(index), width=2 * FINE, joint="curve")
                for corner in corners if len(series.x) <= MOST_DOTS or len(corners) == 1 else ():
                    draw.circle(corner, DOT * FINE, fill=series_color(index))

    def _steps(self, draw: ImageDraw.ImageDraw) -> None:
        for index, series in enumerate(self.chart.series):
            for left, right, top in self.frame.bars(series):
                corners = (self._right(left), self._down(top), self._right(right), self.size.height)
                draw.rectangle([corner * FINE for corner in corners], fill=series_color(index))

    def _points(self, draw: ImageDraw.ImageDraw) -> None:
        """In an order that mixes the series, so that none covers another."""
        clouds = [self.frame.points(series) for series in self.chart.series]
        owners = np.repeat(np.arange(len(clouds)), [len(cloud) for cloud in clouds])
        places = np.concatenate([np.empty((0, 2)), *clouds])
        for each in np.random.default_rng(0).permutation(len(places)).tolist():
            index, (right, up) = int(owners[each]), places[each].tolist()
            center = self._right(right) * FINE, self._down(up) * FINE
            draw_glyph(draw, index // len(SERIES), center, POINT * FINE, series_color(index), PLOT_BACKGROUND)

    def _marks(self, draw: ImageDraw.ImageDraw) -> None:
        for value, _ in self.chart.marks:
            y = round(self._down(self.frame.y.place(value)))
            for left in range(0, self.size.width, 8):
                draw.line((left, y, left + 4, y), fill=MARK)
        for value, _ in self.chart.uprights:
            x = round(self._right(self.frame.x.place(value)))
            for top in range(0, self.size.height, 8):
                draw.line((x, top, x, top + 4), fill=MARK)

"""Training curves as PNG."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from cnncli.render.axes import COLORS, epoch_range, last_value, place, points, ticks, value_range
from cnncli.render.canvas import BACKGROUND, FAINT, LARGE, MARGIN, NORMAL, SMALL, Canvas, line_height, text_width
from cnncli.render.text import number

if TYPE_CHECKING:
    from cnncli.inspection.views import Chart, CurvesView

ACROSS = 2
"""Charts in a row."""
WIDTH, HEIGHT = 420, 240
"""Of a chart's plot, in pixels."""
LABELS = 64
"""Pixels to the left of a plot for the values."""
TITLE, EPOCHS = line_height(LARGE) + 6, 2 * line_height(SMALL) + MARGIN
"""Pixels above and below a plot."""
INSET = 6
"""Pixels that are left free around the lines."""
FINE = 4
"""Lines are drawn this much larger and then reduced, which smooths them."""
MOST_DOTS = 40
"""Epochs up to which each has a dot."""
PLOT_BACKGROUND, GRID = (tuple(level + more for level in BACKGROUND) for more in (10, 30))


def draw_curves(view: CurvesView) -> bytes:
    """All charts, two in a row."""
    across = min(len(view.charts), ACROSS)
    rows = -(-len(view.charts) // across)
    top = MARGIN + (line_height(LARGE) + MARGIN if view.name else 0)
    width, height = LABELS + WIDTH + MARGIN, TITLE + HEIGHT + EPOCHS
    canvas = Canvas(across * width + MARGIN, top + rows * height)
    canvas.text(MARGIN, MARGIN, view.name, LARGE)
    for index, chart in enumerate(view.charts):
        down, right = divmod(index, across)
        _draw_chart(canvas, chart, right * width + LABELS, top + down * height + TITLE)
    return canvas.png({"view": "curves", "run": view.name})


def _draw_chart(canvas: Canvas, chart: Chart, left: int, top: int) -> None:
    """One chart, its plot's corner at (left, top)."""
    canvas.image.paste(_draw_lines(chart), (left, top))
    low, high = value_range(chart)
    for tick in ticks(low, high, 5):
        canvas.text(left - 6, top + _inset(1 - place(tick, low, high), HEIGHT), f"{tick:g}", SMALL, FAINT, "rm")
    first, last = epoch_range(chart)
    below = top + HEIGHT + 4
    for tick in ticks(first, last, 8):
        if tick == int(tick):
            canvas.text(left + _inset(place(tick, first, last), WIDTH), below, f"{tick:g}", SMALL, FAINT, "ma")
    canvas.text(left + WIDTH / 2, below + line_height(SMALL), "epoch", SMALL, FAINT, "ma")
    _draw_legend(canvas, chart, left, top - TITLE + 8)


def _draw_legend(canvas: Canvas, chart: Chart, left: int, top: int) -> None:
    canvas.text(left, top, chart.title, NORMAL)
    left += text_width(chart.title, NORMAL) + 20
    for index, series in enumerate(chart.series):
        canvas.draw.line((left, top + 8, left + 16, top + 8), fill=COLORS[index % len(COLORS)], width=3)
        label = f"{series.name} {number(last_value(series))}"
        canvas.text(left + 22, top, label, NORMAL)
        left += 22 + text_width(label, NORMAL) + 16


def _inset(share: float, size: int) -> float:
    """A share of an axis, in pixels."""
    return INSET + share * (size - 2 * INSET - 1)


def _draw_lines(chart: Chart) -> Image.Image:
    image = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), PLOT_BACKGROUND)
    draw = ImageDraw.Draw(image)
    low, high = value_range(chart)
    for tick in ticks(low, high, 5):
        y = _inset(1 - place(tick, low, high), HEIGHT) * FINE
        draw.line((0, y, WIDTH * FINE, y), fill=GRID, width=FINE)
    for index, series in enumerate(chart.series):
        color = COLORS[index % len(COLORS)]
        for run in points(chart, series):
            corners = [(_inset(right, WIDTH) * FINE, _inset(1 - up, HEIGHT) * FINE) for right, up in run]
            draw.line(corners, fill=color, width=2 * FINE, joint="curve")
            for corner in corners if len(chart.epochs) <= MOST_DOTS or len(corners) == 1 else ():
                draw.circle(corner, 3 * FINE, fill=color)
    return image.reduce(FINE)

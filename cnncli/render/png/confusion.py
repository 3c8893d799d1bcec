"""A confusion matrix as PNG: the numbers in their cells, coloured by the share of the true class."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from cnncli.files import write_atomic
from cnncli.render.colors import Colors, Limits, luminance
from cnncli.render.confusion import BRIGHT, DARK, LIGHT, READING, cell_colors, class_label, error_limits, facts
from cnncli.render.pixels import enlarge
from cnncli.render.png.canvas import (
    BACKGROUND,
    COLOR_BAR,
    FAINT,
    INK,
    LARGE,
    MARGIN,
    NORMAL,
    SMALL,
    Canvas,
    class_name,
    drawable,
    font,
    line_height,
    text_width,
    wrap,
)
from cnncli.render.text import count, percent

if TYPE_CHECKING:
    from cnncli.inspection.views.confusion import ClassQuality, ConfusionView

Array = NDArray[Any]

NUMBERED = 40
"""Classes up to which the cells hold numbers."""
NAMED = 120
"""Classes up to which each has its name beside its row."""
CELL, LINE = 34, 15
"""Pixels a side of a cell with a number, at least, and of one without, beside a name."""
WIDEST = 1500
"""Pixels for the cells of nameless classes."""
NARROWEST = 560
"""Pixels that there are for text, at least."""
SCORES = ("precision", "recall", "F1")
SCORE = 62
"""Pixels for a column of scores."""


def save_confusion(view: ConfusionView, out: Path) -> Path:
    """Writes `out/confusion/confusion.png` and returns its path. Raises OutputError."""
    path = out / "confusion" / "confusion.png"
    write_atomic(path, draw_confusion(view))
    return path


def draw_confusion(view: ConfusionView) -> bytes:
    """The matrix, its rows the true classes, with the scores of each; the most confused pairs below."""
    matrix = _Matrix(view)
    width = max(matrix.width, NARROWEST)
    notes = wrap([*facts(view), *READING], width, NORMAL)
    pairs = [line for text in pair_texts(view) for line in wrap([text], width, NORMAL)]
    top = MARGIN + line_height(LARGE) + 4 + len(notes) * line_height(NORMAL)
    bar = top + 6
    top = bar + COLOR_BAR[1] + line_height(SMALL) + MARGIN
    below = top + matrix.height + MARGIN
    canvas = Canvas(width + 2 * MARGIN, below + (len(pairs) + 1) * line_height(NORMAL) + MARGIN)
    canvas.text(MARGIN, MARGIN, f"confusion · {view.samples}", LARGE)
    canvas.lines(MARGIN, MARGIN + line_height(LARGE) + 4, notes, NORMAL)
    _draw_bar(canvas, error_limits(view), MARGIN, bar)
    matrix.draw(canvas, MARGIN, top)
    if pairs:
        canvas.text(MARGIN, below, "most confused", NORMAL, FAINT)
        canvas.lines(MARGIN, below + line_height(NORMAL), pairs, NORMAL)
    texts = {"view": "confusion", "samples": view.samples}
    if matrix.labels:  # of more classes the numbers would take more than the picture
        texts |= {"classes": json.dumps([each.name for each in view.classes]), "matrix": json.dumps(view.matrix)}
    return canvas.png(texts)


def pair_texts(view: ConfusionView) -> list[str]:
    """ "Shirt taken for Coat: 22 (22% of Shirt), test:26, ..."."""
    names = {each.name: class_name(each.name, each.class_) for each in view.classes}
    return [
        f"{names[pair.true]} taken for {names[pair.predicted]}: {count(pair.count)} "
        f"({percent(pair.share)} of {names[pair.true]}), {', '.join(pair.examples)}"
        for pair in view.pairs
    ]


class _Matrix:
    """The cells, the names around them, and the scores of each class; measures itself, then draws itself."""

    def __init__(self, view: ConfusionView) -> None:
        self.view = view
        self.classes = len(view.classes)
        labels = [class_name(class_label(each), each.class_) for each in view.classes]
        self.labels = labels if self.classes <= NAMED else []
        digits = text_width(count(max(map(max, view.matrix))), NORMAL) + 10
        if self.classes <= NUMBERED:
            self.cell = max(CELL, digits)
        else:
            self.cell = LINE if self.labels else max(WIDEST // self.classes, 1)
        names = max((text_width(label, self.size) for label in self.labels), default=text_width("0000", SMALL))
        self.left, self.top = names + 8, names + 8
        self.width = self.left + self.classes * self.cell + (len(SCORES) * SCORE if self.labels else 0)
        self.height = self.top + self.classes * self.cell

    @property
    def size(self) -> int:
        """Of the names."""
        return NORMAL if self.classes <= NUMBERED else SMALL

    def draw(self, canvas: Canvas, left: int, top: int) -> None:
        """With its names from (left, top) on."""
        left, top = left + self.left, top + self.top
        colors = cell_colors(self.view)
        pixels = enlarge(colors, self.cell)
        if self.cell > 3:  # a line between cells that are large enough
            pixels[self.cell - 1 :: self.cell] = pixels[:, self.cell - 1 :: self.cell] = 64
        canvas.paste(pixels, left, top)
        for index, (place, label) in enumerate(self._names()):
            middle = (place + 0.5) * self.cell
            canvas.text(left - 8, top + middle, label, self.size, INK, "rm")
            _write_upwards(canvas, label, round(left + middle), top - 6, self.size)
            if self.labels:
                self._draw_scores(canvas, self.view.classes[index], left + self.classes * self.cell, top + middle)
        for column, name in enumerate(SCORES if self.labels else ()):
            canvas.text(left + self.classes * self.cell + (column + 1) * SCORE, top - 8, name, SMALL, FAINT, "rs")
        if self.classes <= NUMBERED:
            self._draw_numbers(canvas, colors, left, top)

    def _names(self) -> list[tuple[int, str]]:
        """What is written beside the rows and above the columns, by its place: all names, or some numbers."""
        if self.labels:
            return list(enumerate(self.labels))
        step = next(step for step in (10, 20, 50, 100, 200, 500, 1000, 10_000) if step * self.cell >= 2 * LINE)
        return [(place, str(place)) for place in range(0, self.classes, step)]

    def _draw_scores(self, canvas: Canvas, quality: ClassQuality, left: int, middle: float) -> None:
        for column, score in enumerate((quality.precision, quality.recall, quality.f1), start=1):
            text = "-" if score is None else percent(score)
            canvas.text(left + column * SCORE, middle, text, self.size, INK, "rm")

    def _draw_numbers(self, canvas: Canvas, colors: Colors, left: int, top: int) -> None:
        bright = luminance(colors)
        for place in np.argwhere(np.array(self.view.matrix) > 0).tolist():
            down, right = ((each + 0.5) * self.cell for each in place)
            color = DARK if bright[tuple(place)] > BRIGHT else LIGHT
            text = count(self.view.matrix[place[0]][place[1]])
            canvas.text(left + right, top + down, text, NORMAL, color, "mm")


def _write_upwards(canvas: Canvas, text: str, middle: int, bottom: int, size: int) -> None:
    """A text that is read from below, above a column."""
    image = Image.new("RGB", (text_width(text, size) + 2, line_height(size)), BACKGROUND)
    ImageDraw.Draw(image).text((0, 0), drawable(text), fill=INK, font=font(size))
    turned = image.rotate(90, expand=True)
    canvas.image.paste(turned, (middle - turned.width // 2, bottom - turned.height))


def _draw_bar(canvas: Canvas, limits: Limits, left: int, top: int) -> None:
    """A colour bar, its ends below it."""
    width, height = COLOR_BAR
    ramp = limits.colors(np.linspace(limits.vmin, limits.vmax, width))
    canvas.paste(np.broadcast_to(ramp, (height, width, 3)), left, top)
    for place, value, anchor in ((left, limits.vmin, "la"), (left + width, limits.vmax, "ra")):
        canvas.text(place, top + height + 3, percent(value), SMALL, FAINT, anchor)
    canvas.text(
        left + width + 12, top - 2, "share of the true class that is taken for another; grey: right", SMALL, FAINT
    )

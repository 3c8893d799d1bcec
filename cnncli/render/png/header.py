"""The heads of a picture and of its rows: titles, what is known, colour bars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.colors import Colors, Limits
from cnncli.render.labels import bar_labels, facts
from cnncli.render.pixels import as_colors, enlarge, reduce, reduction
from cnncli.render.png.canvas import (
    COLOR_BAR,
    FAINT,
    LARGE,
    MARGIN,
    NORMAL,
    SMALL,
    Canvas,
    line_height,
    text_width,
    wrap,
    wrap_words,
)

if TYPE_CHECKING:
    from cnncli.inspection.subject import Subject
    from cnncli.render.scale import ScaledRow

THUMBNAIL = 64
"""Pixels a side of the input's picture, at most."""
BETWEEN = 4
"""Pixels between a title and what is below it."""


class Header:
    """The head of a picture: the input, and beside it the title, what is known of it, and the colour bars for all.

    Measures itself for a width, then draws itself at the top of a canvas; `height` has the margin above.
    """

    def __init__(
        self,
        subject: Subject,
        picture: Colors | None,
        title: str,
        notes: Sequence[str],
        bars: Sequence[Bar],
        width: int,
    ) -> None:
        self.picture, self.bars = picture, bars
        self.left = MARGIN + (0 if picture is None else picture.shape[1] + MARGIN)
        room = width + MARGIN - self.left
        self.title = wrap_words(title, room, LARGE)
        self.facts = wrap([f"{name}: {value}" for name, value in facts(subject)], room, NORMAL)
        self.notes = wrap(notes, room, NORMAL)
        text = len(self.title) * line_height(LARGE) + BETWEEN
        text += (len(self.facts) + len(self.notes)) * line_height(NORMAL) + len(bars) * Bar.height
        self.height = MARGIN + max(text, 0 if picture is None else picture.shape[0])

    def draw(self, canvas: Canvas) -> None:
        if self.picture is not None:
            canvas.paste(self.picture, MARGIN, MARGIN)
        top = canvas.lines(self.left, MARGIN, self.title, LARGE) + BETWEEN
        top = canvas.lines(self.left, top, self.facts, NORMAL)
        top = canvas.lines(self.left, top, self.notes, NORMAL, FAINT)
        for bar in self.bars:
            bar.draw(canvas, self.left, top)
            top += bar.height


class RowHead:
    """The head of one of several rows: its title, what is known of it, and its colour bar if it has its own."""

    def __init__(self, title: str, notes: Sequence[str], bar: Bar | None, width: int) -> None:
        self.title = wrap_words(title, width, NORMAL) if title else []
        self.notes = wrap(notes, width, SMALL)
        self.bar = bar
        self.height = len(self.title) * line_height(NORMAL) + len(self.notes) * line_height(SMALL)
        self.height += bar.height if bar else 0

    def draw(self, canvas: Canvas, left: int, top: int) -> None:
        top = canvas.lines(left, top, self.title, NORMAL)
        top = canvas.lines(left, top, self.notes, SMALL, FAINT)
        if self.bar:
            self.bar.draw(canvas, left, top)


class Caption:
    """The head of a row of an overview, in a line where it fits: what it shows and, fainter, what is known of it."""

    def __init__(self, title: str, notes: str, width: int) -> None:
        self.lines = [(f"{title}  ", notes)]
        if self.wanted(title, notes) > width:
            self.lines = [(line, "") for line in wrap_words(title, width, SMALL)]
            self.lines += [("", line) for line in wrap_words(notes, width, SMALL)]
        self.height = len(self.lines) * line_height(SMALL)

    @staticmethod
    def wanted(title: str, notes: str) -> int:
        """The width of a line."""
        return text_width(f"{title}  ", SMALL) + text_width(notes, SMALL)

    def draw(self, canvas: Canvas, left: int, top: int) -> None:
        for bright, faint in self.lines:
            canvas.text(left, top, bright, SMALL)
            canvas.text(left + text_width(bright, SMALL), top, faint, SMALL, FAINT)
            top += line_height(SMALL)


class Bar:
    """What the colours of a row stand for: its ends, and the zero between them, with the colours in one line."""

    height = line_height(SMALL) + 2

    def __init__(self, scaled: ScaledRow) -> None:
        self.limits: Limits = scaled.widest
        self.labels = bar_labels(scaled)

    def draw(self, canvas: Canvas, left: int, top: int) -> None:
        width, height = COLOR_BAR
        ends = [self.limits.vmin, self.limits.vmax]
        if len(self.labels) == 3:
            ends.insert(1, 0.0)
        for place, label in enumerate(self.labels):
            canvas.text(left, top + 1, label, SMALL, FAINT)
            left += text_width(label, SMALL) + 5
            if place + 1 < len(ends):
                part = width // (len(ends) - 1)
                colors = self.limits.between(ends[place], ends[place + 1], part)
                canvas.paste(np.broadcast_to(colors, (height, part, 3)), left, top + 3)
                left += part + 5


def thumbnail(picture: NDArray[Any] | None) -> Colors | None:
    """The input's picture, enlarged or reduced by an integer to about THUMBNAIL pixels."""
    if picture is None:
        return None
    small = reduce(as_colors(picture), reduction(picture.shape[:2], THUMBNAIL, THUMBNAIL))
    return enlarge(small, max(THUMBNAIL // max(picture.shape[:2]), 1))

"""The head of a picture: the input, and beside it the title, what is known of it, and the colour bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.canvas import COLOR_BAR, FAINT, LARGE, MARGIN, NORMAL, SMALL, Canvas, elide, line_height, wrap
from cnncli.render.colors import Colors, Limits
from cnncli.render.labels import facts
from cnncli.render.terminal import enlarge, reduce, reduction

if TYPE_CHECKING:
    from cnncli.inspection.views import Subject

THUMBNAIL = 64
"""Pixels a side of the input's picture, at most."""


class Header:
    """Measures itself for a width, then draws itself at the top of a canvas; `height` has the margin above."""

    def __init__(self, subject: Subject, title: str, notes: Sequence[str], width: int) -> None:
        self.picture = _thumbnail(subject.picture)
        self.left = MARGIN + (0 if self.picture is None else self.picture.shape[1] + MARGIN)
        room = width + MARGIN - self.left
        self.title = [elide(title, room, LARGE)]
        self.facts = wrap([f"{name}: {value}" for name, value in facts(subject)], room, NORMAL)
        self.notes = wrap(notes, room, NORMAL)
        text = line_height(LARGE) + 4 + (len(self.facts) + len(self.notes)) * line_height(NORMAL)
        text += COLOR_BAR[1] + line_height(SMALL) + 8
        self.height = MARGIN + max(text, 0 if self.picture is None else self.picture.shape[0])

    def draw(self, canvas: Canvas, limits: Limits, labels: Sequence[str]) -> None:
        """With a colour bar for these limits."""
        if self.picture is not None:
            canvas.paste(self.picture, MARGIN, MARGIN)
        top = canvas.lines(self.left, MARGIN, self.title, LARGE) + 4
        top = canvas.lines(self.left, top, self.facts, NORMAL)
        top = canvas.lines(self.left, top, self.notes, NORMAL, FAINT)
        canvas.color_bar(self.left, top + 6, limits, labels)


def _thumbnail(picture: NDArray[Any] | None) -> Colors | None:
    """The input's picture, enlarged or reduced by an integer to about THUMBNAIL pixels."""
    if picture is None:
        return None
    colors = picture if picture.ndim == 3 else np.repeat(picture[..., None], 3, axis=2)
    planes = np.moveaxis(colors, -1, 0)
    side = max(planes.shape[1:])
    planes = np.rint(reduce(planes, reduction(planes.shape, THUMBNAIL, THUMBNAIL))).astype(np.uint8)
    return np.moveaxis(enlarge(planes, max(THUMBNAIL // side, 1)), 0, -1)

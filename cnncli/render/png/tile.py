"""One tile of a board as pixels of a PNG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.colors import Colors, Limits
from cnncli.render.labels import INDEXED, tile_label
from cnncli.render.pixels import (
    Box,
    as_colors,
    colored,
    diminished,
    framed,
    magnified,
    overlaid,
    reduce,
)
from cnncli.render.png.canvas import BACKGROUND, FAINT, SMALL, Canvas, text_width, wrap_words
from cnncli.render.png.tiling import LABEL, Piece, Place

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Tile

Array = NDArray[Any]

ROW = 32
"""Elements of a vector in one row, at least."""
SLENDER = 3
"""How many times higher than broad an upright vector is, about."""
LONGEST_LABEL = 160
"""Pixels; of a longer label the range has a line for itself, and what it is as many as it takes."""
FRAMED_VALUE = 3
"""Pixels a side of a value where there are frames, at least: its middle one then is not drawn over."""


@dataclass(frozen=True, eq=False)
class DrawnTile:
    """A tile reduced by an integer, with the colours of its values."""

    tile: Tile
    limits: Limits
    colors: Colors  # (maps, height, width, 3)
    shape: tuple[int, ...] | None
    """Of its numbers, reduced: (H, W) or (K, H, W); None of a picture."""
    boxes: Sequence[Box]
    lines: Sequence[tuple[str, str]]
    """Of the label: what is bright and what is faint."""

    indexed: bool = False
    """The index of each of its numbers stands above it, where it is wide enough."""

    @property
    def label_lines(self) -> int:
        """How many lines of text there are above it."""
        return len(self.lines) + self.indexed

    @property
    def piece(self) -> Piece:
        """What room it takes."""
        label = max((text_width("".join(line), SMALL) for line in self.lines), default=0)
        maps, height, width, _ = self.colors.shape
        return Piece(maps, height, width, label, FRAMED_VALUE if self.boxes else 1)

    def draw(self, canvas: Canvas, place: Place, lines: int) -> None:
        """With its text above it, for which there are so many lines."""
        top = place.top - lines * LABEL
        for bright, faint in self.lines:
            canvas.text(place.left, top, bright, SMALL)
            canvas.text(place.left + text_width(bright, SMALL), top, faint, SMALL, FAINT)
            top += LABEL
        canvas.paste(self._pixels(place), place.left, place.top)
        for index in range(place.width if self.indexed else 0):
            if text_width(str(index), SMALL) < place.factor:
                middle = place.left + (index + 0.5) * place.factor
                canvas.text(middle, place.top - LABEL, str(index), SMALL, FAINT, "ma")

    def _pixels(self, place: Place) -> Colors:
        large = self.colors.repeat(place.factor, axis=1).repeat(place.factor, axis=2)
        if self.tile.over is not None:
            large = overlaid(large[0], self.tile.over, self.limits)[None]
        pixels = np.empty((*place.size, 3), np.uint8)
        pixels[...] = BACKGROUND
        height, width = large.shape[1:3]
        boxes = magnified(self.boxes, place.factor)
        for each, (top, left) in zip(large, replace(place, top=0, left=0).corners(), strict=True):
            pixels[top : top + height, left : left + width] = framed(each, boxes, lined=True)
        return pixels


def drawn_tile(tile: Tile, limits: Limits, shrunk: int, *, alone: bool, upright: bool, can_die: bool) -> DrawnTile:
    """`alone`: in its row; a vector is then broken into rows, short ones where it is to stand `upright`. `can_die`: as
    of its row."""
    boxes = diminished(tile.boxes, shrunk)
    lines = _label_lines(tile, can_die=can_die)
    if tile.is_picture:
        small = as_colors(reduce(tile.values, shrunk))
        return DrawnTile(tile, limits, small[None], None, boxes, lines)
    values = reduce(tile.values, shrunk)
    colors = colored(values if values.ndim == 3 else values[None], limits, can_die=can_die)
    if alone and tile.channel is None and colors.shape[:2] == (1, 1):
        length = values.size
        columns = math.isqrt(length // SLENDER) if upright else max(ROW, math.ceil(math.sqrt(length)))
        colors = _as_rows(colors, columns)
    named = colors.shape[:2] == (1, 1) and tile.channel is None and shrunk == 1 and 1 < values.size <= INDEXED
    return DrawnTile(tile, limits, colors, values.shape, boxes, lines, named)


def _label_lines(tile: Tile, *, can_die: bool) -> list[tuple[str, str]]:
    name, ends = tile_label(tile, can_die=can_die)
    bright = f"{name} " if name and ends else name
    if text_width(bright + ends, SMALL) <= LONGEST_LABEL:
        return [(bright, ends)] if bright or ends else []
    lines = [(line, "") for line in wrap_words(name, LONGEST_LABEL, SMALL)]
    return [*lines, ("", ends)] if ends else lines


def _as_rows(colors: Colors, columns: int) -> Colors:
    """A vector (1, 1, F, 3) broken into rows of so many values, the last filled up with background."""
    length = colors.shape[2]
    columns = min(max(columns, 1), length)
    rows = -(-length // columns)
    filled = np.full((rows * columns, 3), BACKGROUND, np.uint8)
    filled[:length] = colors[0, 0]
    return filled.reshape(1, rows, columns, 3)

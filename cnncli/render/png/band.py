"""One row of a page as PNG: its head, its tiles, and the notes under them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cnncli.render.labels import row_facts
from cnncli.render.png.canvas import MARGIN, NORMAL, Canvas, line_height, wrap
from cnncli.render.png.header import RowHead
from cnncli.render.png.tile import DrawnTile, drawn_tile
from cnncli.render.png.tiling import Grid, Place
from cnncli.render.scale import ScaledRow

LARGEST = 8_000_000
"""Values in one row of a page; more are reduced."""
ABOVE_NOTES = 6
"""Pixels between the tiles and the notes."""


@dataclass(frozen=True, eq=False)
class DrawnRow:
    """The tiles of a row, all reduced by the same integer if they are too much for one picture."""

    scaled: ScaledRow
    tiles: Sequence[DrawnTile]
    shrunk: int

    @classmethod
    def of(cls, scaled: ScaledRow) -> DrawnRow:
        tiles = scaled.row.tiles
        vectors = all(tile.values.ndim == 2 and len(tile.values) == 1 for tile in tiles)
        values = sum(tile.values.size for tile in tiles)
        shrunk = 1 if vectors else max(math.ceil(math.sqrt(values / LARGEST)), 1)
        pairs = zip(tiles, scaled.limits, strict=True)
        return cls(scaled, [drawn_tile(*pair, shrunk, alone=len(tiles) == 1) for pair in pairs], shrunk)

    @property
    def title(self) -> str:
        return " · ".join(self.scaled.row.title)

    @property
    def known(self) -> list[str]:
        """What is to be told of it."""
        return row_facts(self.scaled, [self.shrunk] * len(self.tiles))

    @property
    def label_lines(self) -> int:
        """How many the longest label has."""
        return max(len(tile.lines) for tile in self.tiles)


class Band:
    """A row with its place from top to bottom; measures itself for a width."""

    def __init__(self, row: DrawnRow, grid: Grid, head: RowHead | None, width: int) -> None:
        self.row, self.grid, self.head = row, grid, head
        self.notes = wrap(row.scaled.row.notes, width, NORMAL)
        self.height = (head.height if head else 0) + grid.height
        self.height += ABOVE_NOTES + len(self.notes) * line_height(NORMAL) if self.notes else 0

    def draw(self, canvas: Canvas, top: int) -> list[Place]:
        """From `top` on; returns where the tiles stand."""
        if self.head:
            self.head.draw(canvas, MARGIN, top)
            top += self.head.height
        places = [place.moved(top, MARGIN) for place in self.grid.places]
        for tile, place in zip(self.row.tiles, places, strict=True):
            tile.draw(canvas, place, self.row.label_lines)
        canvas.lines(MARGIN, top + self.grid.height + ABOVE_NOTES, self.notes, NORMAL)
        return places

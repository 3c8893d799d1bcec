"""One row of a page as PNG: its head, its tiles, and the notes under them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnncli.render.labels import row_facts
from cnncli.render.pixels import reduction
from cnncli.render.png.canvas import NORMAL, Canvas, line_height, wrap
from cnncli.render.png.header import Caption, RowHead
from cnncli.render.png.tile import SLENDER, DrawnTile, drawn_tile
from cnncli.render.png.tiling import SMALL_SIDE, Grid, Place, small_room
from cnncli.render.scale import ScaledRow

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Tile

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
    def of(cls, scaled: ScaledRow, *, small: bool = False) -> DrawnRow:
        """`small`: for an overview."""
        tiles = scaled.row.tiles
        alone = len(tiles) == 1
        shrunk = max(_overview_shrinkage(tile, alone=alone) for tile in tiles) if small else _shrinkage(tiles)
        pairs = zip(tiles, scaled.limits, strict=True)
        drawn = [drawn_tile(*pair, shrunk, alone=alone, upright=small, can_die=scaled.row.can_die) for pair in pairs]
        return cls(scaled, drawn, shrunk)

    @property
    def title(self) -> str:
        return " · ".join(self.scaled.row.title)

    @property
    def known(self) -> list[str]:
        """What is to be told of it."""
        return row_facts(self.scaled, [self.shrunk] * len(self.tiles))

    @property
    def label_lines(self) -> int:
        """How many there are above the tiles, at most."""
        return max(tile.label_lines for tile in self.tiles)


def _shrinkage(tiles: Sequence[Tile]) -> int:
    """By what integer all tiles of a row are reduced."""
    values = sum(tile.values.size for tile in tiles)
    return 1 if all(map(_is_vector, tiles)) else max(math.ceil(math.sqrt(values / LARGEST)), 1)


def _overview_shrinkage(tile: Tile, *, alone: bool) -> int:
    if _is_vector(tile):
        return reduction(tile.values.shape, 1, SMALL_SIDE**2 // SLENDER)
    return reduction(tile.values.shape, *small_room(alone=alone))


def _is_vector(tile: Tile) -> bool:
    return tile.values.ndim == 2 and len(tile.values) == 1


class Band:
    """A row with its place from top to bottom; measures itself for a width."""

    def __init__(self, row: DrawnRow, grid: Grid, head: RowHead | Caption | None, width: int) -> None:
        self.row, self.grid, self.head = row, grid, head
        self.notes = wrap(row.scaled.row.notes, width, NORMAL)
        self.height = (head.height if head else 0) + grid.height
        self.height += ABOVE_NOTES + len(self.notes) * line_height(NORMAL) if self.notes else 0

    def draw(self, canvas: Canvas, left: int, top: int) -> list[Place]:
        """Returns where the tiles stand."""
        if self.head:
            self.head.draw(canvas, left, top)
            top += self.head.height
        places = [place.moved(top, left) for place in self.grid.places]
        for tile, place in zip(self.row.tiles, places, strict=True):
            tile.draw(canvas, place, self.row.label_lines)
        canvas.lines(left, top + self.grid.height + ABOVE_NOTES, self.notes, NORMAL)
        return places

"""One tile of a board in the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.text import Text

from cnncli.render.colors import Limits
from cnncli.render.labels import Label, tile_label
from cnncli.render.pixels import (
    diminished,
    enlarge,
    enlarged_picture,
    magnified,
    reduce,
    reduced_picture,
    reduction,
)
from cnncli.render.scale import ScaledRow
from cnncli.render.terminal.raster import Bars, Raster, Strip

if TYPE_CHECKING:
    from cnncli.inspection.views import Tile

Array = NDArray[Any]

SIDE = 32
"""Pixels a side of a map, at most, where there are many."""
SMALLEST = 16
"""Small maps are enlarged to about this width, which their labels have."""
INSIDE = 8
"""The same for the maps inside a filter."""
LONGEST_LABEL = 24
"""Columns of a line of a label that is wider than its tile."""
BAR = 4
"""Columns for each number of a short vector."""


@dataclass(frozen=True, eq=False)
class Block:
    """A tile and its label, ready to be drawn."""

    label: Label
    body: RenderableType
    width: int
    """In columns, without the label."""

    @property
    def columns(self) -> int:
        """With the label."""
        return max(self.width, *map(len, self.title.plain.split("\n")))

    @property
    def title(self) -> Text:
        """The label, the range of the numbers being faint; in several lines where it is wider than the tile."""
        name, ends = self.label
        if len(f"{name} {ends}") <= max(self.width, SMALLEST):
            return Text.assemble(name, " " if name and ends else "", (ends, "dim"))
        lines = textwrap.wrap(name, max(self.width, LONGEST_LABEL), break_on_hyphens=False)
        return Text("\n").join([*map(Text, lines), *([Text(ends, "dim")] if ends else [])])


@dataclass(frozen=True)
class Room:
    """How much there is for each tile."""

    side: int
    """Pixels a side, at most."""
    width: int
    """Columns for the maps of a filter beside one another."""
    smallest: int
    """Pixels a side to which smaller ones are enlarged."""
    plain: bool
    """Drawn with characters alone: two lines of pixels share one, so both must be of the same row of a small map."""

    def shrink(self, tile: Tile) -> int:
        """By which integer a tile is reduced."""
        height, width = size(tile)
        return reduction((height, width), self.side if height > 1 else 1, min(self.side, self.width))

    def enlarge(self, shape: tuple[int, ...], to: int) -> int:
        """By which integer (height, width) pixels are enlarged to about `to`."""
        height, width = shape
        side = max(height, width)
        factor = max(min(to, self.width) // side, 1)
        if self.plain and side <= SMALLEST and height > 1 and 2 * width <= self.width:
            return factor + factor % 2 if (factor + 1) * width <= self.width else factor - factor % 2
        return factor


def size(tile: Tile) -> tuple[int, int]:
    """Height and width in pixels, of one map."""
    height, width = tile.values.shape[:2] if tile.is_picture else tile.values.shape[-2:]
    return height, width


def room_for(rows: Sequence[ScaledRow], side: int, width: int, *, plain: bool) -> Room:
    """For tiles of at most `side` pixels; small ones become as large as the largest among them."""
    room = Room(side, width, SMALLEST, plain)
    sides = [-(-max(size(tile)) // room.shrink(tile)) for row in rows for tile in row.row.tiles]
    return replace(room, smallest=min(max([SMALLEST, *sides]), side))


def vector(scaled: ScaledRow) -> Array | None:
    """The numbers (F,) of a row that is one vector and nothing else; None of any other."""
    tile, *others = scaled.row.tiles
    alone = not others and not tile.is_picture and tile.values.ndim == 2 and len(tile.values) == 1
    return tile.values[0] if alone else None


def bars(scaled: ScaledRow, values: Array, width: int) -> tuple[Block, int]:
    """A vector as bars, one for each number, and by which integer it was shortened."""
    shrunk = reduction((1, len(values)), 1, width)
    few = reduce(values[None], shrunk)[0]
    wide = few.repeat(max(min(BAR, width // len(few)), 1))
    return Block(tile_label(scaled.row.tiles[0]), Bars(wide, scaled.limits[0]), len(wide)), shrunk


def block(tile: Tile, limits: Limits, room: Room) -> Block:
    """A tile as it fits into the room."""
    shrunk = room.shrink(tile)
    if tile.is_picture:
        raster = _picture(tile, limits, room, shrunk)
        return Block(tile_label(tile), raster, raster.colors.shape[1])
    maps = reduce(tile.values if tile.values.ndim == 3 else tile.values[None], shrunk)
    factor = room.enlarge(maps.shape[1:], INSIDE if len(maps) > 1 else room.smallest)
    boxes = magnified(diminished(tile.boxes, shrunk), factor)
    rasters = [Raster.of_map(each, limits).framed(boxes) for each in enlarge(maps, factor)]
    return _filter(tile_label(tile), rasters, room.width)


def _picture(tile: Tile, limits: Limits, room: Room, shrunk: int) -> Raster:
    small = reduced_picture(tile.values, shrunk)
    factor = room.enlarge(small.shape[:2], room.smallest)
    large = enlarged_picture(small, factor)
    raster = Raster.of_picture(large) if tile.over is None else Raster.of_overlay(large, tile.over, limits)
    return raster.framed(magnified(diminished(tile.boxes, shrunk), factor))


def _filter(label: Label, rasters: Sequence[Raster], width: int) -> Block:
    """One map; or several in lines as long as fit."""
    across = rasters[0].colors.shape[1]
    fit = min(max((width + 1) // (across + 1), 1), len(rasters))
    lines = [Strip(tuple(rasters[start : start + fit])) for start in range(0, len(rasters), fit)]
    return Block(label, Group(*lines), fit * (across + 1) - 1)

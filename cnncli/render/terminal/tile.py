"""One tile of a board in the terminal."""

from __future__ import annotations

import re
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
    magnified,
    reduce,
    reduction,
)
from cnncli.render.scale import ScaledRow
from cnncli.render.terminal.bars import indexed
from cnncli.render.terminal.raster import Raster, Strip, shares_lines

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Tile

Array = NDArray[Any]

SIDE = 32
"""Pixels a side of a map, at most, where there are many."""
SMALLEST = 16
"""Small maps are enlarged to about this width, which their labels have."""
INSIDE = 8
"""The same for the maps inside a filter."""
LONGEST_LABEL = 24
"""Columns of a line of a label that is wider than its tile."""


BREAKS = "(?<=:) | (?=>)", "(?<=,) ", " "
"""Where a label is broken, the best place first: "test:7: / red, round / > red, / square"."""


@dataclass(frozen=True, eq=False)
class Block:
    """A tile and its label, ready to be drawn."""

    label: Label
    body: RenderableType
    width: int
    """In columns, without the label."""
    shared: bool = False
    """Without colour two rows of its maps share a line."""

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
        lines = broken(name, max(self.width, LONGEST_LABEL))
        return Text("\n").join([*map(Text, lines), *([Text(ends, "dim")] if ends else [])])


def broken(text: str, width: int, places: Sequence[str] = BREAKS) -> list[str]:
    """Lines no wider than `width`, broken at the best places that there are."""
    if not places:
        return textwrap.wrap(text, width)
    lines: list[str] = []
    for part in re.split(places[0], text):
        if lines and len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines += [part] if len(part) <= width else broken(part, width, places[1:])
    return lines


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
    """Drawn with characters alone."""

    def shrink(self, tile: Tile) -> int:
        """By which integer a tile is reduced."""
        height, width = size(tile)
        return reduction((height, width), self.side if height > 1 else 1, min(self.side, self.width))

    def enlarge(self, shape: tuple[int, ...], to: int) -> int:
        """By which integer (height, width) pixels are enlarged to about `to`."""
        height, width = shape
        side = max(height, width)
        factor = max(min(to, self.width) // side, 1)
        if self.plain and side <= SMALLEST and shares_lines(height, factor) and 2 * width <= self.width:
            return 2  # so that every row has a line of its own
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
    drawn, columns = indexed(few, scaled.limits[0], width, reduced=shrunk > 1)
    return Block(tile_label(scaled.row.tiles[0], can_die=scaled.row.can_die), drawn, columns), shrunk


def block(tile: Tile, limits: Limits, room: Room, *, can_die: bool) -> Block:
    """A tile as it fits into the room; `can_die` as of its row."""
    label = tile_label(tile, can_die=can_die)
    if tile.is_picture:
        return _picture(tile, label, limits, room)
    shrunk = room.shrink(tile)
    maps = reduce(tile.values if tile.values.ndim == 3 else tile.values[None], shrunk)
    factor = room.enlarge(maps.shape[1:], INSIDE if len(maps) > 1 else room.smallest)
    boxes = magnified(diminished(tile.boxes, shrunk), factor)
    rasters = [Raster.of_map(each, limits, factor, can_die=can_die).framed(boxes) for each in maps]
    return _filter(label, rasters, room.width, shared=shares_lines(maps.shape[1], factor))


def _picture(tile: Tile, label: Label, limits: Limits, room: Room) -> Block:
    shrunk = room.shrink(tile)
    small = reduce(tile.values, shrunk)
    factor = room.enlarge(small.shape[:2], room.smallest)
    over = tile.over
    raster = Raster.of_picture(small, factor) if over is None else Raster.of_overlay(small, over, limits, factor)
    framed = raster.framed(magnified(diminished(tile.boxes, shrunk), factor))
    return Block(label, framed, framed.colors.shape[1], shares_lines(len(small), factor))


def _filter(label: Label, rasters: Sequence[Raster], width: int, *, shared: bool) -> Block:
    """One map; or several in lines as long as fit."""
    across = rasters[0].colors.shape[1]
    fit = min(max((width + 1) // (across + 1), 1), len(rasters))
    lines = [Strip(tuple(rasters[start : start + fit])) for start in range(0, len(rasters), fit)]
    return Block(label, Group(*lines), fit * (across + 1) - 1, shared)

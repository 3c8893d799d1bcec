"""Where the tiles of a picture stand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnncli.render.png.canvas import SMALL, line_height

Array = NDArray[Any]

GUTTER = 2
"""Pixels between tiles."""
WIDE_GUTTER = 10
"""Pixels between filters of several maps, and between the columns of rows below one another."""
LABEL = line_height(SMALL)
"""Pixels for a line of a label."""
INNER_COLUMNS = 16
"""Maps of a filter in one row, at most."""
FEW_INNER, MANY_INNER = 32, 24
"""Pixels a side of the maps of a filter, at least: where they are in one row, and where they are in several."""
TILE_WIDTHS = (4, 168), (16, 112), (64, 84)
"""Up to so many tiles, each is at least so many pixels wide; if there are more, as wide as their labels."""
COLUMN_WIDTHS = (1, 168), (4, 140), (8, 112), (64, 84)
"""The same for the columns of several rows."""
SINGLE, SINGLE_BROAD = 224, 480
"""The width of a single tile; that of one much broader than high."""
TALLEST = 1600
"""The height of a single tile in pixels, unless it has more rows."""
BROADEST_VALUE = 32
"""Pixels a side of a value of a tile that has a row for itself, at most."""
SMALL_SIDE = 84
"""Pixels a side of the tiles of an overview, at most."""
IN_A_LINE = 4
"""Up to so many tiles that are no channels stand in one line."""


@dataclass(frozen=True)
class Place:
    """Where a tile stands without its label: `maps` of height x width values, every value factor x factor pixels."""

    left: int
    top: int
    maps: int
    height: int
    width: int
    factor: int
    columns: int
    """How many of the maps stand side by side."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width in pixels."""
        rows = -(-self.maps // self.columns)
        return (
            rows * (self.height * self.factor + GUTTER) - GUTTER,
            self.columns * (self.width * self.factor + GUTTER) - GUTTER,
        )

    def moved(self, down: int, right: int) -> Place:
        """The same elsewhere."""
        return replace(self, top=self.top + down, left=self.left + right)

    def corners(self) -> list[tuple[int, int]]:
        """The top and the left pixel of every map."""
        down, right = self.height * self.factor + GUTTER, self.width * self.factor + GUTTER
        return [
            (self.top + each // self.columns * down, self.left + each % self.columns * right)
            for each in range(self.maps)
        ]

    def centres(self) -> tuple[Array, Array]:
        """The middle pixel of every value: its row (maps, height, 1) and column (maps, 1, width)."""
        tops, lefts = np.array(self.corners()).T[..., None]
        middle = self.factor // 2
        rows = tops + np.arange(self.height) * self.factor + middle
        columns = lefts + np.arange(self.width) * self.factor + middle
        return rows[:, :, None], columns[:, None, :]


@dataclass(frozen=True)
class Piece:
    """What is to be placed: maps of height x width values, and a label so many pixels wide."""

    maps: int
    height: int
    width: int
    label: int
    least: int = 1
    """A value takes so many pixels a side, at least."""

    def broad(self, wanted: int) -> bool:
        """Too broad for a column that is `wanted` pixels wide, as vectors are."""
        return self.maps == 1 and (self.width > 2 * self.height or self.width > wanted)

    def within(self, height: int, width: int) -> Place:
        """As large as there is room for."""

        def factor(columns: int) -> int:
            rows = -(-self.maps // columns)
            down = ((height + GUTTER) // rows - GUTTER) // self.height
            return min(down, ((width + GUTTER) // columns - GUTTER) // self.width)

        columns = max(range(1, self.maps + 1), key=factor)
        return Place(0, 0, self.maps, self.height, self.width, max(factor(columns), self.least), columns)

    def fit(self, wanted: int, tallest: int) -> Place:
        """At least `wanted` pixels wide unless it then is higher than `tallest`; several maps in about a square."""
        columns = min(max(round(math.sqrt(self.maps * self.height / self.width)), 1), self.maps)
        gutters, width = (columns - 1) * GUTTER, columns * self.width
        # A single map may be wider than wanted; many maps, whose edges are seen anyway, keep to it.
        factor = -(-wanted // width) if self.maps == 1 else (wanted - gutters) // width
        factor = max(min(factor, tallest // self.height), self.least)
        return Place(0, 0, self.maps, self.height, self.width, factor, columns)


@dataclass(frozen=True)
class Grid:
    """The tiles of a row, from (0, 0) on; each has the space for its label above it."""

    places: tuple[Place, ...]
    height: int
    width: int


def wrapped(pieces: Sequence[Piece], lines: int, *, channels: bool) -> Grid:
    """A row alone, in about a square; labels have so many lines. `channels`: the tiles are those of one tensor."""
    label = max(piece.label for piece in pieces)
    count = len(pieces)
    if any(piece.maps > 1 for piece in pieces):
        places = [_filter(piece, label) for piece in pieces]
        height, width = places[0].size
        columns = max(round(math.sqrt(count * (height + LABEL) / width)), 1)
        return _grid(places, columns, max(label, *(place.size[1] for place in places)), WIDE_GUTTER, lines)
    wanted = max(label, _tile_width(pieces))
    places = _alike([piece.fit(wanted, TALLEST if count == 1 else 2 * wanted) for piece in pieces])
    columns = count if count <= IN_A_LINE and not channels else math.ceil(math.sqrt(count))
    return _grid(places, columns, max(label, *(place.size[1] for place in places)), GUTTER, lines)


def aligned(rows: Sequence[Sequence[Piece]], lines: Sequence[int]) -> list[Grid]:
    """Rows below one another, column by column; the labels of each have so many lines.

    What is alone in its row and too broad for a column has the width that it would have without the others.
    """
    most = max(map(len, rows))
    label = max(piece.label for pieces in rows for piece in pieces)
    wanted = max(label, next((pixels for upto, pixels in COLUMN_WIDTHS if most <= upto), 0))
    placed = [_alike([piece.fit(wanted, 2 * wanted) for piece in pieces]) for pieces in rows]
    broad = [len(pieces) == 1 and pieces[0].broad(wanted) for pieces in rows]
    of_columns = [place.size[1] for places, alone in zip(placed, broad, strict=True) if not alone for place in places]
    cell = max([label, *of_columns])
    grids = []
    for pieces, places, alone, of_row in zip(rows, placed, broad, lines, strict=True):
        wide = [_broadened(pieces[0], places[0])] if alone else places
        grids.append(_grid(wide, most, cell, WIDE_GUTTER, of_row))
    return grids


def small(rows: Sequence[Sequence[Piece]], lines: Sequence[int]) -> list[Grid]:
    """Rows below one another with the small tiles of an overview; one alone in its row may be twice as broad."""
    most = max(map(len, rows))
    placed = [[piece.within(*small_room(alone=len(pieces) == 1)) for piece in pieces] for pieces in rows]
    of_columns = [place.size[1] for places in placed if len(places) > 1 for place in places]
    cell = max([piece.label for pieces in rows for piece in pieces] + of_columns)
    return [_grid(places, most, cell, WIDE_GUTTER, of_row) for places, of_row in zip(placed, lines, strict=True)]


def small_room(*, alone: bool) -> tuple[int, int]:
    """The height and width that a tile of an overview may have; it may be `alone` in its row."""
    return SMALL_SIDE, 2 * SMALL_SIDE if alone else SMALL_SIDE


def _alike(places: Sequence[Place]) -> list[Place]:
    """Of a row: those of few values are enlarged until they are about as large as the largest; but no filters."""
    height, width = (max(place.size[axis] for place in places) for axis in (0, 1))
    return [
        replace(place, factor=max(place.factor, min(height // place.height, width // place.width)))
        if place.maps == 1
        else place
        for place in places
    ]


def _broadened(piece: Piece, place: Place) -> Place:
    factor = min(SINGLE_BROAD // piece.width, BROADEST_VALUE)
    return replace(place, factor=max(factor, piece.least))


def _filter(piece: Piece, label: int) -> Place:
    """Maps large enough to be seen, and all together as wide as their label."""
    columns = min(piece.maps, INNER_COLUMNS)
    fitting = -(-(label - columns * GUTTER) // (columns * piece.width))
    side = FEW_INNER if piece.maps <= INNER_COLUMNS else MANY_INNER
    factor = max(-(-side // max(piece.height, piece.width)), fitting, piece.least)
    return Place(0, 0, piece.maps, piece.height, piece.width, factor, columns)


def _tile_width(pieces: Sequence[Piece]) -> int:
    """How many pixels wide a tile should at least be: the fewer there are, the wider."""
    if len(pieces) == 1:
        return SINGLE_BROAD if pieces[0].width > 4 * pieces[0].height else SINGLE
    return next((pixels for most, pixels in TILE_WIDTHS if len(pieces) <= most), 0)


def _grid(places: Sequence[Place], columns: int, cell: int, gap: int, lines: int) -> Grid:
    """In lines of so many columns, each `cell` pixels wide."""
    top, moved = 0, []
    label = lines * LABEL + 1
    for start in range(0, len(places), columns):
        line = places[start : start + columns]
        moved += [place.moved(top + label, column * (cell + gap)) for column, place in enumerate(line)]
        top += label + max(place.size[0] for place in line) + gap
    width = max(place.left + place.size[1] for place in moved)
    return Grid(tuple(moved), top - gap, max(width, min(len(places), columns) * (cell + gap) - gap))

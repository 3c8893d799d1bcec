"""Boards in the terminal: grids of labelled tiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from cnncli.render.labels import bar_labels, facts, row_facts
from cnncli.render.scale import Scale, ScaledRow, scaled, share_a_bar
from cnncli.render.terminal.fitted import Heading, in_lines
from cnncli.render.terminal.raster import SHARED, ColorBar, color_system, thumbnail
from cnncli.render.terminal.tile import SIDE, SMALLEST, Block, Room, bars, block, room_for, size, vector

if TYPE_CHECKING:
    from cnncli.inspection.subject import Subject
    from cnncli.inspection.views.board import Board, Sheet

SPACE = 2


def board(board: Board, scale: Scale | None = None) -> RenderableType:
    """All sheets, below the input."""
    scale = scale or Scale()
    sheets = [_Sheet(sheet, scaled(board, sheet, scale)) for sheet in board.sheets]
    return Group(
        Heading(board.view, facts(board.subject)),
        *_input(board.subject, board.sheets),
        *sheets,
        *map(Text, board.notes),
    )


def _input(subject: Subject, sheets: Sequence[Sheet]) -> Iterator[RenderableType]:
    """The input's picture, unless pictures are among the tiles."""
    shown = any(tile.is_picture for sheet in sheets for row in sheet.rows for tile in row.tiles)
    if subject.picture is not None and not shown:
        yield thumbnail(subject.picture, SIDE)
        yield Text()


@dataclass(frozen=True, eq=False)
class _Sheet:
    sheet: Sheet
    rows: Sequence[ScaledRow]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield from self._heading(options.max_width)
        common = share_a_bar(self.rows)
        if common:
            yield from _bar(next(row for row in self.rows if row.scale))
        rows = [_Row(row, bar=not common) for row in self.rows]
        width, plain = options.max_width, color_system(console, options) is None
        if len(rows) == 1:
            yield from _wrapped(rows[0], width, plain=plain)
        else:
            yield from _aligned(rows, width, plain=plain)
        yield from _ended([Text(note) for note in self.sheet.notes])

    def _heading(self, width: int) -> Iterator[RenderableType]:
        if self.sheet.title:
            yield Text("  ".join(self.sheet.title), style="bold")
        if self.sheet.subject:
            known = facts(self.sheet.subject)
            yield from in_lines([Text.assemble((name, "dim"), f" {value}") for name, value in known], width)
            yield from _input(self.sheet.subject, [self.sheet])


@dataclass(frozen=True, eq=False)
class _Row:
    scaled: ScaledRow
    bar: bool

    def title(self) -> Iterator[RenderableType]:
        if self.scaled.row.title:
            yield Text("  ".join(self.scaled.row.title), style="bold")

    def known(
        self, drawn: Sequence[Block], shrunk: Sequence[int], width: int, *, plain: bool
    ) -> Iterator[RenderableType]:
        """What is to be known of it, and the colour bar."""
        known = row_facts(self.scaled, shrunk)
        if plain and any(each.shared for each in drawn):
            known.append(SHARED)
        yield from in_lines([Text(fact, style="dim") for fact in known], width)
        yield from _bar(self.scaled) if self.bar else ()

    def blocks(self, room: Room, width: int) -> tuple[list[Block], list[int]]:
        """The tiles, and by which integer each is reduced; a single vector has the whole width."""
        tiles = self.scaled.row.tiles
        numbers = vector(self.scaled)
        if numbers is not None:
            whole, shrunk = bars(self.scaled, numbers, width)
            return [whole], [shrunk]
        can_die = self.scaled.row.can_die
        drawn = [block(*pair, room, can_die=can_die) for pair in zip(tiles, self.scaled.limits, strict=True)]
        return drawn, [room.shrink(tile) for tile in tiles]

    @property
    def notes(self) -> Iterator[Text]:
        for note in self.scaled.row.notes:
            yield Text(note)


def _bar(row: ScaledRow) -> Iterator[RenderableType]:
    """Of a row that has numbers."""
    if row.scale:
        yield ColorBar(row.widest, bar_labels(row))


def _wrapped(row: _Row, width: int, *, plain: bool) -> Iterator[RenderableType]:
    """A row alone: as many tiles in a line as fit."""
    tiles = row.scaled.row.tiles
    maps = sum(1 if tile.is_picture else max(tile.values.size // math.prod(size(tile)), 1) for tile in tiles)
    side = min(max((width + SPACE) // maps - SPACE, SIDE), 2 * SIDE)
    drawn, shrunk = row.blocks(room_for([row.scaled], side, width, plain=plain), width)
    yield from row.title()
    yield from row.known(drawn, shrunk, width, plain=plain)
    cell = min(max(each.columns for each in drawn), width)
    for part in _chunks(drawn, cell, width):
        yield _line(part, cell)
        yield Text()
    yield from _ended(list(row.notes))


def _aligned(rows: Sequence[_Row], width: int, *, plain: bool) -> Iterator[RenderableType]:
    """Rows below one another, column by column; what does not fit goes on below all of them."""
    most = max(len(row.scaled.row.tiles) for row in rows)
    side = min(max((width + SPACE) // most - SPACE, SMALLEST), SIDE)
    room = room_for([row.scaled for row in rows], side, min(side, width), plain=plain)
    drawn = [row.blocks(room, width) for row in rows]
    columns = [
        each.columns
        for row, (blocks, _) in zip(rows, drawn, strict=True)
        if vector(row.scaled) is None
        for each in blocks
    ]
    cell = min(max(columns, default=width), width)
    parts = [list(_chunks(blocks, cell, width)) for blocks, _ in drawn]
    for band in range(max(map(len, parts))):
        for row, of_row, (blocks, shrunk) in zip(rows, parts, drawn, strict=True):
            if band < len(of_row):
                yield from row.title()
                yield from row.known(blocks, shrunk, width, plain=plain) if not band else ()
                yield _line(of_row[band], cell)
                yield from row.notes if band == len(of_row) - 1 else ()
                yield Text()


def _chunks(blocks: Sequence[Block], cell: int, width: int) -> Iterator[Sequence[Block]]:
    """As many as fit side by side."""
    fit = max((width + SPACE) // (cell + SPACE), 1)
    return (blocks[start : start + fit] for start in range(0, len(blocks), fit))


def _line(blocks: Sequence[Block], cell: int) -> Table:
    """Tiles side by side, their labels above them."""
    grid = Table.grid(padding=(0, SPACE, 0, 0))
    for each in blocks:
        # A vector is as long as it is.
        grid.add_column(width=cell if len(blocks) > 1 else max(cell, each.width), no_wrap=True, overflow="ellipsis")
    grid.add_row(*(each.title for each in blocks))
    grid.add_row(*(each.body for each in blocks))
    return grid


def _ended(lines: Sequence[Text]) -> list[Text]:
    """With a blank line after them, if there are any."""
    return [*lines, Text()] if lines else []

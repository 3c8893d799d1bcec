"""How the rows of a page stand together: all below one another, or those of each layer in a column of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, zip_longest

from cnncli.render.png.band import Band, DrawnRow
from cnncli.render.png.canvas import MARGIN, SMALL, Canvas, text_width
from cnncli.render.png.header import Bar, Caption, RowHead
from cnncli.render.png.tiling import Place, aligned, small, wrapped
from cnncli.render.scale import ScaledRow, share_a_bar
from cnncli.render.text import number
from cnncli.wording import shape_text

SCREEN = 1440
"""Pixels of width for columns side by side."""
WIDEST_TEXT = 192
"""Pixels that a column is wide for the sake of its text, at most."""
BETWEEN = 16
"""Pixels between columns."""


@dataclass(frozen=True, eq=False)
class Column:
    """Rows below one another."""

    head: RowHead | None
    bands: Sequence[Band]
    width: int


class Shelf:
    """Columns side by side, each row as high as the highest beside it."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self.columns = columns
        self.head = max(column.head.height if column.head else 0 for column in columns)
        heights = ([band.height for band in column.bands] for column in columns)
        self.rows = [max(row) for row in zip_longest(*heights, fillvalue=0)]
        self.height = self.head + sum(self.rows) + MARGIN * (len(self.rows) - 1)
        self.width = sum(column.width for column in columns) + BETWEEN * (len(columns) - 1)

    def draw(self, canvas: Canvas, top: int) -> list[list[Place]]:
        """Returns where the tiles stand, row by row, column by column."""
        left, places = MARGIN, []
        for column in self.columns:
            if column.head:
                column.head.draw(canvas, left, top)
            start = top + self.head
            for band, height in zip(column.bands, self.rows, strict=False):
                places.append(band.draw(canvas, left, start))
                start += height + MARGIN
            left += column.width + BETWEEN
        return places


def shelved(columns: Sequence[Column]) -> list[Shelf]:
    """On as few shelves as a screen's width allows, all about equally full."""
    fewest = len(_filled(columns, SCREEN))
    return next(found for width in range(0, SCREEN + 1, 20) if len(found := _filled(columns, width)) == fewest)


def _filled(columns: Sequence[Column], width: int) -> list[Shelf]:
    """As many side by side as there is room for, and at least one."""
    shelves = [Shelf(columns[:1])]
    for column in columns[1:]:
        longer = Shelf([*shelves[-1].columns, column])
        if longer.width <= width:
            shelves[-1] = longer
        else:
            shelves.append(Shelf([column]))
    return shelves


def one_below_another(rows: Sequence[DrawnRow], narrowest: int) -> Column:
    """All rows of a page. A single one needs no head of its own."""
    pieces = [[tile.piece for tile in row.tiles] for row in rows]
    if len(rows) == 1:
        grid = wrapped(pieces[0], rows[0].label_lines, channels=bool(rows[0].scaled.row.channels))
        width = max(narrowest, grid.width)
        return Column(None, [Band(rows[0], grid, None, width)], width)
    grids = aligned(pieces, [row.label_lines for row in rows])
    width = max(narrowest, *(grid.width for grid in grids))
    own = not share_a_bar([row.scaled for row in rows])
    heads = [RowHead(row.title, row.known, _bar(row.scaled) if own else None, width) for row in rows]
    return Column(None, [Band(*parts, width) for parts in zip(rows, grids, heads, strict=True)], width)


def _bar(row: ScaledRow) -> Bar | None:
    return Bar(row) if row.scale else None


def by_layer(rows: Sequence[DrawnRow]) -> list[Column]:
    """A column for each layer, with small tiles and short heads."""
    return [_column(list(of_layer)) for _, of_layer in groupby(rows, lambda row: row.scaled.row.node)]


def _column(rows: Sequence[DrawnRow]) -> Column:
    grids = small([[tile.piece for tile in row.tiles] for row in rows], [row.label_lines for row in rows])
    first = rows[0].scaled.row
    known = (first.node, first.type, shape_text(first.shape))
    kind = " · ".join(dict.fromkeys(known[1:]))
    texts = [(_title(row, known), ", ".join(_facts(row))) for row in rows]
    wanted = max(text_width(kind, SMALL), *(Caption.wanted(*text) for text in texts))
    width = max(min(wanted, WIDEST_TEXT), *(grid.width for grid in grids))
    heads = [Caption(*text, width) for text in texts]
    head = RowHead(first.node, [kind], None, width)
    return Column(head, [Band(*parts, width) for parts in zip(rows, grids, heads, strict=True)], width)


def _title(row: DrawnRow, known: Sequence[str]) -> str:
    """What the column's head does not say."""
    return " · ".join(part for part in row.scaled.row.title if part not in known)


def _facts(row: DrawnRow) -> Iterator[str]:
    """The ends of the colours, and whether the values are reduced."""
    limits = row.scaled.widest
    if row.scaled.scale and not row.scaled.each:
        symmetric = limits.vmin < 0 and limits.vmin == -limits.vmax
        yield f"±{number(limits.vmax)}" if symmetric else f"{number(limits.vmin)} to {number(limits.vmax)}"
    if row.shrunk > 1:
        yield f"at 1/{row.shrunk}"

"""Sheets as pages: what is too much for one picture is spread over several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cnncli.render.scale import ScaledRow

if TYPE_CHECKING:
    from cnncli.inspection.views.board import Row, Sheet

TILES, MAPS = 64, 1024
"""Of a row alone in its sheet, on one page: so many tiles, if all together have no more maps than this."""
COLUMNS, ROWS = 17, 16
"""Of several rows on one page."""


@dataclass(frozen=True, eq=False)
class Page:
    """What becomes one picture: some tiles of some rows of a sheet."""

    sheet: Sheet
    rows: Sequence[ScaledRow]
    number: int = 1
    of: int = 1

    @property
    def stem(self) -> str:
        """The name without folder and ending. It ends with what is shown: the page stands before that."""
        if self.of == 1:
            return self.sheet.stem
        place = f"_p{self.number:0{len(str(self.of))}d}"
        front, mark, what = self.sheet.stem.rpartition("__")
        return f"{front}{place}{mark}{what}" if mark else f"{what}{place}"


def pages(sheet: Sheet, rows: Sequence[ScaledRow]) -> list[Page]:
    """A sheet whose rows have these limits. Columns of several rows stay together; an overview is one page."""
    if sheet.across:
        return [Page(sheet, rows)]
    across = _fitting(rows[0].row) if len(rows) == 1 else COLUMNS
    most = max(len(row.row.tiles) for row in rows)
    parts = []
    for top in range(0, len(rows), ROWS):
        for left in range(0, most, across):
            some = [row.part(left, left + across) for row in rows[top : top + ROWS] if left < len(row.row.tiles)]
            parts += [some] if some else []
    return [Page(sheet, part, number, len(parts)) for number, part in enumerate(parts, start=1)]


def _fitting(row: Row) -> int:
    """How many tiles of a row alone are on a page."""
    inside = max(len(tile.values) if tile.values.ndim == 3 and not tile.is_picture else 1 for tile in row.tiles)
    return max(min(MAPS // inside, TILES), 1)

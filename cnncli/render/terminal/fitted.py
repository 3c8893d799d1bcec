"""Tables that fit: what is too wide is left out, column by column, and never wrapped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

GAP = 2
"""Blank columns between two columns of a table."""
SPACE = 3
"""Blank columns between two items in a line."""
SHORTEST = 4
"""Characters that are left of the first column, at least."""


@dataclass(frozen=True)
class Column:
    """One column. Where the table is too wide those with the highest `drop` go first, together; those with 0 stay."""

    header: str
    cells: Sequence[RenderableType]
    right: bool = False
    drop: int = 0
    total: str = ""
    """What stands in the last row, if any column has something there."""
    note: str = ""
    """What stands under the table, if the column is in it."""

    def width(self, console: Console, options: ConsoleOptions) -> int:
        """In character cells."""
        parts = [*map(_as_text, self.cells), Text(self.header), Text(self.total)]
        return max(Measurement.get(console, options, part).maximum for part in parts)


@dataclass(frozen=True)
class Fitted:
    """A table of as many columns as fit. If even those that must stay do not, the first is shortened."""

    columns: Sequence[Column]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.update(max_width=10_000)
        widths = [(column, column.width(console, wide)) for column in self.columns]
        while total_width([width for _, width in widths]) > options.max_width:
            highest = max(column.drop for column, _ in widths)
            if not highest:
                break
            widths = [pair for pair in widths if pair[0].drop < highest]
        table = Table(
            box=box.SIMPLE_HEAD,
            show_edge=False,
            pad_edge=False,
            padding=(0, GAP - 1, 0, 0),
            header_style="bold",
            show_header=any(column.header for column, _ in widths),
        )
        for place, (column, width) in enumerate(widths):
            justify: Literal["left", "right"] = "right" if column.right else "left"
            table.add_column(
                column.header,
                justify=justify,
                no_wrap=True,
                overflow="ellipsis",
                min_width=width if place else min(width, SHORTEST),
            )
        for row in zip(*(column.cells for column, _ in widths), strict=True):
            table.add_row(*map(_as_text, row))
        if any(column.total for column, _ in widths):
            table.add_section()
            table.add_row(*(Text(column.total) for column, _ in widths), style="bold")
        yield table
        for note in dict.fromkeys(column.note for column, _ in widths if column.note):
            yield Text(note, "dim")


def _as_text(cell: RenderableType) -> RenderableType:
    """Names come from users: they must not be taken for markup."""
    return Text(cell) if isinstance(cell, str) else cell


def total_width(widths: Sequence[int]) -> int:
    """Of a table with columns this wide."""
    return sum(widths) + GAP * (len(widths) - 1)


def in_lines(items: Iterable[Text], width: int) -> list[Text]:
    """Items side by side, as many in a line as fit; none is broken if it fits a line."""
    lines: list[Text] = []
    for item in items:
        if lines and lines[-1].cell_len + SPACE + item.cell_len <= width:
            lines[-1] = Text.assemble(lines[-1], " " * SPACE, item)
        else:
            lines.append(item)
    return lines


@dataclass(frozen=True)
class Heading:
    """A title, what is known, by name, and a note."""

    title: str
    facts: Sequence[tuple[str, str]] = ()
    note: str = ""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        facts = (Text.assemble((name, "dim"), f" {value}") for name, value in self.facts)
        yield from in_lines([Text(self.title, style="bold"), *facts], options.max_width)
        if self.note:
            yield Text(self.note, style="dim")
        yield Text()

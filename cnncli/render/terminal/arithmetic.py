"""Sums as one writes them on paper: grids of numbers with signs between them, and columns that are added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted
from cnncli.render.text import count, numbers

Array = NDArray[Any]

DIGITS = 4
"""Of the largest number, unless it is said otherwise."""
TERMS = 10
"""So many terms of a sum are shown, unless all are asked for."""
SIGN = 3
"""Columns for the sign between two grids."""


@dataclass(frozen=True)
class Detail:
    """How much of an arithmetic is written down."""

    every: bool = False
    """All its terms, not the largest alone."""
    digits: int = DIGITS
    """Of the largest number."""


def largest_first(values: Array) -> list[int]:
    """The places of values (n,) by falling magnitude, NaN before all: it makes a sum what it is."""
    sizes = np.where(np.isnan(values), np.inf, np.abs(values))
    return np.argsort(-sizes, kind="stable").tolist()  # type: ignore[no-any-return]


def total(values: Array) -> float:
    """The sum; where infinities meet it is NaN."""
    with np.errstate(all="ignore"):
        return float(values.sum())


@dataclass(frozen=True, eq=False)
class Grid:
    """Numbers (H, W) under a title. What is `faint` matters little, what is `strong` stands out."""

    title: str
    cells: Sequence[str]
    columns: int
    faint: Sequence[bool]
    strong: Sequence[bool] = ()

    @property
    def width(self) -> int:
        """Of the widest line."""
        return max(len(self.title), self._cell * self.columns - 1)

    @property
    def _cell(self) -> int:
        return max(map(len, self.cells)) + 1

    def lines(self) -> Iterator[Text]:
        """The title and the rows, all equally wide."""
        yield Text(self.title.ljust(self.width), style="bold")
        for start in range(0, len(self.cells), self.columns):
            line = Text()
            for place in range(start, start + self.columns):
                style = "dim" if self.faint[place] else "bold" if self.strong and self.strong[place] else ""
                line.append(" " * (self._cell - len(self.cells[place]) - (place == start)))
                line.append(self.cells[place], style)
            line.pad_right(self.width - line.cell_len)
            yield line


@dataclass(frozen=True, eq=False)
class Equation:
    """Grids of one size with a sign before each but the first: side by side, as many as fit."""

    grids: Sequence[Grid]
    signs: Sequence[str]

    @property
    def width(self) -> int:
        """The least that it needs."""
        return max(grid.width for grid in self.grids) + SIGN

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        row: list[tuple[str, Grid]] = []
        used = 0
        for sign, grid in zip(("", *self.signs), self.grids, strict=True):
            if row and used + SIGN + grid.width > options.max_width:
                yield from _side_by_side(row)
                row, used = [], 0
            used += grid.width + (SIGN if sign else 0)
            row.append((sign, grid))
        yield from _side_by_side(row)


def _side_by_side(row: Sequence[tuple[str, Grid]]) -> Iterator[Text]:
    """Each sign stands in the middle of the rows."""
    columns = [(sign, list(grid.lines())) for sign, grid in row]
    height = len(columns[0][1])
    for index in range(height):
        line = Text()
        for sign, lines in columns:
            if sign:
                line.append((sign if index == height // 2 else "").center(SIGN))
            line.append_text(lines[index])
        line.rstrip()
        yield line


@dataclass(frozen=True)
class Line:
    """One line of a sum."""

    label: str
    number: str
    note: str = ""
    style: str = ""
    rule: bool = False
    """Whether a line is drawn above it."""


@dataclass(frozen=True)
class Ledger:
    """Numbers below one another, what they are before them, a remark behind."""

    lines: Sequence[Line]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        labels = max(len(line.label) for line in self.lines)
        wide = max(len(line.number) for line in self.lines)
        for line in self.lines:
            if line.rule:
                yield Text(" " * (labels + 2) + ("-" if options.ascii_only else "─") * wide, "dim")
            text = Text.assemble((line.label.ljust(labels), line.style), "  ", (line.number.rjust(wide), line.style))
            gap = "  " if text.cell_len + len(line.note) + 2 <= options.max_width else "\n    "
            text.append(gap + line.note if line.note else "", "dim")
            text.rstrip()
            yield text


@dataclass(frozen=True, eq=False)
class Terms:
    """The terms of a sum as a table, the largest first: what each is, what is multiplied, the product."""

    header: str
    name: Callable[[int], str]
    """Of one of the terms."""
    factors: Sequence[tuple[str, Array]]
    products: Array
    detail: Detail
    remarks: tuple[str, Callable[[int], str]] | None = None
    """A last column."""

    @property
    def shown(self) -> list[int]:
        """Which are printed: of those that are 0 none, if there are others and not all are asked for."""
        order = largest_first(self.products)
        telling = int(np.count_nonzero(self.products)) or len(order)
        return order if self.detail.every or telling == len(order) <= TERMS + 1 else order[: min(telling, TERMS)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        shown = self.shown
        rest = np.delete(self.products, shown)
        last = [""] if rest.size else []
        names = [self.name(term) for term in shown]
        others = f"and {count(rest.size)} {'smaller' if rest.any() else 'that are 0'}"
        columns = [Column(self.header, [*names, *([others] if rest.size else [])])]
        for header, factors in self.factors:
            columns.append(Column(header, [*numbers(factors[shown], self.detail.digits), *last], right=True, drop=1))
        products = self.products[shown]
        sums = np.append(products, total(rest)) if rest.size else products
        columns.append(Column("= term", numbers(sums, self.detail.digits), right=True))
        if self.remarks:
            columns.append(Column(self.remarks[0], [*map(self.remarks[1], shown), *last], drop=2))
        yield Fitted(columns)


def place_text(name: str, place: Sequence[int] | Array) -> str:
    """conv2[3,4,5]."""
    return f"{name}[{','.join(str(int(i)) for i in place)}]" if len(place) else name

"""The worst samples in the terminal: their pictures, and a table of what the network makes of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType

from cnncli.render.terminal.board import board
from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.text import number, percent

if TYPE_CHECKING:
    from cnncli.inspection.views.mistakes import Mistake, MistakesView


def mistakes(view: MistakesView) -> RenderableType:
    """The pictures, where the samples can be looked at, then the table."""
    pictures = view.board(brief=True)
    head = board(pictures) if pictures.sheets else Heading("mistakes", [("samples", view.samples)], view.summary)
    return Group(head, _table(view.mistakes))


def _table(rows: tuple[Mistake, ...]) -> Fitted:
    columns = [
        Column("input", [row.input for row in rows]),
        Column("loss", [number(row.loss) for row in rows], right=True),
        Column("true", [row.true or "-" for row in rows]),
        Column("predicted", [row.predicted or "-" for row in rows]),
    ]
    if any(row.probability is not None for row in rows):
        columns += [
            Column("probability", [_share(row.probability) for row in rows], right=True, drop=1),
            Column("of the true class", [_share(row.true_probability) for row in rows], right=True, drop=2),
        ]
    return Fitted(columns)


def _share(value: float | None) -> str:
    return "-" if value is None else percent(value)

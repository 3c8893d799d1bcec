"""How good a network is, as a table: what was measured, then each class or each output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from cnncli.render.terminal.fitted import Column, Fitted, Heading
from cnncli.render.text import count, number, percent

LISTED = 30
"""Rows of the table; of more, the worst."""


class ClassRow(Protocol):
    """What is shown of a class, or a label."""

    @property
    def class_(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def precision(self) -> float: ...
    @property
    def recall(self) -> float: ...
    @property
    def f1(self) -> float: ...
    @property
    def support(self) -> int: ...
    @property
    def predicted(self) -> int: ...


class OutputRow(Protocol):
    """What is shown of an output of a regression."""

    @property
    def output(self) -> int: ...
    @property
    def mae(self) -> float: ...
    @property
    def rmse(self) -> float: ...
    @property
    def r2(self) -> float: ...


@dataclass(frozen=True)
class Evaluation:
    """`facts` are names and numbers as text."""

    split: str
    facts: Sequence[tuple[str, str]]
    classes: Sequence[ClassRow]
    outputs: Sequence[OutputRow]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Heading(self.split, self.facts)
        yield from _classes(self.classes)
        yield from _outputs(self.outputs)


def _classes(rows: Sequence[ClassRow]) -> Iterator[RenderableType]:
    if not rows:
        return
    if len(rows) > LISTED:
        yield _cut(len(rows), "classes", "lowest F1")
        rows = sorted(rows, key=lambda row: row.f1)[:LISTED]
    yield Fitted(
        [
            Column("class", [row.name if row.name == str(row.class_) else f"{row.class_} {row.name}" for row in rows]),
            Column("precision", [percent(row.precision) for row in rows], right=True),
            Column("recall", [percent(row.recall) for row in rows], right=True),
            Column("F1", [percent(row.f1) for row in rows], right=True),
            Column("support", [count(row.support) for row in rows], right=True, drop=1),
            Column("predicted", [count(row.predicted) for row in rows], right=True, drop=2),
        ]
    )


def _outputs(rows: Sequence[OutputRow]) -> Iterator[RenderableType]:
    if not rows:
        return
    if len(rows) > LISTED:
        yield _cut(len(rows), "outputs", "lowest R2")
        rows = sorted(rows, key=lambda row: row.r2)[:LISTED]
    yield Fitted(
        [
            Column("output", [str(row.output) for row in rows]),
            Column("MAE", [number(row.mae) for row in rows], right=True),
            Column("RMSE", [number(row.rmse) for row in rows], right=True, drop=1),
            Column("R2", [number(row.r2) for row in rows], right=True),
        ]
    )


def _cut(total: int, what: str, order: str) -> Text:
    return Text(f"the {LISTED} of {count(total)} {what} with the {order}; --json has all", "dim")
